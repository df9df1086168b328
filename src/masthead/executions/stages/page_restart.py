"""Whom a run of a page stage pages: everybody in the first, in a restart those whom earlier runs have not reached.

Everything is decided by the stored pages, never by what the stage kept of them: a delivery goes on after its stage has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from msgspec.structs import replace

from masthead.kernel.secret import Secret
from masthead.paging import Delivery, DeliveryState, IncidentState, Page

__all__ = ["Asked", "Divided", "asked_by", "counted", "divide", "may_be_reached", "restart_of"]

_OPENED = IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED


@dataclass(frozen=True, slots=True)
class Asked:
    """What one run of the stage has asked for."""

    #: Its own page; where it paged nobody anew, an earlier run's.
    page_id: str
    #: Deliveries of earlier runs that it waits for, instead of paging again.
    follows: tuple[str, ...] = ()
    #: The services that earlier runs had reached.
    reached_before: tuple[str, ...] = ()
    has_paged: bool = True


@dataclass(frozen=True, slots=True)
class Divided:
    """Whom earlier runs have reached, whom they may still reach, and who is to be paged."""

    reached: tuple[Delivery, ...]
    followed: tuple[Delivery, ...]
    missed: tuple[Secret, ...]


def restart_of(context: dict[str, Any]) -> str | None:
    """Give what tells this run of the stage from its earlier ones; None for the first.

    Source: Spinnaker compatibility facts, section 4.2 (restart: ``restartDetails.restartTime``).
    """
    details = context.get("restartDetails")
    when = details.get("restartTime") if isinstance(details, dict) else None
    return None if when is None else str(when)


def asked_by(context: dict[str, Any]) -> Asked | None:
    """Give what this run of the stage has asked for already; None when it has to ask."""
    pages = context.get("pages")
    if not isinstance(pages, dict) or pages.get("restart") != restart_of(context):
        return None
    page_id = pages.get("id")
    if not isinstance(page_id, str):
        return None
    follows = tuple(pages.get("follows") or ())
    has_paged = not any(_page_of(each) == page_id for each in follows)
    return Asked(page_id, follows, tuple(pages.get("reachedBefore") or ()), has_paged)


def divide(keys: Sequence[Secret], earlier: Sequence[Page], *, is_incident_needed: bool) -> Divided:
    """Divide *keys* by what *earlier* pages, oldest first, have come to.

    Args:
        keys: Whom the stage is to reach.
        earlier: What its earlier runs asked for.
        is_incident_needed: Whether only an incident counts as reached. Who was taken without one is paged anew. Where it is
            not known (yet), it is waited for: PagerDuty may have woken somebody, and nobody is to be woken twice.
    """
    is_reached = partial(_is_reached, is_incident_needed=is_incident_needed)
    is_open = partial(_is_open, is_incident_needed=is_incident_needed)
    reached, followed, missed = [], [], []
    for key in keys:
        told = [one for page in reversed(earlier) for one in page.deliveries if one.key == key]
        if found := next(filter(is_reached, told), None):
            reached.append(found)
        elif found := next(filter(is_open, told), None):
            followed.append(found)
        else:
            missed.append(key)
    return Divided(tuple(reached), tuple(followed), tuple(missed))


def may_be_reached(earlier: Sequence[Page]) -> frozenset[Secret]:
    """Give the keys to which an event of an earlier run has arrived, or may have although no answer said so.

    Before they are paged anew it is looked up whether an incident was opened after all.
    """
    return frozenset(
        one.key
        for page in earlier
        for one in page.deliveries
        if one.is_uncertain or one.state is DeliveryState.ACCEPTED
    )


def counted(asked: Asked, page: Page, pages: Sequence[Page]) -> Page:
    """Give *page*, the one of *asked*, with the deliveries that decide this run: its own, and those it follows out of *pages*."""
    followed = tuple(one for each in pages for one in each.deliveries if one.id in asked.follows)
    return replace(page, deliveries=(*page.deliveries, *followed) if asked.has_paged else followed)


def _is_reached(one: Delivery, *, is_incident_needed: bool) -> bool:
    return one.state is DeliveryState.ACCEPTED and (not is_incident_needed or one.incident.state in _OPENED)


def _is_open(one: Delivery, *, is_incident_needed: bool) -> bool:
    is_unknown = one.state is DeliveryState.ACCEPTED and one.incident.state is IncidentState.UNKNOWN
    return one.state is DeliveryState.PENDING or (is_incident_needed and is_unknown)


def _page_of(delivery_id: str) -> str:
    return delivery_id.rpartition("-")[0]
