"""Expressions in executions: when they are evaluated, what is kept, and what is never evaluated.

A stage begins with what the pipeline's owner wrote. Each key of its context that holds an expression is evaluated when the
stage starts, and what did not resolve then, before each run of a task. Beside such a key stands what it was made from
(``Stage.unevaluated``), so that only the owner's text is ever evaluated: neither a result, nor what a task or a caller put
in a key's place.

Source: Spinnaker compatibility facts, sections 4.5, 4.5.2, 4.10.1, 4.10.3, 4.10.6; 7.5 (52, 54) for what is different.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from masthead.executions.failure import TaskFailed
from masthead.executions.given import left_to_give, note_given
from masthead.executions.identity import caller_of
from masthead.executions.model import Document, Execution, ExecutionType, Stage
from masthead.executions.ports import Services
from masthead.executions.seen import SeenContext, SeenExecution
from masthead.executions.view import hide_keys
from masthead.kernel.clock import Clock
from masthead.kernel.errors import InvalidRequest, MastheadError, NotFound
from masthead.pipelines.expressions import (
    NO_ANSWERS,
    SUMMARY,
    Evaluated,
    EvaluationContext,
    Limits,
    Outside,
    Version,
    evaluate_all,
    evaluate_document,
    holds_expression,
    new_budget,
    one_expression,
    resolve_all,
    stage_root,
    start_root,
)
from masthead.pipelines.expressions.values import java_text

__all__ = [
    "UNRESOLVED",
    "Expressions",
    "Neighbours",
    "keep_as_data",
    "unresolved_error",
    "unresolved_sentences",
]

#: What heads the sentences about expressions that did not resolve, where nothing else went wrong.
UNRESOLVED = "Failed Expression Evaluation"

#: What of an execution is evaluated when it starts, besides its stages.
_STARTING = ("name", "template_variables", "notifications", "initial_config")
#: Seconds of expressions in a row, and how much of each second that passes comes back.
_PATIENCE_S, _RECOVERY = 1.0, 0.25
#: An evaluation that takes longer and changes nothing is followed by a rest of so many times its own length.
_LONG_S, _REST, _LONGEST_REST_S = 0.02, 100, 30.0
#: Stages of which it is known that their expressions rest.
_MOST_RESTS = 1000
_LIMITS = Limits()
#: For what must be known at once when there is no patience left.
_HURRIED = Limits(seconds=0.005, document_seconds=0.005)
#: Decides whether a stage runs: evaluated then, and only once, whatever the stage's type.
_OPTION = "stageEnabled"
#: Stage → fields whose expressions are the type's own affair.
RawFields = Callable[[Stage], frozenset[str]]


class _Patience:
    """How long expressions may still be evaluated while nothing else has its turn; it comes back with time.

    Stages start one after the other without a pause, and each may take half a second. A machine that is held up for longer
    than its heart may stop is taken for dead, and so would be the next one that takes its executions over.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left = _PATIENCE_S
        self._at = monotonic()

    def is_left(self) -> bool:
        """Tell whether there is any."""
        now = self._monotonic()
        self._left = min(self._left + (now - self._at) * _RECOVERY, _PATIENCE_S)
        self._at = now
        return self._left > 0

    @contextmanager
    def used(self) -> Iterator[None]:
        """Count what is done meanwhile."""
        began = self._monotonic()
        try:
            yield
        finally:
            self._left -= self._monotonic() - began


class _Rests:
    """Which stages' expressions took long and came to nothing new, and so are not evaluated again for a while.

    A task that asks somebody every second would else evaluate them every second. What another stage or task ended with, or
    what somebody changed by hand, may be what they lack: then they are evaluated at once.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: OrderedDict[str, tuple[float, object]] = OrderedDict()

    def holds(self, execution: Execution, stage: Stage) -> bool:
        """Tell whether the expressions of *stage* rest."""
        until, news = self._until.get(stage.id, (0.0, None))
        return self._monotonic() < until and news == _news(execution, stage)

    def note(self, execution: Execution, stage: Stage, seconds: float) -> None:
        """Let them rest after an evaluation of so many *seconds* that changed nothing."""
        self._until.pop(stage.id, None)
        if seconds > _LONG_S:
            rest = min(seconds * _REST, _LONGEST_REST_S)
            self._until[stage.id] = self._monotonic() + rest, _news(execution, stage)
        while len(self._until) > _MOST_RESTS:
            self._until.popitem(last=False)


def _news(execution: Execution, stage: Stage) -> object:
    """Give what changes when a stage or task ends, or when somebody changes *stage*."""
    ended = sum(
        each.status.is_complete + sum(task.status.is_complete for task in each.tasks)
        for each in execution.stages
    )
    return ended, stage.last_modified


class Neighbours:
    """What expressions may ask of the rest: applications without their keys, pipelines' ids, and URLs."""

    def __init__(self, services: Services, *, reads_urls: bool = True) -> None:
        """Args: reads_urls: whether URLs may be asked at all."""
        self._services = services
        self._reads_urls = reads_urls

    async def text_of_url(self, url: str) -> str:
        """Read a URL, where this installation has a reader for them."""
        if self._services.read_url is None or not self._reads_urls:
            raise MastheadError("Expressions cannot read from a URL here.")
        return await self._services.read_url(url)

    async def application(self, name: str) -> Document | None:
        """Give an application with its service's name in the key's place."""
        found = await self._services.applications.find(name)
        return None if found is None else hide_keys(found, self._services.key_label)

    async def pipeline_id(self, application: str, name: str) -> str | None:
        """Give the id of a pipeline."""
        try:
            pipelines = await self._services.pipelines.of_application(application)
        except NotFound:
            return None
        return next((str(each["id"]) for each in pipelines if each.get("name") == name), None)


class Expressions:
    """Evaluates what stands in executions."""

    def __init__(self, services: Services, clock: Clock, raw_fields: RawFields) -> None:
        self._services = services
        self._clock = clock
        self._raw_fields = raw_fields
        self._outside: Outside = Neighbours(services)
        self._patience = _Patience(clock.monotonic)
        self._rests = _Rests(clock.monotonic)

    @property
    def outside(self) -> Outside:
        """Give whom expressions may ask."""
        return self._outside

    # -- a pipeline starts --------------------------------------------------------------------------

    async def start(self, execution: Execution, config: Document) -> None:
        """Evaluate what *config* says, all of it but the trigger; with v4, all but the stages too.

        Args:
            execution: Made of *config*; changed in place.
            config: The pipeline's JSON as it was posted, with its trigger.
        """
        if not holds_expression({key: value for key, value in config.items() if key != "trigger"}):
            return
        await self._defaults(execution, config)
        stages = execution.stages if Version.of(execution.spel_evaluator) is Version.V3 else []
        pending = [_pending(stage, self._raw_fields(stage)) for stage in stages]
        sources = [_sources(each) for each in pending]
        values = [
            *(getattr(execution, name) for name in _STARTING),
            *(stage.name for stage in stages),
            *(source for each in sources for source in each),
        ]
        found = iter(await resolve_all(values, self._start_context(execution), self._outside))
        for name in _STARTING:
            setattr(execution, name, next(found).value)
        execution.name = java_text(execution.name)
        for stage in stages:
            stage.name = java_text(next(found).value)
        for stage, each in zip(stages, pending, strict=True):
            _keep(execution, stage, each, [next(found) for _ in range(len(each))])
            stage.context.pop(SUMMARY, None)

    async def _defaults(self, execution: Execution, config: Document) -> None:
        """Evaluate the defaults of parameters that nobody supplied, one after the other."""
        given = config.get("trigger")
        supplied = given.get("parameters") if isinstance(given, dict) else None
        parameters = execution.trigger["parameters"]
        budget = new_budget(self._start_context(execution))
        for declared in config.get("parameterConfig") or ():
            name = declared.get("name") if isinstance(declared, dict) else None
            if (
                isinstance(name, str)
                and name not in (supplied or {})
                and holds_expression(parameters.get(name))
            ):
                context = self._start_context(execution)
                (found,) = await resolve_all([parameters[name]], context, self._outside, budget)
                parameters[name] = found.value

    def _start_context(self, execution: Execution) -> EvaluationContext:
        return EvaluationContext(
            root=start_root(execution.trigger, execution.template_variables),
            user=execution.user,
            allow_unknown_keys=False,
            clock=self._clock,
        )

    # -- a stage starts and runs --------------------------------------------------------------------

    def is_enabled(self, execution: Execution, stage: Stage) -> bool:
        """Tell whether ``stageEnabled`` lets *stage* run; what is neither true nor false says no, and is reported.

        Source: Spinnaker compatibility facts, section 4.5.2.
        """
        option = _stage_enabled(execution, stage)
        if not isinstance(option, dict) or option.get("type") != "expression":
            return True
        expression = option.get("expression")
        if execution.type is not ExecutionType.PIPELINE or expression is None or expression == "":
            return True
        written = one_expression(expression) if isinstance(expression, str) else expression
        context = replace(self.context_of(execution, stage), answers=NO_ANSWERS)
        if not self._patience.is_left():
            context = replace(context, limits=_HURRIED)
        with self._patience.used():
            evaluated = evaluate_document({_OPTION: written}, context)
        if evaluated.summary:
            stage.context[SUMMARY] = evaluated.summary
        return str(evaluated.value[_OPTION]).lower() == "true"

    def check_change(self, stage: Stage, changes: Document) -> None:
        """Keep fields that are evaluated as they stand from being changed by somebody who is not the pipeline's owner.

        Raises:
            InvalidRequest: *changes* would change one.
        """
        for name in sorted({_OPTION, *self._raw_fields(stage)} & changes.keys()):
            if changes[name] != stage.context.get(name):
                raise InvalidRequest(
                    f"`{name}` of this stage holds expressions, which only its pipeline may say.",
                    pointer=f"/{name}",
                )

    def begin(self, execution: Execution, stage: Stage) -> None:
        """Evaluate the context of a stage that starts, as far as nobody has to be asked.

        Where many that take long start together, the later ones wait for :meth:`go_on`.
        """
        pending = _pending(stage, self._raw_fields(stage))
        if pending and self._patience.is_left():
            with self._patience.used():
                found = evaluate_all(_sources(pending), self.context_of(execution, stage))
            _keep(execution, stage, pending, found)

    def is_pending(self, stage: Stage) -> bool:
        """Tell whether something in *stage* did not resolve yet."""
        return stage.unevaluated is None or bool(stage.unevaluated)

    async def go_on(self, execution: Execution, stage: Stage) -> bool:
        """Evaluate what did not resolve yet, before a task runs; tell whether anything changed."""
        return await self._run(execution, stage, self.context_of(execution, stage))

    async def _run(self, execution: Execution, stage: Stage, context: EvaluationContext) -> bool:
        was_pending = bool(stage.unevaluated)
        pending = _pending(stage, self._raw_fields(stage))
        if not pending:
            return was_pending and _report(stage, {})
        if self._rests.holds(execution, stage):
            return False
        began = self._clock.monotonic()
        is_changed = _keep(
            execution, stage, pending, await resolve_all(_sources(pending), context, self._outside)
        )
        self._rests.note(execution, stage, 0 if is_changed else self._clock.monotonic() - began)
        return is_changed

    def preview(self, execution: Execution, document: Document) -> dict[str, Evaluated]:
        """Evaluate every field of a stage's JSON that holds an expression, as if it stood in *execution*.

        Args:
            execution: Changed in place: the stage takes the place of the one with its ``refId``.
            document: The stage as a pipeline writes it.
        """
        ref = str(document.get("refId") or "")
        place = next((at for at, one in enumerate(execution.stages) if one.ref_id == ref), None)
        waits = document.get("requisiteStageRefIds")
        stage = Stage(
            id=execution.stages[place].id if place is not None else "preview",
            type=str(document.get("type") or ""),
            name=str(document.get("name") or ""),
            ref_id=ref or None,
            requisite_stage_ref_ids=[str(one) for one in waits] if isinstance(waits, list) else [],
            context=dict(document),
        )
        if place is None:
            execution.stages.append(stage)
        else:
            execution.stages[place] = stage
        context = replace(self.context_of(execution, stage), answers=NO_ANSWERS)
        fields = {key: value for key, value in document.items() if holds_expression({key: value})}
        found = evaluate_all([{key: value} for key, value in fields.items()], context)
        return dict(zip(fields, found, strict=True))

    def context_of(self, execution: Execution, stage: Stage) -> EvaluationContext:
        """Give what the expressions of *stage* read."""
        label = self._services.key_label
        own = SeenContext(execution, stage, label)
        is_pipeline = execution.type is ExecutionType.PIPELINE
        seen = SeenExecution(execution, label) if is_pipeline else None
        version = Version.of(execution.spel_evaluator)
        return EvaluationContext(
            root=stage_root(own, execution=seen, version=version),
            execution=seen,
            stage_id=stage.id,
            user=caller_of(execution, stage).user,
            clock=self._clock,
            limits=replace(_LIMITS, given=min(_LIMITS.given, left_to_give(execution))),
        )


def keep_as_data(stage: Stage) -> None:
    """Note what the owner wrote, before somebody else changes the context of a stage that has not begun."""
    _pending(stage, frozenset())


def unresolved_error(stage: Stage) -> TaskFailed | None:
    """Give why *stage* must end TERMINAL although its tasks did not: ``failOnFailedExpressions``, and something is left."""
    sentences = unresolved_sentences(stage)
    if stage.context.get("failOnFailedExpressions") is not True or not sentences:
        return None
    return TaskFailed(*sentences, error=UNRESOLVED)


def unresolved_sentences(stage: Stage) -> list[str]:
    """Give what the report of *stage* says of the expressions that did not resolve."""
    notes = [note for each in _untimed(stage.context.get(SUMMARY)).values() for note in each]
    return [str(note["description"]) for note in notes if "description" in note]


def _pending(stage: Stage, raw_fields: frozenset[str]) -> Document:
    """Give what is still to be evaluated: key → ``shown``, and ``source`` with ``given`` where that is something else."""
    if stage.unevaluated is None:
        stage.unevaluated = {
            key: {"shown": value}
            for key, value in stage.context.items()
            if key != SUMMARY and holds_expression({key: value})
        }
    context = stage.context
    for key, entry in list(stage.unevaluated.items()):
        if key == _OPTION or key in raw_fields or key not in context or context[key] != entry["shown"]:
            del stage.unevaluated[key]
    return stage.unevaluated


def _stage_enabled(execution: Execution, stage: Stage) -> Any:
    """Give the option of *stage*, or of the nearest stage around it that has one."""
    by_id = {each.id: each for each in execution.stages} if stage.parent_stage_id else {}
    present: Stage | None = stage
    while present is not None:
        if (option := present.context.get(_OPTION)) is not None:
            return option
        present = by_id.get(present.parent_stage_id or "")
    return None


def _sources(pending: Document) -> list[Document]:
    return [entry.get("source") or {key: entry["shown"]} for key, entry in pending.items()]


def _keep(execution: Execution, stage: Stage, pending: Document, found: list[Evaluated]) -> bool:
    """Put results into the context of *stage*, what did not resolve beside it; tell whether anything changed."""
    is_changed = False
    summary: Document = {}
    sources = _sources(pending)
    before = (entry.get("given", 0) for entry in pending.values())
    note_given(execution, sum(each.given - told for each, told in zip(found, before, strict=True)))
    for (key, entry), source, evaluated in zip(list(pending.items()), sources, found, strict=True):
        ((new_key, value),) = evaluated.value.items()
        is_changed |= new_key != key or value != entry["shown"] or evaluated.is_resolved
        del pending[key]
        if new_key != key:
            del stage.context[key]
            if new_key in stage.context:
                continue  # what stands there by its own name is not replaced
        stage.context[new_key] = value
        if not evaluated.is_resolved:
            is_partly = source != evaluated.value
            pending[new_key] = {"shown": value} | (
                {"source": source, "given": evaluated.given} if is_partly else {}
            )
        for name, notes in evaluated.summary.items():
            summary.setdefault(name, []).extend(notes)
    return _report(stage, summary) or is_changed


def _report(stage: Stage, summary: Document) -> bool:
    before = stage.context.get(SUMMARY)
    if _untimed(before) == _untimed(summary):
        return False
    if summary:
        stage.context[SUMMARY] = summary
    else:
        stage.context.pop(SUMMARY, None)
    return True


def _untimed(summary: Any) -> Any:
    """Give a report without its instants, which alone are no news, and without what is none: anybody may write there."""
    return {
        name: [
            {key: value for key, value in note.items() if key != "timestamp"}
            for note in notes
            if isinstance(note, dict)
        ]
        for name, notes in (summary.items() if isinstance(summary, dict) else ())
        if isinstance(notes, list)
    }
