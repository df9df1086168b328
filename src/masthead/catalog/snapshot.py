"""The last good answers, kept in the database: served at once after a restart, with their age."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, select

from masthead.kernel.clock import from_ms, to_ms
from masthead.storage.database import Database
from masthead.storage.schema import catalog_snapshot
from masthead.storage.statements import upsert

__all__ = ["Snapshot", "Snapshots"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A list as it is stored."""

    fetched_at: datetime
    #: Whether every page of it came; else entries of an earlier one stand in.
    is_complete: bool
    documents: Sequence[Mapping[str, Any]]


class Snapshots:
    """The stored snapshots of one account."""

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self.account = account

    async def load(self, kind: str) -> Snapshot | None:
        """Give the last good snapshot of *kind* (services or oncalls), or None; one that is broken is none.

        Raises:
            StorageUnavailable: the database does not answer.
        """

        def work(connection: Connection) -> Snapshot | None:
            table = catalog_snapshot.c
            row = connection.execute(
                select(catalog_snapshot).where(table.account == self.account, table.kind == kind)
            ).first()
            if row is None:
                return None
            documents = msgspec.json.decode(row.document, type=list[dict[str, Any]])
            return Snapshot(from_ms(row.fetched_at), row.is_complete, documents)

        try:
            return await self._database.read(work)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            log.warning(
                "catalog.snapshot-unreadable", account=self.account, kind=kind, error=type(error).__name__
            )
            return None

    async def save(self, kind: str, snapshot: Snapshot) -> None:
        """Keep *snapshot* as the last good one.

        Raises:
            StorageUnavailable: it is not kept.
        """
        document = await asyncio.to_thread(msgspec.json.encode, snapshot.documents)
        values = {
            "account": self.account,
            "kind": kind,
            "fetched_at": to_ms(snapshot.fetched_at),
            "is_complete": snapshot.is_complete,
            "document": document.decode(),
        }
        await self._database.write(
            lambda connection: upsert(connection, catalog_snapshot, values, key=["account", "kind"])
        )
