"""Which pages somebody looks for, read out of a query; what it does not know is refused, not passed over."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from masthead.api.ask import Ask
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.pagerduty import Severity
from masthead.paging import DeliveryState, Door, Kind
from masthead.paging.filters import Filters
from masthead.paging.instants import read_instant
from masthead.telemetry.logs import redact

__all__ = ["FILTERS", "check_names", "read_filters"]

E = TypeVar("E", bound=StrEnum)

#: What ``GET /v1/pages`` and its exports filter by.
FILTERS = (
    "state",
    "application",
    "service",
    "user",
    "execution",
    "executionId",
    "severity",
    "door",
    "kind",
    "since",
    "until",
    "text",
)
#: Those of which several may be given, with commas or one by one.
_LISTS = ("state", "severity", "door", "kind")
_SHOWN_LENGTH = 80


def check_names(ask: Ask, known: Iterable[str]) -> None:
    """Refuse a query parameter that the route does not know, and one that says two things.

    Raises:
        InvalidRequest: there is one; names those that are known.
    """
    known = tuple(known)
    for name in ask.query_params:
        if name not in known:
            there_are = f"there are {', '.join(known)}" if known else "this route takes none"
            raise InvalidRequest(
                f"There is no query parameter {redact(name[:_SHOWN_LENGTH])!r}; {there_are}."
            )
        times = len(ask.query_params.getlist(name))
        if times > 1 and name not in _LISTS:
            raise InvalidRequest(f"The query parameter {name} is given {times} times.")


def read_filters(ask: Ask) -> Filters:
    """Give what the query filters by.

    Raises:
        InvalidRequest: a value means nothing; names those that do.
    """
    service_id, service = _service(ask)
    return Filters(
        states=_choices(ask, "state", DeliveryState),
        service_id=service_id,
        service=service,
        application=ask.text("application") or None,
        user=ask.text("user") or None,
        execution_id=ask.text("execution") or ask.text("executionId") or None,
        severities=_choices(ask, "severity", Severity),
        doors=_choices(ask, "door", Door),
        kinds=_choices(ask, "kind", Kind) or frozenset({Kind.TRIGGER}),
        since=read_instant(ask.text("since"), name="since", now=ask.services.clock.now()),
        until=read_instant(ask.text("until"), name="until", now=ask.services.clock.now()),
        words=tuple(ask.text("text").split()),
    )


def _choices(ask: Ask, name: str, kind: type[E]) -> frozenset[E]:
    given = ask.words(name)
    for word in given:
        if word.lower() not in set(kind):
            shown = redact(word[:_SHOWN_LENGTH])
            raise InvalidRequest(f"{shown!r} is no {name}; use {', '.join(kind)}, or several with commas.")
    return frozenset(kind(word.lower()) for word in given)


def _service(ask: Ask) -> tuple[str | None, str | None]:
    """Give the id of the service that is meant, or else the text that an older page may know it by."""
    text = ask.text("service")
    if not text:
        return None, None
    try:
        return ask.services.catalog.find_service(text).id, None
    except NotFound:
        return None, text
