"""An execution as its page shows it: made of Orca's JSON, which holds labels in the place of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from masthead.executions import JUDGMENT, STAGE_TYPES, StageTypes, Status
from masthead.paging import Page
from masthead.pipelines import topological_order
from masthead.web.awaiting import look_of_execution
from masthead.web.execution_facts import Document, Took, parent_of, reason_of, took_of, user_of
from masthead.web.graph import Drawn, draw, draw_some
from masthead.web.looks import Look, look_of

__all__ = ["ExecutionView", "Failure", "StageView", "TaskView", "view_of"]

#: What of a stage's context is shown in a place of its own, or means nothing to people.
_SHOWN_APART = frozenset({"exception", "expressionEvaluationSummary", "restartDetails", "alias"})
_PIXELS = 120
#: Tasks that only wait, and end at once when ``skipRemainingWait`` is set.
_SKIPPABLE = ("wait", "waitBeforeMonitorWebhook", "suspendExecutionDuringTimeWindow")


@dataclass(frozen=True, slots=True)
class TaskView:
    """A step of a stage."""

    name: str
    look: Look
    took: Took
    is_running: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage failed, in full."""

    title: str
    sentences: tuple[str, ...]
    operation: str
    kind: str
    document: Any


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage of a run."""

    id: str
    ref: str
    name: str
    #: The type's label, and the type as pipelines write it.
    label: str
    type: str
    status: str
    look: Look
    took: Took
    tasks: tuple[TaskView, ...]
    waits_for: tuple[str, ...]
    #: How deep it is inside others.
    depth: int
    #: Its place in the run's time: start and length in pixels; None before it starts.
    bar: tuple[float, float] | None
    context: Document
    outputs: Document
    failure: Failure | None
    #: Expression → what did not resolve.
    unresolved: tuple[str, ...]
    pages: tuple[Page, ...] = ()
    is_chosen: bool = False

    @property
    def looks(self) -> tuple[object, ...]:
        """Give what its row and its place in the graph show, but for time that passes by itself."""
        tasks = [(one.name, one.look.word, one.took.ended_at, one.took.since_ms) for one in self.tasks]
        return (
            self.name, self.look.word, self.took.started_at, self.took.ended_at, self.bar,
            self.is_chosen, self.depth, tuple(tasks) if self.is_open else (),
        )  # fmt: skip

    @property
    def is_complete(self) -> bool:
        """Whether nothing more happens in it."""
        return Status(self.status).is_complete

    @property
    def is_open(self) -> bool:
        """Whether its tasks are worth a look by themselves."""
        return self.is_chosen or self.look.style in ("running", "failed", "paused")

    @property
    def awaits_judgment(self) -> bool:
        """Whether somebody has to say how it goes on."""
        return self.type == JUDGMENT and self.status == Status.RUNNING

    @property
    def may_skip_wait(self) -> bool:
        """Whether the rest of its wait can be left out."""
        return any(one.name in _SKIPPABLE and one.is_running for one in self.tasks)

    @property
    def may_restart(self) -> bool:
        """Whether it can run once more."""
        return self.is_complete and self.depth == 0

    @property
    def answers(self) -> tuple[str, ...]:
        """What a webhook's other side has said so far, in sentences; empty for other stages."""
        return tuple(_answers(self.context.get("webhook"), is_running=self.status == Status.RUNNING))

    @property
    def child_id(self) -> str | None:
        """The execution that it started."""
        value = self.context.get("executionId")
        return value if self.type == "pipeline" and isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """A run."""

    id: str
    title: str
    application: str
    config_id: str | None
    status: str
    look: Look
    took: Took
    is_pipeline: bool
    user: str
    #: Why it runs, without the user.
    reason: str
    parent: tuple[str, str] | None
    parameters: Document
    trigger: Document
    notes: tuple[str, ...]
    stages: tuple[StageView, ...]
    #: Stage's id → its ``looks``.
    looks: Mapping[str, tuple[object, ...]]
    #: Those that look different from when they were shown last; None when everything is to be shown.
    changed: tuple[StageView, ...] | None
    #: Of all stages, or of those that changed.
    graph: Markup
    chosen: StageView | None
    #: Pages that belong to no stage that is still there.
    other_pages: tuple[Page, ...] = field(default=())

    @property
    def is_complete(self) -> bool:
        """Whether nothing more happens."""
        return Status(self.status).is_complete


def view_of(
    execution: Document,
    pages: Sequence[Page],
    *,
    now_ms: int,
    chosen: str | None = None,
    types: StageTypes = STAGE_TYPES,
    shown: Mapping[str, tuple[object, ...]] | None = None,
) -> ExecutionView:
    """Give what the page shows.

    Args:
        execution: Orca's JSON, as executions give it.
        pages: Those that it asked for.
        now_ms: The present, for what still runs.
        chosen: A stage's id or refId; the one most worth a look, if not given or not there.
        types: Those that run here.
        shown: Stage's id → its ``looks`` when it was shown last, where only what changed is to be shown.
    """
    clock = _Clock(execution, now_ms)
    by_stage: dict[str | None, list[Page]] = {}
    for page in pages:
        by_stage.setdefault(page.stage_id, []).append(page)
    stages = [
        _stage(each, depth, clock, types, tuple(by_stage.pop(each["id"], ())))
        for each, depth in _in_order(execution.get("stages") or [])
    ]
    found = _chosen(stages, chosen)
    stages = [replace(each, is_chosen=True) if each is found else each for each in stages]
    looks = {each.id: each.looks for each in stages}
    changed = _changed(stages, looks, shown)
    title = str(execution.get("name") or execution.get("description") or execution["id"])
    trigger = execution.get("trigger") or {}
    return ExecutionView(
        id=execution["id"],
        title=title,
        application=str(execution.get("application") or ""),
        config_id=execution.get("pipelineConfigId"),
        status=execution["status"],
        look=look_of_execution(execution),
        took=clock.took(execution),
        is_pipeline=execution.get("type") == "PIPELINE",
        user=user_of(execution),
        reason=reason_of(trigger),
        parent=parent_of(trigger),
        parameters=trigger.get("parameters") or {},
        trigger={key: value for key, value in trigger.items() if key != "parentExecution"},
        notes=tuple(_notes(execution)),
        stages=tuple(stages),
        looks=looks,
        changed=changed,
        graph=_graph(stages, changed, label=f"Stages of {title}"),
        chosen=next((each for each in stages if each.is_chosen), None),
        other_pages=tuple(page for left in by_stage.values() for page in left),
    )


def _changed(
    stages: Sequence[StageView],
    looks: Mapping[str, tuple[object, ...]],
    shown: Mapping[str, tuple[object, ...]] | None,
) -> tuple[StageView, ...] | None:
    """Give the stages that do not look as they were shown; None when others were shown, or none."""
    if not shown or shown.keys() != looks.keys():
        return None
    return tuple(each for each in stages if shown[each.id] != looks[each.id])


def _graph(stages: Sequence[StageView], changed: Sequence[StageView] | None, *, label: str) -> Markup:
    top = [each for each in stages if not each.depth]
    if changed is None:
        return draw([_drawn(each) for each in top], label=label)
    edges = tuple((each.ref, each.waits_for) for each in top)
    return draw_some(edges, [_drawn(each) for each in changed if not each.depth])


@dataclass(frozen=True, slots=True)
class _Clock:
    """Turns instants of one execution into durations and places on its line of time."""

    execution: Document
    now_ms: int

    def took(self, of: Document) -> Took:
        return took_of(of, self.now_ms)

    def bar(self, of: Document) -> tuple[float, float] | None:
        begin = self.execution.get("startTime") or self.execution.get("buildTime") or 0
        whole = max((self.execution.get("endTime") or self.now_ms) - begin, 1)
        if self.execution.get("endTime") is None:
            # Of twice the length each time, so that what has ended stays as it is drawn.
            whole = 1 << max(whole.bit_length(), 13)
        start = of.get("startTime")
        if start is None:
            return None
        length = (of.get("endTime") or self.now_ms) - start
        x = min(max((start - begin) / whole, 0.0), 1.0) * _PIXELS
        return round(min(x, _PIXELS - 2), 1), round(max(min(length / whole * _PIXELS, _PIXELS - x), 2.0), 1)


def _in_order(stages: Sequence[Document]) -> Iterator[tuple[Document, int]]:
    """Give the stages as they run, those inside another behind it, each with its depth."""
    inside: dict[str, list[Document]] = {}
    for each in stages:
        if each.get("parentStageId"):
            inside.setdefault(each["parentStageId"], []).append(each)

    def walk(stage: Document, depth: int) -> Iterator[tuple[Document, int]]:
        yield stage, depth
        for child in inside.get(stage["id"], ()):
            yield from walk(child, depth + 1)

    top = [each for each in stages if not each.get("parentStageId")]
    try:
        ranks = {ref: rank for rank, ref in enumerate(topological_order(top))}
    except ValueError:
        ranks = {}
    for each in sorted(top, key=lambda one: ranks.get(str(one.get("refId")), 0)):
        yield from walk(each, 0)


def _told(failure: Failure | None, summary: Any) -> tuple[str, ...]:
    """Give what did not resolve, without what the failure says already."""
    said = " ".join(failure.sentences) if failure else ""
    return tuple(dict.fromkeys(one for one in _unresolved(summary) if one and one not in said))


def _stage(
    stage: Document, depth: int, clock: _Clock, types: StageTypes, pages: tuple[Page, ...]
) -> StageView:
    kind = str(stage.get("type") or "")
    known = types.find(kind)
    context = stage.get("context") or {}
    failure = _failure(context.get("exception"))
    return StageView(
        id=stage["id"],
        ref=str(stage.get("refId") or stage["id"]),
        name=str(stage.get("name") or kind),
        label=known.label if known else kind,
        type=kind,
        status=stage["status"],
        look=look_of(stage["status"], kind),
        took=clock.took(stage),
        tasks=tuple(
            TaskView(
                str(task.get("name") or ""),
                look_of(task["status"], kind),
                clock.took(task),
                task["status"] == Status.RUNNING,
            )
            for task in stage.get("tasks") or ()
        ),
        waits_for=tuple(map(str, stage.get("requisiteStageRefIds") or ())),
        depth=depth,
        bar=clock.bar(stage),
        context={key: value for key, value in context.items() if key not in _SHOWN_APART},
        outputs=stage.get("outputs") or {},
        failure=failure,
        unresolved=_told(failure, context.get("expressionEvaluationSummary")),
        pages=pages,
    )


def _failure(exception: Any) -> Failure | None:
    if not isinstance(exception, dict):
        return None
    details = exception.get("details")
    details = details if isinstance(details, dict) else {}
    errors = details.get("errors")
    sentences = tuple(map(str, errors)) if isinstance(errors, list) else ()
    return Failure(
        title=str(details.get("error") or exception.get("exceptionType") or "It failed"),
        sentences=sentences or (str(details.get("message") or "Nothing more is known."),),
        operation=str(exception.get("operation") or ""),
        kind=str(exception.get("exceptionType") or ""),
        document=exception,
    )


def _answers(webhook: Any, *, is_running: bool) -> Iterator[str]:
    if not isinstance(webhook, dict):
        return
    monitor = webhook.get("monitor")
    for said, what in ((webhook, "The call"), (monitor, "The last question")):
        if not isinstance(said, dict):
            continue
        if "statusCodeValue" in said:
            yield f"{what} was answered with {said['statusCodeValue']} {said.get('statusCode', '')}."
        if is_running and isinstance(said.get("error"), str):
            yield said["error"]
        if isinstance(said.get("progressMessage"), str):
            yield said["progressMessage"]
        if isinstance(said.get("percentComplete"), int | float):
            yield f"{said['percentComplete']:g} % are done."


def _unresolved(summary: Any) -> Iterator[str]:
    for notes in summary.values() if isinstance(summary, dict) else ():
        for note in notes if isinstance(notes, list) else ():
            if isinstance(note, dict):
                yield str(note.get("description") or "")


def _chosen(stages: Sequence[StageView], wanted: str | None) -> StageView | None:
    """Give the stage that was asked for; else what failed, waits for somebody or runs; else the last."""
    for each in stages:
        if wanted and wanted in (each.id, each.ref):
            return each
    for style in ("failed", "paused", "running"):
        for each in stages:
            if each.look.style == style:
                return each
    started = [each for each in stages if each.took.started_at]
    return started[-1] if started else next(iter(stages), None)


def _notes(execution: Document) -> Iterator[str]:
    """Say who stopped or held it, and why."""
    if execution.get("canceled") and execution.get("canceledBy"):
        reason = execution.get("cancellationReason")
        yield f"Cancelled by {execution['canceledBy']}" + (f": {reason}" if reason else ".")
    paused = execution.get("paused")
    if isinstance(paused, dict) and paused.get("paused"):
        yield f"Paused by {paused.get('pausedBy') or 'somebody'}: what runs is run again from its last result after a resume."
    if (execution.get("trigger") or {}).get("dryRun") is True:
        yield "A dry run."


def _drawn(stage: StageView) -> Drawn:
    href = f"?stage={stage.id}"
    # Of what still runs the list of stages counts the time.
    words = stage.took.words if stage.took.since_ms is None else ""
    took = f", {words}" if words else ""
    return Drawn(
        ref=stage.ref,
        name=stage.name,
        waits_for=stage.waits_for,
        href=href,
        icon=stage.look.icon,
        style=stage.look.style,
        word=stage.look.word,
        aside=words,
        says=f"{stage.name}, {stage.label}, {stage.look.word}{took}",
        is_chosen=stage.is_chosen,
        id=f"node-{stage.id}",
        more=Markup(' hx-get="{0}" hx-push-url="true"').format(href),
    )
