"""What the list of pages is filtered by, read out of its address; the same names as ``GET /v1/pages`` has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import QueryParams

from masthead.catalog import Catalog
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.pagerduty import Severity
from masthead.paging import DeliveryState
from masthead.paging.filters import Filters
from masthead.paging.instants import read_instant

__all__ = ["FIELDS", "read_filters", "read_query"]

E = TypeVar("E", bound=StrEnum)

FIELDS = ("text", "application", "service", "user", "state", "severity", "since", "until")


def read_query(params: QueryParams) -> dict[str, str]:
    """Give what was filled in, without blanks; of a field that comes several times, all with commas."""
    given = {
        name: ",".join(value.strip() for value in params.getlist(name) if value.strip())
        for name in (*FIELDS, "cursor")
    }
    return {name: value for name, value in given.items() if value}


def read_filters(query: Mapping[str, str], catalog: Catalog, *, now: datetime) -> Filters:
    """Give the filters that *query* asks for.

    Raises:
        InvalidRequest: a value means nothing; names those that do.
    """
    service_id, service = _service(query.get("service", ""), catalog)
    return Filters(
        states=_choices(query, "state", DeliveryState),
        service_id=service_id,
        service=service,
        application=query.get("application"),
        user=query.get("user"),
        severities=_choices(query, "severity", Severity),
        since=read_instant(query.get("since", ""), name="since", now=now),
        until=read_instant(query.get("until", ""), name="until", now=now),
        words=tuple(query.get("text", "").split()),
    )


def _choices(query: Mapping[str, str], name: str, kind: type[E]) -> frozenset[E]:
    given = [word for word in query.get(name, "").lower().split(",") if word]
    if any(word not in set(kind) for word in given):
        raise InvalidRequest(f"There is no {name} of that name; there are {', '.join(kind)}.")
    return frozenset(kind(word) for word in given)


def _service(text: str, catalog: Catalog) -> tuple[str | None, str | None]:
    """Give the id of the service that is meant, or else the text that an older page may know it by."""
    if not text:
        return None, None
    try:
        return catalog.find_service(text).id, None
    except NotFound:
        return None, text
