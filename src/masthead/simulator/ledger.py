"""The events that were received, kept within bounds so that a load test cannot fill the memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from itertools import islice

import msgspec

from masthead.simulator.settings import Settings

__all__ = ["Ledger", "Record"]


class Record(msgspec.Struct, gc=False):
    """One request to an Events API, whatever became of it."""

    sequence: int
    time: datetime
    protocol: str
    key: str
    action: str
    dedup_key: str
    #: None: the connection was reset instead.
    status: int | None
    #: What became of it, in a few words.
    outcome: str
    #: The incident it opened or changed.
    incident: str | None
    #: The fault that struck it.
    fault: str | None
    #: The body as it was sent.
    raw: bytes


class Ledger:
    """The newest events, oldest first; numbers go on when old ones are dropped."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._records: deque[Record] = deque()
        self._bytes = 0
        #: Events received since the start or the last reset.
        self.received = 0

    def add(self, record: Record) -> None:
        """Append *record*, number it, and drop the oldest beyond the bounds."""
        self.received += 1
        record.sequence = self.received
        self._records.append(record)
        self._bytes += len(record.raw)
        settings = self._settings()
        while self._records and (
            len(self._records) > settings.keep_events or self._bytes > settings.keep_event_bytes
        ):
            self._bytes -= len(self._records.popleft().raw)

    def newest(self, *, after: int = 0, limit: int | None = None) -> list[Record]:
        """Give at most *limit* of the newest records whose number is above *after*, oldest first."""
        if not self._records:
            return []
        skip = max(after - self._records[0].sequence + 1, 0)
        if limit is not None:
            skip = max(skip, len(self._records) - limit)
        return list(islice(self._records, skip, None))
