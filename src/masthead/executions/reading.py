"""Reading executions: one by its id, and the lists that Orca gives.

Source: Spinnaker compatibility facts, sections 4.2.1 to 4.2.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from masthead.executions import store
from masthead.executions.model import Document, ExecutionType
from masthead.executions.ports import Services
from masthead.executions.status import Status
from masthead.executions.store import Latest, Run
from masthead.executions.view import pipeline_view, task_view
from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import NotFound
from masthead.storage.database import Database

__all__ = ["Reading", "Run", "not_found"]

#: How long lists look back (Orca: tasks.controller.days-of-execution-history).
_HISTORY = timedelta(days=14)
#: How many executions of a pipeline are listed when none is younger than that.
_LEAST = 2


def not_found(execution_id: str, kind: ExecutionType | None = None) -> NotFound:
    """Give Orca's error for an execution that is not there."""
    if kind is ExecutionType.ORCHESTRATION:
        return NotFound(f"No orchestration found for {execution_id}")
    return NotFound(f"No pipeline found for {execution_id} with requireLatestVersion: false")


class Reading:
    """What can be asked about executions; nothing here changes one."""

    def __init__(self, database: Database, clock: Clock, services: Services) -> None:
        self._database = database
        self._clock = clock
        self._services = services

    async def get_pipeline(self, execution_id: str) -> Document:
        """Give the run of a pipeline as Orca's execution.

        Raises:
            NotFound: there is none, in Orca's words.
        """
        return self._view(await self._document(execution_id, ExecutionType.PIPELINE))

    async def get_execution(self, execution_id: str) -> Document:
        """Give the run of a pipeline or of task jobs, either as Orca's execution.

        Raises:
            NotFound: there is none.
        """
        return self._view(await self._document(execution_id))

    async def version(self, execution_id: str) -> int:
        """Give the number that moves with every change of an execution.

        Raises:
            NotFound: there is no such execution.
        """
        found = await self._database.read(lambda connection: store.version_of(connection, execution_id))
        if found is None:
            raise not_found(execution_id)
        return found

    async def latest(self, applications: Collection[str] | None = None) -> Mapping[str, Latest]:
        """Give the newest run of a pipeline of each application that has one.

        Args:
            applications: Names in lower case; None for all that there are.
        """
        return await self._database.read(lambda connection: store.latest(connection, applications))

    async def get_task(self, execution_id: str) -> Document:
        """Give a task as Orca's OrchestrationViewModel.

        Raises:
            NotFound: there is none, in Orca's words.
        """
        stored = await self._document(execution_id, ExecutionType.ORCHESTRATION)
        return task_view(stored, self._services.key_label)

    async def status_of(self, execution_id: str) -> Status | None:
        """Give the status of an execution of either kind, or None when there is none."""
        return await self._database.read(lambda connection: store.status_of(connection, execution_id))

    async def by_ids(
        self, ids: Sequence[str], *, statuses: Sequence[str] = (), expand: bool = True
    ) -> list[Document]:
        """Give the runs with these ids, in this order; unknown ids are passed over."""
        found = await self._database.read(
            lambda connection: store.find_documents(connection, ids, ExecutionType.PIPELINE)
        )
        wanted = [each for each in found if not statuses or each["status"] in statuses]
        return [self._view(each, expand=expand) for each in wanted]

    async def of_configs(
        self,
        config_ids: Sequence[str],
        *,
        limit: int = 1,
        statuses: Sequence[str] = (),
        expand: bool = True,
    ) -> list[Document]:
        """Give the newest runs of each of these pipelines, oldest start first (Orca's order).

        Source: Spinnaker compatibility facts, section 4.2.3.
        """
        since_ms = self._now_ms() - int(_HISTORY.total_seconds() * 1000)

        def work(connection: Connection) -> list[Document]:
            found = []
            for config_id in dict.fromkeys(config_ids):
                found += _listed(connection, config_id, limit=limit, statuses=statuses, since_ms=since_ms)
            return found

        found = await self._database.read(work)
        found.sort(key=lambda each: each["id"], reverse=True)
        found.sort(key=lambda each: each.get("startTime") or 0)
        return [self._view(each, expand=expand) for each in found]

    async def last_runs(self, config_ids: Sequence[str], *, limit: int = 5) -> dict[str, list[Run]]:
        """Give the newest runs of each of these pipelines, newest first, in short."""

        def work(connection: Connection) -> dict[str, list[Run]]:
            return {each: store.runs_of_config(connection, each, limit=limit) for each in config_ids}

        return await self._database.read(work)

    async def list_pipelines(
        self,
        application: str,
        *,
        limit: int = 5,
        statuses: Sequence[str] = (),
        expand: bool = True,
        name_filter: str | None = None,
        pipeline_limit: int | None = None,
    ) -> list[Document]:
        """Give the newest runs of every pipeline of *application* that still exists.

        Args:
            application: Its name.
            limit: At most so many of each pipeline.
            statuses: Only these, if any are given.
            expand: False leaves out contexts, outputs and tasks.
            name_filter: Only pipelines whose name contains this, whatever the case.
            pipeline_limit: At most so many pipelines.
        """
        configs = await self._services.pipelines.of_application(
            application, name_filter=name_filter, limit=pipeline_limit
        )
        ids = [str(config["id"]) for config in configs]
        return await self.of_configs(ids, limit=limit, statuses=statuses, expand=expand)

    async def list_tasks(
        self,
        application: str | None = None,
        *,
        page: int = 1,
        limit: int = 3500,
        statuses: Sequence[str] = (),
    ) -> list[Document]:
        """Give the tasks of *application* (None for all) of the last 14 days, newest first.

        Args:
            application: Its name, or None.
            page: Which part of the list, from 1.
            limit: How long a part is.
            statuses: Only these, if any are given.
        """
        since_ms = self._now_ms() - int(_HISTORY.total_seconds() * 1000)
        found = await self._database.read(
            lambda connection: store.tasks_of(
                connection,
                application,
                limit=limit,
                offset=(max(page, 1) - 1) * limit,
                statuses=statuses,
                since_ms=since_ms,
            )
        )
        return [task_view(each, self._services.key_label) for each in found]

    def _view(self, stored: Document, *, expand: bool = True) -> Document:
        return pipeline_view(stored, self._services.key_label, expand=expand)

    async def _document(self, execution_id: str, kind: ExecutionType | None = None) -> Document:
        found = await self._database.read(
            lambda connection: store.find_documents(connection, [execution_id], kind)
        )
        if not found:
            raise not_found(execution_id, kind)
        return found[0]

    def _now_ms(self) -> int:
        return to_ms(self._clock.now())


def _listed(
    connection: Connection, config_id: str, *, limit: int, statuses: Sequence[str], since_ms: int
) -> list[Document]:
    """Give the newest of a pipeline: of the last days, or the newest two when there are none."""
    recent = store.newest_of_config(connection, config_id, limit=limit, statuses=statuses, since_ms=since_ms)
    if recent:
        return recent
    return store.newest_of_config(connection, config_id, limit=min(limit, _LEAST), statuses=statuses)
