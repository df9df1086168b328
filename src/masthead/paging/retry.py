"""When what PagerDuty refused for now is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

__all__ = ["RetryPolicy"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full jitter: a random wait between nothing and a limit that doubles from ``first`` up to ``longest``.

    PagerDuty's own texts contradict each other (a few minutes; three times, 30 seconds apart; facts A.2), and
    none of its event answers is documented to name a time; where one does, it is honoured as the least wait.
    """

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(seconds=30)
    #: After so long without success a delivery expires.
    deadline: timedelta = timedelta(hours=1)

    def wait(self, attempts: int, *, retry_after: float | None, chance: random.Random) -> timedelta:
        """Give the wait after *attempts* failed attempts (1 or more).

        Args:
            attempts: How often it was tried.
            retry_after: Seconds that the other side asked for, or None.
            chance: Source of randomness.
        """
        limit = min(self.first * 2 ** min(attempts - 1, 30), self.longest)
        jittered: timedelta = limit * chance.random()
        asked = timedelta(seconds=retry_after or 0)
        return max(asked, jittered)
