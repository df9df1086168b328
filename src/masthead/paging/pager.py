"""From a request to decided deliveries: stored first, all keys at once, what was refused for now tried again.

The fast path: :meth:`Paging.request` stores the page with its deliveries and starts a task a delivery; each records
its outcome. Both are written together with what others ask for at the same moment. What PagerDuty refuses for now,
what finds no room in its key's budget, and what a dead machine left, waits as rows, and :mod:`masthead.paging.waiting`
works it off. The dedup key is the same in every attempt, so that whatever happens between an attempt and its record
opens no second incident.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection, select, update

from masthead.catalog import Catalog
from masthead.kernel.caller import Caller
from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import Conflict, InvalidRequest, NotFound, StorageUnavailable
from masthead.kernel.ids import Ids
from masthead.kernel.tasks import Tasks
from masthead.pagerduty import Event, EventsSender, Protocol
from masthead.paging.ahead import Said
from masthead.paging.attempts import Attempts, event_of
from masthead.paging.budget import Budget
from masthead.paging.drafting import Drafting
from masthead.paging.due import hasten, keys_with_follow_ups
from masthead.paging.flights import Flight
from masthead.paging.hashing import KeyHasher
from masthead.paging.intake import BURST, Entry, Intake
from masthead.paging.model import Delivery, DeliveryState, Draft, Kind, Page
from masthead.paging.outcomes import Outcomes, Recorded, Result, Witness, release, unmark
from masthead.paging.retry import RetryPolicy
from masthead.paging.room import Room
from masthead.paging.rows import load_page, pages_where
from masthead.paging.waiting import LookBack, Waiting, Ways
from masthead.paging.younger import YoungerKeys
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.storage.schema import delivery as delivery_table
from masthead.storage.schema import page as page_table
from masthead.storage.together import Together
from masthead.telemetry.metrics import PagingMetrics

__all__ = ["Infrastructure", "Limits", "Paging"]

log = structlog.get_logger(__name__)
_OFF = "Paging is off: set pager-duty.enabled: true in Echo's profile, or MASTHEAD_EVENTS_ENABLED=true."
#: How often a wait looks into the database for what another machine decided, or a record is tried again.
_LOOK_AGAIN_S = 1.0
#: When it is looked whether a commit that gave no answer stored its pages; PostgreSQL may still be at it for a while.
_DOUBT_S = (0.0, 1.0, 5.0, 30.0)
#: First attempts under way at once, and characters of what they say; what is more waits as rows, which bounds memory.
_IN_FLIGHT = 2_000
_CHARACTERS_IN_FLIGHT = 30_000_000
#: How long an unknown key waits for the very first reading of the catalog, which may tell its protocol.
_READING_S = 5.0
_FAILED = (DeliveryState.REJECTED, DeliveryState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """What paging stands on."""

    database: Database
    bursts: Bursts
    machines: Machines
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is sent and how much may wait."""

    budget: int = 120
    window_s: float = 60.0
    waiting: int = 100_000


class Paging:
    """The one door through which a human can be woken."""

    def __init__(  # noqa: PLR0913 - the parts it is built from, by name
        self,
        on: Infrastructure,
        *,
        sender: EventsSender,
        catalog: Catalog,
        hasher: KeyHasher,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        unknown_key_protocol: Protocol = Protocol.V2,
        is_enabled: bool = True,
        metrics: PagingMetrics | None = None,
        witness: Witness | None = None,
        look_back: LookBack | None = None,
        chance: random.Random | None = None,
    ) -> None:
        """Args are the parts below; *unknown_key_protocol* is used for keys that the catalog does not know."""
        retry, limits = retry or RetryPolicy(), limits or Limits()
        self._on = on
        #: Names keys where they must not stand themselves.
        self.hasher = hasher
        self._is_enabled = is_enabled
        self._metrics = metrics or PagingMetrics()
        self._catalog = catalog
        self._tasks = Tasks(lambda name, error: log.error("task.failed", task=name, error=str(error)))
        self._drafting = Drafting(
            on.clock,
            on.ids,
            catalog=catalog,
            hasher=hasher,
            deadline=retry.deadline,
            unknown_key_protocol=unknown_key_protocol,
        )
        self.budget = Budget(on.clock, limit=limits.budget, window_s=limits.window_s)
        self._room = Room(on.database, on.clock, limit=limits.waiting)
        self._younger = YoungerKeys(catalog, self._drafting, on.clock, self._tasks)
        self._attempts = Attempts(sender, on.clock, retry, chance, find_home=self._younger.find)
        self._intake = Together(self._store_entries, self._tasks)
        self._intake_work = Intake(on.bursts)
        self._outcomes = Together(self._record_results, self._tasks)
        self._outcomes_work = Outcomes(on.bursts, witness)
        self._flights: dict[str, Flight] = {}
        self._in_flight = 0
        self._characters_in_flight = 0
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._on_decided: list[Callable[[Page], None]] = []
        self._on_dead_letter: list[Callable[[Page, Delivery], None]] = []
        self._waiting = Waiting(
            on.database,
            on.machines,
            on.clock,
            attempts=self._attempts,
            budget=self.budget,
            ways=Ways(self._record, self._metrics.folded, self._wake_keys),
            look_back=look_back,
        )
        on.bursts.register(BURST, self._waiting.work_off)
        on.machines.on_burial(lambda connection, machine: release(connection, on.bursts, machine))

    async def request(self, draft: Draft, caller: Caller, *, is_waited_for: bool = True) -> Page:
        """Store a page and begin to send it; when this returns, it will not be forgotten.

        Args:
            draft: What to say and to which keys; the same ``identity``, or the same content within ``recognise``,
                gives the first request's page, and nothing is sent again.
            caller: In whose name.
            is_waited_for: Whether its first attempt is made at once also where it would be in vain.

        Returns:
            The page as stored, its deliveries pending (or, for a known one, as they stand).

        Raises:
            InvalidRequest: paging is off, no key, no message, or details that cannot be written as JSON.
            Conflict: the identity belongs to a page of another fingerprint.
            Overloaded: too much waits already; nothing was stored.
            StorageUnavailable: nothing was stored and nothing sent, unless ``may_be_stored``: then it is sent if it is.
        """
        return (await self.ask(draft, caller, is_waited_for=is_waited_for))[0]

    async def ask(self, draft: Draft, caller: Caller, *, is_waited_for: bool = True) -> tuple[Page, bool]:
        """Do as :meth:`request`, and tell whether the page is new; False where an earlier one was recognised."""
        if not self._is_enabled:
            raise InvalidRequest(_OFF)
        if draft.recognise and draft.fingerprint is None:
            draft = replace(draft, fingerprint=self._drafting.recognisable(draft))
        await self._catalog.know(draft.keys, _READING_S)
        held_back = await self._held_back(draft) if draft.dedup_key else frozenset()

        def may_go(delivery: Delivery, length: int) -> str | None:
            is_held_back = delivery.is_uncertain or delivery.key_hash in held_back
            is_in_vain = not is_waited_for and self._attempts.are_in_vain(delivery.account)
            return None if is_held_back or is_in_vain else self._may_go(delivery, length)

        entry = self._drafting.entry(draft, caller, may_go=may_go)
        page = await self._send(entry)
        return page, page is entry.page

    def rehearse(self, draft: Draft, caller: Caller) -> list[Event]:
        """Give the events that :meth:`request` would send for *draft*, one a key in their order; nothing is sent or stored.

        Without an identity or a dedup key of the sender's, every page has a dedup key of its own, and so has this one.

        Raises:
            InvalidRequest: no key, no message, or something that cannot be written as JSON.
        """
        page = self._drafting.entry(draft, caller, may_go=lambda *_: None).page
        return [event_of(page, delivery) for delivery in page.deliveries]

    async def follow_up(self, page_id: str, kind: Kind, caller: Caller) -> Page:
        """Acknowledge or resolve what a page led to, under the dedup keys it was sent with.

        Args:
            page_id: The page.
            kind: ``Kind.ACKNOWLEDGE`` or ``Kind.RESOLVE``.
            caller: In whose name.

        Returns:
            A page of its own (``kind``, ``parent_id``), with a delivery for each of the page's that PagerDuty took or
            may still take; the latter go out after the page itself.

        Raises:
            NotFound: there is no such page.
            Conflict: PagerDuty took none of the page's deliveries, so that there is nothing to follow up.
            Overloaded, StorageUnavailable: as for :meth:`request`.
        """
        if not self._is_enabled:
            raise InvalidRequest(_OFF)
        page = await self.get(page_id)
        if page.kind is not Kind.TRIGGER:
            raise Conflict(f"There is nothing to {kind}: this is not a page, so it opened no incident.")
        if not page.in_state(DeliveryState.ACCEPTED, DeliveryState.PENDING):
            raise Conflict(f"There is nothing to {kind}: PagerDuty took no delivery of this page.")
        return await self._send(self._drafting.follow_up(page, kind, caller, may_go=self._must_go))

    async def resend(self, page_id: str, caller: Caller) -> Page:
        """Try the failed deliveries of a page anew, under their dedup keys and with a new deadline.

        Returns:
            The page, the deliveries that had been rejected or had expired pending again.

        Raises:
            NotFound: there is no such page.
            Conflict: none of its deliveries failed.
            StorageUnavailable: nothing changed.
        """
        if not self._is_enabled:
            raise InvalidRequest(_OFF)
        page = await self.get(page_id)
        failed = page.in_state(*_FAILED)
        if not failed:
            raise Conflict(
                "No delivery of this page failed, so there is nothing to send again; to wake somebody who did not come, page anew."
            )
        await self._younger.read_for(failed)
        await self._on.database.write(lambda connection: self._arm(connection, page, failed, caller))
        self._on.bursts.wake()
        log.info("page.resent", page=page.id, deliveries=len(failed), user=caller.user)
        return await self.get(page_id)

    async def get(self, page_id: str) -> Page:
        """Give a page as it stands.

        Raises:
            NotFound: there is no such page.
        """
        found = await self._on.database.read(lambda connection: load_page(connection, page_id))
        if found is None:
            raise NotFound(f"Page not found (id: {page_id})")
        return found

    async def of_execution(self, execution_id: str) -> list[Page]:
        """Give the pages that an execution asked for, oldest first."""
        query = select(page_table).where(page_table.c.execution_id == execution_id).order_by(page_table.c.id)
        return await self._on.database.read(lambda connection: pages_where(connection, query))

    async def wait(self, page_id: str, timeout_s: float) -> Page:
        """Give the page as soon as it is decided, or as it stands after *timeout_s* seconds.

        Raises:
            NotFound: there is no such page.
        """
        deadline = self._on.clock.monotonic() + timeout_s
        flight = self._flights.get(page_id)
        if flight is not None:
            await flight.wait(self._on.clock, timeout_s)
            page = flight.now()
            if page.is_decided or not flight.is_over:
                return page
        return await self._wait_for_rows(page_id, deadline)

    def on_decided(self, tell: Callable[[Page], None]) -> None:
        """Have *tell* called on this machine when a page was decided here, and when more is known of its incidents."""
        self._on_decided.append(tell)

    def on_dead_letter(self, tell: Callable[[Page, Delivery], None]) -> None:
        """Have *tell* called on this machine when a delivery expired here, with its page."""
        self._on_dead_letter.append(tell)

    def learned(self, delivery_id: str) -> None:
        """Tell those who follow the page of a delivery that its incident is known better now."""
        self._tasks.start(self._tell_again(delivery_id.rpartition("-")[0]), name="incident learned")

    async def settle(self, timeout_s: float) -> None:
        """Let what is being sent end, *timeout_s* seconds at most; what does not end stays stored."""
        await self._tasks.settle(timeout_s)
        await self._tasks.close()

    async def _held_back(self, draft: Draft) -> frozenset[str]:
        """Give the keys at which a page under a chosen dedup key waits: an earlier one's resolve is to be told first."""
        hashes = [self.hasher.key_hash(key) for key in draft.keys]
        return await self._on.database.read(
            lambda connection: keys_with_follow_ups(connection, hashes, draft.dedup_key or "")
        )

    def _may_go(self, delivery: Delivery, length: int) -> str | None:
        """Give this machine's id when a delivery of so many characters may be tried at once, which uses up budget."""
        characters = self._characters_in_flight + length if self._in_flight else 0
        if self._in_flight >= _IN_FLIGHT or characters > _CHARACTERS_IN_FLIGHT:
            return None
        return self._on.machines.id if self.budget.take(delivery.key_hash) else None

    def _must_go(self, delivery: Delivery) -> str:
        """Give this machine's id for what does not wait for room in the budget, but counts."""
        self.budget.spend(delivery.key_hash)
        return self._on.machines.id

    async def _send(self, entry: Entry) -> Page:
        try:
            await self._room.take(len(entry.page.deliveries), is_follow_up=entry.page.kind.is_follow_up)
        except BaseException:
            self._give_budget_back(entry)
            raise
        stored = await self._intake.put(entry)
        if isinstance(stored, Conflict):
            raise stored
        return stored

    def _let_go(self, entries: Sequence[Entry]) -> None:
        """Give back what was taken for entries that are not set off, or who repeats himself uses up a key's budget."""
        for entry in entries:
            self._room.give_back(len(entry.page.deliveries))
            self._give_budget_back(entry)

    def _give_budget_back(self, entry: Entry) -> None:
        for one, machine in zip(entry.page.deliveries, entry.machines, strict=True):
            if machine is not None:
                self.budget.give_back(one.key_hash)

    def _set_off(self, entry: Entry) -> None:
        page = entry.page
        self._metrics.page_stored(page.door, page.severity, page.kind)
        log.info("page.stored", page=page.id, deliveries=len(page.deliveries), door=page.door, user=page.user)
        first = [
            (one, machine)
            for one, machine in zip(page.deliveries, entry.machines, strict=True)
            if machine is not None
        ]
        if len(first) < len(page.deliveries):
            self._on.bursts.wake()
        if not first:
            return
        flight = Flight(page, len(first))
        self._flights[page.id] = flight
        self._in_flight += len(first)
        self._characters_in_flight += len(first) * entry.length
        for one, machine in first:
            attempt = self._first_attempt(flight, one, machine, entry.length)
            self._tasks.start(attempt, name="first attempt")

    async def _first_attempt(self, flight: Flight, delivery: Delivery, machine: str, length: int) -> None:
        result = None
        try:
            may_send = partial(self._on.machines.may_act, machine)
            result = await self._attempts.make(flight.page, delivery, may_send)
            if result is None:  # we may have been buried
                self.budget.give_back(delivery.key_hash)
                result = self._attempts.leave(delivery)
            await self._write_at_last(replace(result, mark=machine))
        finally:
            self._in_flight -= 1
            self._characters_in_flight -= length
            if flight.land(result):
                del self._flights[flight.page.id]
        if not result.state.is_decided:
            self._on.bursts.wake()
        self._wake_keys(self._waiting.told_of(result))
        if flight.is_over and (page := flight.now()).is_decided:
            self._tell(page)

    async def _record(self, result: Result, said: Said | None) -> Recorded:
        """Write what became of a delivery that waited, and tell those who wait for its page.

        Args:
            result: What became of it.
            said: What it says, if that was read.
        """
        recorded = await self._write_at_last(result)
        if result.state.is_decided:
            if said is not None and said.is_whole:
                self._look_at(replace(said.page, deliveries=(result.delivery_after,)), result)
            else:
                self._look_at(await self.get(result.delivery.page_id), result)
            for page_id in recorded.shared_by:
                self._look_at(await self.get(page_id), result)
        return recorded

    def _wake_keys(self, key_hashes: Sequence[str]) -> None:
        if not key_hashes:
            return

        def remind(connection: Connection) -> None:
            for key_hash in key_hashes:
                hasten(connection, key_hash, to_ms(self._on.clock.now()))
                self._on.bursts.remind(connection, BURST, key_hash)

        async def wake() -> None:
            with contextlib.suppress(StorageUnavailable):  # they are tried later all the same
                await self._on.database.write(remind)
                self._on.bursts.wake()

        self._tasks.start(wake(), name="wake keys")

    async def _write_at_last(self, result: Result) -> Recorded:
        """Write what must not be forgotten while this process lives, however long the database is away."""
        while True:
            try:
                recorded = await self._outcomes.put(result)
            except StorageUnavailable as error:
                log.warning("delivery.not-recorded", error=error.message)
                await self._on.clock.sleep(_LOOK_AGAIN_S)
            else:
                self._count(result, told=1 + len(recorded.shared_by))
                return recorded

    def _count(self, result: Result, *, told: int) -> None:
        """Count what became of a delivery, and of those that it spoke for."""
        if result.number:
            self._metrics.attempted(result.protocol, result.outcome, result.reason, result.duration_ms / 1000)
        if not result.state.is_decided:
            return
        self._room.give_back(told)
        seconds = (self._on.clock.now() - result.delivery.created_at).total_seconds()
        for _ in range(told):
            self._metrics.decided(result.state, result.reason, seconds)

    def _look_at(self, page: Page, result: Result) -> None:
        for waiter in self._waiters.get(page.id, ()):
            waiter.set()
        if result.state is DeliveryState.EXPIRED:
            self._mourn(page, result.delivery)
        if page.is_decided:
            self._tell(page)

    async def _tell_again(self, page_id: str) -> None:
        self._tell(await self.get(page_id))

    def _mourn(self, page: Page, speaker: Delivery) -> None:
        for one in page.deliveries:
            if speaker.id in (one.id, one.folded_into):
                log.error("delivery.expired", delivery=one.id, page=page.id, service=one.label, last=one.text)
                self._metrics.dead_letter()
                for tell in self._on_dead_letter:
                    tell(page, one)

    def _tell(self, page: Page) -> None:
        for tell in self._on_decided:
            tell(page)

    def _arm(self, connection: Connection, page: Page, failed: Sequence[Delivery], caller: Caller) -> None:
        self._intake_work.store(connection, [self._drafting.resend(page, caller)])
        values: dict[str, Any] = {
            "state": DeliveryState.PENDING,
            "reason": None,
            "text": "",
            "decided_at": None,
            "folded_into": None,
            "machine": None,
            "due_at": to_ms(self._on.clock.now()),
            "deadline_at": to_ms(self._drafting.deadline()),
        }
        for one in failed:
            connection.execute(
                update(delivery_table)
                .where(delivery_table.c.id == one.id, delivery_table.c.state.in_(_FAILED))
                .values(**self._drafting.addressed(one.key), **values)
            )
            self._on.bursts.remind(connection, BURST, one.key_hash)

    async def _wait_for_rows(self, page_id: str, deadline: float) -> Page:
        changed = asyncio.Event()
        self._waiters.setdefault(page_id, set()).add(changed)
        try:
            while True:
                changed.clear()
                page = await self.get(page_id)
                remaining = deadline - self._on.clock.monotonic()
                if page.is_decided or remaining <= 0:
                    return page
                await _first_of(changed, self._on.clock, min(remaining, _LOOK_AGAIN_S))
        finally:
            waiters = self._waiters[page_id]
            waiters.discard(changed)
            if not waiters:
                del self._waiters[page_id]

    async def _store_entries(self, entries: Sequence[Entry]) -> Sequence[Page | Conflict]:
        """Store, and set off what is new: here, because a caller may be gone before it hears of it."""
        try:
            answers = await self._on.database.write(lambda c: self._intake_work.store(c, entries))
        except StorageUnavailable as error:
            self._let_go(entries)
            if error.may_be_stored:
                self._tasks.start(self._send_if_stored(entries), name="send if stored")
            raise
        except Exception:
            if len(entries) == 1:  # else each is tried by itself
                self._let_go(entries)
            raise
        for entry, answer in zip(entries, answers, strict=True):
            if answer is entry.page:
                self._set_off(entry)
            else:
                self._let_go([entry])
        return answers

    async def _send_if_stored(self, entries: Sequence[Entry]) -> None:
        """Leave what was stored although its commit gave no answer to those who work off what waits."""
        page_ids = [entry.page.id for entry in entries]
        machines = sorted({one for entry in entries for one in entry.machines if one is not None})
        for pause in _DOUBT_S:
            await self._on.clock.sleep(pause)
            if found := await self._unmark_at_last(page_ids, machines):
                log.warning("page.stored-without-answer", deliveries=found)
                self._on.bursts.wake()

    async def _unmark_at_last(self, page_ids: Sequence[str], machines: Sequence[str]) -> int:
        while True:
            try:
                return await self._on.database.write(lambda c: unmark(c, self._on.bursts, page_ids, machines))
            except StorageUnavailable:
                await self._on.clock.sleep(_LOOK_AGAIN_S)

    async def _record_results(self, results: Sequence[Result]) -> Sequence[Recorded]:
        return await self._on.database.write(lambda c: self._outcomes_work.record(c, results))


async def _first_of(changed: asyncio.Event, clock: Clock, seconds: float) -> None:
    tasks = asyncio.ensure_future(changed.wait()), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
