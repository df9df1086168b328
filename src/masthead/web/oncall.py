"""On call: who is on call now for somebody's applications, until when and who follows, and when nobody will be.

Who is on call now comes out of the catalog. The next day is asked for when somebody looks; the page does not wait for
it longer than people like to, and looks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.catalog import Gap, OnCall, Outlook, Service, Span
from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.ownership import Owner
from masthead.web.domain import WebServices
from masthead.web.rendering import Renderer, is_fragment
from masthead.web.services import catalog_words

__all__ = ["hour", "instant_of", "oncall_routes"]

_MOST_ROWS = 100
#: Policies whose next day is asked for at one look; more would spend PagerDuty's budget on it.
_MOST_POLICIES = 500
_PATIENCE_S = 2.0
_MINUTE = timedelta(minutes=1)

PolicyOf = tuple[str, str]


@dataclass(frozen=True)
class _Level:
    number: int
    people: Sequence[OnCall]


@dataclass(frozen=True)
class _Bar:
    """A part of the drawn day, in minutes from its beginning."""

    x: int
    width: int
    #: A class of the stylesheet: "turn", "other" (somebody else's turn) or "gap".
    style: str


@dataclass(frozen=True)
class _Row:
    application: str
    email: str
    owner: Owner
    levels: Sequence[_Level]
    #: None when the service has no policy, or too many were asked for.
    outlook: Outlook | None
    gaps: Sequence[Gap]
    #: Who takes over at the first level within the day.
    next_turn: tuple[Span, OnCall] | None
    bars: Sequence[_Bar]


def oncall_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the route of the page; ``whose`` (mine or all) and ``q`` in its address filter."""

    async def listed(request: Request) -> Response:
        values = await _values(services, request)
        if is_fragment(request):
            return renderer.fragment(request, "oncall.html", "found", **values)
        return renderer.page(request, "oncall.html", **values)

    return [Route("/ui/oncall", listed, methods=["GET"], name="on call")]


def instant_of(text: str | None) -> datetime | None:
    """Read an instant as PagerDuty writes it; None for None, and for what cannot be read."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def hour(instant: datetime, now: datetime) -> str:
    """Say when *instant* is, as seen from *now*: "18:00", "tomorrow 09:00", "Mon 09:00", "7 Dec 09:00"."""
    days = (instant.date() - now.date()).days
    if days == 0:
        return f"{instant:%H:%M}"
    if days == 1:
        return f"tomorrow {instant:%H:%M}"
    return f"{instant:%a %H:%M}" if 1 < days < 7 else f"{instant.day} {instant:%b %H:%M}"


async def _values(services: WebServices, request: Request) -> dict[str, Any]:
    given = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    documents = await services.applications.list_all()
    caller = request.scope.get("masthead.caller", ANONYMOUS)
    mine = [one for one in documents if _is_owned_by(one, caller)]
    whose = given.get("whose") or ("mine" if mine else "all")
    chosen = mine if whose == "mine" else documents
    owners = [(one, services.ownership.owner_of(one)) for one in chosen]
    words = given.get("q", "").casefold().split()
    found = [
        (one, owner) for one, owner in owners if owner.label is not None and _mentions(one, owner, words)
    ]
    outlooks = await _outlooks(services, [owner for _, owner in found])
    now = services.clock.now()
    rows = [_row(one, owner, outlooks, now) for one, owner in found]
    return {
        "given": given,
        "whose": whose,
        "mine": len(mine),
        "every": len(documents),
        "without_service": sum(owner.label is None for _, owner in owners),
        "rows": rows[:_MOST_ROWS],
        "left_out": max(len(rows) - _MOST_ROWS, 0),
        "gaps": _by_time(rows),
        "now": now,
        "instant_of": instant_of,
        "hour": hour,
        "day": _day(outlooks.values()),
        **catalog_words(services),
    }


@dataclass(frozen=True)
class _Day:
    """What is known of the next day."""

    #: PagerDuty is being asked: looking again soon shows more.
    is_awaited: bool
    trouble: str | None
    #: How old the oldest answer is.
    read_at: datetime | None


def _day(outlooks: Iterable[Outlook]) -> _Day:
    known = list(outlooks)
    return _Day(
        any(one.is_awaited for one in known),
        next((one.trouble for one in known if one.trouble), None),
        min((one.fetched_at for one in known if one.fetched_at), default=None),
    )


def _is_owned_by(document: Mapping[str, Any], caller: Caller) -> bool:
    """Whether the user's e-mail or name is the application's, or what stands before the e-mail's @ is."""
    if caller.is_anonymous:
        return False
    user, email = caller.user.casefold(), str(document.get("email") or "").casefold()
    return user in (email, email.partition("@")[0], str(document.get("user") or "").casefold())


def _mentions(document: Mapping[str, Any], owner: Owner, words: Sequence[str]) -> bool:
    texts = [owner.application, str(document.get("email") or ""), owner.label or ""]
    if owner.service is not None:
        texts += [owner.service.policy_name, *owner.service.teams]
    texts += [one.user_name for one in owner.oncalls]
    text = " ".join(texts).casefold()
    return all(word in text for word in words)


async def _outlooks(services: WebServices, owners: Iterable[Owner]) -> dict[PolicyOf, Outlook]:
    policies = dict.fromkeys(
        policy for owner in owners if owner.service and (policy := _policy_of(owner.service)) is not None
    )
    return await services.roster.look(list(policies)[:_MOST_POLICIES], patience_s=_PATIENCE_S)


def _policy_of(service: Service) -> PolicyOf | None:
    return (service.account, service.policy_id) if service.policy_id else None


def _row(
    document: Mapping[str, Any], owner: Owner, outlooks: Mapping[PolicyOf, Outlook], now: datetime
) -> _Row:
    policy = _policy_of(owner.service) if owner.service else None
    outlook = outlooks.get(policy) if policy else None
    on_call = sorted((one for one in owner.oncalls if one.user_id), key=lambda one: one.level)
    gaps = outlook.gaps(now) if outlook else ()
    return _Row(
        owner.application,
        str(document.get("email") or ""),
        owner,
        [_Level(number, list(people)) for number, people in groupby(on_call, key=lambda one: one.level)],
        outlook,
        gaps,
        _next_turn(outlook, now) if outlook else None,
        _bars(outlook, gaps) if outlook and outlook.is_known else (),
    )


def _next_turn(outlook: Outlook, now: datetime) -> tuple[Span, OnCall] | None:
    turns = outlook.turns(1)
    here = {one.user_id for span, one in turns if span.start <= now < span.end}
    return next(((span, one) for span, one in turns if span.start > now and one.user_id not in here), None)


def _bars(outlook: Outlook, gaps: Sequence[Gap]) -> list[_Bar]:
    """Draw the day: the turns of the first level, each person in one of two shades, and the gaps."""
    begin = outlook.window.start
    drawn: list[_Bar] = []
    before: str | None = None
    style = "other"
    for span, one in outlook.turns(1):
        if one.user_id != before:
            style = "turn" if style == "other" else "other"
            before = one.user_id
        drawn.append(_bar(span, begin, style))
    return drawn + [_bar(gap.span, begin, "gap") for gap in gaps]


def _bar(span: Span, begin: datetime, style: str) -> _Bar:
    return _Bar((span.start - begin) // _MINUTE, max((span.end - span.start) // _MINUTE, 1), style)


def _by_time(rows: Iterable[_Row]) -> list[tuple[Gap, list[_Row]]]:
    """Give each policy's gaps once, earliest first, with the rows that they befall."""
    found: dict[tuple[PolicyOf | None, Gap], list[_Row]] = {}
    for row in rows:
        policy = _policy_of(row.owner.service) if row.owner.service else None
        for gap in row.gaps:
            found.setdefault((policy, gap), []).append(row)
    pairs = [(gap, befallen) for (_, gap), befallen in found.items()]
    return sorted(pairs, key=lambda pair: (pair[0].span.start, pair[1][0].application))
