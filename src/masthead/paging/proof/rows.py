"""The table ``proof``: every statement about it stands here, except that pages are read together with it (rows.py)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Subquery, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from masthead.kernel.clock import from_ms, to_ms
from masthead.paging.model import FOLLOW_UPS, DeliveryState, Incident, IncidentState, Kind, NotOpened
from masthead.storage.schema import delivery, page, proof

__all__ = [
    "Claim",
    "Finding",
    "Sought",
    "claims",
    "forget_older",
    "hasten",
    "insert_sought",
    "load_due",
    "load_incidents",
    "next_due",
    "save",
    "siblings",
    "still_sought",
]

#: Rows looked at together; those of one dedup key need one request.
_BATCH = 200
#: No pause is longer than this (schedule.py; PagerDuty's own wishes are bounded in answers.py): what is due later was
#: dated by a clock that has been set back since, and is due now.
_LONGEST_PAUSE_MS = 1_000_000
_of_page, _follow_up = delivery.alias(), delivery.alias()


@dataclass(frozen=True, slots=True)
class Sought:
    """An accepted delivery whose incident is looked for or followed."""

    delivery_id: str
    dedup_key: str
    service_id: str | None
    #: Instants in ms: when the page was asked for, and when PagerDuty took it.
    created_at: int
    accepted_at: int
    #: Whether Masthead made the dedup key; else its sender chose it, perhaps one that an earlier page had.
    is_key_made_here: bool
    #: Whether its page has deliveries for other keys, which may have the same dedup key.
    has_siblings: bool
    #: What is known so far.
    incident: Incident
    #: When, in ms, PagerDuty took an acknowledge or a resolve of it that does not show yet; None for none.
    followed_up_at: int | None = None
    #: Whether it is about to be sent again, and not accepted yet.
    is_sent_again: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """An incident that another delivery has been shown to have led to."""

    incident_id: str
    delivery_id: str
    #: When, in ms, its page was asked for.
    created_at: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look brought, ready to be written."""

    sought: Sought
    incident: Incident
    #: When it is looked at again; None: never.
    due_at: int | None


def insert_sought(connection: Connection, accepted: Sequence[tuple[str, str, int]], *, first_ms: int) -> None:
    """Note accepted deliveries (id, account, accepted at), due *first_ms* after that; known ones stay as they are."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        make(proof).on_conflict_do_nothing(),
        [
            {
                "delivery_id": delivery_id,
                "account": account,
                "state": IncidentState.UNKNOWN,
                "accepted_at": accepted_at,
                "due_at": accepted_at + first_ms,
            }
            for delivery_id, account, accepted_at in accepted
        ],
    )


def load_due(connection: Connection, account: str, *, now_ms: int) -> list[list[Sought]]:
    """Give what is due, in groups of one dedup key: what is not known yet first, then the newest.

    The newest first, because somebody may wait for them; a backlog waits behind. Within a group by acceptance.
    """
    is_due = (proof.c.due_at <= now_ms) | (proof.c.due_at > now_ms + _LONGEST_PAUSE_MS)
    first = case((proof.c.state == IncidentState.UNKNOWN, 0), else_=1)
    due = (
        select(proof)
        .where(proof.c.account == account, proof.c.due_at.is_not(None), is_due)
        .order_by(first, proof.c.accepted_at.desc())
        .limit(_BATCH)
        .subquery()
    )
    rows = connection.execute(
        select(
            due,
            delivery.c.dedup_key,
            delivery.c.service_id,
            delivery.c.created_at,
            delivery.c.says,
            _has_siblings().label("has_siblings"),
            _followed_up_at(due).label("followed_up_at"),
        ).join_from(due, delivery, due.c.delivery_id == delivery.c.id)
    ).all()
    groups: dict[str, list[Sought]] = {}
    for row in sorted(rows, key=lambda one: (one.state != IncidentState.UNKNOWN, -one.accepted_at)):
        groups.setdefault(row.dedup_key, []).append(_sought(row))
    return [_together(group) for group in groups.values()]


def hasten(connection: Connection, follow_up_ids: Collection[str], due_at: int) -> set[str]:
    """Let the incidents that these follow-ups are about be looked at by *due_at*, and give their accounts.

    Args:
        connection: A writing one.
        follow_up_ids: Deliveries that acknowledged or resolved something.
        due_at: When, in ms.
    """
    about = (
        select(func.coalesce(delivery.c.folded_into, delivery.c.id))
        .join(page, page.c.parent_id == delivery.c.page_id)
        .join(_follow_up, _follow_up.c.page_id == page.c.id)
        .where(
            _follow_up.c.id.in_(list(follow_up_ids)),
            _follow_up.c.key_hash == delivery.c.key_hash,
            _follow_up.c.dedup_key == delivery.c.dedup_key,
        )
    )
    speakers = list(connection.execute(about).scalars())
    together = select(delivery.c.id).where(delivery.c.folded_into.in_(speakers))
    is_open = proof.c.state.in_((IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED))
    is_sought = (proof.c.state == IncidentState.UNKNOWN) & proof.c.due_at.is_not(None)
    hastened = (
        update(proof)
        .where(or_(proof.c.delivery_id.in_(speakers), proof.c.delivery_id.in_(together)))
        .where(or_(is_open, is_sought), func.coalesce(proof.c.due_at, due_at + 1) > due_at)
        .values(due_at=due_at)
        .returning(proof.c.account)
    )
    return set(connection.execute(hastened).scalars())


def siblings(connection: Connection, delivery_id: str) -> bool:
    """Tell whether the delivery's page has deliveries for other keys."""
    query = select(_has_siblings()).where(delivery.c.id == delivery_id)
    return bool(connection.execute(query).scalar())


def claims(connection: Connection, account: str, incident_ids: Collection[str]) -> list[Claim]:
    """Give which of these incidents deliveries have led to."""
    query = (
        select(proof.c.incident_id, proof.c.delivery_id, delivery.c.created_at)
        .join(delivery, delivery.c.id == proof.c.delivery_id)
        .where(
            proof.c.account == account,
            proof.c.incident_id.in_(list(incident_ids)),
            proof.c.state != IncidentState.NOT_OPENED,
        )
    )
    return [Claim(*row) for row in connection.execute(query)]


def still_sought(connection: Connection, account: str, dedup_key: str) -> dict[str, int]:
    """Give the deliveries under a dedup key whose incident is looked for and was not found yet, with when their pages were asked for."""
    query = (
        select(proof.c.delivery_id, delivery.c.created_at)
        .join(delivery, delivery.c.id == proof.c.delivery_id)
        .where(
            proof.c.account == account,
            proof.c.due_at.is_not(None),
            proof.c.state == IncidentState.UNKNOWN,
            delivery.c.dedup_key == dedup_key,
        )
    )
    return {row.delivery_id: row.created_at for row in connection.execute(query)}


def save(connection: Connection, findings: Iterable[Finding]) -> None:
    """Write what looks brought."""
    rows = [
        {
            "of": one.sought.delivery_id,
            "to": one.incident.state,
            "why": one.incident.reason,
            "guessed": one.incident.is_inferred,
            "which": one.incident.id,
            "which_number": one.incident.number,
            "link": one.incident.url,
            "people": one.incident.assignee,
            "at": None if one.incident.checked_at is None else to_ms(one.incident.checked_at),
            "due": one.due_at,
        }
        for one in findings
    ]
    if rows:
        connection.execute(_SAVE, rows)


def next_due(connection: Connection, account: str, *, now_ms: int) -> int | None:
    """Give when the next of an account is due, or None when nothing is followed."""
    query = select(func.min(proof.c.due_at)).where(proof.c.account == account, proof.c.due_at.is_not(None))
    due: int | None = connection.execute(query).scalar()
    return None if due is None else min(due, now_ms + _LONGEST_PAUSE_MS)


def forget_older(connection: Connection, account: str, accepted_before_ms: int) -> None:
    """Follow nothing of an account any more that was accepted before then."""
    old = proof.c.account == account, proof.c.due_at.is_not(None), proof.c.accepted_at < accepted_before_ms
    connection.execute(update(proof).where(*old).values(due_at=None))


def load_incidents(connection: Connection, delivery_ids: Collection[str]) -> dict[str, Incident]:
    """Give what is known of the incidents of these deliveries; one of which nobody can know is left out."""
    rows = connection.execute(select(proof).where(proof.c.delivery_id.in_(list(delivery_ids))))
    return {row.delivery_id: _incident(row) for row in rows}


_SAVE = (
    update(proof)
    .where(proof.c.delivery_id == bindparam("of"))
    .values(
        state=bindparam("to"),
        reason=bindparam("why"),
        is_inferred=bindparam("guessed"),
        incident_id=bindparam("which"),
        incident_number=bindparam("which_number"),
        url=bindparam("link"),
        assignee=bindparam("people"),
        checked_at=bindparam("at"),
        checks=proof.c.checks + 1,
        due_at=bindparam("due"),
    )
)


def _has_siblings() -> Any:
    return (
        select(_of_page.c.id)
        .where(_of_page.c.page_id == delivery.c.page_id, _of_page.c.id != delivery.c.id)
        .exists()
    )


def _together(group: Sequence[Sought]) -> list[Sought]:
    """Give those of one event by acceptance: what follows up one of them follows up all."""
    latest = max((one.followed_up_at for one in group if one.followed_up_at is not None), default=None)
    return [replace(one, followed_up_at=latest) for one in sorted(group, key=lambda one: one.accepted_at)]


def _followed_up_at(due: Subquery) -> Any:
    """Of a page that is known to be acknowledged, only a resolve has still to show."""
    is_to_show = or_(_follow_up.c.action == Kind.RESOLVE, due.c.state != IncidentState.ACKNOWLEDGED)
    return (
        select(func.max(_follow_up.c.decided_at))
        .join(page, page.c.id == _follow_up.c.page_id)
        .where(page.c.parent_id == delivery.c.page_id, _follow_up.c.dedup_key == delivery.c.dedup_key)
        .where(_follow_up.c.state == DeliveryState.ACCEPTED, _follow_up.c.action.in_(FOLLOW_UPS), is_to_show)
        .correlate(delivery, due)
        .scalar_subquery()
    )


def _sought(row: Row[Any]) -> Sought:
    return Sought(
        delivery_id=row.delivery_id,
        dedup_key=row.dedup_key,
        service_id=row.service_id,
        created_at=row.created_at,
        accepted_at=row.accepted_at,
        is_key_made_here=bool(row.says),
        has_siblings=bool(row.has_siblings),
        incident=_incident(row),
        followed_up_at=row.followed_up_at,
    )


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        state=IncidentState(row.state),
        reason=NotOpened(row.reason) if row.reason else None,
        is_inferred=bool(row.is_inferred),
        id=row.incident_id,
        number=row.incident_number,
        url=row.url,
        assignee=row.assignee,
        checked_at=None if row.checked_at is None else from_ms(row.checked_at),
    )
