"""Which of the incidents that PagerDuty shows for a dedup key is a delivery's own.

A key that Masthead made belongs to one page and one routing key for ever, so every incident of it is that page's own.
A key that somebody chose, be it that of an earlier page, may have been used before, and for several services at once:
there an incident counts only when it is of the delivery's service, was created after the page was asked for, and no page that was asked for earlier led to
it, though PagerDuty may have taken that later. An open one that is older has taken the event without waking anybody anew (facts A.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from masthead.kernel.clock import from_ms
from masthead.pagerduty import IncidentSeen
from masthead.paging.model import Incident, IncidentState, NotOpened
from masthead.paging.proof.rows import Claim, Sought

__all__ = ["already_open", "can_tell", "joined", "own", "told"]

#: PagerDuty writes whole seconds, the Date that our clock is compared by as well, and the answer took its time.
_LEEWAY = timedelta(seconds=5)


def can_tell(sought: Sought) -> bool:
    """Whether an incident of the key can be told from that of another delivery of the same page."""
    return sought.is_key_made_here or sought.service_id is not None or not sought.has_siblings


def own(sought: Sought, seen: Sequence[IncidentSeen], claims: Sequence[Claim]) -> IncidentSeen | None:
    """Give the incident that the delivery led to, or None when it is not there (yet).

    Args:
        sought: The delivery; once its incident is known, only that one is looked for.
        seen: The incidents of its dedup key, newest first.
        claims: Which of them others led to.
    """
    if sought.incident.id is not None and sought.incident.state is not IncidentState.NOT_OPENED:
        return next((one for one in seen if one.id == sought.incident.id), None)
    if sought.is_key_made_here:
        return seen[0] if seen else None
    new = [one for one in _of_service(sought, seen) if not _is_older(sought, one, claims)]
    return new[-1] if new else None


def joined(sought: Sought, seen: Sequence[IncidentSeen], claims: Sequence[Claim]) -> IncidentSeen | None:
    """Give the older incident of the same key that was open when PagerDuty took the event, or None."""
    if sought.is_key_made_here:
        return None
    accepted = from_ms(sought.accepted_at)
    older = [one for one in _of_service(sought, seen) if _is_older(sought, one, claims)]
    return next((one for one in older if one.resolved_at is None or one.resolved_at >= accepted), None)


def told(one: IncidentSeen, sought: Sought) -> Incident:
    """Give *one* as the incident of the delivery; who had it stays known when PagerDuty forgets it on resolving."""
    state = IncidentState(one.status) if one.status in _STATES else IncidentState.TRIGGERED
    return Incident(
        state=state,
        id=one.id,
        number=one.number,
        url=one.url,
        assignee=", ".join(one.assignees) or sought.incident.assignee,
        checked_at=sought.incident.checked_at,
    )


def already_open(one: IncidentSeen, sought: Sought, *, is_inferred: bool = False) -> Incident:
    """Say that *one* was open before, took the event, and nothing new was opened."""
    return replace(
        told(one, sought),
        state=IncidentState.NOT_OPENED,
        reason=NotOpened.ALREADY_OPEN,
        is_inferred=is_inferred,
    )


_STATES = {IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED}


def _of_service(sought: Sought, seen: Sequence[IncidentSeen]) -> list[IncidentSeen]:
    if not can_tell(sought):
        return []
    return [one for one in seen if sought.service_id is None or one.service_id in (sought.service_id, None)]


def _is_older(sought: Sought, one: IncidentSeen, claims: Sequence[Claim]) -> bool:
    asked = from_ms(sought.created_at)
    if one.created_at is not None and one.created_at < asked - _LEEWAY:
        return True
    # What is sent in vain is merged into an open incident; what is not sent although it has to opens none.
    is_over = sought.is_sent_again and one.resolved_at is not None
    return any(
        claim.incident_id == one.id
        and claim.delivery_id != sought.delivery_id
        and (is_over or claim.created_at < sought.created_at)
        for claim in claims
    )
