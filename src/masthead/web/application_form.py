"""Creating and changing an application: Front50's rules beside the fields, and the PagerDuty service by its id.

A save sends what was changed on this form and nothing else, so that two who edit at once overwrite each other only where
both changed the same attribute; then neither is overwritten and the form says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.applications import application_id
from masthead.catalog import Service
from masthead.kernel.clock import from_ms
from masthead.kernel.errors import InvalidRequest, NotFound, ValidationFailed
from masthead.web.applications import Change, changes_between, shown_attributes
from masthead.web.choosing import KEEP, option_of, options_for
from masthead.web.domain import WebServices
from masthead.web.forms import Errors, Form, read_form
from masthead.web.rendering import Renderer
from masthead.web.services import catalog_words

__all__ = ["application_form_routes"]

#: The attributes that the form has a field for, as they are stored.
_FIELDS = ("email", "description", "aliases")
_KEY = "pdApiKey"
_VERSIONS = 100


@dataclass
class _Draft:
    """What stands in the form."""

    #: None while the application is being created.
    name: str | None
    values: dict[str, str]
    #: A service's id, KEEP, or "" for none.
    service: str
    #: The version that the form was filled from: its ``updateTs``.
    version: str = ""
    #: What was searched for without script.
    look: str = ""
    errors: Errors = field(default_factory=Errors)
    #: Who changed what meanwhile, where this form changed the same.
    others: tuple[str, tuple[Change, ...]] | None = None


def application_form_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the routes of the form."""
    saving = _Saving(services)

    def show(
        request: Request, draft: _Draft, stored: Mapping[str, Any] | None, status: int = 200
    ) -> Response:
        return renderer.page(request, "application_form.html", status, **_values(services, draft, stored))

    async def new(request: Request) -> Response:
        query = request.query_params
        values = {name: query.get(name, "") for name in ("name", *_FIELDS)}
        return show(request, _Draft(None, values, query.get("service", "")), None)

    async def edit(request: Request) -> Response:
        stored = await services.applications.get(str(request.path_params["name"]))
        return show(request, _draft_of(services, stored), stored)

    async def create(request: Request) -> Response:
        draft = _read(await read_form(request), None)
        if draft.look or not await saving.create(draft, request):
            return show(request, draft, None, 200 if draft.look else 422)
        name = application_id(draft.values["name"])
        return renderer.redirect(f"/ui/applications/{name}", say=f"Application {name} was created.")

    async def change(request: Request) -> Response:
        stored = await services.applications.get(str(request.path_params["name"]))
        name = application_id(str(stored["name"]))
        draft = _read(await read_form(request), name)
        if draft.look or not await saving.change(draft, stored, request):
            return show(request, draft, stored, 200 if draft.look else 422)
        return renderer.redirect(f"/ui/applications/{name}", say="Saved.")

    return [
        Route("/ui/new/application", new, methods=["GET"], name="new application"),
        Route("/ui/new/application", create, methods=["POST"], name="create an application"),
        Route("/ui/applications/{name}/edit", edit, methods=["GET"], name="form of an application"),
        Route("/ui/applications/{name}/edit", change, methods=["POST"], name="change an application"),
    ]


class _Saving:
    """Stores what a form says; what is wrong with it is added to its errors, and then nothing is stored."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    async def create(self, draft: _Draft, request: Request) -> bool:
        name = draft.values["name"]
        if not name:
            draft.errors.add("name", "Application must have a non-empty name.")
        elif await self._services.applications.find(name) is not None:
            draft.errors.add("name", f"There is an application called {application_id(name)} already.")
        changes = {key: draft.values[key] for key in _FIELDS if draft.values[key]}
        if not draft.values["email"].strip():
            draft.errors.add("email", "Application must have a non-empty email.")
        if draft.errors:
            return False
        return await self._save(draft, name, changes, draft.service or None, request)

    async def change(self, draft: _Draft, stored: Mapping[str, Any], request: Request) -> bool:
        base = await self._base(stored, draft.version)
        changes = {key: draft.values[key] for key in _FIELDS if draft.values[key] != _value(base, key)}
        service: str | None = draft.service
        if draft.service in (KEEP, _service_of(self._services, base)):
            service = None
        elif not draft.service:
            self._clear(draft, changes)
            service = None
        if self._is_overtaken(draft, stored, base, {*changes, *([_KEY] if service else [])}):
            return False
        return not draft.errors and await self._save(draft, str(stored["name"]), changes, service, request)

    def _clear(self, draft: _Draft, changes: dict[str, str]) -> None:
        if self._services.settings.deck.required:
            draft.errors.add("service", "Choose a PagerDuty service: pagerDuty.required is true.")
        changes[_KEY] = ""

    async def _base(self, stored: Mapping[str, Any], version: str) -> Mapping[str, Any]:
        """Give the version that the form was filled from; the present one when it is not known."""
        if version in ("", str(stored["updateTs"])):
            return stored
        versions = await self._services.applications.history(str(stored["name"]), _VERSIONS)
        return next((one for one in versions if str(one.get("updateTs")) == version), stored)

    def _is_overtaken(
        self, draft: _Draft, stored: Mapping[str, Any], base: Mapping[str, Any], mine: set[str]
    ) -> bool:
        both = {key for key in mine if _value(stored, key) != _value(base, key)}
        if not both:
            return False
        shown = [self._services.ownership.without_key(one) for one in (base, stored)]
        old, new = ({key: one.get(key) for key in both} for one in shown)
        draft.others = str(stored.get("lastModifiedBy") or "somebody"), tuple(changes_between(old, new))
        draft.version = str(stored["updateTs"])
        draft.errors.add(
            "", "Somebody else changed the same meanwhile. Nothing was stored: look at both, then save again."
        )
        return True

    async def _save(
        self, draft: _Draft, name: str, changes: Mapping[str, Any], service: str | None, request: Request
    ) -> bool:
        caller = request.scope["masthead.caller"]
        try:
            await self._services.ownership.save(name, changes, caller, service=service)
        except ValidationFailed as error:
            for sentence in error.errors:
                draft.errors.add(_field_of(sentence), sentence)
        except (NotFound, InvalidRequest) as error:
            draft.errors.add("name" if error_pointer(error) == "/name" else "service", error.message)
        return not draft.errors


def error_pointer(error: Exception) -> str:
    """Give the JSON pointer of *error*, if it has one."""
    return str(getattr(error, "pointer", ""))


def _field_of(sentence: str) -> str:
    folded = sentence.casefold()
    return "service" if "pagerduty" in folded else "email" if "email" in folded else "name"


def _read(form: Form, name: str | None) -> _Draft:
    values = {key: form.text(key) for key in ("name", *_FIELDS)}
    values["description"] = form.raw("description").strip()
    look = form.text("service_q") if "look" in form else ""
    return _Draft(name, values, form.text("service"), version=form.text("version"), look=look or (" " if "look" in form else ""))  # fmt: skip


def _draft_of(services: WebServices, stored: Mapping[str, Any]) -> _Draft:
    values = {key: _value(stored, key) for key in ("name", *_FIELDS)}
    name = application_id(str(stored["name"]))
    return _Draft(name, values, _service_of(services, stored), version=str(stored["updateTs"]))


def _service_of(services: WebServices, stored: Mapping[str, Any]) -> str:
    key = services.applications.pd_api_key(stored)
    if key is None:
        return ""
    known = services.catalog.service_of_key(key)
    return known[0].id if known else KEEP


def _value(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _values(services: WebServices, draft: _Draft, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    chosen: Service | None = services.catalog.service(draft.service) if draft.service else None
    owner = services.ownership.owner_of(stored) if stored else None
    kept = (owner.label or "") if owner and draft.service == KEEP else ""
    options = options_for(services, draft.look)[0] if draft.look else ()
    rule = services.settings.applications
    shown = services.ownership.without_key(stored) if stored else {}
    return {
        "draft": draft,
        "chosen": option_of(services, chosen) if chosen else None,
        "kept": kept,
        "options": options,
        "requires_service": services.settings.deck.required,
        "name_hint": rule.name_message or (f"Must match {rule.name_regex}." if rule.name_regex else ""),
        "attributes": shown_attributes(shown),
        "updated_at": from_ms(int(stored["updateTs"])) if stored else None,
        "updated_by": str(stored.get("lastModifiedBy") or "") if stored else "",
        **catalog_words(services),
    }
