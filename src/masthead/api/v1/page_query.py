"""Which pages somebody looks for, read out of a query; what it does not know is refused, not passed over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from masthead.api.ask import Ask
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.pagerduty import Severity
from masthead.paging import DeliveryState, Door, Kind
from masthead.paging.filters import Filters
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
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SHOWN_LENGTH = 80
_YEARS = range(1970, 9000)


def check_names(ask: Ask, known: Iterable[str]) -> None:
    """Refuse a query parameter that the route does not know.

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
        since=_instant(ask, "since"),
        until=_instant(ask, "until"),
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


def _instant(ask: Ask, name: str) -> datetime | None:
    text = ask.text(name)
    if not text:
        return None
    try:
        instant = _ago(ask, text) or _absolute(text)
    except (ValueError, OverflowError):
        instant = None
    if instant is None or instant.year not in _YEARS:
        raise InvalidRequest(
            f"The query parameter {name} must be ISO 8601, such as 2026-11-24T03:04:05Z, or how long ago: 90m, 24h, 7d."
        )
    return instant


def _ago(ask: Ask, text: str) -> datetime | None:
    found = _AGO.fullmatch(text)
    if found is None:
        return None
    return ask.services.clock.now() - timedelta(**{_UNITS[found[2]]: int(found[1])})


def _absolute(text: str) -> datetime:
    # A plus sign that was not escaped arrives as a space.
    instant = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
