"""Fakes of the ports, for tests: dictionaries in memory, and a PagerDuty that does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from masthead.executions.ports import Services
from masthead.executions.webhooks import Webhooks
from masthead.kernel.caller import Caller
from masthead.kernel.clock import Clock
from masthead.kernel.errors import NotFound, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import Protocol
from masthead.paging import Delivery, DeliveryState, Draft, Incident, IncidentState, Page

__all__ = ["FakeApplications", "FakePaging", "FakePipelines", "fake_services"]

Document = dict[str, Any]


class FakeApplications:
    """Applications by lower-case name; ``error``, once set, is raised by every look-up."""

    def __init__(self, *documents: Document) -> None:
        self.stored: dict[str, Document] = {each["name"].lower(): each for each in documents}
        self.error: Exception | None = None
        self.calls: list[tuple[str, str]] = []

    async def find(self, name: str) -> Document | None:
        """Give the document, or None."""
        if self.error is not None:
            raise self.error
        return self.stored.get(name.lower())

    async def merge(self, name: str, document: Document, caller: Caller) -> Document:
        """Lay over what is there."""
        self.calls.append(("merge", caller.user))
        self.stored[name.lower()] = {**self.stored.get(name.lower(), {}), **document}
        return self.stored[name.lower()]

    async def delete(self, name: str, caller: Caller) -> None:
        """Remove."""
        self.calls.append(("delete", caller.user))
        self.stored.pop(name.lower(), None)


class FakePipelines:
    """Pipelines by id; ``error``, once set, is raised by every save."""

    def __init__(self, *documents: Document) -> None:
        self.stored: dict[str, Document] = {each["id"]: each for each in documents}
        self.error: Exception | None = None
        self.reordered: list[tuple[str, Mapping[str, int]]] = []

    async def of_application(
        self, application: str, *, name_filter: str | None = None, limit: int | None = None
    ) -> Sequence[Document]:
        """Give those of the application."""
        part = (name_filter or "").lower()
        found = [each for each in self.stored.values() if each["application"] == application]
        return [each for each in found if part in each["name"].lower()][:limit]

    async def get(self, pipeline_id: str) -> Document:
        """Give one."""
        if pipeline_id not in self.stored:
            raise NotFound(f"No pipeline found with id {pipeline_id}")
        return self.stored[pipeline_id]

    async def save(self, document: Document, caller: Caller, *, stale_check: bool = False) -> Document:
        """Store."""
        del caller, stale_check
        if self.error is not None:
            raise self.error
        self.stored[document["id"]] = {**document, "updateTs": "1"}
        return self.stored[document["id"]]

    async def update(
        self, pipeline_id: str, document: Document, caller: Caller, *, stale_check: bool = False
    ) -> Document:
        """Store over the one there is."""
        await self.get(pipeline_id)
        return await self.save({**document, "id": pipeline_id}, caller, stale_check=stale_check)

    async def batch_save(
        self, documents: list[Document], caller: Caller, *, stale_check: bool = False
    ) -> Document:
        """Store all."""
        saved = [await self.save(each, caller, stale_check=stale_check) for each in documents]
        return {
            "successful_pipelines_count": len(saved),
            "successful_pipelines": [each["name"] for each in saved],
            "failed_pipelines_count": 0,
            "failed_pipelines": [],
        }

    async def delete(self, application: str, name: str, caller: Caller) -> None:
        """Remove."""
        del caller
        for each in list(self.stored.values()):
            if (each["application"], each["name"]) == (application, name):
                del self.stored[each["id"]]
                return
        raise NotFound(f"No pipeline found with name '{name}' in application '{application}'")

    async def reorder(self, application: str, ids_to_indices: Mapping[str, int], caller: Caller) -> None:
        """Remember."""
        del caller
        self.reordered.append((application, ids_to_indices))


class FakePaging:
    """Decides each delivery at once as ``fates`` says, or leaves it pending while ``is_holding``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.is_holding = False
        #: Key → (state, reason, text); accepted unless given.
        self.fates: dict[str, tuple[DeliveryState, Reason | None, str]] = {}
        #: What every accepted delivery led to.
        self.incident = Incident(IncidentState.UNKNOWN)
        self.drafts: list[Draft] = []
        self.callers: list[Caller] = []
        self.pages: dict[str, Page] = {}
        self._by_identity: dict[str, str] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._subscribers: list[Callable[[Page], None]] = []

    async def request(self, draft: Draft, caller: Caller) -> Page:
        """Store the page once per identity."""
        known = self._by_identity.get(draft.identity or "")
        if known is not None:
            return self.pages[known]
        self.drafts.append(draft)
        self.callers.append(caller)
        page = self._page(draft, caller, page_id=f"page-{len(self.pages) + 1}")
        self.pages[page.id] = page
        self._by_identity[draft.identity or page.id] = page.id
        self._changed[page.id] = asyncio.Event()
        if not self.is_holding:
            self.decide(page.id)
        return self.pages[page.id]

    async def get(self, page_id: str) -> Page:
        """Give the page."""
        return self.pages[page_id]

    async def of_execution(self, execution_id: str) -> list[Page]:
        """Give its pages, oldest first."""
        return [page for page in self.pages.values() if page.execution_id == execution_id]

    async def wait(self, page_id: str, timeout_s: float) -> Page:
        """Give the page once it is decided or *timeout_s* is over."""
        if not self.pages[page_id].is_decided:
            sleeper = asyncio.ensure_future(self._clock.sleep(timeout_s))
            waiter = asyncio.ensure_future(self._changed[page_id].wait())
            try:
                await asyncio.wait((sleeper, waiter), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeper.cancel()
                waiter.cancel()
        return self.pages[page_id]

    def on_decided(self, tell: Callable[[Page], None]) -> None:
        """Have *tell* called by :meth:`decide`."""
        self._subscribers.append(tell)

    def decide(self, page_id: str, *keys: str) -> None:
        """Give *keys* (all, if none are named) their fate."""
        page = self.pages[page_id]
        deliveries = tuple(
            self._decided(each) if not keys or each.key.reveal() in keys else each for each in page.deliveries
        )
        self.pages[page_id] = page = replace(page, deliveries=deliveries)
        if page.is_decided:
            self._changed[page_id].set()
            for tell in self._subscribers:
                tell(page)

    def _decided(self, delivery: Delivery) -> Delivery:
        fate = self.fates.get(delivery.key.reveal(), (DeliveryState.ACCEPTED, None, "Event processed"))
        return replace(
            delivery,
            state=fate[0],
            reason=fate[1],
            text=fate[2],
            attempts=1,
            decided_at=self._clock.now(),
            incident=self.incident,
        )

    def _page(self, draft: Draft, caller: Caller, *, page_id: str) -> Page:
        return Page(
            id=page_id,
            message=draft.message,
            details=draft.details,
            links=draft.links,
            severity=draft.severity,
            user=caller.user,
            client=draft.client or "",
            client_url=draft.client_url,
            door=draft.door,
            application=draft.application,
            execution_id=draft.execution_id,
            stage_id=draft.stage_id,
            created_at=self._clock.now(),
            deliveries=tuple(
                self._delivery(key, page_id, place) for place, key in enumerate(draft.keys, start=1)
            ),
        )

    def _delivery(self, key: Secret, page_id: str, place: int) -> Delivery:
        return Delivery(
            id=f"{page_id}-{place}",
            page_id=page_id,
            key=key,
            key_hash=f"hash-{place}",
            dedup_key=f"dedup-{place}",
            protocol=Protocol.V2,
            service_id=f"PSVC{place}",
            label=label_of(key),
            state=DeliveryState.PENDING,
            reason=None,
            text="",
            attempts=0,
            created_at=self._clock.now(),
            decided_at=None,
            deadline_at=self._clock.now(),
        )


def label_of(key: Secret) -> str:
    """Give ``Service of …xyz`` for the key ``…xyz``: a name that a service could have."""
    return f"Service {key.reveal()[-1:].upper()}"


def fake_services(
    clock: Clock,
    *,
    applications: FakeApplications | None = None,
    pipelines: FakePipelines | None = None,
    paging: FakePaging | None = None,
    webhooks: Webhooks | None = None,
) -> Services:
    """Give stages' services, each a fake unless given."""
    return Services(
        applications=applications or FakeApplications(),
        pipelines=pipelines or FakePipelines(),
        paging=paging or FakePaging(clock),
        key_label=label_of,
        webhooks=webhooks,
    )
