"""A refused key that the catalog does not know may belong to an integration that is younger than its last reading.

PagerDuty refuses a key of Events v1 at v2, and one of another account, for good. So the services are read once more, and
what was sent to the wrong place is sent to the right one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from masthead.catalog import Catalog
from masthead.kernel.clock import Clock
from masthead.kernel.errors import Reason
from masthead.kernel.tasks import Tasks
from masthead.paging.drafting import Drafting
from masthead.paging.model import Delivery

__all__ = ["YoungerKeys"]

#: How long refused pages wait for a reading.
_READING_S = 5.0
#: How many readings in so many seconds are asked for, whatever is refused: ten thousand services are a hundred of the 960
#: requests a minute that PagerDuty gives a token (facts A.5).
_READINGS, _WINDOW_S = 3, 90.0
#: How long, and of how many keys, it is remembered that a reading did not tell whose they are; the schedule's tells it later.
_KNOWN_BAD_S, _MOST_BAD = 600.0, 1000


class YoungerKeys:
    """Finds out where refused keys belong."""

    def __init__(self, catalog: Catalog, drafting: Drafting, clock: Clock, tasks: Tasks) -> None:
        self._catalog = catalog
        self._drafting = drafting
        self._clock = clock
        self._tasks = tasks
        self._reading: asyncio.Task[None] | None = None
        self._read_at: deque[float] = deque(maxlen=_READINGS)
        self._bad: dict[str, float] = {}

    async def find(self, refused: Delivery) -> Delivery | None:
        """Give *refused* as it is to be sent now; None when it was told where its key belongs, or nobody knows.

        Args:
            refused: A delivery of which PagerDuty said that its key does not exist.
        """
        if refused.service_id is not None:
            return None
        if self._catalog.service_of_key(refused.key) is None:
            await self._read_once_for(refused)
        found = replace(refused, **self._drafting.addressed(refused.key))
        is_elsewhere = (found.account, found.protocol) != (refused.account, refused.protocol)
        return found if is_elsewhere else None

    async def read_for(self, failed: Sequence[Delivery]) -> None:
        """Read the services before *failed* are sent again because somebody asks, if one of their keys is refused and unknown."""
        refused = [one.key for one in failed if one.reason is Reason.KEY]
        if refused:
            await self._catalog.know_anew(refused, self._clock.now(), _READING_S)

    async def _read_once_for(self, refused: Delivery) -> None:
        now = self._clock.monotonic()
        if now < self._bad.get(refused.key_hash, now):
            return
        may_read = len(self._read_at) < _READINGS or now - self._read_at[0] >= _WINDOW_S
        if (self._reading is None or self._reading.done()) and may_read:
            self._read_at.append(now)
            asking = self._catalog.know_anew([refused.key], self._clock.now(), _READING_S)
            self._reading = self._tasks.start(asking, name="read services for a refused key")
        if self._reading is not None and not self._reading.done():
            await asyncio.wait((self._reading,))
            self._note_bad(refused)

    def _note_bad(self, refused: Delivery) -> None:
        now = self._clock.monotonic()
        if len(self._bad) >= _MOST_BAD:
            self._bad = {key: until for key, until in self._bad.items() if now < until}
        if len(self._bad) < _MOST_BAD and self._catalog.service_of_key(refused.key) is None:
            self._bad[refused.key_hash] = now + _KNOWN_BAD_S
