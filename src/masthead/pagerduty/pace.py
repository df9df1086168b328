"""How fast one token may ask: a few requests at once, one at a time after a 429, none while told to wait.

Source: PagerDuty facts A.5: 960 requests a minute, lower limits for single operations, ``ratelimit-*`` headers
that a 429 may lack, "make requests serially per token".
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from masthead.kernel.clock import Clock
from masthead.kernel.errors import OutsideFailure, Reason

__all__ = ["Pace"]

#: How long after the last 429 requests go one by one.
_ALONE_S = 60.0
#: Who would have to wait longer than this is told instead, and comes again with the next refresh.
_LONGEST_WAIT_S = 65.0


class Pace:
    """The turns of one token's requests."""

    def __init__(self, clock: Clock, *, in_flight: int) -> None:
        """Args: in_flight: requests under way at once while nothing throttles."""
        self._clock = clock
        self._slots = asyncio.Semaphore(in_flight)
        self._alone = asyncio.Lock()
        self._alone_until = 0.0
        self._resume_at = 0.0

    @property
    def is_alone(self) -> bool:
        """Whether requests go one by one."""
        return self._clock.monotonic() < self._alone_until

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a request may be sent, and count it as under way inside.

        Raises:
            OutsideFailure: PagerDuty asked to wait for longer than anybody should be kept waiting.
        """
        async with self._slots:
            await self._wait()
            async with self._alone if self.is_alone else contextlib.nullcontext():
                await self._wait()
                yield

    def throttled(self, wait_s: float) -> None:
        """Note a 429: nobody asks for *wait_s* seconds, then one at a time for a minute."""
        now = self._clock.monotonic()
        self._resume_at = max(self._resume_at, now + wait_s)
        self._alone_until = max(self._alone_until, self._resume_at + _ALONE_S)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Note the budget that a good answer's headers tell: with nothing left, wait for the next minute."""
        remaining, reset = headers.get("ratelimit-remaining"), headers.get("ratelimit-reset", "")
        if remaining == "0" and reset.isascii() and reset.isdigit():
            wait_s = min(float(reset), _LONGEST_WAIT_S)
            self._resume_at = max(self._resume_at, self._clock.monotonic() + wait_s)

    async def _wait(self) -> None:
        while (wait_s := self._resume_at - self._clock.monotonic()) > 0:
            if wait_s > _LONGEST_WAIT_S:
                raise OutsideFailure(
                    f"PagerDuty limits the requests of this token and asked to wait; {wait_s:.0f} seconds are left.",
                    reason=Reason.THROTTLED,
                    retry_after=wait_s,
                )
            await self._clock.sleep(wait_s)
