"""Pages under /v1: ask for one, look for them, and say what is to become of one that was sent."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from masthead.api.answers import json_answer
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.api.v1.idempotency import REPLAYED, Idempotency, asked_before, read_idempotency
from masthead.api.v1.page_body import PAGE, Complaints, PageBody, read_page
from masthead.api.v1.page_documents import entry_document, page_document
from masthead.api.v1.page_query import FILTERS, check_names, read_filters
from masthead.api.v1.preflight import preflight_document
from masthead.api.v1.recipients import application_of, keys_of, refuse_key_as_dedup_key
from masthead.kernel.secret import Secret
from masthead.ownership import describe_bodies
from masthead.pagerduty import parse_severity
from masthead.paging import Door, Draft, Kind, Page, signed

__all__ = ["answer_asked", "read_wait", "routes"]

routes = Routes("v1")

#: Longest wait for a page to be decided.
_LONGEST_WAIT_S = 60
_DEFAULT_LIMIT = 50
_MOST = 500


@routes.post(
    "/pages", "Page applications, services or keys; wait=SECONDS waits until all are decided.", status=202
)
async def ask_for(ask: Ask) -> Response:
    """Store a page and begin to send it; under a known ``Idempotency-Key``, give the first one's page."""
    check_names(ask, ("wait", "dryRun"))
    is_dry, wait_s = ask.flag("dryRun", default=False), read_wait(ask)
    body = await ask.object(unique=PAGE)
    complaints = Complaints()
    read = read_page(body, complaints)
    known = read_idempotency(ask, body)
    if is_dry:
        complaints.raise_if_any()
        return await _dry_run(ask, read, known, complaints)
    if before := await asked_before(ask, known):
        return await answer_asked(ask, before, wait_s, is_replayed=True)
    keys = await keys_of(ask, read.recipients, complaints)
    refuse_key_as_dedup_key(ask, read.dedup_key, keys, complaints)
    complaints.raise_if_any()
    draft = _draft(ask, read, keys, known)
    page, is_new = await ask.services.paging.ask(draft, ask.caller, is_waited_for=wait_s > 0)
    return await answer_asked(ask, page, wait_s, is_replayed=not is_new)


def _draft(ask: Ask, read: PageBody, keys: tuple[Secret, ...], known: Idempotency) -> Draft:
    severity = read.severity or parse_severity(ask.services.settings.events.default_severity)
    return Draft(
        keys=keys,
        message=read.message,
        door=Door.V1,
        application=application_of(read.recipients),
        severity=severity,
        details=signed(read.details, ask.caller.user),
        links=read.links,
        identity=known.identity,
        fingerprint=known.fingerprint,
        dedup_key=read.dedup_key,
    )


async def _dry_run(ask: Ask, read: PageBody, known: Idempotency, complaints: Complaints) -> Response:
    """Say who would be woken and show what PagerDuty would get; who leads to nobody is told there, not refused."""
    services, recipients = ask.services, read.recipients
    found = await services.preflights.preflight(
        keys=recipients.keys,
        services=[one.text for one in recipients.services],
        applications=[one.text for one in recipients.applications],
        caller=ask.caller,
    )
    keys = tuple(target.key for target in found.targets)
    refuse_key_as_dedup_key(ask, read.dedup_key, keys, complaints)
    complaints.raise_if_any()
    events = services.paging.rehearse(_draft(ask, read, keys, known), ask.caller) if keys else []
    catalog = services.catalog
    bodies = describe_bodies(
        events, services.ownership.label, lambda key: catalog.service_of_key(key) is not None
    )
    return json_answer(preflight_document(found, bodies))


@routes.get("/pages", "Pages, newest first; filters, limit and cursor are described below.")
async def find(ask: Ask) -> Any:
    """Give some of the pages that match, and the cursor that goes on behind them."""
    check_names(ask, (*FILTERS, "limit", "cursor"))
    limit = min(ask.number("limit", _DEFAULT_LIMIT, minimum=1), _MOST)
    listing = await ask.services.audit.find(read_filters(ask), limit=limit, cursor=ask.text("cursor") or None)
    return {"pages": [page_document(page) for page in listing.pages], "nextCursor": listing.cursor}


@routes.get(
    "/pages/{id}", "All that is known of a page; wait=SECONDS waits until its deliveries are decided."
)
async def get(ask: Ask) -> Any:
    """Give the page as it stands, or as it stands after a wait."""
    check_names(ask, ("wait",))
    page_id = ask.path("id")
    if wait_s := read_wait(ask):
        await ask.services.paging.wait(page_id, wait_s)
    return entry_document(await ask.services.audit.entry(page_id))


@routes.post("/pages/{id}/acknowledge", "Acknowledge the incidents of a page.", status=202)
async def acknowledge(ask: Ask) -> Response:
    """Tell PagerDuty that somebody looks after it."""
    return await _follow_up(ask, Kind.ACKNOWLEDGE)


@routes.post("/pages/{id}/resolve", "Resolve the incidents of a page.", status=202)
async def resolve(ask: Ask) -> Response:
    """Tell PagerDuty that it is over."""
    return await _follow_up(ask, Kind.RESOLVE)


@routes.post("/pages/{id}/resend", "Send what failed of a page again.", status=202)
async def resend(ask: Ask) -> Response:
    """Try the rejected and expired deliveries anew, under the dedup keys that they had."""
    check_names(ask, ("wait",))
    wait_s = read_wait(ask)
    await ask.expect_nothing()
    return await answer_asked(ask, await ask.services.paging.resend(ask.path("id"), ask.caller), wait_s)


def read_wait(ask: Ask) -> float:
    """Give the seconds that the query asks to wait; to be read before anything is stored, as it may be wrong.

    Raises:
        InvalidRequest: it is no whole number.
    """
    return float(min(ask.number("wait", 0), _LONGEST_WAIT_S))


async def answer_asked(ask: Ask, page: Page, wait_s: float, *, is_replayed: bool = False) -> Response:
    """Answer with what was asked for, after a wait for its end: 200 when it is decided, else 202."""
    if wait_s and not page.is_decided:
        page = await ask.services.paging.wait(page.id, wait_s)
    headers = {"Location": f"/v1/pages/{page.id}"}
    if is_replayed:
        headers[REPLAYED] = "true"
    return json_answer(page_document(page), status=200 if page.is_decided else 202, headers=headers)


async def _follow_up(ask: Ask, kind: Kind) -> Response:
    check_names(ask, ("wait",))
    wait_s = read_wait(ask)
    await ask.expect_nothing()
    asked = await ask.services.paging.follow_up(ask.path("id"), kind, ask.caller)
    return await answer_asked(ask, asked, wait_s)
