"""Working off what waits for one routing key: one sender in the whole cluster, most severe first, inside the budget.

A run of the burst ``routing-key`` takes what is due, folds what says the same, and sends one after the other. It
rests when the key has no budget left, and after two failures in a row (or one refusal for too many events), so
that PagerDuty's own trouble costs one probe a key, and deliveries that always fail do not hold up the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection, func, select, update

from masthead.kernel.clock import Clock, from_ms, to_ms
from masthead.kernel.errors import Reason
from masthead.paging.ahead import Ahead, Said
from masthead.paging.attempts import Attempts, Repeats
from masthead.paging.budget import Budget
from masthead.paging.due import hasten, load_due, next_due, sent_to
from masthead.paging.folding import Fold, fold
from masthead.paging.line import Line
from masthead.paging.model import Delivery, DeliveryState, Incident, IncidentState, Kind, Page
from masthead.paging.outcomes import (
    PATIENCE_MS,
    Recorded,
    Result,
    mark_as_being_sent,
    mark_as_not_sent,
    take_back,
)
from masthead.paging.patience import Patience
from masthead.paging.rows import IS_PENDING
from masthead.paging.setbacks import Setbacks
from masthead.storage.bursts import Superseded, Turn
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.storage.schema import delivery

__all__ = ["LookBack", "Waiting"]

log = structlog.get_logger(__name__)
#: Failures in a row after which the key rests.
_PATIENCE = 2
#: How soon to look again when this machine could not say that it lives.
_NO_LEASE_MS = 1000
#: While PagerDuty's REST API fails, what may have arrived is looked for again so often.
_LOOK_AGAIN = timedelta(seconds=2)


class LookBack(Protocol):
    """Who can tell whether an event whose answer was lost had arrived: :mod:`masthead.paging.proof`."""

    async def has_arrived(self, delivery: Delivery) -> Incident | None:
        """Give the incident that it opened, in any state; one of state *unknown* when nobody can tell (yet: awaited)."""
        ...


@dataclass(frozen=True, slots=True)
class Ways:
    """What a run needs of the rest of paging."""

    #: Told what came of a delivery, and what it says, where that was read.
    record: Callable[[Result, Said | None], Awaitable[Recorded]]
    #: Told how many deliveries were folded into others.
    folded: Callable[[int], None]
    #: Told of keys that are to be worked off now, whatever they were resting for.
    wake: Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class _Rest:
    """A run goes on later."""

    due_at_ms: int
    #: The delivery that was marked as being sent and is not.
    marked: str | None
    #: Whether the key is through after runs that failed.
    is_back: bool = False


class Waiting:
    """The run of burst ``routing-key``."""

    def __init__(
        self,
        database: Database,
        machines: Machines,
        clock: Clock,
        *,
        attempts: Attempts,
        budget: Budget,
        ways: Ways,
        look_back: LookBack | None = None,
    ) -> None:
        self._database = database
        self._machines = machines
        self._clock = clock
        self._attempts = attempts
        self._budget = budget
        self._ways = ways
        self._look_back = look_back
        self._patience = Patience(clock)
        self._setbacks = Setbacks(clock)

    async def work_off(self, turn: Turn) -> None:
        """Send what waits for the key and is due, then rest until the next is."""
        while (line := await self._take(turn)).place is not None:
            rest = await self._send_all(turn, line)
            if rest is not None:
                await self._database.write(partial(_rest_until, turn, rest))
                return
        self._setbacks.end(turn.subject)
        await self._database.write(lambda connection: self._rest(turn, connection))

    def told_of(self, first: Result) -> Sequence[str]:
        """Give the keys to work off now because of a first attempt: its own, if it is through and rests after failures."""
        return self._setbacks.wake_by_first(first.delivery.key_hash) if first.state.is_decided else ()

    async def _take(self, turn: Turn) -> Line:
        """Give what is to be sent now, folded, and make the folding durable before anything of it is sent.

        What was sent to the key by others, or by an earlier run, is learned with it.
        """
        key_hash, now_ms = turn.subject, to_ms(self._clock.now())
        since_ms = now_ms - int(self._budget.window_s * 1000)
        may_hasten, is_owed = self._setbacks.may_hasten(key_hash), self._setbacks.is_owed(key_hash)

        def work(connection: Connection) -> tuple[Line, list[int]]:
            turn.hold(connection)
            take_back(connection, turn)
            due = load_due(connection, key_hash, now_ms)
            if due and may_hasten and hasten(connection, key_hash, now_ms):
                due = load_due(connection, key_hash, now_ms)
            line = Line(fold(due), is_owed=is_owed)
            for one in line.folds:
                _store_fold(connection, one)
            if line.place is None:
                return line, []
            mark_as_being_sent(connection, line.place.fold.speaker.id, turn=turn)
            return line, sent_to(connection, key_hash, since_ms, now_ms)

        line, sent = await self._database.write(work)
        self._setbacks.owe(key_hash, is_owed=False)
        if line.place is not None and may_hasten:
            self._setbacks.hastened(key_hash)
        self._budget.learn(key_hash, [(now_ms - at_ms) / 1000 for at_ms in sent])
        self._ways.folded(sum(len(one.members) for one in line.folds))
        return line

    async def _send_all(self, turn: Turn, line: Line) -> _Rest | None:
        """Send them in order; gives when to go on if not now."""
        failures = 0
        ahead = Ahead(self._database, [one.speaker for one in line.folds])
        while (place := line.place) is not None:
            one = place.fold
            is_overdue = self._clock.now() >= one.speaker.deadline_at
            if not is_overdue and not self._budget.take(turn.subject):
                self._setbacks.owe(turn.subject, is_owed=line.is_owed)
                wait_ms = int(self._budget.wait_s(turn.subject) * 1000) + 1
                return _Rest(to_ms(self._clock.now()) + wait_ms, marked=one.speaker.id)
            said = None
            result = await self._without_sending(one.speaker, is_overdue=is_overdue)
            if result is None:
                said = await ahead.get(place.number, is_alone=place.is_out_of_turn)
                result = await self._send(said.page, one, turn)
                if result is None:  # the lease was lost, perhaps during the look-up
                    self._budget.give_back(turn.subject)
                    return _Rest(to_ms(self._clock.now()) + _NO_LEASE_MS, marked=one.speaker.id)
            failures = failures + 1 if result.state is DeliveryState.PENDING else 0
            line.move_on(has_failed=failures > 0)
            following = line.place.fold.speaker.id if line.place else None
            recorded = await self._ways.record(replace(result, turn=turn, next_id=following), said)
            if not recorded.holds:
                raise Superseded
            rest = self._rest_after(result, failures, following)
            if rest is not None:
                return rest
        return None

    def _rest_after(self, last: Result, failures: int, following: str | None) -> _Rest | None:
        """Give when to go on after so many failures in a row; None to go on now, with *following*."""
        key_hash = last.delivery.key_hash
        if failures and last.reason is Reason.THROTTLED:
            self._setbacks.add(key_hash, is_throttled=True)
            return _Rest(last.due_at_ms or 0, marked=following)
        # What one was told to wait does not hold for those that were not tried.
        if failures >= _PATIENCE or (failures and last.number and following is None):
            return _Rest(self._next_try(key_hash, last), marked=following)
        if last.number and last.state.is_decided and self._setbacks.end(key_hash):
            # PagerDuty may be back for the others, too.
            self._ways.wake(self._setbacks.to_wake(key_hash))
            return _Rest(to_ms(self._clock.now()), marked=following, is_back=True)
        return None

    def _next_try(self, key_hash: str, last: Result) -> int:
        """Give when a key is tried again whose run ended in failures: later after each such run, as one delivery would be."""
        now_ms, due_at_ms = to_ms(self._clock.now()), last.due_at_ms or 0
        if last.number:
            due_at_ms = max(due_at_ms, now_ms + self._attempts.wait_ms(self._setbacks.add(key_hash)))
        return min(due_at_ms, now_ms + PATIENCE_MS)

    async def _without_sending(self, speaker: Delivery, *, is_overdue: bool) -> Result | None:
        """Give what becomes of a delivery that is not sent now: it had arrived, may have, or its deadline passed."""
        if speaker.is_uncertain and self._look_back is not None and speaker.action is Kind.TRIGGER:
            found = await self._looked_back(speaker, self._look_back)
            if found is not None:
                return found
        return self._attempts.expire(speaker) if is_overdue else None

    async def _looked_back(self, speaker: Delivery, look_back: LookBack) -> Result | None:
        """Give what becomes of a delivery that had arrived, or that is not sent while another look may tell."""
        if self._patience.is_out(speaker.key_hash):
            return None
        incident = await look_back.has_arrived(speaker)
        if incident is not None and incident.state is IncidentState.UNKNOWN and incident.is_awaited:
            is_left = self._patience.lasts(speaker.key_hash)
            return self._attempts.leave(speaker, for_=_LOOK_AGAIN) if is_left else None
        self._patience.told(speaker.key_hash)
        if incident is None or incident.state is IncidentState.UNKNOWN:
            return None
        return self._attempts.had_arrived(speaker, _words(incident))

    async def _send(self, page: Page, one: Fold, turn: Turn) -> Result | None:
        repeats = await self._repeats(one.speaker) if one.speaker.speaks_for_others else None
        may_send = partial(self._machines.may_act, turn.machine)
        return await self._attempts.make(page, one.speaker, may_send, repeats=repeats)

    async def _repeats(self, speaker: Delivery) -> Repeats:
        query = select(func.count(), func.min(delivery.c.created_at), func.max(delivery.c.created_at)).where(
            (delivery.c.folded_into == speaker.id) | (delivery.c.id == speaker.id)
        )
        count, first, last = await self._database.read(lambda connection: connection.execute(query).one())
        return Repeats(count, from_ms(first), from_ms(last))

    def _rest(self, turn: Turn, connection: Connection) -> None:
        turn.hold(connection)
        waiting = next_due(connection, turn.subject, to_ms(self._clock.now()))
        if waiting is None:
            turn.finish(connection)
        else:
            turn.rest(connection, waiting)


def _store_fold(connection: Connection, one: Fold) -> None:
    if one.members:
        ids = [member.id for member in one.members]
        values = {"folded_into": one.speaker.id, "dedup_key": one.speaker.dedup_key}
        connection.execute(update(delivery).where(delivery.c.id.in_(ids), IS_PENDING).values(**values))


def _rest_until(turn: Turn, rest: _Rest, connection: Connection) -> None:
    """End the run, and take back the mark of what is not sent now, so that nobody thinks that it may have been."""
    turn.hold(connection)
    if rest.marked is not None:
        mark_as_not_sent(connection, rest.marked)
    if rest.is_back:
        hasten(connection, turn.subject, rest.due_at_ms)
    turn.rest(connection, rest.due_at_ms)


def _words(incident: Incident) -> str:
    return f"incident #{incident.number}" if incident.number else "an incident"
