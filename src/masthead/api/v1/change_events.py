"""Change events under /v1: what was changed, for those who look at an incident later; they wake nobody."""

from __future__ import annotations

from starlette.responses import Response

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.api.v1.idempotency import asked_before, read_idempotency
from masthead.api.v1.page_body import CHANGE, Complaints, read_change
from masthead.api.v1.page_query import check_names
from masthead.api.v1.pages import answer_asked, read_wait
from masthead.api.v1.recipients import application_of, keys_of
from masthead.pagerduty import Severity
from masthead.paging import Door, Draft, Kind

__all__ = ["routes"]

routes = Routes("v1")


@routes.post("/change-events", "Tell PagerDuty services what was changed; nobody is woken.", status=202)
async def send(ask: Ask) -> Response:
    """Store a change event and begin to send it; it is kept beside the pages, as one of kind change."""
    check_names(ask, ("wait",))
    wait_s = read_wait(ask)
    body = await ask.object(unique=CHANGE)
    complaints = Complaints()
    read = read_change(body, complaints)
    known = read_idempotency(ask, body)
    if before := await asked_before(ask, known):
        return await answer_asked(ask, before, wait_s, is_replayed=True)
    keys = await keys_of(ask, read.recipients, complaints)
    complaints.raise_if_any()
    draft = Draft(
        keys=keys,
        message=read.summary,
        door=Door.V1,
        application=application_of(read.recipients),
        severity=Severity.INFO,
        details=read.details,
        links=read.links,
        kind=Kind.CHANGE,
        happened_at=read.timestamp,
        identity=known.identity,
        fingerprint=known.fingerprint,
    )
    page, is_new = await ask.services.paging.ask(draft, ask.caller, is_waited_for=wait_s > 0)
    return await answer_asked(ask, page, wait_s, is_replayed=not is_new)
