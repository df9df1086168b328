"""Which keys' runs end in failures: such a key rests longer after each, and is woken when another is through."""

from __future__ import annotations

from masthead.kernel.clock import Clock

__all__ = ["Setbacks"]

#: How often keys that rest are woken because another is through.
_BETWEEN_WAKES_S = 5.0


class Setbacks:
    """Counts, for each key that has something waiting, the runs in a row that ended in failures."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: dict[str, int] = {}
        self._wakes_again_at = 0.0

    def add(self, key_hash: str) -> int:
        """Note a run that ended in failures, and give how many did so in a row."""
        failed = self._failed[key_hash] = self._failed.get(key_hash, 0) + 1
        return failed

    def end(self, key_hash: str) -> bool:
        """Note that the key is through, or has nothing waiting, and tell whether runs had failed."""
        return self._failed.pop(key_hash, 0) > 0

    def to_wake(self) -> list[str]:
        """Give the keys that need not rest on, now that one is through; none where that was asked a moment ago."""
        now = self._clock.monotonic()
        if not self._failed or now < self._wakes_again_at:
            return []
        self._wakes_again_at = now + _BETWEEN_WAKES_S
        return sorted(self._failed)
