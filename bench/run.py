"""``make bench``: measure what the project promises, on this machine, and write bench/results.json.

Usage: bench/run.py [NAME …] | --install-peers. Each measure runs real processes; docs/reference/benchmarks.md says
what each of them does. The exit status is 1 when a limit is missed.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from line import Absent, Line  # noqa: E402 - needs the path above
from measures.browser import browser  # noqa: E402
from measures.cost import cost  # noqa: E402
from measures.expressions import expressions  # noqa: E402
from measures.latency import fan_out, one_key  # noqa: E402
from measures.pipelines import graphs, pipelines  # noqa: E402
from measures.scale import scale  # noqa: E402
from measures.start import start  # noqa: E402
from measures.stored import stored  # noqa: E402
from measures.storm import storm  # noqa: E402
from measures.waiting import waiting  # noqa: E402
from programs import install_peers  # noqa: E402

RESULTS = HERE / "results.json"

MEASURES: dict[str, Callable[[], Iterator[Line]]] = {
    "start": start,
    "cost": cost,
    "fan-out": fan_out,
    "one-key": one_key,
    "storm": storm,
    "scale": scale,
    "pipelines": pipelines,
    "graphs": graphs,
    "waiting": waiting,
    "stored": stored,
    "expressions": expressions,
    "browser": browser,
}


def main(arguments: list[str]) -> int:
    """Run the named measures, or all; give the exit status."""
    if arguments == ["--install-peers"]:
        return install_peers()
    if unknown := [name for name in arguments if name not in MEASURES]:
        print(f"There is no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}.", file=sys.stderr)
        return 2
    print(
        f"Python {platform.python_version()} ({platform.python_compiler()}), {os.cpu_count()} processors",
        flush=True,
    )
    lines: list[Line] = []
    for name in arguments or MEASURES:
        lines += _run(name)
    RESULTS.write_text(json.dumps([one.document() for one in lines], indent=2, ensure_ascii=False) + "\n")
    return int(any(one.holds is False for one in lines))


def _run(name: str) -> list[Line]:
    lines: list[Line] = []
    try:
        for one in MEASURES[name]():
            print(one.row(), flush=True)
            lines.append(one)
    except Absent as absent:
        print(f"{name}: skipped; {absent}", flush=True)
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
