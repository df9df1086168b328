"""From a request to decided deliveries: stored first, all keys at once, what was refused for now tried again.

The fast path: :meth:`Paging.request` stores the page with its deliveries in one group commit and starts a task
a delivery; each writes its outcome in another group commit. What PagerDuty refuses for now becomes a row that
waits, and a burst of kind ``routing-key`` works it off: one sender a key in the whole cluster, most severe
first. When a machine dies, what it was about to send is released to that burst. The dedup key is the same in
every attempt, so that whatever happens between an attempt and its record opens no second incident.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from masthead.catalog import Catalog
from masthead.kernel.caller import Caller
from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import InvalidRequest, NotFound, Reason, StorageUnavailable
from masthead.kernel.ids import Ids
from masthead.kernel.secret import Secret
from masthead.kernel.tasks import Tasks
from masthead.pagerduty import Answer, Event, EventsSender, Outcome, Protocol
from masthead.paging import store
from masthead.paging.hashing import KeyHasher
from masthead.paging.model import Delivery, DeliveryState, Draft, Page
from masthead.paging.retry import RetryPolicy
from masthead.storage.bursts import Bursts, Turn
from masthead.storage.database import Database, Work
from masthead.storage.machines import Machines

__all__ = ["Paging"]

log = structlog.get_logger(__name__)
BURST = "routing-key"
_OFF = "Paging is off: set pager-duty.enabled: true in Echo's profile, or MASTHEAD_EVENTS_ENABLED=true."
#: Deliveries of one key that one burst looks at before it looks again.
_BATCH = 50
#: How often a wait looks into the database for what another machine decided.
_LOOK_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """What paging stands on."""

    database: Database
    bursts: Bursts
    machines: Machines
    clock: Clock
    ids: Ids


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
        unknown_key_protocol: Protocol = Protocol.V2,
        is_enabled: bool = True,
        chance: random.Random | None = None,
    ) -> None:
        """Args are the parts below; *unknown_key_protocol* is used for keys that the catalog does not know."""
        self._on = on
        self._sender = sender
        self._catalog = catalog
        self._hasher = hasher
        self._retry = retry or RetryPolicy()
        self._unknown_key_protocol = unknown_key_protocol
        self._is_enabled = is_enabled
        self._chance = chance or random.SystemRandom()
        self._tasks = Tasks(lambda name, error: log.error("task.failed", task=name, error=str(error)))
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._subscribers: list[Callable[[Page], None]] = []
        on.bursts.register(BURST, self._work_off)
        on.machines.on_burial(self._release)

    async def request(self, draft: Draft, caller: Caller) -> Page:
        """Store a page and begin to send it; when this returns, it will not be forgotten.

        Args:
            draft: What to say and to which keys; the same ``identity`` gives the first request's page, and
                nothing is sent again.
            caller: In whose name.

        Returns:
            The page as stored, its deliveries pending (or, for a known identity, as they stand).

        Raises:
            InvalidRequest: paging is off, no key, or no message.
            StorageUnavailable: nothing was stored and nothing sent.
        """
        if not self._is_enabled:
            raise InvalidRequest(_OFF)
        if not draft.keys:
            raise InvalidRequest("There is nobody to page: no integration key and no application was given.")
        if not draft.message.strip():
            raise InvalidRequest(
                "A page needs a message: the first line that the person on call reads.", pointer="/message"
            )
        new = self._page(draft, caller)
        machine = self._on.machines.id

        def work(connection: Connection) -> Page:
            known = store.find_by_identity(connection, draft.identity) if draft.identity else None
            if known is None:
                store.insert_page(connection, new, caller=caller, identity=draft.identity, machine=machine)
            return known or new

        stored = await self._on.database.write(work)
        if stored is new:
            log.info(
                "page.stored", page=new.id, deliveries=len(new.deliveries), door=new.door, user=caller.user
            )
            for delivery in new.deliveries:
                self._tasks.start(self._first_attempt(new, delivery, machine), name=f"delivery {delivery.id}")
        return stored

    async def get(self, page_id: str) -> Page:
        """Give a page as it stands.

        Raises:
            NotFound: there is no such page.
        """
        found = await self._on.database.read(lambda connection: store.load_page(connection, page_id))
        if found is None:
            raise NotFound(f"Page not found (id: {page_id})")
        return found

    async def of_execution(self, execution_id: str) -> list[Page]:
        """Give the pages that an execution asked for, oldest first."""
        return await self._on.database.read(
            lambda connection: store.pages_of_execution(connection, execution_id)
        )

    async def wait(self, page_id: str, timeout_s: float) -> Page:
        """Give the page as soon as it is decided, or as it stands after *timeout_s* seconds.

        Raises:
            NotFound: there is no such page.
        """
        changed = asyncio.Event()
        self._waiters.setdefault(page_id, set()).add(changed)
        deadline = self._on.clock.monotonic() + timeout_s
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

    def on_decided(self, tell: Callable[[Page], None]) -> None:
        """Have *tell* called on this machine when the last delivery of a page was decided here."""
        self._subscribers.append(tell)

    async def settle(self, timeout_s: float) -> None:
        """Let what is being sent end, *timeout_s* seconds at most; what does not end stays stored."""
        await self._tasks.settle(timeout_s)
        await self._tasks.close()

    def _page(self, draft: Draft, caller: Caller) -> Page:
        page_id = self._on.ids.new()
        identity = draft.identity or page_id
        now = self._on.clock.now()
        keys = tuple(dict.fromkeys(draft.keys))
        return Page(
            id=page_id,
            message=draft.message,
            details=draft.details,
            links=draft.links,
            severity=draft.severity,
            user=caller.user,
            client=draft.client or f"Spinnaker ({caller.user})",
            client_url=draft.client_url,
            door=draft.door,
            application=draft.application,
            execution_id=draft.execution_id,
            stage_id=draft.stage_id,
            created_at=now,
            deliveries=tuple(self._delivery(key, page_id, identity) for key in keys),
        )

    def _delivery(self, key: Secret, page_id: str, identity: str) -> Delivery:
        known = self._catalog.service_of_key(key)
        protocol = known[1].protocol if known else None
        return Delivery(
            id=self._on.ids.new(),
            page_id=page_id,
            key=key,
            key_hash=self._hasher.key_hash(key),
            dedup_key=self._hasher.dedup_key(identity, key),
            protocol=protocol or self._unknown_key_protocol,
            service_id=known[0].id if known else None,
            label=known[0].name if known else key.label,
            state=DeliveryState.PENDING,
            reason=None,
            text="",
            attempts=0,
            created_at=self._on.clock.now(),
            decided_at=None,
            deadline_at=self._on.clock.now() + self._retry.deadline,
        )

    async def _first_attempt(self, page: Page, delivery: Delivery, machine: str) -> None:
        if machine != self._on.machines.id or not self._on.machines.holds_lease:
            return  # buried meanwhile: whoever buried us sends it
        result = await self._attempt(page, delivery)
        await self._record(page, delivery, result)

    async def _attempt(self, page: Page, delivery: Delivery) -> store.Result:
        at = self._on.clock.now()
        answer = await self._sender.send(_event(page, delivery))
        log.info(
            "delivery.attempted",
            delivery=delivery.id,
            page=page.id,
            service=delivery.label,
            outcome=answer.outcome,
            status=answer.status,
            reason=answer.reason,
            duration_ms=answer.duration_ms,
        )
        state, due_at_ms = self._decide(delivery, answer)
        return store.Result(
            delivery_id=delivery.id,
            number=delivery.attempts + 1,
            at_ms=to_ms(at),
            protocol=delivery.protocol,
            status=answer.status,
            outcome=answer.outcome,
            reason=answer.reason,
            text=answer.text,
            duration_ms=answer.duration_ms,
            state=state,
            due_at_ms=due_at_ms,
        )

    def _decide(self, delivery: Delivery, answer: Answer) -> tuple[DeliveryState, int | None]:
        if answer.outcome is Outcome.ACCEPTED:
            return DeliveryState.ACCEPTED, None
        if answer.outcome is Outcome.REJECTED:
            return DeliveryState.REJECTED, None
        wait = self._retry.wait(delivery.attempts + 1, retry_after=answer.retry_after, chance=self._chance)
        due = self._on.clock.now() + wait
        return DeliveryState.PENDING, to_ms(min(due, delivery.deadline_at))

    async def _record(self, page: Page, delivery: Delivery, result: store.Result) -> None:
        def work(connection: Connection) -> bool:
            store.record(connection, [result])
            if not result.state.is_decided:
                self._on.bursts.request(connection, BURST, delivery.key_hash, due_at_ms=result.due_at_ms)
            return store.is_decided(connection, page.id)

        if await self._write_at_last(work):
            await self._tell(page.id)
        if not result.state.is_decided:
            self._on.bursts.wake()

    async def _write_at_last(self, work: Work[bool]) -> bool:
        """Write what must not be forgotten while this process lives, however long the database is away."""
        while True:
            try:
                return await self._on.database.write(work)
            except StorageUnavailable as error:
                log.warning("delivery.not-recorded", error=error.message)
                await self._on.clock.sleep(_LOOK_AGAIN_S)

    async def _tell(self, page_id: str) -> None:
        """Tell those who wait for a page that its last delivery was decided."""
        for waiter in self._waiters.get(page_id, ()):
            waiter.set()
        if self._subscribers:
            page = await self.get(page_id)
            for tell in self._subscribers:
                tell(page)

    async def _work_off(self, turn: Turn) -> None:
        """Send what waits for one key, one after the other, and rest until the next is due."""
        while due := await self._due(turn.subject):
            for delivery in due:
                await self._on.database.write(turn.hold)
                if not self._on.machines.holds_lease:
                    return
                await self._attempt_again(delivery)
        await self._rest(turn)

    async def _due(self, key_hash: str) -> list[Delivery]:
        now_ms = to_ms(self._on.clock.now())
        return await self._on.database.read(
            lambda c: store.due_of_key(c, key_hash, now_ms=now_ms, limit=_BATCH)
        )

    async def _attempt_again(self, delivery: Delivery) -> None:
        page = await self.get(delivery.page_id)
        if self._on.clock.now() >= delivery.deadline_at:
            result = self._expiry(delivery)
            log.error(
                "delivery.expired",
                delivery=delivery.id,
                page=page.id,
                service=delivery.label,
                last=delivery.text,
            )
        else:
            result = await self._attempt(page, delivery)

        def work(connection: Connection) -> bool:
            store.record(connection, [result])
            return store.is_decided(connection, page.id)

        if await self._write_at_last(work):
            await self._tell(page.id)

    def _expiry(self, delivery: Delivery) -> store.Result:
        last = f" The last answer was: {delivery.text}" if delivery.text else ""
        return store.Result(
            delivery_id=delivery.id,
            number=0,
            at_ms=to_ms(self._on.clock.now()),
            protocol=delivery.protocol,
            status=None,
            outcome="expired",
            reason=Reason.EXPIRED,
            text=f"Given up after {_words(self._retry.deadline)} and {delivery.attempts} attempts.{last}",
            duration_ms=0,
            state=DeliveryState.EXPIRED,
            due_at_ms=None,
        )

    async def _rest(self, turn: Turn) -> None:
        def work(connection: Connection) -> None:
            turn.hold(connection)
            waiting = store.next_due(connection, turn.subject)
            if waiting is None:
                turn.finish(connection)
            else:
                turn.rest(connection, waiting)

        await self._on.database.write(work)

    def _release(self, connection: Connection, machine: str) -> None:
        for key_hash in store.release_machine(connection, machine):
            self._on.bursts.request(connection, BURST, key_hash)


def _event(page: Page, delivery: Delivery) -> Event:
    return Event(
        protocol=delivery.protocol,
        action="trigger",
        routing_key=delivery.key,
        dedup_key=delivery.dedup_key,
        summary=page.message,
        severity=page.severity,
        source=page.application,
        details=page.details,
        client=page.client,
        client_url=page.client_url,
        links=page.links,
        timestamp=page.created_at,
    )


async def _first_of(changed: asyncio.Event, clock: Clock, seconds: float) -> None:
    tasks = asyncio.ensure_future(changed.wait()), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _words(duration: timedelta) -> str:
    minutes = round(duration.total_seconds() / 60)
    return f"{minutes} minutes" if minutes else f"{duration.total_seconds():g} seconds"
