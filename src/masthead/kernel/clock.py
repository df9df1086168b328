"""The only place that asks what time it is, so that hours can pass in a test within milliseconds."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock", "Timer", "from_ms", "since_boot", "to_ms"]

#: What a clock may lose when it is only being corrected (NTP slews by less); more means that it was set back.
_SET_BACK_S = 2.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(instant: datetime) -> int:
    """Give *instant* as Spinnaker writes it: whole milliseconds since 1970, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """Give the aware UTC instant of *milliseconds* since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def since_boot() -> float:
    """Give seconds that never run backwards and, where the system can tell (Linux), go on while the machine sleeps."""
    return time.monotonic() if _SINCE_BOOT is None else time.clock_gettime(_SINCE_BOOT)


_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """Wall time, monotonic time and waiting."""

    def now(self) -> datetime:
        """Give the current instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never run backwards; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds*, without blocking the loop."""
        ...

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Have *call* called after *seconds*, unless the timer is cancelled before; cheaper than a task that sleeps."""
        ...


class Timer(Protocol):
    """Something that :meth:`Clock.call_later` will call."""

    def cancel(self) -> object:
        """Let it not be called; does nothing when it was."""
        ...


class SystemClock:
    """The machine's own clock, which is followed when it is set forward and not when it is set back.

    What is due in a minute would be due in an hour and a minute if the clock were set back by one hour, and a page
    would wait for it. Until it has caught up, or the process ends, time goes on from where it was.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        """Args: wall: seconds since 1970, may jump; elapsed: seconds that never run backwards."""
        self._wall = wall
        self._elapsed = elapsed
        #: How far the time that is shown is ahead of the machine's own.
        self._moved_s = 0.0
        self._anchor = wall(), elapsed()

    def move(self, by: timedelta) -> None:
        """Show a time that is later (earlier, if negative) by so much, and go on with the machine's clock from there."""
        shown = self.now().timestamp() + by.total_seconds()
        self._moved_s = shown - self._wall()
        self._anchor = shown, self._elapsed()

    def now(self) -> datetime:
        """Give the current instant, aware, in UTC."""
        wall, elapsed = self._wall() + self._moved_s, self._elapsed()
        expected = self._anchor[0] + elapsed - self._anchor[1]
        if wall < expected - _SET_BACK_S:
            return datetime.fromtimestamp(expected, UTC)
        self._anchor = wall, elapsed
        return datetime.fromtimestamp(wall, UTC)

    def monotonic(self) -> float:
        """Give seconds that never run backwards."""
        return self._elapsed()

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds*."""
        await asyncio.sleep(max(seconds, 0))

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Have *call* called after *seconds*."""
        return asyncio.get_running_loop().call_later(seconds, call)


class ManualClock:
    """A clock that stands still until a test advances it; sleepers wake in the order of their deadlines."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """Give the instant this clock stands at."""
        return self._now

    def monotonic(self) -> float:
        """Give the seconds this clock was advanced by."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced by *seconds*; 0 only gives way to other tasks."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        await self._sleeper(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Have *call* called once the clock was advanced by *seconds*."""
        woken = self._sleeper(seconds)
        woken.add_done_callback(lambda one: None if one.cancelled() else call())
        return woken

    async def advance(self, seconds: float) -> None:
        """Move time on by *seconds*, waking each sleeper at its own moment."""
        target = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, woken = heapq.heappop(self._sleepers)
            self._move_to(due)
            if not woken.done():
                woken.set_result(None)
            await _let_others_run()
        self._move_to(target)
        await _let_others_run()

    def _sleeper(self, seconds: float) -> asyncio.Future[None]:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._elapsed + seconds, self._count, woken))
        return woken

    def _move_to(self, elapsed: float) -> None:
        self._now += timedelta(seconds=elapsed - self._elapsed)
        self._elapsed = elapsed


async def _let_others_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
