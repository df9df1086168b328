"""Ids of our own making are ULIDs."""

from __future__ import annotations

import time
from itertools import cycle, islice

from ulid import ULID

from masthead.kernel import ids
from masthead.kernel.clock import ManualClock, from_ms
from masthead.kernel.ids import SequentialIds, UlidIds


def test_an_id_is_a_ulid_of_now():
    """26 characters that others read as the same instant."""
    before = time.time_ns() // 1_000_000
    made = ULID.from_str(UlidIds().new())
    assert before <= int(made.timestamp * 1000 + 0.5) <= time.time_ns() // 1_000_000


def test_no_id_is_given_twice():
    """Also many in one millisecond."""
    made = UlidIds()
    assert len({made.new() for _ in range(10_000)}) == 10_000


def test_ids_stand_in_the_order_of_their_milliseconds():
    """Whatever the chance in them, and by the clock that dates everything else: the audit reads pages in that order."""
    instants = (0, 1, 31, 32, 1023, 1024, 2**40, 253_402_300_799_999)
    found = [UlidIds(ManualClock(from_ms(at_ms))).new() for at_ms in instants]
    assert found == sorted(found)
    assert tuple(ULID.from_str(one).milliseconds for one in found) == instants


def test_every_bit_of_chance_counts_once(monkeypatch):
    """The text is the number, digit by digit, and what was drawn is used up in its order."""
    chances = [0, 1, 2**79, 2**80 - 1, 0x0123456789ABCDEF0123]
    drawn = cycle(chances)
    monkeypatch.setattr(
        ids.os, "urandom", lambda count: b"".join(next(drawn).to_bytes(10, "big") for _ in range(count // 10))
    )
    made = UlidIds()
    told = [int(ULID.from_str(made.new())) & (2**80 - 1) for _ in range(150)]
    assert told == list(islice(cycle(chances), 150))


def test_ids_for_tests_count_up():
    """Well-formed, from 1."""
    made = SequentialIds()
    assert [int(ULID.from_str(made.new())) for _ in range(3)] == [1, 2, 3]
