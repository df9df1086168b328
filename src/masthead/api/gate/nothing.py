"""What Deck asks for and Masthead does not have: empty documents where Deck needs them, else a sentence.

Source: Deck and Gate facts, sections 2a, 2b and 2d; compatibility facts, section 2.4.
"""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.kernel.errors import NotFound

__all__ = ["routes"]

routes = Routes("gate")

_NOTIFICATIONS = "Notifications of applications and pipelines are not built yet; nothing was stored."
_MOST_RESULTS = 500

routes.empty("/plugins/deck/plugin-manifest.json", [], "Deck's plugins: none.")
routes.empty("/notifications/metadata", [], "Notification types that plugins bring: none.")
routes.empty("/jobs/preconfigured", [], "Preconfigured jobs: none.")
routes.empty("/banners", [], "Banners: none.")
routes.empty("/securityGroups", {}, "Firewalls: none.")
routes.empty("/projects", [], "Projects: none.")
routes.empty("/v2/pipelineTemplates", [], "Pipeline templates: none.")
routes.empty("/v2/pipelineTemplates/versions", {}, "Versions of pipeline templates: none.")
routes.empty("/pipelineTemplates", [], "Pipeline templates: none.")
routes.empty("/artifacts/credentials", [], "Artifact accounts: none.")
routes.empty("/pubsub/subscriptions", [], "Subscriptions: none.")
routes.empty("/v2/builds", [], "Build masters: none.")
routes.empty("/v3/builds", [], "Build masters: none.")
routes.empty("/capabilities/quietPeriod", {}, "The quiet period: none.")


@routes.post("/notifications/callbacks/{source}", "Interactive answers: no service of that kind is there.")
async def callback(ask: Ask) -> Any:
    """Refuse as Echo does, whose answer Gate relays."""
    raise NotFound(f"NotificationService for {ask.path('source').upper()} not registered")


routes.empty("/notifications/{type}/{application}", {}, "Notifications of an application: none yet.")
routes.unbuilt("POST DELETE", "/notifications/{type}/{application}", _NOTIFICATIONS)
routes.unbuilt("GET", "/roles/{provider}", "Cloud providers' roles are not part of Masthead.")


@routes.get("/search", "Search, one kind of thing at a time; applications are what there is to find.")
async def search(ask: Ask) -> Any:
    """Answer for the kind that is asked: other kinds than applications have no results."""
    kind, text = ask.text("type"), ask.text("q")
    size = min(ask.number("pageSize", 10), _MOST_RESULTS)
    page = ask.number("page", 1, minimum=1)
    found = await _applications(ask, text) if kind == "applications" and text else []
    return [
        {
            "pageNumber": page,
            "pageSize": size,
            "platform": ask.text("platform", "masthead"),
            "query": text,
            "results": found[(page - 1) * size : page * size],
            "totalMatches": len(found),
        }
    ]


async def _applications(ask: Ask, text: str) -> list[dict[str, Any]]:
    names = (str(one["name"]).lower() for one in await ask.services.applications.list_all(ask.caller))
    return [
        {
            "application": name,
            "provider": "masthead",
            "type": "applications",
            "url": f"/applications/{name}",
        }
        for name in names
        if text.casefold() in name
    ]
