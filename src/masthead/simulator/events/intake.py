"""The door of the Events APIs: from a request's bytes to an answer, an incident and a line in the ledger.

Bare ASGI before any router, because it is also the sink of load tests.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from masthead.simulator.events import rules
from masthead.simulator.events.rules import Sighting
from masthead.simulator.faults import Fault
from masthead.simulator.incidents import Signal
from masthead.simulator.ledger import Record
from masthead.simulator.organisation import Route
from masthead.simulator.wire import Answer, Receive, Scope, Send, deliver, json_answer, read_body
from masthead.simulator.world import World

__all__ = ["Intake"]

_READERS: dict[str, tuple[str, Callable[[dict[str, Any]], Sighting]]] = {
    "/generic/2010-04-15/create_event.json": ("v1", rules.read_v1),
    "/v2/enqueue": ("v2", rules.read_v2),
    "/v2/change/enqueue": ("change", rules.read_change),
}
_DECODER = msgspec.json.Decoder()
#: Body and type of v1's answer to a key that is over its budget (seen in the wild, 2014).
_V1_THROTTLED = Answer(
    403,
    b'{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly. '
    b'Please retry later."}',
    "text/plain; charset=utf-8",
)
_V2_THROTTLED = Answer(429, b"", "")


class Intake:
    """Answers what is sent to the Events APIs."""

    def __init__(self, world: World) -> None:
        self._world = world

    @staticmethod
    def takes(path: str) -> bool:
        """Say whether *path* belongs to an Events API."""
        return path in _READERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to an Events API."""
        path = scope["path"]
        if scope["method"] != "POST":
            await deliver(Answer(405, b"", "", {"Allow": "POST"}), scope, receive, send)
            return
        raw = await read_body(receive, most=rules.EVENT_LIMIT)
        visit = _Visit(self._world, path, raw)
        answer = await visit.answer()
        fault = visit.fault
        visit.enter(None if fault and fault.order.reset else answer.status)
        await deliver(
            answer,
            scope,
            receive,
            send,
            reset=fault is not None and fault.order.reset,
            half_body=fault is not None and fault.order.half_body,
        )


class _Visit:
    """One request while it is answered."""

    def __init__(self, world: World, path: str, raw: bytes) -> None:
        self._world = world
        self._raw = raw
        self._protocol, reader = _READERS[path]
        self._event = _read(reader, raw)
        self._outcome = "struck before it was processed"
        self._incident: str | None = None
        key = self._event.key if self._event else ""
        self.fault: Fault | None = world.faults.strike("events", "POST", path, secret=key)

    async def answer(self) -> Answer:
        """Process the event and give the answer, with the latency and the fault that strikes it."""
        world, fault = self._world, self.fault
        if world.settings.events_latency_ms:
            await world.clock.sleep(world.settings.events_latency_ms / 1000)
        if fault is None:
            return self._process()
        pause = fault.order.delay_ms / 1000
        if fault.order.when == "before":
            await world.clock.sleep(pause)
        real = None if fault.is_before else self._process()
        if fault.order.when == "after":
            await world.clock.sleep(pause)
        return fault.answer(real)

    def enter(self, status: int | None) -> None:
        """Write the visit into the ledger."""
        event = self._event or Sighting(self._protocol, "", "")
        record = Record(
            sequence=0,
            time=self._world.clock.now(),
            protocol=self._protocol,
            key=event.key,
            action=event.action,
            dedup_key=event.dedup_key,
            status=status,
            outcome=self._outcome,
            incident=self._incident,
            fault=self.fault.id if self.fault else None,
            raw=self._raw,
        )
        self._world.ledger.add(record)

    def _process(self) -> Answer:
        event = self._event
        if len(self._raw) > rules.EVENT_LIMIT:
            return self._refuse("Event object is too large (maximum is 512 KB)")
        if event is None:
            self._outcome = "rejected: JSON parse error"
            return _refusal(
                "unrecognized object", "Event object format is unrecognized", ["JSON parse error"]
            )
        if event.errors:
            return self._refuse(*event.errors)
        route = self._route(event)
        if route is None:
            return self._refuse("Invalid routing key" if event.protocol != "v1" else "Service key is invalid")
        if not self._world.admit(event.key):
            self._outcome = "throttled"
            return _V1_THROTTLED if event.protocol == "v1" else _V2_THROTTLED
        return self._accept(event, route)

    def _route(self, event: Sighting) -> Route | None:
        """Find where the event goes; None when its key does not exist here or not for this API."""
        route = self._world.directory.routes.get(event.key)
        if route is None or route.protocol is None:
            return None
        if event.protocol == "change":
            return route if route.integration is not None else None
        if self._world.settings.strict_protocols and route.protocol != event.protocol:
            return None
        return route

    def _accept(self, event: Sighting, route: Route) -> Answer:
        if event.protocol == "change":
            self._world.keep_change(route, event.summary, self._raw)
            self._outcome = "change event"
            return json_answer(202, {"status": "success", "message": "Change event processed"})
        event.dedup_key = event.dedup_key or uuid.uuid4().hex
        signal = Signal(
            event.protocol, event.action, event.dedup_key, event.summary, event.severity, self._raw
        )
        self._outcome, incident = self._world.incidents.receive(signal, route)
        self._incident = incident.id if incident else None
        status, name = (200, "incident_key") if event.protocol == "v1" else (202, "dedup_key")
        return json_answer(status, {"status": "success", "message": "Event processed", name: event.dedup_key})

    def _refuse(self, *errors: str) -> Answer:
        self._outcome = f"rejected: {'; '.join(errors)}"
        return _refusal("invalid event", "Event object is invalid", list(errors))


def _read(reader: Callable[[dict[str, Any]], Sighting], raw: bytes) -> Sighting | None:
    """Read the event; None when the body is no JSON object."""
    try:
        body = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return reader(body) if isinstance(body, dict) else None


def _refusal(status: str, message: str, errors: list[str]) -> Answer:
    return json_answer(400, {"status": status, "message": message, "errors": errors})
