"""Sending a page by hand: a dialog that names everybody who will be woken, and what is sent when it is confirmed.

The dialog of the pager and the plain page without script are one template. A form has an identity of its own, so that
one that is posted twice pages once. Services are named by their ids; their keys stay here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.applications import SPINNAKER
from masthead.kernel.caller import Caller
from masthead.kernel.errors import Conflict, InvalidRequest, NotFound, Overloaded, StorageUnavailable
from masthead.kernel.secret import Secret
from masthead.ownership import Preflight
from masthead.pagerduty import Severity, parse_severity
from masthead.paging import Door, Draft, signed
from masthead.web.directory import Directory, Snapshot
from masthead.web.domain import WebServices
from masthead.web.forms import Errors, Form, read_form
from masthead.web.pager import STATES, Chosen, Wanted, chosen_of, wanted_of
from masthead.web.rendering import Renderer, is_fragment
from masthead.web.services import catalog_words

__all__ = ["paging_routes"]

_LONGEST_ONCE = 64


@dataclass
class _Asked:
    """What stands in the dialog."""

    wanted: Wanted
    subject: str
    details: str
    severity: str
    #: What makes this form this form.
    once: str
    errors: Errors = field(default_factory=Errors)
    #: What the errors mean for those who were to be woken.
    became: str = "Nobody was paged."


def paging_routes(services: WebServices, renderer: Renderer, directory: Directory) -> Sequence[Route]:
    """Give the routes of the dialog."""

    async def show(request: Request, asked: _Asked, status: int = 200) -> Response:
        chosen = chosen_of(await directory.now(), asked.wanted)
        values = await _values(services, asked, chosen, request)
        if is_fragment(request):
            return renderer.fragment(
                request, "page_confirm.html", "asked", status, **values | {"is_dialog": True}
            )
        return renderer.page(request, "page_confirm.html", status, **values | {"is_dialog": False})

    async def ask(request: Request) -> Response:
        deck = services.settings.deck
        wanted = wanted_of(request.query_params)
        subject, details = wanted.subject or deck.default_subject, wanted.details or deck.default_details
        severity = request.query_params.get("severity") or services.settings.events.default_severity
        return await show(request, _Asked(wanted, subject, details, severity, services.ids.new()))

    async def send(request: Request) -> Response:
        asked = _read(await read_form(request), await directory.now())
        page_id = await _send(services, asked, request)
        if page_id is None:
            return await show(request, asked, 422)
        return renderer.redirect(
            f"/ui/pages/{page_id}", say="The page is stored and on its way.", kind="neutral"
        )

    return [
        Route("/ui/page/confirm", ask, methods=["GET"], name="who will be woken"),
        Route("/ui/page/confirm", send, methods=["POST"], name="send a page"),
    ]


def _read(form: Form, snapshot: Snapshot) -> _Asked:
    chosen = tuple(form.all("service"))
    # It is asked in the name of those only that are paged: others were taken away again.
    names = tuple(name for name in form.all("for") if _service_of(snapshot, name) in chosen)
    wanted = Wanted("", "", False, 0, chosen, names, "", "")
    return _Asked(
        wanted,
        form.text("subject"),
        form.raw("details").strip(),
        form.text("severity"),
        form.text("once")[:_LONGEST_ONCE],
    )


def _service_of(snapshot: Snapshot, application: str) -> str | None:
    row = snapshot.by_name.get(application)
    return row.service.id if row is not None and row.service is not None else None


async def _send(services: WebServices, asked: _Asked, request: Request) -> str | None:
    """Ask for the page and give its id; None when something is wrong, which the errors say."""
    keys = _keys(services, asked)
    if not asked.subject:
        asked.errors.add("subject", "Write a subject: it is the first line that the person on call reads.")
    if not asked.once:
        asked.errors.add("", "This form is not complete. Open it anew from the pager.")
    if asked.errors:
        return None
    try:
        caller: Caller = request.scope["masthead.caller"]
        page = await services.paging.request(_draft(services, asked, keys, caller.user), caller)
    except Conflict:
        asked.errors.add(
            "",
            "This form was sent before with other words or services, and that page stays as it is. "
            "Nothing was sent now. To page once more, open it anew from the pager.",
        )
    except InvalidRequest as error:
        asked.errors.add("", f"{error.message} Nothing was sent.")
    except (Overloaded, StorageUnavailable) as error:
        if isinstance(error, StorageUnavailable) and error.may_be_stored:
            asked.became = "Whether they are paged is not known."
        again = "What you wrote is kept: try again in a moment; sent twice, this form pages once."
        asked.errors.add("", f"{error.message.rstrip('.')}. {asked.became} {again}")
    else:
        return page.id
    return None


def _keys(services: WebServices, asked: _Asked) -> tuple[Secret, ...]:
    keys = []
    for service_id in asked.wanted.services:
        try:
            keys.append(services.ownership.usable_key(service_id)[1])
        except (NotFound, InvalidRequest) as error:
            asked.errors.add("", f"{error.message} Nobody was paged.")
    if not asked.wanted.services:
        asked.errors.add("", "No service is chosen. Nobody was paged.")
    return tuple(keys)


def _draft(services: WebServices, asked: _Asked, keys: tuple[Secret, ...], user: str) -> Draft:
    names = asked.wanted.applications
    severity = (
        asked.severity if asked.severity in set(Severity) else services.settings.events.default_severity
    )
    said = [asked.subject, asked.details, severity, *names, *sorted(asked.wanted.services)]
    return Draft(
        keys=keys,
        message=asked.subject,
        door=Door.WEB,
        application=names[0] if len(names) == 1 else SPINNAKER,
        severity=parse_severity(severity),
        # As Deck's pager sends it. Source: Deck and Gate facts, section 3.
        details=signed({"details": asked.details} if asked.details else {}, user),
        identity=f"/ui/page/{_hash(asked.once.encode())}",
        fingerprint=_hash(msgspec.json.encode(said)),
    )


async def _values(services: WebServices, asked: _Asked, chosen: Chosen, request: Request) -> dict[str, Any]:
    ids = [one.id for one in chosen.services]
    preflight = await services.preflights.preflight(services=ids, caller=request.scope["masthead.caller"])
    back = asked.wanted.query | {"service": ids, "subject": asked.subject, "details": asked.details}
    return {
        "asked": asked,
        "chosen": chosen,
        "targets": preflight.targets,
        "problems": preflight.problems,
        "people": _people(preflight),
        "quiet": [one.label for one in preflight.targets if not one.would_wake],
        "severities": [(one.value, one.value) for one in Severity],
        "back": back,
        "open_incidents": {status: STATES[status] for status in ("critical", "warning")},
        "events_enabled": services.settings.events.enabled,
        **catalog_words(services),
    }


def _people(preflight: Preflight) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for target in preflight.targets for name in target.would_wake))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
