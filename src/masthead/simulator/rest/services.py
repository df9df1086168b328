"""Endpoints for services, their integrations and change events."""

from __future__ import annotations

from masthead.simulator.organisation import PROTOCOLS, Integration, Service, make_id, make_key
from masthead.simulator.rest import documents
from masthead.simulator.rest.call import Call, Refusal, invalid, not_found, parse_instant
from masthead.simulator.wire import Answer, json_answer
from masthead.simulator.world import ChangeEvent

__all__ = [
    "create_integration",
    "get_integration",
    "get_service",
    "list_change_events",
    "list_service_change_events",
    "list_services",
]


def list_services(call: Call) -> Answer:
    """Answer GET /services.

    ``query`` looks into names; an integration key finds its service (undocumented, PagerDuty's own
    Backstage plugin relies on it).
    """
    query, name = call.query.get("query", ""), call.query.get("name")
    teams = set(call.many("team_ids"))
    services = [
        service
        for service in call.world.directory.services.values()
        if (not query or _matches(service, query))
        and (name is None or service.name == name)
        and (not teams or teams & set(service.teams))
    ]
    by, _, direction = call.query.get("sort_by", "name").partition(":")
    if by == "name":
        services.sort(key=lambda service: service.name.casefold(), reverse=direction == "desc")
    return call.page("services", services, lambda service: documents.service_document(call, service))


def _matches(service: Service, query: str) -> bool:
    if query.casefold() in service.name.casefold():
        return True
    return any(integration.key == query for integration in service.integrations)


def get_service(call: Call) -> Answer:
    """Answer GET /services/{id}."""
    return json_answer(200, {"service": documents.service_document(call, _service(call))})


def get_integration(call: Call) -> Answer:
    """Answer GET /services/{id}/integrations/{integration_id}."""
    service = _service(call)
    for integration in service.integrations:
        if integration.id == call.path["integration_id"]:
            document = documents.integration_document(call, service, integration, full=True)
            return json_answer(200, {"integration": document})
    raise not_found()


def create_integration(call: Call) -> Answer:
    """Answer POST /services/{id}/integrations: make a way in, with a new key."""
    service = _service(call)
    body = call.body("integration")
    type_ = str(body.get("type", "")).removesuffix("_reference")
    if type_ not in PROTOCOLS:
        raise invalid(f"Type must be one of {', '.join(sorted(PROTOCOLS))}")
    place = f"{service.id}/made/{len(service.integrations)}"
    name = str(body.get("name") or "Events API")
    integration = Integration(type=type_, name=name, id=make_id("Integration", place), key=make_key(place))
    service.integrations.append(integration)
    call.world.directory.add_route(service, integration)
    document = documents.integration_document(call, service, integration, full=True)
    return json_answer(201, {"integration": document})


def list_change_events(call: Call) -> Answer:
    """Answer GET /change_events, newest first."""
    return _changes(call, list(call.world.changes))


def list_service_change_events(call: Call) -> Answer:
    """Answer GET /services/{id}/change_events, newest first."""
    service = _service(call)
    return _changes(call, [event for event in call.world.changes if event.service.id == service.id])


def _changes(call: Call, events: list[ChangeEvent]) -> Answer:
    for name in ("since", "until"):
        text = call.query.get(name)
        if text is None:
            continue
        if not text.endswith("Z"):
            raise invalid(f"{name} must be a UTC date ending in Z")
        instant = parse_instant(text, name)
        events = [one for one in events if (one.time >= instant if name == "since" else one.time <= instant)]
    events.reverse()
    return call.page("change_events", events, lambda event: documents.change_document(call.world, event))


def _service(call: Call) -> Service:
    service = call.world.directory.services.get(call.path["id"])
    if service is None:
        raise Refusal(404, "Service Not Found", 5002)
    return service
