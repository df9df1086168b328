"""Applications under /v1: with the service's name where Front50's document has a key."""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.api.v1.documents import owner_document
from masthead.kernel.errors import InvalidRequest

__all__ = ["routes"]

routes = Routes("v1")


@routes.get("/applications", "All applications, by name; q searches name, e-mail and description.")
async def list_all(ask: Ask) -> Any:
    """Give the applications that contain every word of ``q``."""
    words = ask.text("q").casefold().split()
    without_key = ask.services.ownership.without_key
    shown = [without_key(one) for one in await ask.services.applications.list_all(ask.caller)]
    return {"applications": [one for one in shown if _matches(one, words)]}


@routes.get("/applications/{name}", "An application, with the service's name in the key's place.")
async def get(ask: Ask) -> Any:
    """Give the application."""
    document = await ask.services.applications.get(ask.path("name"), ask.caller)
    return ask.services.ownership.without_key(document)


@routes.patch(
    "/applications/{name}",
    "Create or change an application, with the service that pages for it: all or nothing.",
)
async def save(ask: Ask) -> Any:
    """Store the attributes in the body, and the key of the ``service`` that it names.

    Raises:
        InvalidRequest: the body has a key of its own, or names no service that can be paged; nothing is stored.
    """
    changes = await ask.object()
    if "pdApiKey" in changes:
        raise InvalidRequest(
            "Name the service, not its key: put its id or name into service.", pointer="/pdApiKey"
        )
    text = None if changes.get("service") is None else _service(changes)
    changes.pop("service", None)
    return await ask.services.ownership.save(ask.path("name"), changes, ask.caller, service=text)


@routes.get("/applications/{name}/pagerduty-service", "Who would be woken for an application.")
async def owner(ask: Ask) -> Any:
    """Give the service, its policy and who is on call."""
    return await _owner(ask)


@routes.put(
    "/applications/{name}/pagerduty-service", "Choose the PagerDuty service that an application pages."
)
async def choose(ask: Ask) -> Any:
    """Store the service's key in the application; say who would be woken from now on.

    Raises:
        InvalidRequest: ``service`` is missing, means several services, or one that cannot be paged.
    """
    text = _service(await ask.object())
    await ask.services.ownership.choose_service(ask.path("name"), text, ask.caller)
    return await _owner(ask)


def _service(body: dict[str, Any]) -> str:
    text = body.get("service")
    if not isinstance(text, str) or not text.strip():
        raise InvalidRequest(
            "Say which service: its id, its name, or a part of one name only.", pointer="/service"
        )
    return text.strip()


async def _owner(ask: Ask) -> dict[str, Any]:
    owner = await ask.services.ownership.owner(ask.path("name"), ask.caller)
    return owner_document(owner, settings=ask.services.settings)


def _matches(application: dict[str, Any], words: list[str]) -> bool:
    text = "\n".join(str(application.get(name) or "") for name in ("name", "email", "description")).casefold()
    return all(word in text for word in words)
