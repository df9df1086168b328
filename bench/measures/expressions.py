"""A thousand expressions as pipelines hold them: the first time, and once their parsed forms are kept."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

from line import Line, at_most

__all__ = ["expressions"]

_ROUNDS = 5
#: In a process of its own, so that nothing has been parsed before.
_PROGRAM = """
import sys, time
sys.path.insert(0, "tests")
from support.expressing import evaluate_all, typical
documents = typical(1000)
evaluate_all(typical(1))
times = []
for _ in range(2):
    began = time.perf_counter()
    evaluate_all(documents)
    times.append((time.perf_counter() - began) * 1000)
print(*times)
"""


def expressions() -> Iterator[Line]:
    """1,000 different expressions, one document each."""
    runs = [_run() for _ in range(_ROUNDS)]
    yield at_most(400, "1,000 expressions, cold", statistics.median(cold for cold, _ in runs), "ms")
    yield at_most(50, "1,000 expressions, parsed before", statistics.median(warm for _, warm in runs), "ms")


def _run() -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, stdout=subprocess.PIPE, text=True)
    cold, warm = map(float, done.stdout.split())
    return cold, warm
