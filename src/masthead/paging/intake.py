"""Storing pages: what is asked for at the same time is recognised, stored and made durable by one unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, exists, select, text, true, update

from masthead.kernel.clock import to_ms
from masthead.kernel.errors import Conflict
from masthead.paging.model import DeliveryState, Page
from masthead.paging.rows import load_page
from masthead.storage.bursts import Bursts
from masthead.storage.prepared import Prepared, insert_into
from masthead.storage.schema import delivery, page

__all__ = ["BURST", "Entry", "Intake"]

#: The kind of burst that works off what waits for one routing key; its subject is the key's hash.
BURST = "routing-key"
#: A key that waits for room in its budget is not looked at for every page that comes meanwhile; but nobody waits longer
#: than this for what another delivery was told to wait for.
_PATIENCE_MS = 60_000


class Entry(Struct, frozen=True):
    """A page about to be stored."""

    page: Page
    #: JSON texts of the page's details and links.
    details: str
    links: str
    identity: str | None
    fingerprint: str | None
    #: A page of the same fingerprint that is younger, and may have told somebody, is this page; None when none is.
    recognise_since_ms: int | None
    #: For each delivery the machine that makes its first attempt at once; None for one that waits its turn.
    machines: tuple[str | None, ...]

    @property
    def length(self) -> int:
        """Characters of what is said."""
        return len(self.page.message) + len(self.details) + len(self.links)


class Intake:
    """The unit of work that stores a group of entries."""

    def __init__(self, bursts: Bursts) -> None:
        self._bursts = bursts

    def store(self, connection: Connection, entries: Sequence[Entry]) -> list[Page | Conflict]:
        """Store what is new of *entries* and give, for each, its page: its own, or the one it was recognised as.

        A request whose identity belongs to a page of another content gets the conflict in its place.
        """
        _keep_others_out(connection, entries)
        known = _Known(connection, entries)
        answers, fresh = [], []
        for entry in entries:
            found = known.find(entry)
            if found is None:
                known.add(entry)
                fresh.append(entry)
            answers.append(found or entry.page)
        self._insert(connection, fresh)
        return answers

    def _insert(self, connection: Connection, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        _PAGES.run(connection, [_page_row(entry) for entry in entries])
        rows = [row for entry in entries for row in _delivery_rows(entry)]
        _DELIVERIES.run(connection, rows)
        _DOUBT.run(
            connection, [{"of": one.id} for new in entries for one in new.page.deliveries if one.is_uncertain]
        )
        for key_hash in {row["key_hash"] for row in rows if row["machine"] is None}:
            self._bursts.remind(connection, BURST, key_hash, patience_ms=_PATIENCE_MS)


class _Known:
    """The pages that these entries may turn out to be."""

    def __init__(self, connection: Connection, entries: Sequence[Entry]) -> None:
        self._connection = connection
        self._here: dict[tuple[str, str], Entry] = {}
        self._identities = self._read(_BY_IDENTITY, _set(entry.identity for entry in entries))
        recognised = [entry for entry in entries if entry.recognise_since_ms is not None]
        self._fingerprints = self._read(
            _BY_FINGERPRINT,
            _set(entry.fingerprint for entry in recognised),
            since=min((entry.recognise_since_ms or 0 for entry in recognised), default=0),
        )

    def find(self, entry: Entry) -> Page | Conflict | None:
        """Give the page that *entry* asks for again, or why it may not ask; None when it is new."""
        name = _name(entry)
        if name is None:
            return None
        row = (self._fingerprints if entry.identity is None else self._identities).get(name[1])
        first = row or self._here.get(name)
        if first is not None and first.fingerprint != entry.fingerprint:
            return Conflict("This idempotency key was used for another page; send a new one.")
        if row is not None:
            return load_page(self._connection, row.id)
        return None if first is None else first.page

    def add(self, entry: Entry) -> None:
        """Let later entries of the same group be recognised as this one."""
        name = _name(entry)
        if name is not None:
            self._here[name] = entry

    def _read(self, query: Any, names: Sequence[str], **more: int) -> dict[str, Any]:
        if not names:
            return {}
        return {row.name: row for row in self._connection.execute(query, {"names": names, **more})}


_BY_IDENTITY = select(page.c.id, page.c.fingerprint, page.c.identity.label("name")).where(
    page.c.identity.in_(bindparam("names", expanding=True))
)
#: PagerDuty took it, or may take it still; what was refused or given up reached nobody, and who asks again asks anew.
_MAY_TELL_SOMEBODY = exists().where(
    delivery.c.page_id == page.c.id,
    delivery.c.state.in_([DeliveryState.PENDING, DeliveryState.ACCEPTED]),
)
#: In descending order of age, so that the youngest is the one that stays in a dictionary.
_BY_FINGERPRINT = (
    select(page.c.id, page.c.fingerprint, page.c.fingerprint.label("name"))
    .where(page.c.fingerprint.in_(bindparam("names", expanding=True)))
    .where(page.c.created_at > bindparam("since"))
    .where(_MAY_TELL_SOMEBODY)
    .order_by(page.c.created_at)
)


def _name(entry: Entry) -> tuple[str, str] | None:
    """Give what *entry* is recognised by."""
    if entry.identity is not None:
        return "identity", entry.identity
    if entry.recognise_since_ms is not None and entry.fingerprint is not None:
        return "fingerprint", entry.fingerprint
    return None


def _set(names: Iterable[str | None]) -> list[str]:
    return sorted({name for name in names if name is not None})


def _keep_others_out(connection: Connection, entries: Sequence[Entry]) -> None:
    """On PostgreSQL, let two machines that are asked for the same page at once wait for each other."""
    if connection.dialect.name != "postgresql":
        return
    names = sorted({found for entry in entries if (found := _name(entry)) is not None})
    for _, name in names:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


_PAGES = insert_into(page, [column.name for column in page.c])
_DELIVERIES = insert_into(
    delivery,
    [
        column.name
        for column in delivery.c
        if column.name
        not in {"reason", "text", "attempts", "is_uncertain", "folded_into", "decided_at", "not_before_at"}
    ],
)

#: Apart, because it is rare: one more column would cost every page.
_DOUBT = Prepared(
    lambda _: update(delivery).where(delivery.c.id == bindparam("of")).values(is_uncertain=true())
)


def _page_row(entry: Entry) -> dict[str, Any]:
    new = entry.page
    return {
        "id": new.id,
        "identity": entry.identity,
        "fingerprint": entry.fingerprint,
        "kind": new.kind.value,
        "parent_id": new.parent_id,
        "message": new.message,
        "details": entry.details,
        "links": entry.links,
        "severity": new.severity.value,
        "user": new.user,
        "address": new.address,
        "client": new.client,
        "client_url": new.client_url,
        "door": new.door.value,
        "application": new.application,
        "execution_id": new.execution_id,
        "stage_id": new.stage_id,
        "created_at": to_ms(new.created_at),
        "happened_at": to_ms(new.happened_at) if new.happened_at else None,
    }


def _delivery_rows(entry: Entry) -> list[dict[str, Any]]:
    created, rank = to_ms(entry.page.created_at), entry.page.severity.rank
    return [
        {
            "id": one.id,
            "page_id": one.page_id,
            "position": position,
            "routing_key": one.key.reveal(),
            "key_hash": one.key_hash,
            "account": one.account,
            "action": one.action.value,
            "dedup_key": one.dedup_key,
            "protocol": one.protocol.value,
            "service_id": one.service_id,
            "label": one.label,
            "state": one.state.value,
            "severity_rank": rank,
            "says": one.says,
            "due_at": created,
            "deadline_at": to_ms(one.deadline_at),
            "machine": machine,
            "created_at": created,
        }
        for position, (one, machine) in enumerate(zip(entry.page.deliveries, entry.machines, strict=True))
    ]
