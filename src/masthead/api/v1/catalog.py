"""The catalog under /v1: services, who is on call, and how old that knowledge is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.api.v1.documents import catalog_document, oncall_document, service_document
from masthead.catalog import OnCall, Service
from masthead.kernel.errors import NotFound

__all__ = ["routes"]

routes = Routes("v1")

_DEFAULT_LIMIT = 100
_MOST = 10_000


@routes.get(
    "/services", "PagerDuty's services: q searches names, policies, teams and people; offset and limit cut."
)
async def services(ask: Ask) -> Any:
    """Give the services that contain every word of ``q``, with the catalog's state."""
    catalog = ask.services.catalog
    found = catalog.search_services(ask.text("q"))
    return {
        "services": [_shown(ask, service) for service in found[_cut(ask, _DEFAULT_LIMIT)]],
        "total": len(found),
        "catalog": _state(ask),
    }


@routes.get("/services/{id}", "One PagerDuty service, and the applications that page it.")
async def service(ask: Ask) -> Any:
    """Give the service with this id."""
    catalog = ask.services.catalog
    found = catalog.service(ask.path("id"))
    if found is None:
        raise NotFound(
            "The catalog knows no PagerDuty service with this id; see GET /v1/catalog for its state."
        )
    return {**_shown(ask, found), "applications": await _applications_of(ask, found)}


@routes.get("/oncalls", "Who is on call: q searches people, policies, schedules and services.")
async def oncalls(ask: Ask) -> Any:
    """Give the on-calls that contain every word of ``q``, by policy and level."""
    words = ask.text("q").casefold().split()
    by_policy = _services_by_policy(ask.services.catalog.services())
    found = [
        {**oncall_document(oncall), "services": by_policy.get(oncall.policy_id, [])}
        for oncall in ask.services.catalog.oncalls()
        if _matches(oncall, by_policy.get(oncall.policy_id, []), words)
    ]
    return {"oncalls": found[_cut(ask, _MOST)], "total": len(found), "catalog": _state(ask)}


@routes.get("/catalog", "How much of PagerDuty the catalog knows, how old it is, and what is wrong.")
async def state(ask: Ask) -> Any:
    """Give the catalog's state."""
    return _state(ask)


@routes.post("/catalog/refresh", "Ask PagerDuty now, and give the catalog's state afterwards.")
async def refresh(ask: Ask) -> Any:
    """Refresh; what went wrong stands in the state."""
    await ask.services.catalog.refresh()
    return _state(ask)


def _cut(ask: Ask, default: int) -> slice:
    offset = ask.number("offset", 0)
    return slice(offset, offset + min(ask.number("limit", default), _MOST))


def _shown(ask: Ask, service: Service) -> dict[str, Any]:
    oncalls = ask.services.catalog.oncalls_of(service.policy_id) if service.policy_id else ()
    return service_document(service, oncalls, settings=ask.services.settings)


def _state(ask: Ask) -> dict[str, Any]:
    return catalog_document(ask.services.catalog, now=ask.services.clock.now())


async def _applications_of(ask: Ask, service: Service) -> list[str]:
    applications, catalog = ask.services.applications, ask.services.catalog
    names = []
    for document in await applications.list_all(ask.caller):
        key = applications.pd_api_key(document)
        known = catalog.service_of_key(key) if key else None
        if known and known[0].id == service.id:
            names.append(str(document["name"]).lower())
    return names


def _services_by_policy(services: Sequence[Service]) -> dict[str | None, list[str]]:
    names: dict[str | None, list[str]] = {}
    for service in services:
        if service.policy_id:
            names.setdefault(service.policy_id, []).append(service.name)
    return names


def _matches(oncall: OnCall, services: Sequence[str], words: Sequence[str]) -> bool:
    parts = (oncall.user_name, oncall.policy_name, oncall.schedule_name or "", *services)
    text = "\n".join(parts).casefold()
    return all(word in text for word in words)
