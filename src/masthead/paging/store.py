"""Pages, deliveries and attempts as rows; every statement of ``paging`` stands here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select, update

from masthead.kernel.caller import Caller
from masthead.kernel.clock import from_ms, to_ms
from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import Link, Protocol, Severity
from masthead.paging.model import Delivery, DeliveryState, Door, Page
from masthead.storage.schema import attempt, delivery, page

__all__ = [
    "Result",
    "due_of_key",
    "find_by_identity",
    "insert_page",
    "is_decided",
    "load_page",
    "next_due",
    "pages_of_execution",
    "record",
    "release_machine",
]


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt brought, ready to be written.

    ``state`` stays pending when the delivery is to be tried again at ``due_at_ms``; an expiry makes no attempt
    (``number`` 0).
    """

    delivery_id: str
    number: int
    at_ms: int
    protocol: Protocol
    status: int | None
    outcome: str
    reason: Reason | None
    text: str
    duration_ms: int
    state: DeliveryState
    due_at_ms: int | None


def insert_page(
    connection: Connection, new: Page, *, caller: Caller, identity: str | None, machine: str
) -> None:
    """Store *new* and its deliveries, whose first attempt *machine* is about to make."""
    created = to_ms(new.created_at)
    connection.execute(
        insert(page).values(
            id=new.id,
            identity=identity,
            message=new.message,
            details=_text(new.details),
            links=_text(new.links),
            severity=new.severity,
            user=new.user,
            address=caller.address,
            client=new.client,
            client_url=new.client_url,
            door=new.door,
            application=new.application,
            execution_id=new.execution_id,
            stage_id=new.stage_id,
            created_at=created,
        )
    )
    rows = [
        {
            "id": one.id,
            "page_id": new.id,
            "position": position,
            "routing_key": one.key.reveal(),
            "key_hash": one.key_hash,
            "dedup_key": one.dedup_key,
            "protocol": one.protocol,
            "service_id": one.service_id,
            "label": one.label,
            "state": one.state,
            "severity_rank": new.severity.rank,
            "due_at": created,
            "machine": machine,
            "created_at": created,
            "deadline_at": to_ms(one.deadline_at),
        }
        for position, one in enumerate(new.deliveries)
    ]
    connection.execute(insert(delivery), rows)


def find_by_identity(connection: Connection, identity: str) -> Page | None:
    """Give the page of *identity*, or None."""
    return _page(connection, select(page).where(page.c.identity == identity))


def load_page(connection: Connection, page_id: str) -> Page | None:
    """Give the page, or None."""
    return _page(connection, select(page).where(page.c.id == page_id))


def pages_of_execution(connection: Connection, execution_id: str) -> list[Page]:
    """Give the pages that *execution_id* asked for, oldest first."""
    ids = connection.execute(
        select(page.c.id).where(page.c.execution_id == execution_id).order_by(page.c.created_at)
    )
    found = (load_page(connection, page_id) for page_id in ids.scalars().all())
    return [one for one in found if one is not None]


def record(connection: Connection, results: Iterable[Result]) -> None:
    """Write what attempts brought; a delivery that was decided meanwhile keeps its decision."""
    for result in results:
        if result.number:
            connection.execute(
                insert(attempt).values(
                    delivery_id=result.delivery_id,
                    number=result.number,
                    at=result.at_ms,
                    protocol=result.protocol,
                    status=result.status,
                    outcome=result.outcome,
                    reason=result.reason,
                    text=result.text,
                    duration_ms=result.duration_ms,
                )
            )
        values: dict[str, Any] = {
            "state": result.state,
            "reason": result.reason,
            "text": result.text,
            "due_at": result.due_at_ms,
            "machine": None,
            "decided_at": result.at_ms if result.state.is_decided else None,
        }
        if result.number:
            values["attempts"] = result.number
        connection.execute(
            update(delivery)
            .where(delivery.c.id == result.delivery_id, delivery.c.state == DeliveryState.PENDING)
            .values(**values)
        )


def is_decided(connection: Connection, page_id: str) -> bool:
    """Tell whether no delivery of the page is pending any more."""
    pending = select(delivery.c.id).where(
        delivery.c.page_id == page_id, delivery.c.state == DeliveryState.PENDING
    )
    return connection.execute(pending.limit(1)).first() is None


def due_of_key(connection: Connection, key_hash: str, *, now_ms: int, limit: int) -> list[Delivery]:
    """Give what waits for a key and is due: most severe first, then oldest."""
    rows = connection.execute(
        select(delivery)
        .where(
            delivery.c.key_hash == key_hash,
            delivery.c.state == DeliveryState.PENDING,
            delivery.c.machine.is_(None),
            delivery.c.due_at <= now_ms,
        )
        .order_by(delivery.c.severity_rank, delivery.c.created_at, delivery.c.id)
        .limit(limit)
    )
    return [_delivery(row) for row in rows]


def next_due(connection: Connection, key_hash: str) -> int | None:
    """Give when the next of what waits for a key is due, or None when nothing waits."""
    waits = delivery.c.state == DeliveryState.PENDING, delivery.c.machine.is_(None)
    return connection.execute(
        select(func.min(delivery.c.due_at)).where(delivery.c.key_hash == key_hash, *waits)
    ).scalar()


def release_machine(connection: Connection, machine: str) -> Sequence[str]:
    """Let others send what *machine* was about to; gives the hashes of the keys concerned."""
    held = delivery.c.machine == machine
    hashes = connection.execute(select(delivery.c.key_hash).where(held).distinct()).scalars().all()
    connection.execute(update(delivery).where(held).values(machine=None))
    return hashes


def _page(connection: Connection, query: Select[Any]) -> Page | None:
    row = connection.execute(query).first()
    if row is None:
        return None
    rows = connection.execute(
        select(delivery).where(delivery.c.page_id == row.id).order_by(delivery.c.position)
    )
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
        deliveries=tuple(_delivery(one) for one in rows),
    )


def _delivery(row: Row[Any]) -> Delivery:
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
        decided_at=from_ms(row.decided_at) if row.decided_at is not None else None,
        deadline_at=from_ms(row.deadline_at),
    )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
