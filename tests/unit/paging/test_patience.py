"""For how long a key waits for look-ups that are in vain."""

from __future__ import annotations

from masthead.kernel.clock import ManualClock
from masthead.paging import patience
from masthead.paging.patience import Patience


async def test_patience_ends_after_half_a_minute_and_comes_back_after_another():
    """In between nobody is asked."""
    clock = ManualClock()
    key = Patience(clock)
    assert key.lasts("a")
    await clock.advance(29)
    assert key.lasts("a")
    assert not key.is_out("a")
    await clock.advance(1)
    assert not key.lasts("a")
    assert key.is_out("a")
    assert not key.is_out("b")
    await clock.advance(30)
    assert not key.is_out("a")
    assert key.lasts("a")


async def test_an_answer_gives_all_patience_back():
    """The next look in vain is a first one."""
    clock = ManualClock()
    key = Patience(clock)
    key.lasts("a")
    await clock.advance(29)
    key.told("a")
    key.told("a")
    assert key.lasts("a")
    await clock.advance(29)
    assert key.lasts("a")


async def test_only_so_many_keys_are_remembered(monkeypatch):
    """What is over is forgotten first."""
    monkeypatch.setattr(patience, "_MOST_KEYS", 2)
    clock = ManualClock()
    keys = Patience(clock)
    assert [keys.lasts(key) for key in "abc"] == [True, True, False]
    await clock.advance(60)
    assert keys.lasts("c")
