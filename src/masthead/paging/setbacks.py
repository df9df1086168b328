"""Which keys' runs end in failures: such a key rests longer after each, and is woken when it, or another, is through."""

from __future__ import annotations

from collections.abc import Sequence

from masthead.kernel.clock import Clock

__all__ = ["Setbacks"]

#: How often keys that rest are woken because one is through, and how often what backs off at a key is tried with what is due:
#: a delivery that always fails is not tried with every other that does not.
_BETWEEN_S = 5.0
#: Keys of which that is remembered, before those are forgotten of which it is over.
_MANY = 1000


class Setbacks:
    """Counts, for each key that has something waiting, the runs in a row that ended in failures."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: dict[str, int] = {}
        #: Those whose last run was refused for too many events: that another key is through tells nothing of them.
        self._throttled: set[str] = set()
        self._wakes_again_at = 0.0
        self._hastens_again_at: dict[str, float] = {}
        self._owed: set[str] = set()

    def add(self, key_hash: str, *, is_throttled: bool = False) -> int:
        """Note a run that ended in failures, and give how many did so in a row."""
        failed = self._failed[key_hash] = self._failed.get(key_hash, 0) + 1
        (self._throttled.add if is_throttled else self._throttled.discard)(key_hash)
        return failed

    def end(self, key_hash: str) -> bool:
        """Note that the key is through, or has nothing waiting, and tell whether runs had failed."""
        self._throttled.discard(key_hash)
        return self._failed.pop(key_hash, 0) > 0

    def to_wake(self, key_hash: str) -> list[str]:
        """Give the keys that need not rest on, now that *key_hash* is through; none where that was asked a moment ago."""
        now = self._clock.monotonic()
        if not self._failed or now < self._wakes_again_at:
            return []
        self._wakes_again_at = now + _BETWEEN_S
        return sorted(one for one in self._failed if one == key_hash or one not in self._throttled)

    def wake_by_first(self, key_hash: str) -> Sequence[str]:
        """Give the keys to wake after a first attempt at *key_hash* that was through: none unless it rests after failures."""
        return self.to_wake(key_hash) if key_hash in self._failed else ()

    def may_hasten(self, key_hash: str) -> bool:
        """Tell whether what backs off at the key may be tried with what is due; not where it was a moment ago."""
        return self._clock.monotonic() >= self._hastens_again_at.get(key_hash, 0.0)

    def hastened(self, key_hash: str) -> None:
        """Note that what backs off at the key is tried with what is due."""
        now = self._clock.monotonic()
        if len(self._hastens_again_at) >= _MANY:
            self._hastens_again_at = {key: at for key, at in self._hastens_again_at.items() if now < at}
        self._hastens_again_at[key_hash] = now + _BETWEEN_S

    def owe(self, key_hash: str, *, is_owed: bool) -> None:
        """Note whether the run ended when it was the turn of who was tried least."""
        (self._owed.add if is_owed else self._owed.discard)(key_hash)

    def is_owed(self, key_hash: str) -> bool:
        """Tell whether the last run ended when it was the turn of who was tried least."""
        return key_hash in self._owed
