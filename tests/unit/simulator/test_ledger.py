"""The list of events stays within its bounds."""

from __future__ import annotations

from datetime import UTC, datetime

from masthead.simulator.ledger import Ledger, Record
from masthead.simulator.settings import Settings


def _fill(count, *, size=10, **settings):
    chosen = Settings(**settings)
    ledger = Ledger(lambda: chosen)
    for _ in range(count):
        now = datetime(2026, 11, 24, tzinfo=UTC)
        ledger.add(Record(0, now, "v2", "k", "trigger", "d", 202, "opened", None, None, b"x" * size))
    return ledger


def test_the_oldest_go_when_there_are_too_many():
    """Only ``keep_events`` are kept, the numbers go on."""
    ledger = _fill(10, keep_events=3)
    assert [record.sequence for record in ledger.newest()] == [8, 9, 10]
    assert ledger.received == 10


def test_the_oldest_go_when_bodies_are_too_large():
    """Only ``keep_event_bytes`` of bodies are kept."""
    assert [record.sequence for record in _fill(10, size=100, keep_event_bytes=250).newest()] == [9, 10]


def test_nothing_need_be_kept():
    """With ``keep_events`` 0 nothing is kept, and asking is no error."""
    assert _fill(3, keep_events=0).newest(after=1, limit=1) == []


def test_newest_after_a_number():
    """``after`` and ``limit`` go together, also when the number was dropped long ago."""
    ledger = _fill(10, keep_events=5)
    assert [record.sequence for record in ledger.newest(after=1)] == [6, 7, 8, 9, 10]
    assert [record.sequence for record in ledger.newest(after=8)] == [9, 10]
    assert [record.sequence for record in ledger.newest(after=10)] == []
    assert [record.sequence for record in ledger.newest(after=6, limit=2)] == [9, 10]
