"""A sender and readers that answer from a script, for tests of what stands above them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty.incidents import IncidentSeen, ServiceSeen
from masthead.pagerduty.model import Answer, Event, Outcome
from masthead.pagerduty.pages import Collected, Params
from masthead.pagerduty.posting import Leave, Withheld

__all__ = ["ACCEPT", "REJECT", "THROTTLE", "ScriptedIncidents", "ScriptedReader", "ScriptedSender"]

ACCEPT = Answer(Outcome.ACCEPTED, 202, None, None, "Event processed", 1)
REJECT = Answer(Outcome.REJECTED, 400, Reason.KEY, None, "Invalid routing key", 1)
THROTTLE = Answer(Outcome.RETRY, 429, Reason.THROTTLED, None, "HTTP 429", 1)


class ScriptedSender:
    """Accepts every event, unless :meth:`answer` said otherwise for its key; remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[Event] = []
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        #: Accounts that take no connection now.
        self.away: set[str] = set()
        #: While this is clear, sends wait: for what happens between storing and sending.
        self.gate = asyncio.Event()
        self.gate.set()

    def is_away(self, account: str) -> bool:
        """Answer as told."""
        return account in self.away

    def answer(self, key: str, *answers: Answer) -> None:
        """Give *answers* to the next events for *key*; the last one stays."""
        self._answers[key].extend(answers)

    async def send(self, event: Event, may_send: Leave | None = None) -> Answer:
        """Answer as told."""
        await self.gate.wait()
        if may_send is not None and not may_send():
            raise Withheld
        self.sent.append(event)
        script = self._answers[event.routing_key.reveal()]
        if not script:
            return ACCEPT
        return script.pop(0) if len(script) > 1 else script[0]


class ScriptedReader:
    """Gives the lists that :meth:`answer` said, else empty ones; remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Params]] = []
        self.obstacle: OutsideFailure | None = None
        self.is_closed = False
        self._answers: dict[str, list[Collected | OutsideFailure]] = defaultdict(list)
        #: While this is clear, every list is waited for.
        self.gate = asyncio.Event()
        self.gate.set()

    def answer(self, path: str, *answers: Collected | OutsideFailure) -> None:
        """Give *answers* to the next requests for *path* in place of what was left; the last one stays."""
        self._answers[path] = list(answers)

    async def collect(self, path: str, item_key: str, params: Params = ()) -> Collected:  # noqa: ARG002 - the lists are scripted by path
        """Answer as told."""
        self.asked.append((path, params))
        await self.gate.wait()
        script = self._answers[path]
        if not script:
            return Collected(total=0)
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, OutsideFailure):
            raise answer
        return answer

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True


class ScriptedIncidents:
    """Gives the incidents and services that a test put there; remembers what was asked for."""

    def __init__(self) -> None:
        #: What was asked, in order: "key", "open" or "service", and of which.
        self.asked: list[tuple[str, str]] = []
        #: Raised by every request while it is set.
        self.failure: OutsideFailure | None = None
        self._of_key: dict[str, list[IncidentSeen]] = {}
        self._of_service: dict[str, list[IncidentSeen]] = {}
        self._services: dict[str, ServiceSeen] = {}
        self._broken: dict[str, OutsideFailure] = {}
        #: While this is clear, every answer is waited for.
        self.gate = asyncio.Event()
        self.gate.set()

    def put(self, dedup_key: str, *incidents: IncidentSeen) -> None:
        """Let *dedup_key* have these incidents from now on."""
        self._of_key[dedup_key] = list(incidents)
        self._broken.pop(dedup_key, None)

    def break_off(self, dedup_key: str, failure: OutsideFailure) -> None:
        """Fail the requests for *dedup_key* alone."""
        self._broken[dedup_key] = failure

    def put_service(self, service: ServiceSeen, open_incidents: Sequence[IncidentSeen] = ()) -> None:
        """Let a service be so from now on; one that was never put there is active and has nothing open."""
        self._services[service.id] = service
        self._of_service[service.id] = list(open_incidents)

    async def by_key(self, dedup_key: str) -> list[IncidentSeen]:
        """Answer as told."""
        await self._ask("key", dedup_key)
        if dedup_key in self._broken:
            raise self._broken[dedup_key]
        return list(self._of_key.get(dedup_key, ()))

    async def open_of_service(self, service_id: str) -> list[IncidentSeen]:
        """Answer as told."""
        await self._ask("open", service_id)
        return list(self._of_service.get(service_id, ()))

    async def service(self, service_id: str) -> ServiceSeen:
        """Answer as told."""
        await self._ask("service", service_id)
        return self._services.get(service_id, ServiceSeen(service_id, "active", None))

    async def _ask(self, what: str, which: str) -> None:
        self.asked.append((what, which))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
