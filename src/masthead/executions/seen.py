"""What expressions see of an execution: its JSON, made only as far as it is read.

Private fields are not there, and integration keys show as their labels. A key that a stage's context lacks is looked for
in its own outputs and those of the stages before it, nearest first.

Source: Spinnaker compatibility facts, sections 4.5.1 ("stage context lookup") and 4.10.3.
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from masthead.executions.model import (
    PRIVATE_EXECUTION_KEY,
    PRIVATE_STAGE_KEY,
    Document,
    Execution,
    Stage,
    json_names,
)
from masthead.executions.view import KeyLabel, hide_keys, without_private

__all__ = ["SeenContext", "SeenExecution"]

_PAGE = "pageApplicationOwner"


class SeenContext(Mapping[str, Any]):
    """The context of a stage, for one evaluation; only its own keys are listed."""

    def __init__(self, execution: Execution, stage: Stage, label: KeyLabel) -> None:
        self._execution = execution
        self._stage = stage
        self._label = label
        self._fallback: ChainMap[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        own = self._stage.context
        if key in own:
            return self._hidden(key, own[key])
        if self._fallback is None:
            stages = chain((self._stage,), _ancestors(self._execution, self._stage))
            self._fallback = ChainMap(*(stage.outputs for stage in stages if stage.outputs))
        return self._fallback[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._stage.context)

    def __len__(self) -> int:
        return len(self._stage.context)

    def _hidden(self, key: str, value: Any) -> Any:
        if key == "keys" and self._stage.lookup_type == _PAGE:
            return hide_keys({"type": _PAGE, key: value}, self._label)[key]
        return hide_keys({key: value}, self._label)[key] if key == "pdApiKey" else value


class _Seen(Mapping[str, Any]):
    """An object of the model, read by the keys of its JSON; what is None is not there."""

    def __init__(self, model: Execution | Stage, private: str) -> None:
        self._model = model
        self._names = json_names(type(model))
        self._private = private

    def __getitem__(self, key: str) -> Any:
        attribute = self._names.get(key)
        if attribute is None or key == self._private:
            return self._model.extra[key]
        value = getattr(self._model, attribute)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        for key, attribute in self._names.items():
            if key != self._private and getattr(self._model, attribute) is not None:
                yield key
        yield from self._model.extra

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _SeenStage(_Seen):
    def __init__(self, execution: Execution, stage: Stage, label: KeyLabel) -> None:
        super().__init__(stage, PRIVATE_STAGE_KEY)
        self._execution = execution
        self._label = label

    def __getitem__(self, key: str) -> Any:
        if key == "context":
            return SeenContext(self._execution, self._model, self._label)  # type: ignore[arg-type]
        if key == "tasks":
            return _tasks(self._model)  # type: ignore[arg-type]
        return super().__getitem__(key)


class SeenExecution(_Seen):
    """An execution, for one evaluation, with ``context``: the outputs of all its stages, merged in their order."""

    def __init__(self, execution: Execution, label: KeyLabel) -> None:
        super().__init__(execution, PRIVATE_EXECUTION_KEY)
        self._execution = execution
        self._label = label
        self._trigger: Document | None = None
        self._stages: list[_SeenStage] | None = None

    def __getitem__(self, key: str) -> Any:
        if key == "stages":
            if self._stages is None:
                stages = self._execution.stages
                self._stages = [_SeenStage(self._execution, stage, self._label) for stage in stages]
            return self._stages
        if key == "context":
            return self._outputs()
        return self._seen_trigger() if key == "trigger" else super().__getitem__(key)

    def _outputs(self) -> Document:
        merged: Document = {}
        for stage in self._execution.stages:
            merged |= stage.outputs
        return merged

    def _seen_trigger(self) -> Document:
        """Give the trigger; the executions that started this one in it show no more than this one."""
        if self._trigger is None:
            self._trigger = self._execution.trigger
            parent = self._trigger.get("parentExecution")
            if isinstance(parent, dict):
                self._trigger = {**self._trigger, "parentExecution": without_private(parent, self._label)}
        return self._trigger


def _ancestors(execution: Execution, stage: Stage) -> Iterator[Stage]:
    """Give the stages before *stage*, nearest first: those it waits for with what is inside them, and its parent."""
    by_ref = {each.ref_id: each for each in execution.stages if each.ref_id is not None}
    by_id = {each.id: each for each in execution.stages}
    children: dict[str, list[Stage]] = {}
    for each in execution.stages:
        if each.parent_stage_id is not None:
            children.setdefault(each.parent_stage_id, []).append(each)
    waiting, seen = deque([stage]), {stage.id}
    while waiting:
        present = waiting.popleft()
        before = [by_ref[ref] for ref in present.requisite_stage_ref_ids if ref in by_ref]
        inside = [each for requisite in before for each in children.get(requisite.id, ())]
        parent = by_id.get(present.parent_stage_id or "")
        for each in (*before, *inside, *([parent] if parent else ())):
            if each.id not in seen:
                seen.add(each.id)
                waiting.append(each)
                yield each


def _tasks(stage: Stage) -> list[Document]:
    tasks = [
        {
            "id": task.id,
            "name": task.name,
            "status": task.status,
            "implementingClass": task.implementing_class,
            "startTime": task.start_time,
            "endTime": task.end_time,
        }
        for task in stage.tasks
    ]
    return [{key: value for key, value in task.items() if value is not None} for task in tasks]
