"""For how long what may have arrived waits for somebody who can tell: half a minute a key, however much waits there."""

from __future__ import annotations

from masthead.kernel.clock import Clock

__all__ = ["Patience"]

#: So long nothing is sent again without knowing.
_PATIENCE_S = 30.0
#: So long after that nobody is asked, and everything that waits for the key is sent.
_PAUSE_S = 30.0
#: Keys that are remembered; more have no patience.
_MOST_KEYS = 10_000


class Patience:
    """Remembers since when the looks for a key are in vain.

    It is the key's and not the delivery's: while PagerDuty's REST API is away, two hundred deliveries of a key that
    each waited half a minute, one after the other, would be given up before the last was sent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._in_vain_since: dict[str, float] = {}

    def is_out(self, key_hash: str) -> bool:
        """Whether nobody is to be asked now, because it was in vain for long."""
        since = self._in_vain_since.get(key_hash)
        return since is not None and _PATIENCE_S <= self._clock.monotonic() - since < _PATIENCE_S + _PAUSE_S

    def lasts(self, key_hash: str) -> bool:
        """Note that a look was in vain, and tell whether to wait and look again."""
        now = self._clock.monotonic()
        since = self._in_vain_since.get(key_hash)
        if since is None or now - since >= _PATIENCE_S + _PAUSE_S:
            if len(self._in_vain_since) >= _MOST_KEYS and not self._forget(now):
                return False
            self._in_vain_since[key_hash] = since = now
        return now - since < _PATIENCE_S

    def told(self, key_hash: str) -> None:
        """Note that somebody could tell."""
        self._in_vain_since.pop(key_hash, None)

    def _forget(self, now: float) -> bool:
        """Forget what is over, and tell whether there is room now."""
        since = self._in_vain_since
        self._in_vain_since = {key: at for key, at in since.items() if now - at < _PATIENCE_S + _PAUSE_S}
        return len(self._in_vain_since) < _MOST_KEYS
