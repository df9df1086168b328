"""Front50's pipelines: save, update, read, list, reorder, delete, history.

Saving serialises itself on the row (or on the writer), and the unique index on application and folded name
guards against two machines that create the same name in one moment.

Source: Spinnaker compatibility facts, section 3.5; improvements after 7.4 (42, 44, 47).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.kernel.ids import Ids
from masthead.pipelines import rows, rules, trigger_rows
from masthead.pipelines.batch import batch_result
from masthead.pipelines.checks import Checks
from masthead.pipelines.document import (
    Submitted,
    accept,
    application_id,
    folded,
    is_storable,
    stamp,
    tombstone,
    whole_index,
)
from masthead.pipelines.listing import Wanted, arrange, is_triggered_by, renumber
from masthead.storage.database import Database

__all__ = ["ApplicationDeletion", "Changed", "Pipelines"]


#: Is told of a pipeline as it was and as it is now; None where there was, or is, none.
Changed = Callable[[Connection, dict[str, Any] | None, dict[str, Any] | None], None]


class ApplicationDeletion(Protocol):
    """That an application is being deleted, as masthead.applications tells it."""

    @property
    def application(self) -> str:
        """The application's id."""
        ...

    @property
    def by(self) -> str:
        """The user's name."""
        ...

    @property
    def at(self) -> int:
        """When, in milliseconds since 1970."""
        ...


#: Pipelines that are saved with one request.
_MOST_AT_ONCE = 1000


class Pipelines:
    """All pipeline definitions of this installation, as plain dicts with Front50's keys."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        #: What is looked at before a pipeline is stored; other parts add to it.
        self.checks = Checks()
        self._tell_changed: list[Changed] = []

    def on_changed(self, tell: Changed) -> None:
        """Have *tell* called in each transaction that stores or deletes a pipeline, after it did.

        It may run more than once, as every unit of work, and changes nothing but the database.
        """
        self._tell_changed.append(tell)

    async def of_application(
        self,
        application: str,
        *,
        name_filter: str | None = None,
        limit: int | None = None,
        enabled: bool | None = None,
        caller: Caller = ANONYMOUS,  # noqa: ARG002 - where READ will be checked
    ) -> list[dict[str, Any]]:
        """Give the application's pipelines in their order, with an index from 0 without gaps.

        Args:
            application: In any case; one that does not exist has no pipelines.
            name_filter: Only names that contain this, in any case.
            limit: Most pipelines of the answer.
            enabled: Only enabled, or only disabled ones.
            caller: Who asks.
        """
        key = _key(application_id(application))
        found = await self._database.read(lambda connection: rows.fetch_of(connection, key))
        part, wanted = folded(name_filter or ""), Wanted(enabled=enabled)
        kept = [one for one in arrange(found) if part in one["name"].lower() and wanted.matches(one)]
        return renumber(kept if limit is None else kept[: max(limit, 0)])

    async def list_all(
        self,
        caller: Caller = ANONYMOUS,  # noqa: ARG002 - as of_application
        *,
        enabled: bool | None = None,
        enabled_triggers: bool | None = None,
        trigger_types: Collection[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Give the pipelines of all applications that satisfy all filters, by application and then in order."""
        wanted = Wanted(enabled, enabled_triggers, trigger_types)
        found = await self._database.read(rows.fetch_all)
        kept = [one for one in arrange(found) if wanted.matches(one)]
        return sorted(kept, key=lambda one: application_id(one["application"]))

    async def search(
        self,
        text: str,
        *,
        limit: int,
        caller: Caller = ANONYMOUS,  # noqa: ARG002 - as of_application
    ) -> list[dict[str, Any]]:
        """Give at most *limit* pipelines that have every word of *text* in their name or application, by both."""
        words = folded(text).split()
        if not is_storable(text):
            return []
        return await self._database.read(lambda connection: rows.fetch_matching(connection, words, limit))

    async def get(self, pipeline_id: str, caller: Caller = ANONYMOUS) -> dict[str, Any]:  # noqa: ARG002 - as above
        """Give the pipeline of that id.

        Raises:
            NotFound: there is none.
        """
        key = _key(pipeline_id)
        found = await self._database.read(lambda connection: rows.fetch(connection, key))
        if found is None:
            raise NotFound(f"No pipeline found with id {pipeline_id}")
        return found

    async def get_named(
        self,
        application: str,
        name: str,
        *,
        caller: Caller = ANONYMOUS,  # noqa: ARG002 - as of_application
    ) -> dict[str, Any]:
        """Give the application's pipeline of that name, in any case.

        Raises:
            NotFound: there is none.
        """
        app, key = _key(application_id(application)), _key(folded(name))
        found = await self._database.read(lambda connection: rows.fetch_named(connection, app, key))
        if found is None:
            raise NotFound(f"No pipeline found in cache with application {application}, name {name}")
        return found

    async def find(self, application: str, name_or_id: str) -> dict[str, Any] | None:
        """Give the application's pipeline of that name, else of that id; never one of another application."""
        app, name, pipeline_id = map(_key, (application_id(application), folded(name_or_id), name_or_id))

        def work(connection: Connection) -> dict[str, Any] | None:
            named = rows.fetch_named(connection, app, name)
            found = named or rows.fetch(connection, pipeline_id)
            return found if found and application_id(found["application"]) == app else None

        return await self._database.read(work)

    async def save(self, document: object, caller: Caller, *, stale_check: bool = False) -> dict[str, Any]:
        """Store a pipeline: a new one, or the next version of the one that has its id.

        Args:
            document: Front50's JSON; without ``index`` a stored pipeline keeps its own and a new one comes last.
            caller: Who saves.
            stale_check: Refuse a document whose ``updateTs`` is not the stored one.

        Returns:
            The pipeline as stored.

        Raises:
            IncompletePipeline: no name or no application.
            InvalidRequest: stale, of another application, a name that is taken, or a pipeline that cannot run;
                ``errors`` lists all there is to say.
        """
        submitted = accept(document, self._ids)
        return await self._store(submitted, caller, stale_check=stale_check)

    async def update(
        self, pipeline_id: str, document: object, caller: Caller, *, stale_check: bool = False
    ) -> dict[str, Any]:
        """Store the next version of the pipeline *pipeline_id*; a document without id means that one.

        Raises:
            NotFound: there is no such pipeline.
            InvalidRequest: the document has another id; else as :meth:`save`.
        """
        stored = await self.get(pipeline_id)
        given = document.get("id") if isinstance(document, Mapping) else None
        if given and given != stored["id"]:
            raise InvalidRequest(
                f"The provided id {given} doesn't match the existing pipeline id {stored['id']}",
                pointer="/id",
            )
        if isinstance(document, Mapping):
            document = {**document, "id": stored["id"]}
        submitted = accept(document, self._ids)
        return await self._store(submitted, caller, stale_check=stale_check, must_exist=True)

    async def batch_save(
        self, documents: object, caller: Caller, *, stale_check: bool = False
    ) -> dict[str, Any]:
        """Save many pipelines, each for itself, in the order given.

        Returns:
            Front50's result: counts, the names of the saved, and each refused document with ``errorMsg``.

        Raises:
            InvalidRequest: *documents* is no list, or a very long one.
            StorageUnavailable: the database failed; some may have been saved.
        """
        if not isinstance(documents, list):
            raise InvalidRequest("Pipelines to save are a JSON list.", pointer="")
        if len(documents) > _MOST_AT_ONCE:
            raise InvalidRequest(f"At most {_MOST_AT_ONCE:,} pipelines are saved at once.")
        saves = (self.save(document, caller, stale_check=stale_check) for document in documents)
        results = await asyncio.gather(*saves, return_exceptions=True)
        return batch_result(documents, results)

    async def delete(self, application: str, name: str, caller: Caller) -> None:
        """Delete the application's pipeline of that name, in any case; its history stays.

        Raises:
            NotFound: there is none.
        """
        app, key = _key(application_id(application)), _key(folded(name))
        now, by = self._now(), _user(caller)

        def work(connection: Connection) -> None:
            stored = rows.lock_named(connection, app, key)
            if stored is None:
                raise NotFound(f"No pipeline found with name '{name}' in application '{application}'")
            self._remove(connection, [stored], now=now, by=by)

        await self._database.write(work)

    def delete_of_application(self, connection: Connection, deletion: ApplicationDeletion) -> None:
        """Delete all pipelines of an application within the transaction that deletes it; their history stays.

        Subscribe it to the applications' deletions.
        """
        stored = rows.lock_of(connection, application_id(deletion.application))
        self._remove(connection, stored, now=deletion.at, by=deletion.by)

    async def history(
        self,
        pipeline_id: str,
        limit: int = 20,
        *,
        caller: Caller = ANONYMOUS,  # noqa: ARG002 - as of_application
    ) -> list[dict[str, Any]]:
        """Give the newest *limit* versions, newest first, also of a deleted pipeline; empty when unknown.

        The version that stands for a deletion has ``deleted`` set and only says by whom and when.
        """
        key = _key(pipeline_id)
        return await self._database.read(lambda connection: rows.versions(connection, key, max(limit, 0)))

    async def reorder(
        self,
        application: str,
        ids_to_indices: object,
        caller: Caller,  # noqa: ARG002 - where WRITE will be checked
    ) -> None:
        """Give the named pipelines the indices named with them; all or none.

        No version is made and ``updateTs`` stays: who has one of them open can still save it.

        Raises:
            NotFound: an id is unknown.
            InvalidRequest: something is missing, or an id belongs to another application.
        """
        app = _key(application_id(application or ""))
        if not app:
            raise InvalidRequest("`application` is required field on request body", pointer="/application")
        wanted = _indices(ids_to_indices)

        def work(connection: Connection) -> None:
            for pipeline_id in sorted(wanted):
                stored = rows.lock(connection, pipeline_id)
                if stored is None:
                    raise NotFound(f"No pipeline found with id {pipeline_id}")
                if application_id(stored["application"]) != app:
                    message = f"Pipeline with id {pipeline_id} does not belong to application {application}"
                    raise InvalidRequest(message, pointer=f"/idsToIndices/{pipeline_id}")
                rows.put_index(connection, stored, wanted[pipeline_id])

        await self._database.write(work)

    async def triggered_by(
        self, pipeline_id: str, status: str, *, caller: Caller = ANONYMOUS
    ) -> list[dict[str, Any]]:
        """Give the enabled pipelines to start when *pipeline_id* ended with *status* (such as "successful")."""
        waiting = await self.waiting_for("pipeline", pipeline_id, caller=caller)
        return [one for one in waiting if is_triggered_by(one, pipeline_id, status=status)]

    async def waiting_for(
        self,
        kind: str,
        subject: str,
        *,
        caller: Caller = ANONYMOUS,  # noqa: ARG002 - as of_application
    ) -> list[dict[str, Any]]:
        """Give the enabled pipelines that may have an enabled trigger of type *kind* on *subject*.

        Args:
            kind: "pipeline" or "webhook".
            subject: A pipeline's id, or a webhook's source; compared up to 200 characters.
            caller: Who asks.
        """
        found = await self._database.read(lambda connection: rows.fetch_waiting(connection, kind, subject))
        return sorted(arrange(found), key=lambda one: application_id(one["application"]))

    def triggered(self, connection: Connection, kind: str) -> list[dict[str, Any]]:
        """Give within a transaction the enabled pipelines that have an enabled trigger of type *kind*."""
        return rows.fetch_triggered(connection, kind)

    def named_by(self, connection: Connection, kind: str, subject: str) -> list[dict[str, Any]]:
        """Give within a transaction what :meth:`waiting_for` gives, by their ids."""
        return rows.fetch_waiting(connection, kind, subject)

    def is_awaited(self, connection: Connection, kind: str, subject: str) -> bool:
        """Tell within a transaction whether :meth:`waiting_for` may give something."""
        return trigger_rows.is_awaited(connection, kind, subject)

    async def index_triggers(self) -> None:
        """See to it that every pipeline can be found by what it waits for.

        At a start: a release of Masthead from before the index may have written pipelines until then.
        """
        stale = await self._database.read(
            lambda connection: [
                one["id"] for one in rows.fetch_all(connection) if trigger_rows.differs(connection, one)
            ]
        )

        def work(connection: Connection) -> None:
            for pipeline_id in sorted(stale):
                stored = rows.lock(connection, pipeline_id)
                if stored is not None:
                    trigger_rows.keep(connection, stored)

        if stale:
            await self._database.write(work)

    async def _store(
        self, submitted: Submitted, caller: Caller, *, stale_check: bool, must_exist: bool = False
    ) -> dict[str, Any]:
        rules.require_template(submitted.document)
        error = await asyncio.to_thread(rules.definition_error, submitted.document, self.checks)
        now, by = self._now(), _user(caller)

        def work(connection: Connection) -> dict[str, Any]:
            stored = rows.lock(connection, submitted.id)
            if stored is not None:
                _hold(submitted, stored, stale_check=stale_check)
            elif must_exist:
                raise NotFound(f"No pipeline found with id {submitted.id}")
            if error is not None:
                raise error
            version = stamp(submitted.document, stored, now=now, by=by)
            if "index" not in version:
                version["index"] = rows.next_index(connection, submitted.application)
            rows.store(connection, version, is_new=stored is None)
            self._changed(connection, stored, version)
            return version

        return await self._database.write(work)

    def _remove(self, connection: Connection, stored: Sequence[dict[str, Any]], *, now: int, by: str) -> None:
        rows.remove(connection, [tombstone(one, now=now, by=by) for one in stored])
        for one in stored:
            self._changed(connection, one, None)

    def _changed(
        self, connection: Connection, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        for tell in self._tell_changed:
            tell(connection, before, after)

    def _now(self) -> int:
        return to_ms(self._clock.now())


def _hold(submitted: Submitted, stored: Mapping[str, Any], *, stale_check: bool) -> None:
    rules.require_own(submitted, stored)
    if stale_check:
        rules.require_fresh(submitted, stored)


def _indices(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise InvalidRequest("`idsToIndices` is required field on request body", pointer="/idsToIndices")
    return {
        _key(str(one)): whole_index(index, pointer=f"/idsToIndices/{one}") for one, index in value.items()
    }


def _key(text: str) -> str:
    """Give *text* as both databases can look for it; what neither can store becomes "", which nothing has."""
    return text if is_storable(text) else ""


def _user(caller: Caller) -> str:
    return caller.user or ANONYMOUS.user
