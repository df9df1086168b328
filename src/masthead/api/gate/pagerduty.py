"""Gate's PagerDuty routes, out of the catalog: what Deck's service selector and Pager screen read.

They answer 200 once a REST token is configured, also while the catalog is stale or empty, because Deck's screens
turn blank on anything else; the age and the trouble stand in response headers.

Source: Spinnaker compatibility facts, section 2.1; Deck and Gate facts, sections 2b and 5.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from masthead.api.answers import json_answer
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.catalog import OnCall, Service, Trouble
from masthead.kernel.errors import NotFound

__all__ = ["AGE", "TROUBLE", "routes"]

routes = Routes("gate")

#: Seconds since PagerDuty last gave this list; absent when it never did.
AGE = "X-Masthead-Catalog-Age"
#: ``reason: what happened and what to do``, or the sentence alone while nothing went wrong, as before the first
#: load; absent when all is well.
TROUBLE = "X-Masthead-Catalog-Error"
_LONGEST_HEADER = 500


@routes.get("/pagerDuty/services", "PagerDuty's services with the key that Deck stores when one is chosen.")
async def services(ask: Ask) -> Any:
    """Give the snapshot, however old."""
    catalog = ask.services.catalog
    state = catalog.state
    headers = _headers(
        ask, state.services_fetched_at, trouble=state.services_trouble, explanation=state.services_explanation
    )
    prefer_v1 = ask.services.settings.events.prefer_v1
    shown = [_service(service, prefer_v1=prefer_v1) for service in catalog.services()]
    if len(catalog.states) > 1:
        accounts = [service.account for service in catalog.services()]
        shown = [{"account": account, **one} for account, one in zip(accounts, shown, strict=True)]
    return json_answer(shown, headers=headers, is_sorted=True)


@routes.get("/pagerDuty/oncalls", "Who is on call, by escalation policy and level.")
async def oncalls(ask: Ask) -> Any:
    """Give the snapshot, however old; entries without a policy stand under the key null."""
    catalog = ask.services.catalog
    state = catalog.state
    headers = _headers(
        ask, state.oncalls_fetched_at, trouble=state.oncalls_trouble, explanation=state.oncalls_explanation
    )
    by_policy: dict[str, list[OnCall]] = {}
    for oncall in catalog.oncalls():
        by_policy.setdefault(oncall.policy_id or "null", []).append(oncall)
    shown = {
        policy_id: [oncall.document for oncall in sorted(group, key=lambda one: one.level)]
        for policy_id, group in by_policy.items()
    }
    return json_answer(shown, headers=headers, is_sorted=True)


def _service(service: Service, *, prefer_v1: bool) -> dict[str, Any]:
    integration = service.usable(prefer_v1=prefer_v1)
    key = integration.key if integration else None
    return {
        "id": service.id,
        "integration_key": key.reveal() if key else None,
        "lastIncidentTimestamp": service.last_incident_at,
        "name": service.name,
        "policy": service.policy_id,
        "status": service.status,
    }


def _headers(
    ask: Ask, fetched_at: datetime | None, *, trouble: Trouble | None, explanation: str | None
) -> dict[str, str]:
    """Give the headers about one list of the catalog.

    Raises:
        NotFound: no REST token is configured; upstream has no such route then.
    """
    state = ask.services.catalog.state
    if not state.is_configured:
        raise NotFound(state.trouble.text if state.trouble else "PagerDuty's REST side is not configured.")
    headers = {}
    if fetched_at is not None:
        headers[AGE] = str(max(int((ask.services.clock.now() - fetched_at).total_seconds()), 0))
    if explanation is not None:
        text = " ".join(f"{trouble.reason}: {explanation}".split() if trouble else explanation.split())
        headers[TROUBLE] = text.encode("ascii", "replace").decode()[:_LONGEST_HEADER]
    return headers
