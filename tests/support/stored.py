"""Pages put into the database as they would stand there, without anybody having asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert
from ulid import ULID

from masthead.kernel.clock import to_ms
from masthead.storage.schema import attempt, delivery, page, proof

KEY = "c0ffee00c0ffee00c0ffee00c0ffee01"


def id_at(at: datetime, number: int) -> str:
    """Give the id that a page of this instant would have; *number* tells those of one instant apart."""
    return str(ULID.from_int((to_ms(at) << 80) | number))


def store_delivery(connection: Connection, page_id: str, at: datetime, **changes: Any) -> str:
    """Put one delivery of a page; gives its id. ``attempts`` is a list of what came of each."""
    outcomes: Sequence[dict[str, Any]] = changes.pop("attempts", ())
    incident: dict[str, Any] | None = changes.pop("incident", None)
    position = changes.get("position", 0)
    values = {
        "id": f"{page_id}D{position:03}",
        "page_id": page_id,
        "routing_key": KEY,
        "key_hash": "hash",
        "dedup_key": "masthead-dedup",
        "protocol": "v2",
        "service_id": "PSVC01",
        "label": "Checkout",
        "state": "accepted",
        "severity_rank": 0,
        "text": "Event processed",
        "attempts": len(outcomes),
        "deadline_at": to_ms(at) + 3_600_000,
        "created_at": to_ms(at),
        "position": position,
        **changes,
    }
    connection.execute(insert(delivery).values(values))
    for number, outcome in enumerate(outcomes, 1):
        made = {"number": number, "at": to_ms(at) + number, "protocol": "v2", "text": "", "duration_ms": 5}
        connection.execute(insert(attempt).values({"delivery_id": values["id"], **made, **outcome}))
    if incident is not None:
        known = {"account": "default", "accepted_at": to_ms(at), "delivery_id": values["id"]}
        connection.execute(insert(proof).values(known | incident))
    return str(values["id"])


def store_page(
    connection: Connection,
    at: datetime,
    number: int = 0,
    *,
    deliveries: Sequence[dict[str, Any]] = ({},),
    **changes: Any,
) -> str:
    """Put one page with its deliveries; gives its id."""
    values = {
        "id": id_at(at, number),
        "kind": "trigger",
        "message": "db down",
        "details": "{}",
        "links": "[]",
        "severity": "critical",
        "user": "ann@example.com",
        "address": "10.0.0.7",
        "client": "Spinnaker (ann@example.com)",
        "door": "v1",
        "application": "demo",
        "created_at": to_ms(at),
        **changes,
    }
    connection.execute(insert(page).values(values))
    for position, one in enumerate(deliveries):
        store_delivery(connection, values["id"], at, **{"position": position, **one})
    return str(values["id"])
