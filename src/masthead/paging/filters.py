"""Which pages somebody asks for, and how they are found among a million without reading all of them.

Pages are looked through newest first, in windows. A window is made of the ids of one index, so that a filter that has
one reads only what it is about; what has none is looked for in every page, and a bound on the rows says when to stop
and go on with the next request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    exists,
    literal_column,
    or_,
    select,
    text,
    union_all,
)

from masthead.kernel.clock import to_ms
from masthead.pagerduty import Severity
from masthead.paging.model import DeliveryState, Door, Kind
from masthead.paging.order import first_id
from masthead.storage.schema import delivery, page

__all__ = ["Branches", "Filters"]

#: A query of ids, and the column that they are.
Branch = tuple[Select[Any], ColumnElement[str]]
Branches = Sequence[Branch]

_FAILED = frozenset({DeliveryState.REJECTED, DeliveryState.EXPIRED})
_WAITING = frozenset({DeliveryState.PENDING})
#: An id is made a moment before its page is dated; longer before, while a clock that was set back is not followed.
_ID_IS_OLDER_BY = timedelta(hours=2)
_SLACK = timedelta(seconds=1)
_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class Filters:
    """What pages must be; an empty field asks for nothing."""

    #: At least one delivery is in one of these; of the service below, if one is given.
    states: frozenset[DeliveryState] = frozenset()
    #: PagerDuty's id of a service that the page went to.
    service_id: str | None = None
    #: A service's id, or the label that stands in its place.
    service: str | None = None
    #: In any case.
    application: str | None = None
    user: str | None = None
    execution_id: str | None = None
    severities: frozenset[Severity] = frozenset()
    doors: frozenset[Door] = frozenset()
    kinds: frozenset[Kind] = frozenset({Kind.TRIGGER})
    #: Asked for at this instant or later.
    since: datetime | None = None
    #: Asked for before this instant.
    until: datetime | None = None
    #: Each stands in the message or in the details, in any case.
    words: tuple[str, ...] = ()

    @property
    def asks_deliveries(self) -> bool:
        """Whether the deliveries of each page have to be looked at, which costs as much again as the page."""
        return bool(self.states or self.service_id is not None or self.service is not None)

    def indexed_by(self, *, few_wait: bool) -> Branches:
        """Give the queries of ids, each served by one index, that together hold every match; none when there is none.

        Args:
            few_wait: Whether so few deliveries are pending that all of them can be looked at.
        """
        if self.execution_id is not None:
            return [_pages_where(page.c.execution_id == self.execution_id)]
        if self.states and all(state in _FAILED or (few_wait and state in _WAITING) for state in self.states):
            return [_deliveries_in(state) for state in sorted(self.states)]
        if self.application is not None:
            return [_pages_where(page.c.application == name) for name in _spellings(self.application)]
        if self.service_id is not None:
            return [_deliveries_of(self.service_id)]
        if self.user is not None:
            return [_pages_where(page.c.user == self.user)]
        return []

    def window(self, branches: Branches, before: str | None, size: int) -> Subquery:
        """Give the next *size* ids of *branches*, newest first.

        Args:
            branches: As from :meth:`indexed_by`; none for all pages.
            before: Only ids below this one; None for the newest.
            size: How many at most.
        """
        parts = [
            branch.where(*self.bounds(column, before)).distinct().order_by(column.desc()).limit(size)
            for branch, column in branches or [_pages_where()]
        ]
        if len(parts) == 1:
            return parts[0].subquery("candidate")
        merged = union_all(*(select(part.subquery().c.id) for part in parts)).subquery()
        return select(merged.c.id).distinct().order_by(merged.c.id.desc()).limit(size).subquery("candidate")

    def bounds(self, column: ColumnElement[str], before: str | None) -> list[ColumnElement[bool]]:
        """Give between which ids every match is."""
        bounds = []
        if before is not None:
            bounds.append(column < before)
        if self.since:
            bounds.append(column >= first_id(self.since - _ID_IS_OLDER_BY))
        if self.until:
            bounds.append(column < first_id(self.until + _SLACK))
        return bounds

    def conditions(self, dialect: str) -> list[ColumnElement[bool]]:
        """Give what is true of every page that matches; for non-ASCII words, of some that do not (see ``holds``)."""
        wanted: list[ColumnElement[bool]] = [page.c.kind.in_(sorted(self.kinds))]
        for column, value in (
            (page.c.user, self.user),
            (page.c.execution_id, self.execution_id),
        ):
            if value is not None:
                wanted.append(_unindexed(column) == value)
        if self.application is not None:
            wanted.append(_unindexed(page.c.application).in_(_spellings(self.application)))
        if self.severities:
            wanted.append(page.c.severity.in_(sorted(self.severities)))
        if self.doors:
            wanted.append(page.c.door.in_(sorted(self.doors)))
        if self.since:
            wanted.append(page.c.created_at >= to_ms(self.since))
        if self.until:
            wanted.append(page.c.created_at < to_ms(self.until))
        wanted.extend(self._of_deliveries())
        wanted.extend(_says(word, dialect) for word in self.words)
        return wanted

    def holds(self, row: Row[Any]) -> bool:
        """Tell whether the row's text has every word, in whatever letters; the database knows the case of ASCII only."""
        words = [word.casefold() for word in self.words if not word.isascii()]
        if not words:
            return True
        said = f"{row.message}\n{row.details}".casefold()
        return all(word in said for word in words)

    def _of_deliveries(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.states:
            wanted.append(delivery.c.state.in_(sorted(self.states)))
        if self.service_id is not None:
            wanted.append(delivery.c.service_id == self.service_id)
        if self.service is not None:
            wanted.append(or_(delivery.c.service_id == self.service, delivery.c.label == self.service))
        return [exists().where(delivery.c.page_id == page.c.id, *wanted)] if wanted else []


def _spellings(application: str) -> list[str]:
    """Give how pages may have it: in lower case, and those of older versions as somebody wrote it, or as Spinnaker shows it."""
    return sorted({application, application.lower(), application.upper()})


def _pages_where(*conditions: ColumnElement[bool]) -> Branch:
    return select(page.c.id.label("id")).where(*conditions), page.c.id


def _deliveries_in(state: DeliveryState) -> Branch:
    """SQLite takes a partial index only for a query that repeats the index's own words."""
    if state in _WAITING:
        column = _unindexed(delivery.c.page_id)
        return select(column.label("id")).where(text("delivery.state = 'pending'")), column
    in_index = text("delivery.state IN ('rejected', 'expired')")
    ids = select(delivery.c.page_id.label("id")).where(in_index, delivery.c.state == state)
    return ids, delivery.c.page_id


def _deliveries_of(service_id: str) -> Branch:
    """The index leaves out what has no service, and SQLite takes it only for a query that says so."""
    column = delivery.c.page_id
    return select(column.label("id")).where(
        delivery.c.service_id == service_id, delivery.c.service_id.is_not(None)
    ), column


def _unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """Keep SQLite from going by this column's index where another way is known to be short."""
    return column.concat(literal_column("''"))


def _says(word: str, dialect: str) -> ColumnElement[bool]:
    pattern = f"%{''.join(map(_wild, word))}%"
    if dialect == "postgresql":
        return or_(*(column.ilike(pattern, escape=_ESCAPE) for column in (page.c.message, page.c.details)))
    return or_(*(column.like(pattern, escape=_ESCAPE) for column in (page.c.message, page.c.details)))


def _wild(character: str) -> str:
    """Give what matches *character* in either case: SQLite folds ASCII only, so that others may be anything."""
    if character in ("%", "_", _ESCAPE):
        return _ESCAPE + character
    if character.isascii():
        return character
    return "_" if len(character.casefold()) == 1 else "%"
