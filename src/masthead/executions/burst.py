"""One burst of an execution: run every task that can run, at the same time, until nothing is left to do now.

The execution is written before a task begins that may touch the outside, when something that people watch
for has changed while other tasks still run, and at the end, together with the instant of the next burst.
Between two writes everything may be lost and is done again: tasks are safe to repeat.

Whoever changes an execution from outside moves its generation; this run then stops without writing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from masthead.executions import store
from masthead.executions.evaluation import Expressions
from masthead.executions.failure import is_retryable
from masthead.executions.identity import caller_of
from masthead.executions.machine import Machine, Step, abandon, attempt_name
from masthead.executions.model import Execution
from masthead.executions.planning import Planner
from masthead.executions.ports import Services
from masthead.executions.stages.base import TaskContext, TaskResult
from masthead.executions.status import Status
from masthead.executions.timeouts import overdue_text
from masthead.executions.waiting import limit_of
from masthead.kernel.clock import Clock, from_ms, to_ms
from masthead.kernel.errors import MastheadError
from masthead.kernel.tasks import Tasks
from masthead.storage.bursts import Superseded, Turn
from masthead.storage.database import Database

__all__ = ["Burst"]

log = structlog.get_logger(__name__)
#: Runs that raised, each after twice the pause of the one before, until an execution is given up: about four minutes.
_MOST_DEATHS = 8


@dataclass(slots=True)
class _Outcome:
    """What one run of a task came to: a result, or what it raised."""

    result: TaskResult | None = None
    error: Exception | None = None


class Burst:
    """The parts that every burst uses; :meth:`run` is what ``storage.bursts`` calls."""

    def __init__(  # noqa: PLR0913 - the parts it is built from, by name
        self,
        database: Database,
        clock: Clock,
        *,
        planner: Planner,
        services: Services,
        expressions: Expressions,
        on_complete: Callable[[Execution], None],
        is_held_back: Callable[[Connection, Turn, Execution], bool] = lambda *_: False,
        on_finished: Callable[[Connection, Execution], None] = lambda _connection, _execution: None,
        on_saved: Callable[[str], None] = lambda _execution_id: None,
    ) -> None:
        """Args: on_complete: called with an execution that is complete and stored.

        is_held_back: called in the transaction that stores a start; when it says yes nothing is stored, and it has
        ended the turn.
        on_finished: called once for each end of an execution, in the transaction that stores it as complete.
        on_saved: called with the id of an execution whenever a change of it is stored.
        """
        self._database = database
        self._clock = clock
        self._planner = planner
        self._services = services
        self._expressions = expressions
        self._on_complete = on_complete
        self._is_held_back = is_held_back
        self._on_finished = on_finished
        self._on_saved = on_saved

    async def run(self, turn: Turn) -> None:
        """Carry the execution ``turn.subject`` as far as it goes now.

        Raises:
            Superseded: it was changed from outside meanwhile; nothing more is written.
        """
        execution = await self._database.read(lambda connection: store.find(connection, turn.subject))
        if execution is None:
            await self._database.write(lambda connection: _finish(connection, turn))
            return
        machine = Machine(execution, self._planner, self._now_ms, self._expressions)
        tasks = Tasks(_log_failure)
        try:
            await self._carry(turn, machine, tasks)
        except (Superseded, MastheadError):
            raise
        except Exception as error:
            if not await self._is_given_up(turn, error):
                raise
        finally:
            await tasks.close()

    async def _is_given_up(self, turn: Turn, error: Exception) -> bool:
        """End an execution that again and again cannot be carried on, because nothing that people wait for may hang."""

        def work(connection: Connection) -> Execution | None:
            turn.hold(connection)
            execution = store.find(connection, turn.subject)
            if execution is None or turn.deaths(connection) < _MOST_DEATHS:
                return None
            abandon(execution, error, self._now_ms())
            store.save(connection, execution)
            turn.finish(connection)
            self._on_finished(connection, execution)
            return execution

        execution = await self._database.write(work)
        if execution is None:
            return False
        log.error("execution.given-up", execution=execution.id, exc_info=error)
        self._on_saved(execution.id)
        self._on_complete(execution)
        return True

    async def _carry(self, turn: Turn, machine: Machine, tasks: Tasks) -> None:
        is_start = machine.execution.status is Status.NOT_STARTED
        machine.advance()
        if (
            is_start
            and limit_of(machine.execution) is not None
            and not await self._is_admitted(turn, machine)
        ):
            return
        await self._tell_cancelled(machine)
        running: dict[asyncio.Task[_Outcome], Step] = {}
        outdated = tasks.start(_outdated(turn), name=f"watch {turn.subject}")
        while True:
            await self._launch(turn, machine, running, tasks)
            if not running:
                break
            if machine.is_changed:
                await self._save(turn, machine)
            await asyncio.wait((*running, outdated), return_when=asyncio.FIRST_COMPLETED)
            if outdated.done():
                raise Superseded
            self._collect(machine, running)
            await self._tell_cancelled(machine)
        await self._rest(turn, machine)

    async def _is_admitted(self, turn: Turn, machine: Machine) -> bool:
        """Store the start, if the execution need not wait for others."""
        if machine.execution.status is not Status.RUNNING:
            return True

        def work(connection: Connection) -> bool:
            turn.hold(connection)
            if self._is_held_back(connection, turn, machine.execution):
                return False
            store.save(connection, machine.execution)
            return True

        is_admitted = await self._database.write(work)
        machine.is_changed = machine.is_changed and not is_admitted
        return is_admitted

    async def _launch(
        self,
        turn: Turn,
        machine: Machine,
        running: dict[asyncio.Task[_Outcome], Step],
        tasks: Tasks,
    ) -> None:
        """Run instant tasks to their end, then start the others, the execution being stored before."""
        while True:
            waiting = self._due(machine, running)
            await self._evaluate(machine, waiting)
            instant = [step for step in waiting if step.type.is_instant]
            if not instant:
                break
            for step in instant:
                if machine.is_running(step):  # one before it may have ended the execution
                    _apply(machine, step, await self._attempt(machine, step))
                    # A thousand in a row are not to keep everything else from its turn.
                    await asyncio.sleep(0)
            await self._tell_cancelled(machine)
        repeated = {step.key for step in waiting if step.type.is_once and machine.begin(step)}
        if waiting and machine.is_changed:
            await self._save(turn, machine)
        for step in waiting:
            attempt = self._attempt(machine, step, is_repeated=step.key in repeated)
            task = tasks.start(attempt, name=f"{step.task.name} {step.stage.id}")
            running[task] = step

    async def _evaluate(self, machine: Machine, steps: Sequence[Step]) -> None:
        """Evaluate what did not resolve yet in the stages that are about to run, so that it is stored before."""
        stages = {step.stage.id: step.stage for step in steps if self._expressions.is_pending(step.stage)}
        found = await asyncio.gather(
            *(self._expressions.go_on(machine.execution, stage) for stage in stages.values())
        )
        machine.is_changed = machine.is_changed or any(found)

    def _due(self, machine: Machine, running: dict[asyncio.Task[_Outcome], Step]) -> list[Step]:
        now_ms = self._now_ms()
        begun = {step.key for step in running.values()}
        return [step for step in machine.running() if step.key not in begun and step.due_at() <= now_ms]

    def _collect(self, machine: Machine, running: dict[asyncio.Task[_Outcome], Step]) -> None:
        for task in [task for task in running if task.done()]:
            step = running.pop(task)
            if machine.is_running(step):
                _apply(machine, step, task.result())
        for task in [task for task, step in running.items() if not machine.is_running(step)]:
            del running[task]
            task.cancel()

    async def _attempt(self, machine: Machine, step: Step, *, is_repeated: bool = False) -> _Outcome:
        """Run the task once; whatever it raises is an outcome."""
        work = self._work(machine.execution, step, is_repeated=is_repeated)
        try:
            sentence = overdue_text(step.limits, step.stage, step.task, now_ms=to_ms(work.now))
            if sentence is not None:
                return _Outcome(result=await step.type.overdue(work, sentence))
            return _Outcome(result=await step.type.run(work))
        except MastheadError as error:
            return _Outcome(error=error)
        except Exception as error:
            log.exception("task.raised", task=step.task.name, execution=machine.execution.id)
            return _Outcome(error=error)

    async def _tell_cancelled(self, machine: Machine) -> None:
        steps, machine.ended_early = machine.ended_early, []
        for step in steps:
            try:
                await step.type.cancelled(self._work(machine.execution, step))
            except Exception:
                log.exception("task.cancel-failed", task=step.task.name, execution=machine.execution.id)

    def _work(self, execution: Execution, step: Step, *, is_repeated: bool = False) -> TaskContext:
        ends_at = step.limits.ends_at
        return TaskContext(
            execution=execution,
            stage=step.stage,
            task=step.task,
            context=step.stage.context,
            caller=caller_of(execution, step.stage),
            now=self._clock.now(),
            deadline=None if ends_at is None else from_ms(ends_at),
            services=self._services,
            attempt=attempt_name(execution, step.stage, step.task) if step.type.is_once else "",
            is_repeated=is_repeated,
            answer=step.task.answer,
        )

    async def _save(self, turn: Turn, machine: Machine) -> None:
        def work(connection: Connection) -> None:
            turn.hold(connection)
            store.save(connection, machine.execution)

        machine.is_changed = False
        await self._database.write(work)
        self._on_saved(machine.execution.id)

    async def _rest(self, turn: Turn, machine: Machine) -> None:
        execution = machine.execution

        def work(connection: Connection) -> None:
            turn.hold(connection)
            if machine.is_changed:
                store.save(connection, execution)
            if execution.status.is_complete:
                turn.finish(connection)
                # One that ended before, and was only looked at again, has not changed.
                if machine.is_changed:
                    self._on_finished(connection, execution)
            else:
                turn.rest(connection, machine.next_due())

        await self._database.write(work)
        if machine.is_changed:
            self._on_saved(execution.id)
        if execution.status.is_complete:
            log.info("execution.complete", execution=execution.id, status=execution.status)
            self._on_complete(execution)

    def _now_ms(self) -> int:
        return to_ms(self._clock.now())


def _apply(machine: Machine, step: Step, outcome: _Outcome) -> None:
    if outcome.result is not None:
        machine.report(step, outcome.result)
    elif outcome.error is not None and is_retryable(outcome.error):
        machine.retry(step)
    elif outcome.error is not None:
        machine.fail(step, outcome.error)


def _finish(connection: Connection, turn: Turn) -> None:
    turn.hold(connection)
    turn.finish(connection)


async def _outdated(turn: Turn) -> None:
    await turn.superseded.wait()


def _log_failure(name: str, error: BaseException) -> None:
    log.error("task.failed", task=name, error=type(error).__name__)
