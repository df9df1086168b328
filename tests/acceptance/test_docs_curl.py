"""The guide for curl does what it says, against real processes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from support.processes import wait_until

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "use-with-curl.md"


def test_every_command_of_the_guide_succeeds_and_three_incidents_are_open(server, pagerduty):
    """The commands are run as they stand, with the addresses of this test's processes."""
    blocks = re.findall(r"```sh run\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    assert len(blocks) >= 5
    script = "set -eu\n" + "\n".join(blocks)
    script = script.replace("http://127.0.0.1:8084", server.url).replace(
        "http://127.0.0.1:8999", pagerduty.url
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    wanted = {"[DEMO] Application ABC has completed", "[DEMO] db down", "from Orca"}
    wait_until(lambda: {one["title"] for one in pagerduty.get("/simulator/incidents")} >= wanted)
