"""How much PagerDuty lets through: a sliding window per routing key, a minute per REST token."""

from __future__ import annotations

import math
from collections import deque

import msgspec

from masthead.simulator.clock import Clock

__all__ = ["KeyWindow", "Standing", "TokenMinutes"]

_MINUTE_S = 60.0
#: Tokens that are remembered; any token is accepted by default, so there may be many.
_MOST_TOKENS = 10_000


class KeyWindow:
    """Counts the events of each routing key in a window that slides.

    Only accepted events count. Keys are those of the organisation, and each holds at most its budget
    of instants, so memory is bounded.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accepted: dict[str, deque[float]] = {}

    def admit(self, key: str, budget: int | None, window_s: float) -> bool:
        """Count one event of *key* and say whether it is within *budget* per *window_s*."""
        if budget is None:
            return True
        accepted = self._accepted.setdefault(key, deque())
        now = self._clock.monotonic()
        while accepted and accepted[0] <= now - window_s:
            accepted.popleft()
        if len(accepted) >= budget:
            return False
        accepted.append(now)
        return True

    def used(self, window_s: float) -> dict[str, int]:
        """Give how many events each key has sent in the last *window_s*."""
        since = self._clock.monotonic() - window_s
        return {key: sum(instant > since for instant in times) for key, times in self._accepted.items()}


class Standing(msgspec.Struct, frozen=True):
    """Where a token stands after a call."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """Give PagerDuty's three headers."""
        return {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(self.remaining),
            "ratelimit-reset": str(self.reset_s),
        }


class TokenMinutes:
    """Counts the calls of each token in minutes that begin with its first call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minutes: dict[str, tuple[float, int]] = {}

    def admit(self, token: str, limit: int | None) -> Standing | None:
        """Count one call of *token* against *limit* calls a minute; None when there is no limit."""
        if limit is None:
            return None
        now = self._clock.monotonic()
        begun, count = self._minutes.get(token, (now, 0))
        if now - begun >= _MINUTE_S:
            begun, count = now, 0
        allowed = count < limit
        self._minutes[token] = (begun, count + allowed)
        if len(self._minutes) > _MOST_TOKENS:
            del self._minutes[next(iter(self._minutes))]
        reset_s = max(math.ceil(begun + _MINUTE_S - now), 1)
        return Standing(allowed, limit, max(limit - count - allowed, 0), reset_s)
