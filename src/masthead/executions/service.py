"""Starting, reading and stopping executions: what the API, the triggers and the command line's server call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection

from masthead.executions import control, store
from masthead.executions.burst import Burst
from masthead.executions.changes import Changes
from masthead.executions.evaluation import Expressions
from masthead.executions.identity import remember_roles
from masthead.executions.machine import cancel_by, reschedule, take_answer
from masthead.executions.model import Document, Execution, ExecutionType
from masthead.executions.ports import Services
from masthead.executions.prepare import refusal, tasks_to_run, to_run
from masthead.executions.reading import not_found
from masthead.executions.searching import Searching
from masthead.executions.stages.registry import STAGE_TYPES, StageTypes
from masthead.executions.status import Status
from masthead.executions.view import hide_private, task_view
from masthead.executions.waiting import SUPERSEDED, Waiting, limit_of
from masthead.executions.watch import WatchedPaging
from masthead.executions.webhooks import document_of
from masthead.kernel.caller import Caller
from masthead.kernel.clock import Clock
from masthead.kernel.errors import Conflict, InvalidRequest, NotFound
from masthead.kernel.ids import Ids
from masthead.kernel.tasks import Tasks
from masthead.outbound import Reply
from masthead.paging import Page
from masthead.pipelines.expressions import Evaluated
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database

__all__ = ["BURST", "Executions"]

log = structlog.get_logger(__name__)
BURST = "execution"
#: How often a wait looks into the database for what another machine completed.
_LOOK_AGAIN_S = 1.0


class Executions(Searching):
    """The runs of this installation."""

    def __init__(
        self,
        database: Database,
        bursts: Bursts,
        clock: Clock,
        ids: Ids,
        *,
        services: Services,
        types: StageTypes = STAGE_TYPES,
    ) -> None:
        """Register with *bursts* and with paging; nothing runs before ``bursts`` does."""
        #: Whoever follows an execution is told here of what changed on this machine.
        self.changes = Changes()
        services.paging.on_decided(self._page_changed)
        paging = WatchedPaging(services.paging)
        self._expressions = Expressions(services, clock, types.raw_fields)
        services = replace(services, paging=paging, runs=self, expressions=self._expressions)
        super().__init__(database, clock, services)
        self._bursts = bursts
        self._types = types
        self._ids = ids
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._tasks = Tasks(_log_failure)
        self._tell_finished: list[Callable[[Connection, Execution], None]] = []
        self._waiting = Waiting(database, bursts, BURST, supersede=self._supersede)
        burst = Burst(
            database,
            clock,
            planner=types,
            services=services,
            expressions=self._expressions,
            on_complete=self._completed,
            is_held_back=self._waiting.is_held_back,
            on_finished=self._finished,
            on_saved=self.changes.tell,
        )
        bursts.register(BURST, burst.run, rests_long=True)
        paging.on_decided(self._page_decided)
        if services.webhooks is not None:
            services.webhooks.attempts.on_answered(self._leave_answer)

    @property
    def types(self) -> StageTypes:
        """Give the stage types that run here."""
        return self._types

    async def close(self) -> None:
        """Stop waking executions; they stay stored and are carried on after the next start."""
        await self._tasks.close()
        if self._services.webhooks is not None:
            await self._services.webhooks.attempts.close()

    def on_finished(self, tell: Callable[[Connection, Execution], None]) -> None:
        """Have *tell* called in the transaction that stores an execution as complete, once for each of its ends.

        It may run more than once, as every unit of work, and changes nothing but the database.
        """
        self._tell_finished.append(tell)

    # -- starting -----------------------------------------------------------------------------------

    async def start_pipeline(self, config: Document, caller: Caller) -> str:
        """Start the pipeline *config*, with its ``trigger``, and give the execution's id.

        An execution with the same ``trigger.correlationId`` that is not complete is given instead, and so
        is one with the same ``executionId``.

        Raises:
            InvalidRequest: it is disabled (a TERMINAL execution is recorded) or cannot be understood.

        Source: Spinnaker compatibility facts, section 4.1.
        """
        config = await self._with_parent(config)
        execution = to_run(config, caller, ids=self._ids, now_ms=self._now_ms())
        reason = refusal(config)
        if reason is not None:
            await self._record_refused(execution, reason)
            raise InvalidRequest(reason)
        await self._check_enabled(config, execution)
        await self._expressions.start(execution, config)
        return await self._start(execution)

    async def record_failure(self, config: Document, caller: Caller) -> str:
        """Record that the pipeline *config* could not be started, for the reason in its ``errorMessage``.

        Returns:
            The id of an execution that is TERMINAL and never began.
        """
        execution = to_run(config, caller, ids=self._ids, now_ms=self._now_ms())
        await self._record_refused(execution, str(config.get("errorMessage") or "it could not be started"))
        return execution.id

    async def start_tasks(self, body: Any, caller: Caller) -> str:
        """Start the jobs in *body* (Orca's ``/ops``) and give the task's id.

        Raises:
            InvalidRequest: there is no job, or one without a type.
        """
        return await self._start(tasks_to_run(body, caller, ids=self._ids, now_ms=self._now_ms()))

    async def _with_parent(self, config: Document) -> Document:
        """Put the execution into the trigger that it only names (``parentPipelineId``), as Deck leaves it to Orca."""
        trigger = config.get("trigger")
        if not isinstance(trigger, dict) or trigger.get("parentExecution"):
            return config
        parent_id = trigger.get("parentPipelineId")
        if not isinstance(parent_id, str):
            return config
        try:
            parent = await self._document(parent_id, ExecutionType.PIPELINE)
        except NotFound:
            return config
        hide_private(parent)
        more = {
            "isPipeline": True,
            "parentStatus": parent["status"],
            "parentExecution": parent,
            "parentPipelineName": parent.get("name"),
        }
        return {**config, "trigger": {**trigger, **more}}

    async def _start(self, execution: Execution) -> str:
        correlation_id = execution.correlation_id

        def work(connection: Connection) -> str:
            if correlation_id:
                store.keep_others_out(connection, correlation_id)
                if running := store.find_running_correlated(connection, correlation_id):
                    return running
            if store.insert(connection, execution):
                self._bursts.request(connection, BURST, execution.id)
            return execution.id

        started = await self._database.write(work)
        log.info(
            "execution.started", execution=started, type=execution.type, application=execution.application
        )
        self._bursts.kick(BURST, started)
        return started

    async def _record_refused(self, execution: Execution, reason: str) -> None:
        cancel_by(execution, "system", f"Failed on startup: {reason}")
        execution.status = Status.TERMINAL
        await self._database.write(lambda connection: store.insert(connection, execution))

    async def _check_enabled(self, config: Document, execution: Execution) -> None:
        """Refuse a pipeline that is stored as disabled, whatever the posted copy says."""
        config_id = execution.pipeline_config_id
        if config_id is None or execution.initial_config.get("enabled") is True:
            return
        try:
            stored = await self._services.pipelines.get(config_id)
        except NotFound:
            return
        if stored.get("disabled") is True:
            raise InvalidRequest(
                f"The pipeline config {config.get('name')} ({config_id}) belonging to"
                f" {execution.application} is disabled"
            )

    # -- trying out ---------------------------------------------------------------------------------

    async def preview(self, execution_id: str, stage: Document) -> dict[str, Evaluated]:
        """Give what the expressions of *stage* would have come to in an execution, by key; nothing is asked of the outside.

        Args:
            execution_id: A run, complete or not.
            stage: The stage's JSON; it stands where the run has the stage of its ``refId``.

        Raises:
            NotFound: there is no such execution.
        """
        execution = await self._database.read(lambda connection: store.find(connection, execution_id))
        if execution is None:
            raise not_found(execution_id)
        return await asyncio.to_thread(self._expressions.preview, execution, stage)

    # -- waiting ------------------------------------------------------------------------------------

    async def wait(self, execution_id: str, timeout_s: float) -> Document:
        """Give the execution once it is complete, or as it stands after *timeout_s* seconds.

        Returns:
            A task as :meth:`get_task`, a run of a pipeline as :meth:`get_pipeline`.

        Raises:
            NotFound: there is no such execution.
        """
        deadline = self._clock.monotonic() + timeout_s
        changed = asyncio.Event()
        self._waiters.setdefault(execution_id, set()).add(changed)
        try:
            while not await self._is_complete(execution_id):
                remaining = deadline - self._clock.monotonic()
                if remaining <= 0:
                    break
                await self._first_of(changed, min(remaining, _LOOK_AGAIN_S))
        finally:
            self._waiters[execution_id].discard(changed)
            if not self._waiters[execution_id]:
                del self._waiters[execution_id]
        stored = await self._document(execution_id)
        if stored["type"] == ExecutionType.ORCHESTRATION:
            return task_view(stored, self._services.key_label)
        return self._view(stored)

    # -- control ------------------------------------------------------------------------------------

    async def cancel(
        self,
        execution_id: str,
        caller: Caller,
        reason: str | None = None,
        *,
        kind: ExecutionType | None = None,
    ) -> None:
        """Cancel the execution: what runs ends CANCELED; one that is complete stays as it is.

        Raises:
            NotFound: there is no such execution (of *kind*, if given).
        """
        await self._change(
            execution_id, lambda one: control.cancel(one, caller.user, reason, self._now_ms()), kind=kind
        )

    async def pause(self, execution_id: str, caller: Caller) -> None:
        """Hold a pipeline's execution until :meth:`resume`.

        Raises:
            NotFound: there is no such execution.
            Conflict: it is not RUNNING.
        """
        await self._change(execution_id, lambda one: control.pause(one, caller.user, self._now_ms()))

    async def resume(self, execution_id: str, caller: Caller) -> None:
        """Let a held execution go on.

        Raises:
            NotFound: there is no such execution.
            Conflict: it is not PAUSED.
        """
        await self._change(execution_id, lambda one: control.resume(one, caller.user, self._now_ms()))

    async def restart_stage(
        self, execution_id: str, stage_id: str, caller: Caller, *, config: Document | None = None
    ) -> Document:
        """Run a stage once more, and those after it, and give the execution.

        A stage of another execution that waited for this one until it ended waits for it again. Where only so many of a
        pipeline may run at once, it waits its turn as a new one would.

        Args:
            execution_id: Which execution.
            stage_id: Of the stage, or of one inside it.
            caller: In whose name.
            config: The pipeline whose preconditions count from now on; as it is stored, if not given.

        Raises:
            NotFound: there is no such execution or stage.
            Conflict: the stage has not ended, or the execution is paused.
        """
        if config is None:
            config = await self._stored_config(execution_id)

        def restart(one: Execution) -> None:
            self._restart(one, stage_id, caller)
            control.renew_preconditions(one, config)

        def work(connection: Connection) -> list[str]:
            present: Execution | None = self._apply(connection, execution_id, restart)
            changed: list[str] = []
            while present is not None:
                changed.append(present.id)
                present = self._restart_parent(connection, present, caller)
            return changed

        for changed in await self._database.write(work):
            self._tell_changed(changed)
        return await self.get_pipeline(execution_id)

    async def change_stage(
        self, execution_id: str, stage_id: str, changes: Document, caller: Caller
    ) -> Document:
        """Merge *changes* into a stage's context, for example ``skipRemainingWait``, and give the execution.

        Raises:
            NotFound: there is no such execution or stage.
            Conflict: the stage cannot be skipped, or the judgment has been made.
            InvalidRequest: a value cannot be meant.
            AccessDenied: *caller* may not make this judgment.
        """

        def change(one: Execution) -> None:
            self._check_change(one, stage_id, changes, caller)
            control.change_stage(one, stage_id, changes, caller.user, self._now_ms())
            remember_roles(one, stage_id, caller)

        await self._change(execution_id, change)
        return await self.get_pipeline(execution_id)

    async def delete(self, execution_id: str, caller: Caller, *, kind: ExecutionType | None = None) -> None:
        """Delete an execution that is complete.

        Raises:
            NotFound: there is no such execution (of *kind*, if given).
            Conflict: it still runs, in Orca's words.
        """

        def work(connection: Connection) -> None:
            execution = store.find_to_change(connection, execution_id, kind)
            if execution is None:
                raise not_found(execution_id, kind)
            if not execution.status.is_complete:
                name = execution.type.value.lower()
                raise Conflict(f"Cannot delete a running {name}, please cancel it first.")
            store.remove(connection, execution_id)

        await self._database.write(work)
        log.info("execution.deleted", execution=execution_id, user=caller.user)

    # -- inside -------------------------------------------------------------------------------------

    async def _change(
        self,
        execution_id: str,
        change: Callable[[Execution], None],
        *,
        kind: ExecutionType | None = ExecutionType.PIPELINE,
    ) -> None:
        """Store what *change* makes of an execution and have it carried on from there."""
        await self._database.write(
            lambda connection: self._apply(connection, execution_id, change, kind=kind)
        )
        self._tell_changed(execution_id)

    def _apply(
        self,
        connection: Connection,
        execution_id: str,
        change: Callable[[Execution], None],
        *,
        kind: ExecutionType | None = ExecutionType.PIPELINE,
    ) -> Execution:
        execution = store.find_to_change(connection, execution_id, kind)
        if execution is None:
            raise not_found(execution_id, kind)
        was_complete = execution.status.is_complete
        change(execution)
        store.save(connection, execution)
        if execution.status.is_complete and not was_complete:
            self._finished(connection, execution)
        self._bursts.request(connection, BURST, execution_id)
        return execution

    def _tell_changed(self, execution_id: str) -> None:
        self.changes.tell(execution_id)
        self._bursts.kick(BURST, execution_id)

    def _restart(self, execution: Execution, stage_id: str, caller: Caller) -> None:
        had_ended = execution.status.is_complete
        control.restart(execution, stage_id, caller.user, self._now_ms(), self._types)
        if had_ended and limit_of(execution) is not None:
            execution.status = Status.NOT_STARTED

    def _restart_parent(self, connection: Connection, child: Execution, caller: Caller) -> Execution | None:
        """Have the stage that waited for *child* wait for it again; gives its execution, if there is one."""
        awaited_by = control.awaited_by(child)
        if awaited_by is None:
            return None
        parent_id, stage_id = awaited_by
        parent = store.find_to_change(connection, parent_id, ExecutionType.PIPELINE)
        if parent is None or not control.keep_child(parent, stage_id, child):
            return None
        self._restart(parent, stage_id, caller)
        store.save(connection, parent)
        self._bursts.request(connection, BURST, parent_id)
        return parent

    async def _stored_config(self, execution_id: str) -> Document:
        """Give the pipeline that an execution is of, as it is stored now; an empty object when it is not."""
        config_id = (await self._document(execution_id, ExecutionType.PIPELINE)).get("pipelineConfigId")
        try:
            return await self._services.pipelines.get(str(config_id)) if config_id else {}
        except NotFound:
            return {}

    async def _is_complete(self, execution_id: str) -> bool:
        status = await self._database.read(lambda connection: store.status_of(connection, execution_id))
        if status is None:
            raise not_found(execution_id, None)
        return status.is_complete

    async def _first_of(self, changed: asyncio.Event, seconds: float) -> None:
        tasks = (
            self._tasks.start(_wait_for(changed), name="wait for an execution"),
            self._tasks.start(self._clock.sleep(seconds), name="look again"),
        )
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def _check_change(self, execution: Execution, stage_id: str, changes: Document, caller: Caller) -> None:
        stage = next((each for each in execution.stages if each.id == stage_id), None)
        known = self._types.find(stage.lookup_type) if stage is not None else None
        if stage is not None and changes.get("alias") != stage.context.get("alias") and "alias" in changes:
            raise InvalidRequest(
                "`alias` says what a stage runs as, and cannot be changed.", pointer="/alias"
            )
        if stage is not None:
            self._expressions.check_change(stage, changes)
        if stage is not None and known is not None:
            known.check_change(stage, changes, caller, asks_roles=self._services.asks_roles())

    async def _supersede(self, execution_id: str) -> None:
        """Cancel an execution that has not started, because a newer one takes its place."""

        def change(one: Execution) -> None:
            if one.status is Status.NOT_STARTED:
                control.cancel(one, "spinnaker", SUPERSEDED, self._now_ms())

        with contextlib.suppress(NotFound):
            await self._change(execution_id, change)

    def _finished(self, connection: Connection, execution: Execution) -> None:
        self._waiting.ended(connection, execution)
        for tell in self._tell_finished:
            tell(connection, execution)

    def _completed(self, execution: Execution) -> None:
        for waiter in self._waiters.get(execution.id, ()):
            waiter.set()
        parent = execution.trigger.get("parentExecution")
        stage_id = execution.trigger.get("parentPipelineStageId")
        if isinstance(parent, dict) and isinstance(stage_id, str):
            waking = self._wake(str(parent.get("id")), stage_id)
            self._tasks.start(waking, name=f"wake {parent.get('id')}")

    def _page_changed(self, page: Page) -> None:
        """Tell those who follow its execution that *page* was decided, or that its incidents are known better."""
        if page.execution_id is not None:
            self.changes.tell(page.execution_id)

    def _page_decided(self, page: Page) -> None:
        """Wake the stage that waits for *page*."""
        if page.execution_id is not None and page.stage_id is not None:
            waking = self._wake(page.execution_id, page.stage_id)
            self._tasks.start(waking, name=f"wake {page.execution_id}")

    async def _leave_answer(self, attempt: str, answer: Reply) -> None:
        """Store what *attempt* came to, if no run has taken it: another machine has the execution now."""
        execution_id = attempt.partition("/")[0]
        left = document_of(answer)
        execution = await self._database.read(lambda connection: store.find(connection, execution_id))
        if execution is None or not take_answer(execution, attempt, left):
            return

        def work(connection: Connection) -> None:
            execution = store.find_to_change(connection, execution_id)
            if execution is not None and take_answer(execution, attempt, left):
                store.save(connection, execution)
                self._bursts.request(connection, BURST, execution_id)

        await self._database.write(work)
        self._bursts.kick(BURST, execution_id)

    async def _wake(self, execution_id: str, stage_id: str) -> None:
        def work(connection: Connection) -> None:
            execution = store.find_to_change(connection, execution_id)
            if execution is not None and reschedule(execution, stage_id):
                store.save(connection, execution)
                self._bursts.request(connection, BURST, execution_id)

        await self._database.write(work)
        self._bursts.kick(BURST, execution_id)


async def _wait_for(changed: asyncio.Event) -> None:
    await changed.wait()


def _log_failure(name: str, error: BaseException) -> None:
    log.error("task.failed", task=name, error=type(error).__name__)
