"""The commands of the reference page run as they stand."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "simulator.md"


def test_every_command_succeeds(simulator):
    """One after another, in the order of the page, with this test's address."""
    blocks = re.findall(r"```sh run\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(blocks) >= 7
    script = "set -eu\n" + "\n".join(blocks).replace("http://127.0.0.1:8999", simulator.url)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
