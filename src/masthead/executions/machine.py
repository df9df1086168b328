"""The state machine of one execution: what may start, what a result means, when it is over. No I/O.

Orca drives the same rules by queue messages; here they are methods that change the model and leave
nothing undone: when one returns, everything that may start has started.

Source: Spinnaker compatibility facts, sections 4.4 and 4.5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from masthead.executions.evaluation import UNRESOLVED, unresolved_error, unresolved_sentences
from masthead.executions.failure import TaskFailed, TaskTimedOut, describe
from masthead.executions.graph import relationship_problem
from masthead.executions.model import Document, Execution, Stage, TaskExecution
from masthead.executions.planning import NO_EXPRESSIONS, Evaluator, Planner
from masthead.executions.relations import AFTER, BEFORE, Relations
from masthead.executions.stages.base import TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.executions.timeouts import UNLIMITED, Limits, duration_ms, limits_of
from masthead.kernel.clock import to_ms
from masthead.kernel.ids import UlidIds
from masthead.telemetry.logs import redact

__all__ = ["Machine", "Step", "abandon", "attempt_name", "cancel_by", "reschedule", "take_answer"]

#: Key of a failed stage's context: the stages that its failure brings along are planned.
_FAILURE_PLANNED = "onFailureStagesPlanned"
_IDS = UlidIds()
_EXPIRED = "Could not begin execution before start time expiry"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A running task, with its stage and its code."""

    stage: Stage
    task: TaskExecution
    type: TaskType
    limits: Limits

    @property
    def key(self) -> tuple[str, str]:
        """Name the step within its execution."""
        return self.stage.id, self.task.id

    def due_at(self) -> int:
        """Give when it wants to be run: 0 for at once."""
        due = self.task.again_at or 0
        return due if self.limits.ends_at is None else min(due, self.limits.ends_at)


def cancel_by(execution: Execution, user: str, reason: str | None) -> None:
    """Mark *execution* as cancelled; what follows from that is the machine's."""
    execution.canceled = True
    execution.canceled_by = user
    if reason:
        execution.cancellation_reason = reason


def reschedule(execution: Execution, stage_id: str) -> bool:
    """Have the running tasks of a stage run at once instead of after their back-off; False if none runs."""
    running = [
        task
        for stage in execution.stages
        if stage.id == stage_id
        for task in stage.tasks
        if task.status is Status.RUNNING
    ]
    for task in running:
        task.again_at = None
    return bool(running)


def abandon(execution: Execution, error: Exception, now_ms: int) -> None:
    """End *execution*, which cannot be carried on because of *error*, without running anything of it."""
    sentence = describe(error, operation="the execution", now_ms=now_ms)
    for stage in execution.stages:
        if stage.status.is_active:
            stage.status, stage.end_time = Status.TERMINAL, now_ms
            stage.context["exception"] = sentence
        for task in stage.tasks:
            if task.status.is_active:
                task.status, task.end_time = Status.TERMINAL, now_ms
                task.again_at = task.begun_at = task.answer = None
    if execution.start_time is None:
        cancel_by(execution, "system", f"Failed on startup: {sentence['details']['errors'][0]}")
    else:
        execution.end_time = now_ms
    execution.status = Status.TERMINAL


def take_answer(execution: Execution, attempt: str, answer: Document) -> bool:
    """Note what *attempt* came to and have its task run at once; False if it is over, or known already."""
    for stage in execution.stages:
        for task in stage.tasks:
            is_open = task.status in (Status.RUNNING, Status.PAUSED) and task.answer is None
            if is_open and attempt == attempt_name(execution, stage, task):
                task.answer, task.again_at = answer, None
                return True
    return False


def attempt_name(execution: Execution, stage: Stage, task: TaskExecution) -> str:
    """Give the name of the attempt that *task* has begun; it starts with the execution's id."""
    return f"{execution.id}/{stage.id}/{task.id}/{task.begun_at}"


class Machine:
    """One execution being carried forward.

    Attributes:
        execution: What it works on, changed in place.
        is_changed: Whether anything was changed since the caller last set this to False.
        ended_early: Steps that were cancelled while they ran, for the caller to tell their types.
    """

    def __init__(
        self,
        execution: Execution,
        planner: Planner,
        now: Callable[[], int],
        evaluator: Evaluator = NO_EXPRESSIONS,
        *,
        new_id: Callable[[], str] = _IDS.new,
    ) -> None:
        """Begin to carry *execution*.

        Args:
            execution: As it is stored.
            planner: Knows the stage types.
            now: Gives the present in milliseconds.
            evaluator: Knows what expressions are worth.
            new_id: Gives the ids of the stages that others bring along.
        """
        self.execution = execution
        self.is_changed = False
        self.ended_early: list[Step] = []
        self._planner = planner
        self._evaluator = evaluator
        self._now = now
        self._startable: deque[Stage] = deque()
        self._has_ended = False
        #: Whether the execution may be over: until it was looked at, and whenever a stage of the pipeline has ended.
        self._may_be_over = True
        self._relations = Relations(execution, new_id)
        self._running: dict[tuple[str, str], Step] = {}
        self._resume()

    def advance(self) -> None:
        """Start what may start; take note of a cancellation; end what is over."""
        if self.execution.status is Status.NOT_STARTED:
            self._start()
        elif self.execution.canceled and not self.execution.status.is_complete:
            self._cancel_active()
        else:
            self._startable.extend(self._begun_anew())
            self._skip_by_hand()
        self._drain()

    def running(self) -> list[Step]:
        """Give the steps that run, in the order in which they began."""
        return list(self._running.values())

    def next_due(self) -> int | None:
        """Give when the next step wants to be run, or None when only somebody outside can move this on."""
        return min((step.due_at() for step in self._running.values()), default=None)

    def is_running(self, step: Step) -> bool:
        """Tell whether *step* was not ended meanwhile."""
        return step.key in self._running

    def begin(self, step: Step) -> bool:
        """Note that a run of *step* is about to begin; tell whether an earlier one began and never reported."""
        if step.task.begun_at is not None:
            return True
        step.task.begun_at = self._now()
        self.is_changed = True
        return False

    def report(self, step: Step, result: TaskResult) -> None:
        """Take what one run of *step* came to."""
        self._merge(step.stage, result)
        if result.status is Status.RUNNING:
            again_at = None if result.again_at is None else to_ms(result.again_at)
            self._again(step, again_at, keeps_attempt=result.keeps_attempt)
            return
        has_failed = result.status in (Status.TERMINAL, Status.CANCELED)
        status = step.stage.failure_status(result.status) if has_failed else result.status
        self._end_task(step, status, goes_on=result.status is Status.FAILED_CONTINUE)
        self._drain()

    def retry(self, step: Step) -> None:
        """Run *step* again after its back-off."""
        self._again(step, None)

    def fail(self, step: Step, error: Exception) -> None:
        """Take what one run of *step* raised."""
        stage = step.stage
        self.is_changed = True
        if isinstance(error, TaskFailed):
            stage.context.update(error.context)
        exception = describe(error, operation=step.task.name, now_ms=self._now())
        stage.context["exception"] = exception
        step.task.task_exception_details["exception"] = exception
        status = stage.failure_status()
        if isinstance(error, TaskTimedOut) and stage.context.get("markSuccessfulOnTimeout") is True:
            status = Status.SUCCEEDED
        self._end_task(step, status)
        self._drain()

    # -- the execution ------------------------------------------------------------------------------

    def _start(self) -> None:
        execution = self.execution
        self.is_changed = True
        is_new = all(stage.status is Status.NOT_STARTED for stage in execution.stages)
        if is_new and execution.start_time_expiry is not None and execution.start_time_expiry < self._now():
            cancel_by(execution, "spinnaker", _EXPIRED)
        if execution.canceled:
            self._end(Status.CANCELED)
            return
        problem = relationship_problem(execution.stages)
        if problem is not None:
            cancel_by(execution, "system", f"Failed on startup: {problem}")
            self._end(Status.TERMINAL)
            return
        execution.status = Status.RUNNING
        execution.start_time = self._now()
        self._startable.extend(self._begun_anew())

    def _drain(self) -> None:
        while self._startable and self.execution.status is Status.RUNNING:
            self._start_stage(self._startable.popleft())
        self._conclude()

    def _conclude(self) -> None:
        if self.execution.status is not Status.RUNNING or not self._may_be_over or not self._may_conclude():
            return
        self._may_be_over = False
        status = self._final_status()
        if status is None:
            return
        if status is not Status.SUCCEEDED:
            self._cancel_stages()
        self._end(status)

    def _may_conclude(self) -> bool:
        """A failure ends the other branches, but not those of a restart that had failed before."""
        return self._has_ended or not any(stage.status.is_active for stage in self._top_level())

    def _final_status(self) -> Status | None:
        stages = self._top_level()
        statuses = {stage.status for stage in stages}
        if all(status.is_fine for status in statuses):
            return Status.SUCCEEDED
        if Status.TERMINAL in statuses:
            return Status.TERMINAL
        if Status.CANCELED in statuses:
            return Status.CANCELED
        if any(status.is_active for status in statuses):
            return None
        if self.execution.canceled:
            return Status.CANCELED
        return self._stopped_status(stages)

    def _stopped_status(self, stages: Sequence[Stage]) -> Status:
        """Give how it ends when branches were stopped and nothing else can run."""
        stopped = [stage for stage in stages if stage.status is Status.STOPPED]
        fails = any(stage.context.get("completeOtherBranchesThenFail") is True for stage in stopped)
        return Status.TERMINAL if fails or not stopped else Status.SUCCEEDED

    def _end(self, status: Status) -> None:
        self.is_changed = True
        self.execution.status = status
        if self.execution.start_time is not None:
            self.execution.end_time = self._now()

    def _cancel_active(self) -> None:
        self._cancel_stages()
        if self.execution.status is not Status.RUNNING:
            self._end(Status.CANCELED)

    def _cancel_stages(self) -> None:
        self._startable.clear()
        for step in self.running():
            self.ended_early.append(step)
            del self._running[step.key]
            self._settle(step, Status.CANCELED)
        for stage in self.execution.stages:
            if stage.status.is_active:
                stage.status, stage.end_time = Status.CANCELED, self._now()
                self.is_changed = True

    # -- stages -------------------------------------------------------------------------------------

    def _top_level(self) -> list[Stage]:
        return [stage for stage in self.execution.stages if stage.parent_stage_id is None]

    def _start_stage(self, stage: Stage) -> None:
        if stage.status is not Status.NOT_STARTED or not self._may_start(stage):
            return
        self.is_changed = True
        if self._is_passed_over(stage):
            self._end_stage(stage, Status.SKIPPED)
            return
        stage.status, stage.start_time = Status.RUNNING, self._now()
        try:
            before = self._plan(stage)
        except Exception as error:  # noqa: BLE001 - whatever planning raises is the stage's failure
            stage.context["exception"] = describe(error, operation=stage.name, now_ms=self._now())
            stage.context["beforeStagePlanningFailed"] = True
            self._end_stage(stage, stage.failure_status())
            return
        if before:
            self._startable.extend(each for each in before if not each.requisite_stage_ref_ids)
        else:
            self._start_tasks(stage)

    def _is_passed_over(self, stage: Stage) -> bool:
        if stage.start_time_expiry is not None and stage.start_time_expiry < self._now():
            return True
        if self.execution.is_dry_run and self._planner.is_left_out_of_dry_runs(stage):
            return True
        return stage.context.get("manualSkip") is True or not self._evaluator.is_enabled(
            self.execution, stage
        )

    def _plan(self, stage: Stage) -> list[Stage]:
        """Evaluate the context, give the stage its tasks, and give the stages that run before them."""
        self._evaluator.begin(self.execution, stage)
        if self._planner.can_skip(stage):
            stage.context["canManuallySkip"] = True
        stage.tasks = _tasks(self._planner.plan(stage))
        return self._relations.add(stage, BEFORE, self._planner.before(stage))

    def _may_start(self, stage: Stage) -> bool:
        parent = self._relations.parent(stage)
        is_wanted = parent is None or parent.status is Status.RUNNING
        return is_wanted and self._relations.is_free(stage)

    def _start_tasks(self, stage: Stage) -> None:
        """Go on with a stage whose before-stages are over."""
        if stage.tasks:
            self._start_task(stage, stage.tasks[0])
        else:
            self._complete_stage(stage)

    def _complete_stage(self, stage: Stage) -> None:
        """End a stage whose tasks and inner stages are over, unless some come after.

        Source: Spinnaker compatibility facts, section 4.5 ("Complete stage").
        """
        status = self._stage_status(stage)
        try:
            following = self._plan_following(stage, status)
        except Exception as error:  # noqa: BLE001 - as planning what comes before
            stage.context["exception"] = describe(error, operation=stage.name, now_ms=self._now())
            self._end_stage(stage, Status.TERMINAL)
            return
        if following:
            self._startable.extend(each for each in following if not each.requisite_stage_ref_ids)
        else:
            self._end_stage(stage, Status.SKIPPED if status is Status.NOT_STARTED else status)

    def _plan_following(self, stage: Stage, status: Status) -> list[Stage]:
        """Give the stages that run after one that comes to *status*, planned now, once."""
        relations = self._relations
        if not status.is_halt:
            is_planned = bool(relations.inside(stage, AFTER))
            return [] if is_planned else relations.add(stage, AFTER, self._planner.after(stage))
        if not status.is_failure or stage.context.get(_FAILURE_PLANNED) is True:
            return []
        drafts = self._planner.on_failure(stage)
        if drafts:
            stage.context[_FAILURE_PLANNED] = True
            relations.drop_unstarted(stage)
        return relations.add(stage, AFTER, drafts)

    def _end_stage(self, stage: Stage, status: Status) -> None:
        self.is_changed = True
        stage.status, stage.end_time = status, self._now()
        if status.is_failure:
            self._tell_unresolved(stage)
        parent = self._relations.parent(stage)
        if _lets_go_on(stage):
            self._startable.extend(self._relations.downstream(stage))
        if parent is None:
            self._has_ended = self._may_be_over = True
        else:
            self._inner_ended(parent, stage)

    def _tell_unresolved(self, stage: Stage) -> None:
        """Say with a failed stage's own error which of its expressions did not resolve: most likely they are why."""
        sentences = unresolved_sentences(stage)
        if not sentences:
            return
        exception = stage.context.get("exception")
        if not isinstance(exception, dict) or not isinstance(exception.get("details"), dict):
            error = TaskFailed(*sentences, error=UNRESOLVED)
            stage.context["exception"] = describe(error, operation=stage.name, now_ms=self._now())
            return
        told = list(exception["details"].get("errors") or ())
        errors = [*told, *(map(redact, (each for each in sentences if each not in told)))]
        stage.context["exception"] = {**exception, "details": {**exception["details"], "errors": errors}}

    def _inner_ended(self, parent: Stage, stage: Stage) -> None:
        """Go on with *parent* when the last of its before- or after-stages, *stage*, has ended."""
        beside = self._relations.inside(parent, stage.synthetic_stage_owner)
        if any(each.status.is_active or each in self._startable for each in beside):
            return
        if all(map(_lets_go_on, beside)) and stage.synthetic_stage_owner == BEFORE:
            self._start_tasks(parent)
        else:
            self._complete_stage(parent)

    def _skip_by_hand(self) -> None:
        """End what people chose to skip while it runs."""
        for step in self.running():
            around = list(self._relations.around(step.stage))
            if step.key in self._running and any(one.context.get("manualSkip") is True for one in around):
                self._skip(around[-1])

    def _skip(self, stage: Stage) -> None:
        whole = [stage, *self._relations.everything_inside(stage)]
        for step in self.running():
            if step.stage in whole:
                del self._running[step.key]
                self._settle(step, Status.SKIPPED)
        for each in whole[1:]:
            if not each.status.is_complete:
                each.status, each.end_time = Status.SKIPPED, self._now()
        self._end_stage(stage, Status.SKIPPED)

    def _stage_status(self, stage: Stage) -> Status:
        """Give the status of a stage whose tasks and inner stages are over; NOT_STARTED when it has none."""
        statuses = {task.status for task in stage.tasks}
        statuses |= {each.status for each in self._relations.inside(stage)}
        if not statuses:
            return Status.NOT_STARTED
        if Status.TERMINAL in statuses:
            return stage.failure_status()
        for status in (Status.STOPPED, Status.CANCELED, Status.FAILED_CONTINUE):
            if status in statuses:
                return status
        if not statuses <= {Status.SUCCEEDED, Status.SKIPPED}:
            return Status.TERMINAL
        error = unresolved_error(stage)
        if error is None:
            return Status.SUCCEEDED
        stage.context["exception"] = describe(error, operation=stage.name, now_ms=self._now())
        return Status.TERMINAL

    def _begun_anew(self) -> list[Stage]:
        """Give the stages that may begin: all that wait for none, or those that somebody had begin anew."""
        return [
            stage
            for stage in self._top_level()
            if stage.status is Status.NOT_STARTED and self._may_start(stage)
        ]

    # -- tasks --------------------------------------------------------------------------------------

    def _resume(self) -> None:
        for stage in self.execution.stages:
            if stage.status is Status.RUNNING:
                for task in stage.tasks:
                    if task.status is Status.RUNNING:
                        self._track(stage, task)

    def _start_task(self, stage: Stage, task: TaskExecution) -> None:
        task.status, task.start_time = Status.RUNNING, self._now()
        self._track(stage, task)

    def _track(self, stage: Stage, task: TaskExecution) -> None:
        code = self._planner.task_type(stage, task) or _MissingTask()
        limits = UNLIMITED
        if not code.is_unlimited:
            limits = limits_of(
                self.execution, stage, task, timeout_s=code.timeout_s, is_overridable=code.is_overridable
            )
        step = Step(stage, task, code, limits)
        self._running[step.key] = step

    def _again(self, step: Step, again_at: int | None, *, keeps_attempt: bool = False) -> None:
        earliest = self._now() + 1
        wanted = self._now() + _backoff_ms(step) if again_at is None else again_at
        step.task.again_at = max(wanted, earliest)
        if not keeps_attempt:
            step.task.begun_at = step.task.answer = None
        self.is_changed = True

    def _end_task(self, step: Step, status: Status, *, goes_on: bool = False) -> None:
        self.is_changed = True
        stage, task = step.stage, step.task
        del self._running[step.key]
        self._settle(step, status)
        following = _following(stage, task)
        if following is None or status.is_halt or (status is Status.FAILED_CONTINUE and not goes_on):
            self._complete_stage(stage)
        else:
            self._start_task(stage, following)

    def _settle(self, step: Step, status: Status) -> None:
        task = step.task
        task.status, task.end_time = status, self._now()
        task.again_at = task.begun_at = task.answer = None
        step.stage.context.update(step.type.settled(step.stage.context))

    def _merge(self, stage: Stage, result: TaskResult) -> None:
        if result.context or result.outputs:
            self.is_changed = True
            stage.context.update(result.context)
            outputs = {key: value for key, value in result.outputs.items() if key != "stageTimeoutMs"}
            stage.outputs.update(outputs)
        if result.scheduled_at is not None:
            self.is_changed = True
            stage.scheduled_time = to_ms(result.scheduled_at)


def _lets_go_on(stage: Stage) -> bool:
    """Tell whether what waits for a stage, or stands around it, may go on; a failure inside ends what is around it."""
    if stage.status is Status.FAILED_CONTINUE and stage.parent_stage_id is not None:
        return stage.context.get("allowSiblingStagesToContinueOnFailure") is True
    return stage.status.is_fine


class _MissingTask(TaskType):
    """Stands for a task that another release began."""

    name = "missing"
    implementing_class = ""

    async def run(self, work: TaskContext) -> TaskResult:
        """Fail."""
        raise TaskFailed(f"This release of Masthead does not have the task {work.task.name}.")


def _tasks(planned: Sequence[TaskType]) -> list[TaskExecution]:
    last = len(planned)
    return [
        TaskExecution(
            id=str(number),
            name=each.name,
            implementing_class=each.implementing_class,
            stage_start=number == 1,
            stage_end=number == last,
        )
        for number, each in enumerate(planned, start=1)
    ]


def _following(stage: Stage, task: TaskExecution) -> TaskExecution | None:
    place = stage.tasks.index(task)
    return stage.tasks[place + 1] if place + 1 < len(stage.tasks) else None


def _backoff_ms(step: Step) -> int:
    """Give the larger of the task's own back-off and the stage's ``backoffPeriodMs``."""
    own = int(step.type.backoff_s * 1000)
    return max(own, duration_ms(step.stage.context.get("backoffPeriodMs")) or 0)
