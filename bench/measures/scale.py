"""Whether a page costs the same when the audit is full."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from audit import fill
from line import Line, at_most, figure
from servers import Measured, drive, masthead
from sink import Sink, nginx_sink

__all__ = ["scale"]

_ROWS = 1_000_000
_ROUNDS = 3
_SECONDS = 4


def scale() -> Iterator[Line]:
    """The same load on an empty audit and on one of a million pages, in turn."""
    with tempfile.TemporaryDirectory() as folder, nginx_sink() as sink:
        empty, full = Path(folder, "empty.db"), Path(folder, "full.db")
        with masthead(sink.url, database=str(full)):
            pass
        fill(full, pages=_ROWS)
        runs: dict[Path, list[Measured]] = {empty: [], full: []}
        for number in range(_ROUNDS):
            for database, measured in runs.items():
                measured.append(_run(sink, database, number))
            empty.unlink()
        size = full.stat().st_size / 1e6
    small, large = (statistics.median(one.cpu_us for one in measured) for measured in runs.values())
    yield figure("scale: the database of a million pages", size, "MB")
    yield figure("scale: CPU per page, empty audit", small, "µs")
    yield figure("scale: CPU per page, a million pages", large, "µs")
    ratio = statistics.median(b.cpu_us / a.cpu_us for a, b in zip(runs[empty], runs[full], strict=True))
    yield at_most(1.2, "scale: cost per page, of that of an empty audit", ratio, "x")


def _run(sink: Sink, database: Path, number: int) -> Measured:
    with masthead(sink.url, database=str(database)) as server:
        drive(server, sink, kind="echo", run=f"scale-w{number}", seconds=1)
        return drive(server, sink, kind="echo", run=f"scale-r{number}", seconds=_SECONDS)
