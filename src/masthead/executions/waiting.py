"""Executions that wait because others of their pipeline run: who may start, and who is next when one ends.

An execution that must wait stays NOT_STARTED, and its burst rests. The end of another one asks, in the transaction that
stores it, for a burst which wakes the next; whether there is room is decided in the transaction that stores the start.
Both transactions wait for each other, so that no end is overlooked and no more run at once than may.

Source: Spinnaker compatibility facts, sections 4.5.6 and 7.5 (56).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import Connection, func, select

from masthead.executions.model import Execution, ExecutionType
from masthead.executions.status import Status
from masthead.executions.store import keep_others_out
from masthead.storage.bursts import Bursts, Turn
from masthead.storage.database import Database
from masthead.storage.schema import burst
from masthead.storage.schema import execution as table

__all__ = ["BURST", "SUPERSEDED", "Waiting", "limit_of"]

log = structlog.get_logger(__name__)
BURST = "executions-waiting"
#: Why an execution was cancelled that a newer one took the place of; Orca's words.
SUPERSEDED = (
    "This execution was queued but then canceled because a newer queued execution superceded it. This pipeline is "
    "configured to automatically cancel waiting executions."
)
#: When one that waits looks by itself whether there is room, should nobody have told it.
_LOOK_AGAIN_MS = 600_000


def limit_of(execution: Execution) -> int | None:
    """Give how many executions of its pipeline may run at once, this one included; None for any number."""
    if execution.type is not ExecutionType.PIPELINE or execution.pipeline_config_id is None:
        return None
    if execution.limit_concurrent:
        return 1
    return execution.max_concurrent_executions or None


class Waiting:
    """Decides who starts."""

    def __init__(
        self, database: Database, bursts: Bursts, kind: str, *, supersede: Callable[[str], Awaitable[None]]
    ) -> None:
        """Register with *bursts*.

        Args:
            database: Where executions and bursts are.
            bursts: What wakes those that wait.
            kind: The kind of the bursts of executions.
            supersede: Cancels an execution that has not started, because a newer one waits.
        """
        self._database = database
        self._bursts = bursts
        self._kind = kind
        self._supersede = supersede
        bursts.register(BURST, self._run)

    def is_held_back(self, connection: Connection, turn: Turn, execution: Execution) -> bool:
        """Tell whether *execution*, about to start, must wait; its run then rests.

        Paused executions do not count, as in Orca.
        """
        limit = limit_of(execution)
        if limit is None:
            return False
        keep_others_out(connection, _lock(execution.pipeline_config_id))
        running = select(func.count()).where(
            table.c.pipeline_config_id == execution.pipeline_config_id,
            table.c.status == Status.RUNNING,
            table.c.id != execution.id,
        )
        if connection.execute(running).scalar_one() < limit:
            return False
        turn.rest(connection, self._database.now_ms(connection) + _LOOK_AGAIN_MS)
        return True

    def ended(self, connection: Connection, execution: Execution) -> None:
        """Ask for the next one to be woken, in the transaction that stores the end of *execution*."""
        config_id = execution.pipeline_config_id
        if execution.type is not ExecutionType.PIPELINE or config_id is None:
            return
        has_started = execution.start_time is not None
        if not has_started and execution.cancellation_reason == SUPERSEDED:
            return
        if limit_of(execution) is not None:
            keep_others_out(connection, _lock(config_id))
        if not self._waiting(connection, config_id):
            return
        newest = "only-newest" if has_started else "newest"
        wanted = "oldest" if execution.keep_waiting_pipelines else newest
        self._bursts.request(connection, BURST, f"{config_id} {wanted}")

    async def _run(self, turn: Turn) -> None:
        config_id, wanted = turn.subject.rsplit(" ", 1)
        if wanted == "only-newest":
            found = await self._database.read(lambda connection: self._waiting(connection, config_id))
            for execution_id in found[:-1]:
                await self._supersede(execution_id)
                log.info("execution.superseded", execution=execution_id)
        chosen = await self._database.write(lambda connection: self._wake(connection, turn))
        if chosen is not None:
            self._bursts.kick(self._kind, chosen)

    def _wake(self, connection: Connection, turn: Turn) -> str | None:
        turn.hold(connection)
        config_id, wanted = turn.subject.rsplit(" ", 1)
        keep_others_out(connection, _lock(config_id))
        found = self._waiting(connection, config_id)
        chosen = None
        if found:
            chosen = found[0] if wanted == "oldest" else found[-1]
            self._bursts.request(connection, self._kind, chosen)
        turn.finish(connection)
        return chosen

    def _waiting(self, connection: Connection, config_id: str) -> list[str]:
        """Give the executions of a pipeline that wait for others to end, oldest first."""
        now = self._database.now_ms(connection)
        rests = burst.c.machine.is_(None) & (burst.c.due_at.is_(None) | (burst.c.due_at > now))
        query = (
            select(table.c.id)
            .join(burst, (burst.c.kind == self._kind) & (burst.c.subject == table.c.id))
            .where(table.c.pipeline_config_id == config_id, table.c.status == Status.NOT_STARTED, rests)
            .order_by(table.c.build_at, table.c.id)
        )
        return list(connection.execute(query).scalars())


def _lock(config_id: str | None) -> str:
    return f"of pipeline {config_id}"
