"""Recording what attempts brought: what ended at the same time is written by one unit of work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Executable, bindparam, literal_column, null, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from masthead.kernel.clock import from_ms
from masthead.kernel.errors import Reason
from masthead.pagerduty import Protocol as EventsProtocol
from masthead.paging.intake import BURST
from masthead.paging.model import Delivery, DeliveryState, Kind
from masthead.paging.rows import IS_PENDING
from masthead.storage.bursts import Bursts, Turn, held
from masthead.storage.prepared import Prepared
from masthead.storage.schema import attempt, delivery

__all__ = [
    "PATIENCE_MS",
    "Outcomes",
    "Recorded",
    "Result",
    "Witness",
    "mark_as_being_sent",
    "mark_as_not_sent",
    "release",
    "run_mark",
    "take_back",
    "unmark",
]


#: A key that rests through an outage is not looked at for every attempt that fails meanwhile; but what one delivery was told
#: to wait (Retry-After) holds up the others of its key for so long at most.
PATIENCE_MS = 30_000


class Result(Struct, frozen=True):
    """What became of a delivery, ready to be written.

    ``state`` stays pending when it is to be tried again at ``due_at_ms``; an expiry makes no attempt (``number`` 0).
    """

    delivery: Delivery
    number: int
    at_ms: int
    status: int | None
    outcome: str
    reason: Reason | None
    text: str
    duration_ms: int
    state: DeliveryState
    due_at_ms: int | None
    is_uncertain: bool = False
    #: Whether it is not to be tried before then, even when its key is through.
    is_told_to_wait: bool = False
    #: The delivery as it is to be sent from now on, where its key turned out to belong elsewhere.
    moved: Delivery | None = None
    #: Who marked the delivery as being sent: a machine, or a run of one (:func:`run_mark`).
    mark: str = ""
    #: Of the run that worked it off; None for a first attempt.
    turn: Turn | None = None
    #: What the same run is about to send next: should this machine die, nobody knows whether it was sent.
    next_id: str | None = None

    @property
    def protocol(self) -> EventsProtocol:
        """Over which Events API it was tried."""
        return self.delivery.protocol

    @property
    def delivery_after(self) -> Delivery:
        """Give the delivery as it stands with this result."""
        return replace(
            self.moved or self.delivery,
            state=self.state,
            reason=self.reason,
            text=self.text,
            attempts=self.number or self.delivery.attempts,
            is_uncertain=self.is_uncertain,
            decided_at=from_ms(self.at_ms) if self.state.is_decided else None,
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written of a result."""

    #: The pages of the deliveries that share the fate of this one; empty when nothing was decided.
    shared_by: tuple[str, ...] = ()
    #: Whether the run may go on; true for a first attempt.
    holds: bool = True


class Witness(Protocol):
    """Who wants to know, in the same transaction, which pages PagerDuty took: :mod:`masthead.paging.proof`."""

    def expect_many(self, connection: Connection, accepted: Sequence[tuple[str, str, int]]) -> None:
        """Take note of accepted pages, each as (delivery id, account, accepted at in ms)."""
        ...

    def followed_up(self, connection: Connection, delivery_ids: Sequence[str]) -> None:
        """Take note of accepted acknowledges and resolves, whose incidents change now."""
        ...


class Outcomes:
    """The unit of work that records a group of results."""

    def __init__(self, bursts: Bursts, witness: Witness | None) -> None:
        """Args: witness: told of what was accepted."""
        self._bursts = bursts
        self._witness = witness

    def record(self, connection: Connection, results: Sequence[Result]) -> list[Recorded]:
        """Write *results*; a delivery that was decided meanwhile keeps its decision."""
        _ATTEMPTS.run(connection, [_attempt_row(result) for result in results if result.number])
        _DECIDE.run(connection, [_decision(result) for result in results if result.state.is_decided])
        _POSTPONE.run(
            connection, [_postponement(result) for result in results if not result.state.is_decided]
        )
        _MOVE.run(connection, [_move(result.moved) for result in results if result.moved is not None])
        self._testify(connection, results)
        for key_hash in {r.delivery.key_hash for r in results if not r.state.is_decided and r.turn is None}:
            due = min(r.due_at_ms or 0 for r in results if r.delivery.key_hash == key_hash)
            self._bursts.remind(connection, BURST, key_hash, due_at_ms=due, patience_ms=PATIENCE_MS)
        still = held(connection, [result.turn for result in results if result.turn is not None])
        recorded = [self._share(connection, result, still) for result in results]
        _MARK.run(
            connection,
            [
                _mark(result.next_id, result.turn)
                for result, of_it in zip(results, recorded, strict=True)
                if result.turn is not None and result.next_id is not None and of_it.holds
            ],
        )
        return recorded

    def _testify(self, connection: Connection, results: Sequence[Result]) -> None:
        accepted = [
            (result.delivery.id, result.delivery.account, result.at_ms)
            for result in results
            if result.state is DeliveryState.ACCEPTED and result.delivery.action is Kind.TRIGGER
        ]
        follow_ups = [
            result.delivery.id
            for result in results
            if result.delivery.action.is_follow_up and result.state is DeliveryState.ACCEPTED
        ]
        if self._witness is not None:
            if accepted:
                self._witness.expect_many(connection, accepted)
            if follow_ups:
                self._witness.followed_up(connection, follow_ups)

    def _share(self, connection: Connection, result: Result, still: Collection[Turn]) -> Recorded:
        """Let those that this delivery speaks for share its fate, and see whether its run goes on."""
        pages: tuple[str, ...] = ()
        if result.state.is_decided and result.delivery.speaks_for_others:
            pages = self._decide_folded(connection, result)
        return Recorded(pages, result.turn is None or result.turn in still)

    def _decide_folded(self, connection: Connection, result: Result) -> tuple[str, ...]:
        folded = delivery.c.folded_into == result.delivery.id, IS_PENDING
        if result.state is DeliveryState.EXPIRED:
            _free_those_in_time(connection, result)
        rows = connection.execute(
            update(delivery)
            .where(*folded)
            .values(
                state=result.state,
                reason=result.reason,
                text=result.text,
                due_at=None,
                machine=None,
                decided_at=result.at_ms,
            )
            .returning(delivery.c.id, delivery.c.page_id, delivery.c.account)
        ).all()
        if result.state is DeliveryState.ACCEPTED and self._witness is not None:
            self._witness.expect_many(connection, [(row.id, row.account, result.at_ms) for row in rows])
        return tuple(row.page_id for row in rows)


def _free_those_in_time(connection: Connection, result: Result) -> None:
    """Let those whose own deadline is still ahead be told without the one that spoke for them and was given up."""
    in_time = delivery.c.folded_into == result.delivery.id, IS_PENDING, delivery.c.deadline_at > result.at_ms
    # They have its dedup key, under which it may have arrived.
    values = {"folded_into": None, "is_uncertain": result.delivery.is_uncertain}
    connection.execute(update(delivery).where(*in_time).values(**values))


def run_mark(machine: str) -> str:
    """Give the mark of what a run of *machine* is sending, as opposed to its first attempts."""
    return f"{machine}{_RUN}"


def mark_as_being_sent(connection: Connection, delivery_id: str, *, turn: Turn) -> None:
    """Note that a run is about to send, so that its end leaves the delivery as one that may have arrived."""
    _MARK.run(connection, [_mark(delivery_id, turn)])


def mark_as_not_sent(connection: Connection, delivery_id: str) -> None:
    """Take back the mark of what is not sent now, so that nobody thinks that it may have been."""
    _MARK.run(connection, [{"of": delivery_id, "mark": None}])


def take_back(connection: Connection, turn: Turn) -> None:
    """Free what an earlier run of this key was sending when it broke off: only one run of a key is ever valid."""
    _TAKE_BACK.run(connection, [{"key": turn.subject}])


def release(connection: Connection, bursts: Bursts, machine: str) -> None:
    """Let others send what *machine* was about to, or may have, sent."""
    held = IS_PENDING, delivery.c.machine.in_((machine, run_mark(machine)))
    hashes = connection.execute(select(delivery.c.key_hash).where(*held).distinct()).scalars().all()
    connection.execute(update(delivery).where(*held).values(machine=None, is_uncertain=True))
    for key_hash in hashes:
        bursts.remind(connection, BURST, key_hash)


def unmark(connection: Connection, bursts: Bursts, page_ids: Sequence[str], machines: Sequence[str]) -> int:
    """Let be sent what a commit without an answer stored all the same, and tell how many deliveries that are.

    Args:
        connection: Of the unit of work.
        bursts: Reminded of their keys.
        page_ids: The pages that may have been stored.
        machines: Who had marked their deliveries for a first attempt, and never made it.
    """
    rows = connection.execute(
        update(delivery)
        .where(delivery.c.page_id.in_(page_ids), IS_PENDING, delivery.c.machine.in_(machines))
        .values(machine=None)
        .returning(delivery.c.key_hash)
    ).all()
    for key_hash in {row.key_hash for row in rows}:
        bursts.remind(connection, BURST, key_hash)
    return len(rows)


_RUN = "#run"
_MARK = Prepared(
    lambda _: (
        update(delivery).where(delivery.c.id == bindparam("of"), IS_PENDING).values(machine=bindparam("mark"))
    )
)
_TAKE_BACK = Prepared(
    lambda _: (
        update(delivery)
        .where(
            delivery.c.key_hash == bindparam("key"),
            IS_PENDING,
            delivery.c.machine.like(literal_column(f"'%{_RUN}'")),
        )
        .values(machine=null(), is_uncertain=true())
    )
)
_DECIDE = Prepared(
    lambda _: (
        update(delivery)
        .where(delivery.c.id == bindparam("of"), IS_PENDING)
        .values(
            state=bindparam("to"),
            reason=bindparam("why"),
            text=bindparam("said"),
            due_at=null(),
            machine=null(),
            decided_at=bindparam("at"),
            attempts=bindparam("count"),
        )
    )
)
#: Only by the one who holds it: who was buried meanwhile, or broken off, must not take another's mark away.
_POSTPONE = Prepared(
    lambda _: (
        update(delivery)
        .where(delivery.c.id == bindparam("of"), IS_PENDING, delivery.c.machine == bindparam("mark"))
        .values(
            reason=bindparam("why"),
            text=bindparam("said"),
            due_at=bindparam("due"),
            not_before_at=bindparam("not_before"),
            machine=null(),
            attempts=bindparam("count"),
            is_uncertain=bindparam("uncertain"),
        )
    )
)
_MOVE = Prepared(
    lambda _: (
        update(delivery)
        .where(delivery.c.id == bindparam("of"), IS_PENDING)
        .values({name: bindparam(name) for name in ("service_id", "label", "account", "protocol")})
    )
)


def _insert_attempts(connection: Connection) -> Executable:
    """Two machines may both have made the attempt of a number; the first that is told of stays."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values: dict[str, Any] = {column.name: bindparam(column.name) for column in attempt.c}
    return make(attempt).values(values).on_conflict_do_nothing()


_ATTEMPTS = Prepared(_insert_attempts)


def _mark(delivery_id: str, turn: Turn) -> dict[str, Any]:
    return {"of": delivery_id, "mark": run_mark(turn.machine)}


def _decision(result: Result) -> dict[str, Any]:
    return {
        "of": result.delivery.id,
        "to": result.state.value,
        "why": result.reason and result.reason.value,
        "said": result.text,
        "at": result.at_ms,
        "count": result.number or result.delivery.attempts,
    }


def _postponement(result: Result) -> dict[str, Any]:
    return {
        "of": result.delivery.id,
        "mark": result.mark if result.turn is None else run_mark(result.turn.machine),
        "why": result.reason and result.reason.value,
        "said": result.text,
        "due": result.due_at_ms,
        "not_before": result.due_at_ms if result.is_told_to_wait else None,
        "count": result.number or result.delivery.attempts,
        "uncertain": result.is_uncertain,
    }


def _move(moved: Delivery) -> dict[str, Any]:
    return {
        "of": moved.id,
        "service_id": moved.service_id,
        "label": moved.label,
        "account": moved.account,
        "protocol": moved.protocol.value,
    }


def _attempt_row(result: Result) -> dict[str, Any]:
    return {
        "delivery_id": result.delivery.id,
        "number": result.number,
        "at": result.at_ms,
        "protocol": result.protocol.value,
        "status": result.status,
        "outcome": str(result.outcome),
        "reason": result.reason and result.reason.value,
        "text": result.text,
        "duration_ms": result.duration_ms,
        "key_hash": result.delivery.key_hash,
    }
