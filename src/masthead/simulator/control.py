"""The simulator's own routes under ``/simulator``: what happened, faults, settings, acting as a human.

They need no token, are never struck by a fault and have no limits.
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.simulator.clock import stamp
from masthead.simulator.data import decode
from masthead.simulator.faults import Fault, FaultOrder
from masthead.simulator.incidents import Agent, Incident
from masthead.simulator.ledger import Record
from masthead.simulator.organisation import DataInvalid
from masthead.simulator.settings import changed
from masthead.simulator.world import World

__all__ = ["build_control"]


class _Act(msgspec.Struct, forbid_unknown_fields=True):
    """Who acts on an incident; empty: who is assigned."""

    user: str = ""


class _ServiceChange(msgspec.Struct, forbid_unknown_fields=True):
    status: str


class _ScheduleChange(msgspec.Struct, forbid_unknown_fields=True):
    rotation: list[str]


class _Reset(msgspec.Struct, forbid_unknown_fields=True):
    """What to begin again; ``history``: only incidents, events and budgets used."""

    only: str = ""


def build_control(world: World) -> Starlette:
    """Build the routes over *world*."""
    control = _Control(world)
    routes = [
        Route("/simulator", control.summary, methods=["GET"]),
        Route("/simulator/events", control.events, methods=["GET"]),
        Route("/simulator/incidents", control.incidents, methods=["GET"]),
        Route("/simulator/incidents/{id}/acknowledge", control.acknowledge, methods=["POST"]),
        Route("/simulator/incidents/{id}/resolve", control.resolve, methods=["POST"]),
        Route("/simulator/faults", control.list_faults, methods=["GET"]),
        Route("/simulator/faults", control.add_fault, methods=["POST"]),
        Route("/simulator/faults", control.clear_faults, methods=["DELETE"]),
        Route("/simulator/faults/{id}", control.remove_fault, methods=["DELETE"]),
        Route("/simulator/settings", control.settings, methods=["GET"]),
        Route("/simulator/settings", control.change_settings, methods=["POST"]),
        Route("/simulator/services/{id}", control.change_service, methods=["POST"]),
        Route("/simulator/schedules/{id}", control.change_schedule, methods=["POST"]),
        Route("/simulator/webhooks", control.webhooks, methods=["GET"]),
        Route("/simulator/webhooks/{id}/rotate", control.rotate, methods=["POST"]),
        Route("/simulator/data", control.data, methods=["GET"]),
        Route("/simulator/data", control.replace_data, methods=["POST"]),
        Route("/simulator/reset", control.reset, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refuse})


class _Control:
    def __init__(self, world: World) -> None:
        self._world = world

    async def summary(self, _request: Request) -> Response:
        """Say what this is and how much has happened."""
        world = self._world
        document = {
            "what": "PagerDuty simulator",
            "now": stamp(world.clock.now()),
            "services": len(world.directory.services),
            "events": world.ledger.received,
            "incidents": len(world.incidents),
            "open_incidents": sum(incident.is_open for incident in world.incidents),
            "faults": len(world.faults.active()),
            "keys_used": world.key_window.used(world.settings.events_window_s),
        }
        return _json(document)

    async def events(self, request: Request) -> Response:
        """List the events received, newest last."""
        query = request.query_params
        limit = _number(query.get("limit"), "limit")
        wanted = {name: query[name] for name in ("key", "dedup_key", "action", "protocol") if name in query}
        records = self._world.ledger.newest(
            after=_number(query.get("after"), "after") or 0, limit=None if wanted else limit
        )
        if wanted:
            records = [
                one for one in records if all(getattr(one, name) == text for name, text in wanted.items())
            ]
            records = records[-limit:] if limit else records
        return _json([_event(record) for record in records])

    async def incidents(self, request: Request) -> Response:
        """List the incidents, newest last."""
        key, status = request.query_params.get("incident_key"), request.query_params.get("status")
        chosen = self._world.incidents.with_key(key) if key else list(self._world.incidents)
        return _json([self._incident(one) for one in chosen if status in (None, one.status)])

    async def acknowledge(self, request: Request) -> Response:
        """Acknowledge an incident as a human."""
        return await self._act(request, "acknowledged")

    async def resolve(self, request: Request) -> Response:
        """Resolve an incident as a human."""
        return await self._act(request, "resolved")

    async def _act(self, request: Request, status: str) -> Response:
        incident = self._world.incidents.find(request.path_params["id"])
        if incident is None:
            raise HTTPException(404, "no incident has this id or number")
        if not incident.is_open:
            raise HTTPException(409, "the incident is resolved")
        act = await _read(request, _Act)
        user = self._world.directory.find_user(act.user) if act.user else next(iter(incident.assigned), None)
        if user is None:
            raise HTTPException(
                400, f"nobody has the name {act.user!r}" if act.user else "nobody is assigned"
            )
        self._world.incidents.set_status(incident, status, Agent.of_user(user))
        return _json(self._incident(incident))

    async def list_faults(self, _request: Request) -> Response:
        """List the faults in force."""
        return _json([self._fault(fault) for fault in self._world.faults.active()])

    async def add_fault(self, request: Request) -> Response:
        """Put a fault into force."""
        order = await _read(request, FaultOrder)
        if order.target not in ("events", "rest") and not order.target.startswith("/"):
            raise HTTPException(400, "target is events, rest or the beginning of a path")
        return _json(self._fault(self._world.faults.add(order)), 201)

    async def clear_faults(self, _request: Request) -> Response:
        """Take all faults out of force."""
        self._world.faults.clear()
        return _json([])

    async def remove_fault(self, request: Request) -> Response:
        """Take one fault out of force."""
        if not self._world.faults.remove(request.path_params["id"]):
            raise HTTPException(404, "no fault with this id is in force")
        return await self.list_faults(request)

    async def settings(self, _request: Request) -> Response:
        """Give the settings in force."""
        return _json(self._world.settings)

    async def change_settings(self, request: Request) -> Response:
        """Change some settings and give all of them."""
        document = await _read(request, dict[str, Any])
        try:
            self._world.settings = changed(self._world.settings, document)
        except msgspec.ValidationError as error:
            raise HTTPException(400, str(error)) from error
        return _json(self._world.settings)

    async def change_service(self, request: Request) -> Response:
        """Set a service's status, as its owner would in PagerDuty."""
        service = self._world.directory.services.get(request.path_params["id"])
        if service is None:
            raise HTTPException(404, "no service has this id")
        status = (await _read(request, _ServiceChange)).status
        if status not in ("active", "maintenance", "disabled"):
            raise HTTPException(400, "status is active, maintenance or disabled")
        service.status = status
        return _json(service)

    async def change_schedule(self, request: Request) -> Response:
        """Set who takes turns in a schedule; an empty rotation leaves nobody on call."""
        schedule = self._world.directory.schedules.get(request.path_params["id"])
        if schedule is None:
            raise HTTPException(404, "no schedule has this id")
        rotation = (await _read(request, _ScheduleChange)).rotation
        unknown = [id_ for id_ in rotation if id_ not in self._world.directory.users]
        if unknown:
            raise HTTPException(400, f"nobody has the id {unknown[0]!r}")
        schedule.rotation = rotation
        return _json(schedule)

    async def webhooks(self, _request: Request) -> Response:
        """List the newest webhooks and what became of them, newest last."""
        parcels = [
            {**msgspec.structs.asdict(parcel), "body": msgspec.Raw(parcel.body)}
            for parcel in self._world.couriers.parcels
        ]
        return _json(parcels)

    async def rotate(self, request: Request) -> Response:
        """Give a webhook subscription a second secret; bodies are signed with both."""
        subscription = self._world.subscriptions.find(request.path_params["id"])
        if subscription is None:
            raise HTTPException(404, "no webhook subscription has this id")
        return _json({"secret": self._world.subscriptions.rotate(subscription)})

    async def data(self, _request: Request) -> Response:
        """Give the organisation in the shape of a data file."""
        return _json(self._world.directory.organisation)

    async def replace_data(self, request: Request) -> Response:
        """Put another organisation in place and begin again."""
        try:
            self._world.replace(decode(await request.body()))
        except DataInvalid as error:
            raise HTTPException(400, str(error)) from error
        return await self.summary(request)

    async def reset(self, request: Request) -> Response:
        """Begin again."""
        if (await _read(request, _Reset)).only == "history":
            self._world.forget()
        else:
            self._world.reset()
        return await self.summary(request)

    def _incident(self, incident: Incident) -> dict[str, Any]:
        opening = incident.opening
        return {
            "id": incident.id,
            "number": incident.number,
            "title": opening.title,
            "status": incident.status,
            "service": opening.service.name,
            "service_id": opening.service.id,
            "escalation_policy": opening.policy.name,
            "incident_key": opening.key,
            "routing_key": opening.routing_key,
            "urgency": opening.urgency,
            "severity": opening.alert.severity if opening.alert else None,
            "events": incident.events,
            "assignees": [user.name for user in opening.assignees],
            "created_at": stamp(incident.created_at),
            "updated_at": stamp(incident.changed_at),
            "changed_by": incident.changed_by.name,
            "acknowledged_by": [agent.name for _, agent in incident.acknowledged],
            "notes": [note.content for note in incident.notes],
            "html_url": self._world.directory.account.web(f"/incidents/{incident.id}"),
        }

    def _fault(self, fault: Fault) -> dict[str, Any]:
        order: dict[str, Any] = msgspec.to_builtins(fault.order)
        now = self._world.clock.monotonic()
        ends_in = None if fault.ends_at is None else round(max(fault.ends_at - now, 0), 3)
        return {"id": fault.id, **order, "struck": fault.struck, "ends_in_seconds": ends_in}


def _event(record: Record) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: getattr(record, name) for name in Record.__struct_fields__ if name not in ("raw", "time")
    }
    return {**fields, "time": record.time, "body": _body(record.raw)}


def _body(raw: bytes) -> Any:
    """Give a body as JSON when it is, else as text."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw.decode(errors="replace")
    return msgspec.Raw(raw)


async def _read(request: Request, type_: Any) -> Any:
    """Read a request's body; an empty one is an empty object."""
    raw = await request.body()
    try:
        return msgspec.json.decode(raw or b"{}", type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(400, str(error)) from error


def _number(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise HTTPException(400, f"{name} must be a number")
    return int(text)


def _json(document: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status, media_type="application/json")


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _json({"error": error.detail}, error.status_code)
