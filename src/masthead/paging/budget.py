"""How many events a key may be sent: so many in a sliding window, counted on this machine's monotonic clock.

PagerDuty takes 120 events a minute and key and answers the rest with 429 (v1: 403). Staying below costs nothing
and leaves room for the severe ones, which a refusal would only delay.

Source: PagerDuty facts, A.1 and A.2.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable

from masthead.kernel.clock import Clock

__all__ = ["Budget"]


class Budget:
    """Counts what was sent to each key and says when the next may go."""

    def __init__(self, clock: Clock, *, limit: int = 120, window_s: float = 60.0) -> None:
        """Args: limit: events a key; window_s: in so many seconds."""
        self.limit = limit
        self.window_s = window_s
        self._clock = clock
        self._sent: dict[str, list[float]] = {}
        self._swept_at = clock.monotonic()

    def take(self, key_hash: str) -> bool:
        """Count one event for the key, or say that there is no room now."""
        now = self._clock.monotonic()
        if len(self._recent(key_hash, now)) >= self.limit:
            return False
        self.spend(key_hash)
        return True

    def spend(self, key_hash: str) -> None:
        """Count one event for the key that goes out even where there is no room."""
        now = self._clock.monotonic()
        self._sweep(now)
        insort(self._recent(key_hash, now), now)

    def give_back(self, key_hash: str) -> None:
        """Count one event less for the key: what was to be sent was not."""
        if sent := self._sent.get(key_hash):
            sent.pop()

    def wait_s(self, key_hash: str) -> float:
        """Give the seconds until the key has room; 0 when it has some now."""
        now = self._clock.monotonic()
        sent = self._recent(key_hash, now)
        if len(sent) < self.limit:
            return 0.0
        return max(sent[-self.limit] + self.window_s - now, 0.0)

    def learn(self, key_hash: str, ages_s: Iterable[float]) -> None:
        """Count what others sent to the key, or this machine in an earlier life, as far as it is not counted yet.

        Args:
            key_hash: The key.
            ages_s: How long ago each known attempt was made, those of this machine included.
        """
        now = self._clock.monotonic()
        own = self._recent(key_hash, now)
        known = sorted(now - age for age in ages_s if 0 <= age < self.window_s)
        # Attempts carry no name of their machine: the longer of the two lists is the safer count.
        if len(known) > len(own):
            self._sent[key_hash] = known

    def counts(self) -> dict[str, int]:
        """Give how many events each key was sent within the window; keys that were sent none are left out."""
        now = self._clock.monotonic()
        counted = {key_hash: len(self._recent(key_hash, now)) for key_hash in tuple(self._sent)}
        return {key_hash: count for key_hash, count in counted.items() if count}

    def used(self) -> tuple[float, int]:
        """Give the used part of the most used key's budget (0 to 1), and how many keys have none left."""
        now = self._clock.monotonic()
        counts = [len(self._recent(key_hash, now)) for key_hash in tuple(self._sent)]
        return max(counts, default=0) / self.limit, sum(count >= self.limit for count in counts)

    def _recent(self, key_hash: str, now: float) -> list[float]:
        sent = self._sent.setdefault(key_hash, [])
        if sent and sent[0] <= now - self.window_s:
            del sent[: bisect_right(sent, now - self.window_s)]
        return sent

    def _sweep(self, now: float) -> None:
        """Forget the keys that were sent nothing for a whole window."""
        if now - self._swept_at < self.window_s:
            return
        self._swept_at = now
        self._sent = {
            key: sent for key, sent in self._sent.items() if sent and sent[-1] > now - self.window_s
        }
