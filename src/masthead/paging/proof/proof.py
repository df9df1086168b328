"""The burst that works off what is to be proven, and what the rest of paging asks."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog
from sqlalchemy import Connection

from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty import IncidentSeen, IncidentsReader
from masthead.paging.model import Delivery, Incident, IncidentState
from masthead.paging.proof import rows
from masthead.paging.proof.absence import OnCallBook
from masthead.paging.proof.look import Looker
from masthead.paging.proof.rows import Claim, Finding, Sought
from masthead.paging.proof.schedule import Timings
from masthead.paging.proof.verdict import can_tell, own, told
from masthead.storage.bursts import Bursts, Turn
from masthead.storage.database import Database

__all__ = ["BURST", "Proof"]

log = structlog.get_logger(__name__)
BURST = "proof"
#: Keys that are looked at before it is seen anew what is due: what was accepted meanwhile goes first.
_AT_ONCE = 8
#: How soon a machine looks again at an account that it has no token for; another machine may have one.
_NO_READER_MS = 300_000
#: While PagerDuty does not answer, what nobody has asked about for so long beyond following it is let go.
_GRACE_S = 86_400.0
_UNKNOWN = Incident(IncidentState.UNKNOWN)
#: Nobody can tell now; another look may.
_LATER = Incident(IncidentState.UNKNOWN, is_awaited=True)


class Proof:
    """Finds out what accepted pages led to: one run an account at a time in the whole cluster."""

    def __init__(
        self,
        database: Database,
        bursts: Bursts,
        clock: Clock,
        *,
        readers: Mapping[str, IncidentsReader],
        catalog: OnCallBook,
        timings: Timings | None = None,
    ) -> None:
        """Build it and register its burst; before :meth:`Bursts.run`.

        Args:
            database: Where what is known stands.
            bursts: Which carries the runs.
            clock: What ages and pauses are measured by.
            readers: By account, for those that have a REST token; of the others nothing is ever known.
            catalog: Asked who is on call.
            timings: How long and how often is looked.
        """
        self._database = database
        self._bursts = bursts
        self._clock = clock
        self._timings = timings or Timings()
        self._lookers = {
            account: Looker(reader, catalog, clock, self._timings) for account, reader in readers.items()
        }
        self._subscribers: list[Callable[[str, Incident], None]] = []
        bursts.register(BURST, self._work_off)

    def expect_many(self, connection: Connection, accepted: Sequence[tuple[str, str, int]]) -> None:
        """Note pages that PagerDuty took, in the transaction that records it.

        The first look is due a moment later and the sweep of the bursts finds it: nothing else has to be called.

        Args:
            connection: Of the writing transaction, at its end.
            accepted: Each as delivery id, account, accepted at in ms; those of accounts without a REST token are
                left out, and of those already noted nothing changes.
        """
        ours = [one for one in accepted if one[1] in self._lookers]
        if not ours:
            return
        first_ms = int(1000 * self._timings.first_s)
        rows.insert_sought(connection, ours, first_ms=first_ms)
        due_at_ms = self._database.now_ms(connection) + first_ms
        # In one order on all machines, so that they never wait for each other in a circle.
        for account in sorted({one[1] for one in ours}):
            self._bursts.remind(connection, BURST, account, due_at_ms=due_at_ms)

    def followed_up(self, connection: Connection, delivery_ids: Sequence[str]) -> None:
        """Look a moment later what PagerDuty made of acknowledges and resolves that it took, however seldom it was looked at.

        Args:
            connection: Of the writing transaction, at its end.
            delivery_ids: Those of the follow-ups.
        """
        first_ms = int(1000 * self._timings.first_s)
        accounts = rows.hasten(connection, delivery_ids, to_ms(self._clock.now()) + first_ms)
        due_at_ms = self._database.now_ms(connection) + first_ms
        for account in sorted(accounts & self._lookers.keys()):
            self._bursts.remind(connection, BURST, account, due_at_ms=due_at_ms)

    def kick(self) -> None:
        """Look for what is due now instead of at the next sweep, a second later at most."""
        self._bursts.wake()

    def on_changed(self, tell: Callable[[str, Incident], None]) -> None:
        """Have *tell* called with a delivery's id and its incident whenever this machine learned something new.

        After the commit, on the event loop; *tell* must return at once and must not raise.
        """
        self._subscribers.append(tell)

    async def incident_of(self, delivery_id: str) -> Incident:
        """Give what is known of a delivery's incident; state *unknown* while nothing is.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        found = await self._database.read(lambda connection: rows.load_incidents(connection, [delivery_id]))
        return found.get(delivery_id, _UNKNOWN)

    async def has_arrived(self, delivery: Delivery) -> Incident | None:
        """Tell whether an event arrived whose answer was lost, before it is sent again.

        PagerDuty merges a repeated event into an open incident, but a key that was resolved in the meantime would open
        a second one (facts A.1); so an incident of any state counts. With a dedup key that somebody chose only one
        that is certainly this delivery's does; see :mod:`masthead.paging.proof.verdict`.

        Returns:
            The incident; None when there is none; one of state *unknown* when nobody can tell. It is *awaited* when
            another look may tell (PagerDuty's REST API fails, throttles or is slow), else the token is missing, refused or
            without the scope, or the incident cannot be told from others. What cannot be told is to be sent again: a page that is never sent
            wakes nobody, one that is sent twice is merged unless somebody resolved the first meanwhile.
        """
        looker = self._lookers.get(delivery.account)
        if looker is None:
            return _UNKNOWN
        if looker.rate.rest_s > 0:
            return _cannot_say(looker)
        sought = await self._sought(delivery)
        if not can_tell(sought):
            return _UNKNOWN
        try:
            seen = await self._in_time(looker, delivery.dedup_key)
        except OutsideFailure as failure:
            self._note(delivery.account, looker, failure)
            return _cannot_say(looker)
        if seen is None:
            return _LATER
        return await self._arrived(delivery, sought, seen)

    async def _arrived(
        self, delivery: Delivery, sought: Sought, seen: Sequence[IncidentSeen]
    ) -> Incident | None:
        """Give which of the incidents of its dedup key it led to; awaited while it may be one that an earlier page led to."""
        if sought.is_key_made_here or not seen:
            mine = own(sought, seen, [])
            return told(mine, sought) if mine else None
        taken, still = await self._claims(delivery.account, delivery.dedup_key, seen)
        mine = own(sought, seen, taken)
        if mine is None:
            return None
        return _LATER if still.keys() - {delivery.id} else told(mine, sought)

    async def _sought(self, delivery: Delivery) -> Sought:
        is_plain = delivery.is_key_made_here or delivery.service_id is not None
        return Sought(
            delivery_id=delivery.id,
            dedup_key=delivery.dedup_key,
            service_id=delivery.service_id,
            created_at=to_ms(delivery.created_at),
            accepted_at=to_ms(self._clock.now()),
            is_key_made_here=delivery.is_key_made_here,
            has_siblings=not is_plain
            and await self._database.read(lambda connection: rows.siblings(connection, delivery.id)),
            incident=_UNKNOWN,
            is_sent_again=True,
        )

    async def _in_time(self, looker: Looker, dedup_key: str) -> list[IncidentSeen] | None:
        asking = asyncio.ensure_future(looker.incidents(dedup_key))
        waiting = asyncio.ensure_future(self._clock.sleep(self._timings.answer_s))
        try:
            await asyncio.wait((asking, waiting), return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            asking.cancel()
            waiting.cancel()

    async def _claims(
        self, account: str, dedup_key: str, seen: Sequence[IncidentSeen]
    ) -> tuple[list[Claim], dict[str, int]]:
        ids = [one.id for one in seen]

        def work(connection: Connection) -> tuple[list[Claim], dict[str, int]]:
            # In this order: what is found meanwhile shows as a claim.
            still = rows.still_sought(connection, account, dedup_key)
            return rows.claims(connection, account, ids), still

        return await self._database.read(work)

    async def _work_off(self, turn: Turn) -> None:
        """Look at what is due of an account, one key after the other, and rest until the next is."""
        looker = self._lookers.get(turn.subject)
        if looker is None:
            await self._database.write(partial(self._leave_alone, turn))
            return
        while self._may_look(looker) and (groups := await self._due(turn.subject)):
            for group in groups[:_AT_ONCE]:
                await self._look(turn, looker, group)
                if not self._may_look(looker):
                    break
        await self._database.write(partial(self._rest, turn, looker))

    def _may_look(self, looker: Looker) -> bool:
        """Say whether to look on: where much is followed something is always due, which must not hold up the end of the process."""
        return self._bursts.is_open and looker.rate.rest_s == 0

    async def _due(self, account: str) -> list[list[Sought]]:
        now_ms = to_ms(self._clock.now())
        return await self._database.read(lambda connection: rows.load_due(connection, account, now_ms=now_ms))

    async def _look(self, turn: Turn, looker: Looker, group: Sequence[Sought]) -> None:
        try:
            findings = await looker.look(group, partial(self._claims, turn.subject))
        except OutsideFailure as failure:
            self._note(turn.subject, looker, failure)
            findings = looker.postponed(group)

        def work(connection: Connection) -> None:
            turn.hold(connection)
            rows.save(connection, findings)

        await self._database.write(work)
        self._tell(findings)

    def _note(self, account: str, looker: Looker, failure: OutsideFailure) -> None:
        """Let the account rest, unless PagerDuty only refused this one question."""
        if failure.reason is not Reason.REJECTED:
            looker.rate.failed(failure)
        log.warning(
            "proof.look-failed",
            account=account,
            reason=failure.reason,
            status=failure.status,
            error=failure.message,
            rest_s=round(looker.rate.rest_s, 1),
        )

    def _tell(self, findings: Sequence[Finding]) -> None:
        for one in findings:
            if replace(one.incident, checked_at=None) == replace(one.sought.incident, checked_at=None):
                continue
            log.info(
                "proof.changed",
                delivery=one.sought.delivery_id,
                incident=one.incident.number,
                state=one.incident.state,
                reason=one.incident.reason,
            )
            for tell in self._subscribers:
                tell(one.sought.delivery_id, one.incident)

    def _leave_alone(self, turn: Turn, connection: Connection) -> None:
        turn.hold(connection)
        turn.rest(connection, self._database.now_ms(connection) + _NO_READER_MS)

    def _rest(self, turn: Turn, looker: Looker, connection: Connection) -> None:
        turn.hold(connection)
        now_ms, rest_ms = to_ms(self._clock.now()), math.ceil(1000 * looker.rate.rest_s)
        if rest_ms:
            oldest_ms = now_ms - int(1000 * (self._timings.follow_s + _GRACE_S))
            rows.forget_older(connection, turn.subject, oldest_ms)
        due_at_ms = rows.next_due(connection, turn.subject, now_ms=now_ms)
        if due_at_ms is None:
            turn.finish(connection)
        else:
            # By the database's clock, which the bursts go by.
            pause_ms = max(due_at_ms - now_ms, rest_ms, 0)
            turn.rest(connection, self._database.now_ms(connection) + pause_ms)


def _cannot_say(looker: Looker) -> Incident:
    """Give what is known where PagerDuty does not answer; waiting helps unless it is the token that it refuses."""
    return _UNKNOWN if looker.rate.is_refused else _LATER
