"""What waits for one routing key: what of it is due, in which order, and when the next is.

Most severe first, then oldest. Where more is due than is looked at together, those that were tried least come along: the
most severe may be ones that PagerDuty always fails on, and nothing behind them would ever be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    update,
)

from masthead.paging.model import FOLLOW_UPS, Delivery, Kind
from masthead.paging.rows import IS_PENDING, delivery_of
from masthead.storage.prepared import Prepared
from masthead.storage.schema import attempt, delivery

__all__ = ["hasten", "keys_with_follow_ups", "load_due", "next_due", "sent_to"]

#: Deliveries of one key that are looked at, and folded, together; and, where there are more, those that were tried least.
_BATCH, _LEAST_TRIED = 200, 20
#: How soon to look again for something that may go only after something else was decided.
_BLOCKED_MS = 1000
#: No wait is longer than this (answers.py bounds what the other side asks); what is due later was dated by
#: a clock that has been set back since, and is due now.
_LONGEST_WAIT_MS = 1_000_000
#: What was tried, or asked for, so far in the future was so by a clock that has been set back since: it is due now. Clocks
#: of machines that share a database differ by less.
_AHEAD_MS = 5_000


_earlier = delivery.alias()
_followed = delivery.alias()
_member = delivery.alias()
_FOLLOW_UPS: list[ColumnElement[str]] = [literal_column(f"'{kind.value}'") for kind in FOLLOW_UPS]
_PAGE: ColumnElement[str] = literal_column(f"'{Kind.TRIGGER.value}'")
_PENDING: ColumnElement[str] = literal_column("'pending'")
_IS_FOLLOWED_UP = delivery.c.dedup_key.in_(
    select(_followed.c.dedup_key).where(
        _followed.c.key_hash == bindparam("key"),
        _followed.c.state == _PENDING,
        _followed.c.action.in_(_FOLLOW_UPS),
    )
)
_FOLLOWS_ON = exists().where(
    _earlier.c.key_hash == delivery.c.key_hash,
    _earlier.c.state == _PENDING,
    _earlier.c.dedup_key == delivery.c.dedup_key,
    or_(
        and_(
            delivery.c.action.in_(_FOLLOW_UPS),
            _earlier.c.action == _PAGE,
            _earlier.c.created_at <= delivery.c.created_at,
        ),
        and_(
            delivery.c.action == _PAGE,
            _earlier.c.action.in_(_FOLLOW_UPS),
            _earlier.c.created_at < delivery.c.created_at,
        ),
    ),
)
#: Whether something has to be told before: to an acknowledge or a resolve its page; to a page under the dedup key of an
#: earlier one the resolve of that, which PagerDuty would take for the later page's. By CASE, or SQLite would look through
#: all that waits for each of all that waits, also where nothing is followed up.
_IS_BLOCKED = case((_IS_FOLLOWED_UP, _FOLLOWS_ON), else_=false())
_WAITS = and_(
    delivery.c.key_hash == bindparam("key"),
    IS_PENDING,
    delivery.c.machine.is_(None),
    delivery.c.folded_into.is_(None),
)
#: Whether the last attempt was made later than now can be.
_WAS_TRIED_LATER = exists().where(
    attempt.c.delivery_id == delivery.c.id,
    attempt.c.number == delivery.c.attempts,
    attempt.c.at > bindparam("ahead"),
)
_ORDER = delivery.c.severity_rank, delivery.c.created_at, delivery.c.id


def _due_first(*order: ColumnElement[Any]) -> Select[Any]:
    return (
        select(delivery, exists().where(_member.c.folded_into == delivery.c.id).label("speaks"))
        .where(
            _WAITS,
            or_(
                delivery.c.due_at <= bindparam("now"),
                delivery.c.due_at > bindparam("latest"),
                and_(delivery.c.attempts == literal_column("0"), delivery.c.created_at > bindparam("ahead")),
                _WAS_TRIED_LATER,
            ),
            ~_IS_BLOCKED,
        )
        .order_by(*order)
        .limit(bindparam("most", type_=Integer))
        .offset(literal_column("0"))
    )


_DUE = Prepared(lambda _: _due_first(*_ORDER))
_TRIED_LEAST = Prepared(lambda _: _due_first(delivery.c.attempts, *_ORDER))
_NEXT_DUE = Prepared(
    lambda _: (
        select(_IS_BLOCKED.label("is_blocked"), func.min(delivery.c.due_at).label("due_at"))
        .where(_WAITS)
        .group_by("is_blocked")
    )
)
_HASTEN = Prepared(
    lambda _: (
        update(delivery)
        .where(
            delivery.c.key_hash == bindparam("key"),
            IS_PENDING,
            delivery.c.machine.is_(None),
            delivery.c.due_at > bindparam("now"),
            func.coalesce(delivery.c.not_before_at, literal_column("0")) <= bindparam("now"),
        )
        .values(due_at=bindparam("now"))
        .returning(delivery.c.id)
    )
)
#: When a key was sent something, as far as its budget remembers.
_SENT = Prepared(
    lambda _: select(attempt.c.at).where(
        attempt.c.key_hash == bindparam("key"),
        attempt.c.at > bindparam("since"),
        attempt.c.at <= bindparam("now"),
    )
)


def keys_with_follow_ups(connection: Connection, key_hashes: Sequence[str], dedup_key: str) -> frozenset[str]:
    """Give those of *key_hashes* that are still to be told of an acknowledge or a resolve under *dedup_key*."""
    query = select(delivery.c.key_hash).where(
        delivery.c.key_hash.in_(key_hashes),
        IS_PENDING,
        delivery.c.dedup_key == dedup_key,
        delivery.c.action.in_(_FOLLOW_UPS),
    )
    return frozenset(connection.execute(query).scalars())


def hasten(connection: Connection, key_hash: str, now_ms: int) -> bool:
    """Make due now what only backs off, so that the most severe and oldest goes first, and tell whether anything did.

    What PagerDuty told to wait keeps its time, and so does what is looked for again.
    """
    return _HASTEN.first(connection, {"key": key_hash, "now": now_ms}) is not None


def load_due(connection: Connection, key_hash: str, now_ms: int) -> list[Delivery]:
    """Give what waits for a key and is due: most severe first, then oldest."""
    times = {"now": now_ms, "latest": now_ms + _LONGEST_WAIT_MS, "ahead": now_ms + _AHEAD_MS}
    found = list(_DUE.all(connection, {"key": key_hash, "most": _BATCH, **times}))
    if len(found) == _BATCH:
        known = {row.id for row in found}
        least = _TRIED_LEAST.all(connection, {"key": key_hash, "most": _LEAST_TRIED, **times})
        found += [row for row in least if row.id not in known]
        found.sort(key=_place)
    return [delivery_of(row, speaks_for_others=bool(row.speaks)) for row in found]


def sent_to(connection: Connection, key_hash: str, since_ms: int, now_ms: int) -> list[int]:
    """Give when, in ms, a key was sent something from *since_ms* on."""
    return [row[0] for row in _SENT.all(connection, {"key": key_hash, "since": since_ms, "now": now_ms})]


def next_due(connection: Connection, key_hash: str, now_ms: int) -> int | None:
    """Give when the next of what waits for a key is due, or None when nothing waits."""
    return min(
        (
            max(row.due_at, now_ms + _BLOCKED_MS) if row.is_blocked else row.due_at
            for row in _NEXT_DUE.all(connection, {"key": key_hash})
        ),
        default=None,
    )


def _place(row: Row[Any]) -> tuple[int, int, str]:
    return row.severity_rank, row.created_at, row.id
