"""One account's share of PagerDuty's REST budget, and its rest when PagerDuty does not answer."""

from __future__ import annotations

import asyncio

from masthead.kernel.clock import Clock
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.paging.proof.schedule import Timings

__all__ = ["Rate"]

#: Only an operator can change these: the token is wrong, or may not look at incidents.
_REFUSALS = (Reason.TOKEN, Reason.SCOPE, Reason.NOT_CONFIGURED)


class Rate:
    """Turns that are evenly spaced, so that proof never takes more than its share."""

    def __init__(self, clock: Clock, timings: Timings) -> None:
        self._clock = clock
        self._timings = timings
        self._queue = asyncio.Lock()
        self._next_at = float("-inf")
        self._failures = 0
        self._resume_at = float("-inf")
        #: Whether PagerDuty refused the token itself, so that asking again soon is in vain.
        self.is_refused = False

    @property
    def rest_s(self) -> float:
        """Seconds that nothing is to be asked, because PagerDuty failed; 0 when it may be asked."""
        return max(self._resume_at - self._clock.monotonic(), 0.0)

    async def turn(self) -> None:
        """Wait until the next request may go out; who gives up waiting leaves the turn to the others."""
        async with self._queue:
            now = self._clock.monotonic()
            if self._next_at > now:
                await self._clock.sleep(self._next_at - now)
            self._next_at = max(now, self._next_at) + 1 / self._timings.looks_per_s

    def succeeded(self) -> None:
        """Note that PagerDuty answers."""
        self._failures = 0
        self._resume_at = float("-inf")
        self.is_refused = False

    def failed(self, failure: OutsideFailure) -> None:
        """Note a failure that befalls every request: the pauses grow, and are never shorter than PagerDuty asks.

        Those that were under way when the first failed count as one.
        """
        self.is_refused = failure.reason in _REFUSALS and not failure.retryable
        if self.rest_s == 0:
            self._failures += 1
        pause = max(self._timings.after_failures(self._failures), failure.retry_after or 0.0)
        self._resume_at = max(self._resume_at, self._clock.monotonic() + pause)
