"""Triggers of type ``pipeline``: when an execution of a pipeline ends, those start that wait for it.

The end is noted in the transaction that stores the execution as complete, as a burst that names the end itself. The
burst starts the children, each with an id made of the end and of itself: cut anywhere, on any machine, it is run again
and starts none twice.

Source: Spinnaker compatibility facts, section 4.12.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from masthead.executions import Executions, ExecutionType, Status
from masthead.executions.children import child_trigger, too_deep
from masthead.executions.model import Execution
from masthead.executions.store import find
from masthead.kernel.caller import Caller
from masthead.pipelines import Pipelines
from masthead.storage.bursts import Bursts, Turn
from masthead.storage.database import Database
from masthead.triggers.ids import id_of_run
from masthead.triggers.starting import start

__all__ = ["BURST", "Endings"]

log = structlog.get_logger(__name__)
BURST = "execution-ended"
_WORDS = {Status.SUCCEEDED: "successful", Status.CANCELED: "canceled", Status.SUSPENDED: "suspended"}


@dataclass(frozen=True, slots=True)
class _Ending:
    """One end of an execution; a stage that is restarted leads to another one."""

    execution_id: str
    status: Status
    at_ms: int

    @classmethod
    def of(cls, execution: Execution) -> _Ending:
        """Give the end of a complete execution; one that never started ended when it was made, as far as we know."""
        return cls(execution.id, execution.status, execution.end_time or execution.build_time or 0)

    @classmethod
    def parse(cls, subject: str) -> _Ending:
        """Read what :attr:`subject` gave."""
        execution_id, status, at_ms = subject.rsplit(" ", 2)
        return cls(execution_id, Status(status), int(at_ms))

    @property
    def subject(self) -> str:
        """Give the name of its burst."""
        return f"{self.execution_id} {self.status.value} {self.at_ms}"

    @property
    def word(self) -> str:
        """Give the status as triggers spell it."""
        return _WORDS.get(self.status, "failed")


class Endings:
    """Starts what waits for the end of an execution."""

    def __init__(
        self, database: Database, bursts: Bursts, *, pipelines: Pipelines, executions: Executions
    ) -> None:
        """Register with *bursts* and *executions*."""
        self._database = database
        self._bursts = bursts
        self._pipelines = pipelines
        self._executions = executions
        bursts.register(BURST, self._run)
        executions.on_finished(self._note)

    def _note(self, connection: Connection, execution: Execution) -> None:
        """Remember the end, if somebody may wait for it, in the transaction that stores it."""
        config_id = execution.pipeline_config_id
        if execution.type is not ExecutionType.PIPELINE or config_id is None:
            return
        if self._pipelines.is_awaited(connection, "pipeline", config_id):
            self._bursts.request(connection, BURST, _Ending.of(execution).subject)

    async def _run(self, turn: Turn) -> None:
        ending = _Ending.parse(turn.subject)
        parent = await self._database.read(lambda connection: find(connection, ending.execution_id))
        if parent is not None:
            await self._start_all(parent, ending)
        await self._database.write(lambda connection: _finish(connection, turn))

    async def _start_all(self, parent: Execution, ending: _Ending) -> None:
        children = await self._pipelines.triggered_by(parent.pipeline_config_id or "", ending.word)
        sentence = too_deep(parent.trigger)
        if children and sentence is not None:
            names = [child["name"] for child in children]
            log.warning("trigger.loop", execution=parent.id, pipelines=names, error=sentence)
            return
        caller = _caller(parent)
        for child in children:
            execution_id = id_of_run(ending.at_ms, parent.id, ending.status, child["id"])
            correlation_id = f"{parent.id}_null_{child['id']}_{ending.at_ms}"
            trigger = child_trigger(parent, user=caller.user, correlation_id=correlation_id)
            await start(self._executions, child, trigger, caller, execution_id=execution_id)


def _caller(parent: Execution) -> Caller:
    private = parent.masthead or {}
    return Caller(
        user=parent.user,
        origin=parent.origin,
        address=str(private.get("address") or ""),
        request_id=str(private.get("requestId") or ""),
        roles=tuple(private.get("roles") or ()),
    )


def _finish(connection: Connection, turn: Turn) -> None:
    turn.hold(connection)
    turn.finish(connection)
