"""Pages and deliveries read from their rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, literal_column, select

from masthead.kernel.clock import from_ms
from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import Link, Protocol, Severity
from masthead.paging.model import (
    Delivery,
    DeliveryState,
    Door,
    Incident,
    IncidentState,
    Kind,
    NotOpened,
    Page,
)
from masthead.storage.schema import delivery, page, proof

__all__ = ["IS_PENDING", "deliveries_where", "delivery_of", "load_page", "page_of", "pages_where", "text_of"]

#: Written out, because a partial index serves a constant and not a parameter.
IS_PENDING = delivery.c.state == literal_column("'pending'")
_UNKNOWN = Incident(IncidentState.UNKNOWN)
_PROOF = (
    proof.c.state.label("proof_state"),
    proof.c.reason.label("proof_reason"),
    proof.c.is_inferred,
    proof.c.incident_id,
    proof.c.incident_number,
    proof.c.url,
    proof.c.assignee,
    proof.c.checked_at,
    proof.c.due_at.label("proof_due_at"),
)


def load_page(connection: Connection, page_id: str) -> Page | None:
    """Give the page with its deliveries, or None."""
    return next(iter(pages_where(connection, select(page).where(page.c.id == page_id))), None)


def pages_where(connection: Connection, query: Select[Any]) -> list[Page]:
    """Give the pages that *query* (of all columns of ``page``) finds, in its order, each with its deliveries."""
    rows = connection.execute(query).all()
    deliveries: dict[str, list[Delivery]] = {row.id: [] for row in rows}
    if rows:
        for one in deliveries_where(connection, delivery.c.page_id.in_(list(deliveries))):
            deliveries[one.page_id].append(one)
    return [page_of(row, deliveries[row.id]) for row in rows]


def deliveries_where(connection: Connection, *conditions: ColumnElement[bool]) -> list[Delivery]:
    """Give the deliveries of which *conditions* are true, in the order of their pages' keys."""
    query = (
        select(delivery, *_PROOF)
        .outerjoin(proof, proof.c.delivery_id == delivery.c.id)
        .where(*conditions)
        .order_by(delivery.c.page_id, delivery.c.position)
    )
    return [delivery_of(row, incident=_incident(row)) for row in connection.execute(query)]


def text_of(value: object) -> str:
    """Write *value* as it stands in a column of JSON text."""
    return msgspec.json.encode(value).decode()


def page_of(row: Row[Any], deliveries: Sequence[Delivery]) -> Page:
    """Read a row of ``page``."""
    return Page(
        id=row.id,
        message=row.message,
        details=msgspec.json.decode(row.details),
        links=tuple(msgspec.json.decode(row.links, type=list[Link])),
        severity=Severity(row.severity),
        user=row.user,
        client=row.client,
        client_url=row.client_url,
        door=Door(row.door),
        application=row.application,
        execution_id=row.execution_id,
        stage_id=row.stage_id,
        created_at=from_ms(row.created_at),
        deliveries=tuple(deliveries),
        kind=Kind(row.kind),
        parent_id=row.parent_id,
        address=row.address,
        happened_at=_instant(row.happened_at),
    )


def delivery_of(
    row: Row[Any],
    *,
    incident: Incident = _UNKNOWN,
    speaks_for_others: bool = False,
) -> Delivery:
    """Read a row of ``delivery``."""
    return Delivery(
        id=row.id,
        page_id=row.page_id,
        key=Secret(row.routing_key),
        key_hash=row.key_hash,
        dedup_key=row.dedup_key,
        protocol=Protocol(row.protocol),
        service_id=row.service_id,
        label=row.label,
        state=DeliveryState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        text=row.text,
        attempts=row.attempts,
        created_at=from_ms(row.created_at),
        decided_at=_instant(row.decided_at),
        deadline_at=from_ms(row.deadline_at),
        account=row.account,
        action=Kind(row.action),
        is_uncertain=bool(row.is_uncertain),
        folded_into=row.folded_into,
        says=row.says,
        speaks_for_others=speaks_for_others,
        incident=incident,
    )


def _incident(row: Row[Any]) -> Incident:
    if row.proof_state is None:
        return _UNKNOWN
    return Incident(
        state=IncidentState(row.proof_state),
        reason=NotOpened(row.proof_reason) if row.proof_reason else None,
        is_inferred=bool(row.is_inferred),
        id=row.incident_id,
        number=row.incident_number,
        url=row.url,
        assignee=row.assignee,
        checked_at=_instant(row.checked_at),
        is_awaited=row.proof_due_at is not None,
    )


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
