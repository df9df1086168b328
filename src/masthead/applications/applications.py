"""Front50's applications: create, read, merge, replace, delete, history.

Decided here, beside Front50's own rules: a missing application is created by a merge or a replacement; the
application ``spinnaker``, under which Deck files pages that belong to none, is stored at start and cannot be
deleted; what depends on an application is deleted in the same transaction, by those who subscribed.

Source: Spinnaker compatibility facts, sections 3.1, 3.2 and 7.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from masthead.applications import rows
from masthead.applications.document import accept, application_id, merge, pd_api_key, shown_name, stamp
from masthead.applications.names import NameRule, is_storable, require_storable, validate
from masthead.applications.search import search
from masthead.kernel.caller import ANONYMOUS, SYSTEM, Caller
from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import Conflict, InvalidRequest, NotFound
from masthead.kernel.secret import Secret
from masthead.storage.database import Database

__all__ = ["SPINNAKER", "Applications", "Deletion", "DeletionSubscriber"]

#: The application that always exists. Source: Deck's payloads, section 5 (tasks of the pager screen).
SPINNAKER = "spinnaker"
_SPINNAKER_DOCUMENT = {
    "name": SPINNAKER,
    "email": "spinnaker@localhost",
    "description": "Stands for everything that belongs to no application, such as pages sent by hand.",
}
#: A taken name can be freed by a deletion between two statements; more often than this it is not chance.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Deletion:
    """That an application is being deleted: its id, who does it, and when (ms since 1970)."""

    application: str
    by: str
    at: int


#: Runs inside the deleting transaction, perhaps more than once; what it raises keeps the application.
DeletionSubscriber = Callable[[Connection, Deletion], None]


class Applications:
    """All applications of this installation.

    Documents are plain dicts with Front50's keys; the integration key stands in them as Deck needs it, so
    they go to nobody but Deck, Front50's clients and :meth:`pd_api_key`.
    """

    def __init__(self, database: Database, clock: Clock, *, name_rule: NameRule | None = None) -> None:
        """Args: name_rule: the operator's own rule for names; none allows every name."""
        self._database = database
        self._clock = clock
        self._name_rule = name_rule or NameRule()
        self._deletion_subscribers: list[DeletionSubscriber] = []

    @staticmethod
    def pd_api_key(document: Mapping[str, Any]) -> Secret | None:
        """Give the integration key that pages the owners of this application, or None."""
        return pd_api_key(document)

    def on_deleted(self, subscriber: DeletionSubscriber) -> None:
        """Have *subscriber* delete what depends on an application, in the application's own transaction."""
        self._deletion_subscribers.append(subscriber)

    async def ensure_spinnaker(self) -> None:
        """Store the application ``spinnaker`` unless it is there; call it once at start."""
        document = self._first_version(accept(_SPINNAKER_DOCUMENT), SYSTEM)
        await self._database.write(lambda connection: rows.add(connection, SPINNAKER, document))

    async def list_all(
        self,
        caller: Caller = ANONYMOUS,  # noqa: ARG002 - where READ will be checked
        *,
        filters: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Give all applications, sorted by name.

        Args:
            caller: Who asks.
            filters: Attribute to text: only applications that contain every text in its attribute
                (any case), best matches first.
        """
        documents = await self._database.read(rows.fetch_all)
        return search(documents, filters) if filters else documents

    async def mark(self) -> tuple[int, int]:
        """Give what differs whenever an application was added, changed or deleted; cheaper than reading them all."""
        return await self._database.read(rows.mark)

    async def get(self, name: str, caller: Caller = ANONYMOUS) -> dict[str, Any]:  # noqa: ARG002 - as list_all
        """Give the application *name*, in whatever case it is written.

        Raises:
            NotFound: there is none.
        """
        document = await self.find(name)
        if document is None:
            raise NotFound(f"Application not found (id: {name})")
        return document

    async def find(self, name: str) -> dict[str, Any] | None:
        """Give the application *name*, or None; what the database cannot say is raised, never None."""
        key = application_id(name)
        return await self._database.read(lambda c: rows.fetch(c, key)) if is_storable(key) else None

    async def find_many(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Give those applications of *names* that exist, each under the name it was asked by."""
        keys = {name: application_id(name) for name in names if is_storable(name)}
        found = await self._database.read(lambda c: rows.fetch_some(c, keys.values()))
        return {name: found[key] for name, key in keys.items() if key in found}

    async def create(self, document: object, caller: Caller) -> dict[str, Any]:
        """Store a new application.

        Returns:
            The application as stored.

        Raises:
            ValidationFailed: it breaks Front50's rules.
            InvalidRequest: an application of that name exists, or an attribute has the wrong type.
        """
        accepted = accept(document)
        validate(accepted, self._name_rule)
        first = self._first_version(accepted, caller)

        def work(connection: Connection) -> dict[str, Any]:
            if not rows.add(connection, application_id(first["name"]), first):
                raise InvalidRequest("Application already exists", pointer="/name")
            return first

        return await self._database.write(work)

    async def merge(self, name: str, document: object, caller: Caller) -> dict[str, Any]:
        """Lay *document* over the stored application: what it does not mention stays; missing is created.

        Declared attributes sent as null stay as well; any other can be blanked by null or "".

        Raises:
            ValidationFailed: the merged application breaks Front50's rules.
            InvalidRequest: the document's name is not *name*, or an attribute has the wrong type.
        """
        return await self._change(name, document, caller, join=merge)

    async def replace(self, name: str, document: object, caller: Caller) -> dict[str, Any]:
        """Put *document* in the place of the stored application; missing is created.

        Raises:
            ValidationFailed: the application breaks Front50's rules.
            InvalidRequest: as :meth:`merge`.
        """
        return await self._change(name, document, caller, join=lambda accepted, _: dict(accepted))

    async def delete(self, name: str, caller: Caller) -> None:
        """Delete the application and what depends on it; its history stays. One that is not there is no error.

        Raises:
            Conflict: it is ``spinnaker``.
        """
        key = application_id(name)
        if key == SPINNAKER:
            raise Conflict(
                f"Application '{name}' cannot be deleted: what belongs to no application stands there."
            )
        now, by = to_ms(self._clock.now()), _user(caller)

        def work(connection: Connection) -> None:
            stored = rows.lock(connection, key)
            if stored is None:
                return
            deletion = Deletion(key, by, _after(stored, now))
            for subscriber in self._deletion_subscribers:
                subscriber(connection, deletion)
            rows.remove(connection, key, _tombstone(stored, deletion))

        if is_storable(key):
            await self._database.write(work)

    async def history(
        self,
        name: str,
        limit: int = 20,
        *,
        caller: Caller = ANONYMOUS,  # noqa: ARG002 - as list_all
    ) -> list[dict[str, Any]]:
        """Give the newest *limit* versions, newest first, also of a deleted application; empty when unknown.

        The version that stands for a deletion has ``deleted`` set and only says by whom and when.
        """
        key = application_id(name)
        if limit < 1 or not is_storable(key):
            return []
        return await self._database.read(lambda connection: rows.versions(connection, key, limit))

    async def _change(
        self,
        name: str,
        document: object,
        caller: Caller,
        *,
        join: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]],
    ) -> dict[str, Any]:
        accepted = accept(document)
        _require_same_name(accepted["name"], name)
        first = self._first_version(accepted, caller)
        key, now = application_id(name), int(first["updateTs"])

        def work(connection: Connection) -> dict[str, Any]:
            stored = self._lock_or_add(connection, key, first)
            if stored is None:
                return first
            joined = join(accepted, stored)
            validate(joined, self._name_rule)
            created_at, updated_at = int(stored["createTs"]), _after(stored, now)
            changed = stamp(joined, created_at=created_at, updated_at=updated_at, by=first["lastModifiedBy"])
            rows.change(connection, key, changed)
            return changed

        return await self._database.write(work)

    def _lock_or_add(
        self, connection: Connection, key: str, first: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Give the stored application, locked; or store *first* and give None."""
        for _ in range(_TRIES):
            stored = rows.lock(connection, key)
            if stored is not None:
                return stored
            validate(first, self._name_rule)
            if rows.add(connection, key, first):
                return None
        raise Conflict(f"Application '{key}' is being changed by others; try again.")

    def _first_version(self, accepted: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        now = to_ms(self._clock.now())
        return stamp(accepted, created_at=now, updated_at=now, by=_user(caller))


def _require_same_name(name: str, asked: str) -> None:
    if application_id(name) != application_id(asked):
        raise InvalidRequest(
            f"Application name '{name}' does not match path parameter '{asked}'", pointer="/name"
        )
    require_storable(name)


def _tombstone(stored: Mapping[str, Any], deletion: Deletion) -> dict[str, Any]:
    name = shown_name(stored["name"])
    return {"name": name, "deleted": True, "updateTs": str(deletion.at), "lastModifiedBy": deletion.by}


def _after(stored: Mapping[str, Any], now: int) -> int:
    """Give *now*, or a moment later than the stored version when the clock did not move."""
    return max(now, int(stored["updateTs"]) + 1)


def _user(caller: Caller) -> str:
    return caller.user or ANONYMOUS.user
