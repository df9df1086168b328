"""Which stage waits for which, and which stands inside which: synthetic stages are added here.

A stage may bring along others: before its tasks, after them, or when it failed. They name it as their parent, carry
its refId with ``<`` (before) or ``>`` (after) and a number, and stand in the list before it, or directly after it.

Source: Spinnaker compatibility facts, sections 4.3 and 4.5.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from masthead.executions.failure import TaskFailed
from masthead.executions.model import Document, Execution, Stage
from masthead.executions.stages.base import Synthetic
from masthead.executions.status import Status

__all__ = ["AFTER", "BEFORE", "Relations"]

#: ``syntheticStageOwner`` of the stages before the tasks of another, and of those after them.
BEFORE, AFTER = "STAGE_BEFORE", "STAGE_AFTER"
_SIGNS = {BEFORE: "<", AFTER: ">"}
#: Stages of one execution, those that others bring along included.
_MOST = 2000


class Relations:
    """The stages of one execution, by what they have to do with each other."""

    def __init__(self, execution: Execution, new_id: Callable[[], str]) -> None:
        """Args: new_id: gives the ids of stages that are added."""
        self._execution = execution
        self._new_id = new_id
        self._by_id = {stage.id: stage for stage in execution.stages}
        self._by_ref: dict[str, Stage] = {}
        self._waits_at: dict[str, int] = {}
        self._downstream: dict[str, list[Stage]] = defaultdict(list)
        self._inside: dict[str, list[Stage]] = defaultdict(list)
        for stage in execution.stages:
            self._note(stage)

    def is_free(self, stage: Stage) -> bool:
        """Tell whether all that *stage* waits for has ended well; what has is not looked at again."""
        waits = stage.requisite_stage_ref_ids
        place = self._waits_at.get(stage.id, 0)
        while place < len(waits) and self._by_ref[waits[place]].status.is_fine:
            place += 1
        self._waits_at[stage.id] = place
        return place == len(waits)

    def downstream(self, stage: Stage) -> Sequence[Stage]:
        """Give the stages that wait for *stage*."""
        return self._downstream[stage.ref_id] if stage.ref_id is not None else ()

    def parent(self, stage: Stage) -> Stage | None:
        """Give the stage that *stage* stands inside."""
        return None if stage.parent_stage_id is None else self._by_id.get(stage.parent_stage_id)

    def around(self, stage: Stage) -> Iterator[Stage]:
        """Give *stage*, its parent, and so on."""
        present: Stage | None = stage
        while present is not None:
            yield present
            present = self.parent(present)

    def inside(self, stage: Stage, owner: str | None = None) -> list[Stage]:
        """Give the stages directly inside *stage*, of *owner* only if given, in their order."""
        inside = self._inside.get(stage.id, ())
        return [each for each in inside if owner is None or each.synthetic_stage_owner == owner]

    def everything_inside(self, stage: Stage) -> Iterator[Stage]:
        """Give the stages inside *stage* at any depth."""
        for each in self.inside(stage):
            yield each
            yield from self.everything_inside(each)

    def add(self, parent: Stage, owner: str, drafts: Sequence[Synthetic]) -> list[Stage]:
        """Put new stages into *parent* and give them.

        Raises:
            TaskFailed: the execution has too many already.
        """
        if drafts and len(self._execution.stages) + len(drafts) > _MOST:
            raise TaskFailed(f"With those inside others, an execution can have {_MOST:,} stages at most.")
        added: list[Stage] = []
        for draft in drafts:
            waits_for = added[-1:] if draft.is_next else [one for one in added[:1] if drafts[0].is_first]
            refs = [str(one.ref_id) for one in waits_for]
            stage = self._made(parent, owner, draft, refs)
            self._note(stage)
            self._by_id[stage.id] = stage
            added.append(stage)
        stages = self._execution.stages
        place = stages.index(parent) if added else 0
        if owner == AFTER:
            place += 1 + len([one for one in self.inside(parent, AFTER) if one not in added])
        stages[place:place] = added
        return added

    def drop_unstarted(self, parent: Stage) -> None:
        """Take out the stages inside *parent* that have not begun."""
        for stage in self.inside(parent):
            if stage.status is Status.NOT_STARTED:
                self._execution.stages.remove(stage)
                self._inside[parent.id].remove(stage)

    def _made(self, parent: Stage, owner: str, draft: Synthetic, waits_for: list[str]) -> Stage:
        return Stage(
            id=self._new_id(),
            type=draft.type,
            name=draft.name,
            ref_id=self._free_ref(parent, owner),
            requisite_stage_ref_ids=waits_for,
            context=dict(draft.context),
            unevaluated=_unevaluated(parent, draft),
            parent_stage_id=parent.id,
            synthetic_stage_owner=owner,
        )

    def _free_ref(self, parent: Stage, owner: str) -> str:
        number = len(self.inside(parent, owner)) + 1
        while (ref := f"{parent.ref_id}{_SIGNS[owner]}{number}") in self._by_ref:
            number += 1
        return ref

    def _note(self, stage: Stage) -> None:
        if stage.ref_id is not None:
            self._by_ref[stage.ref_id] = stage
        if stage.parent_stage_id is not None:
            self._inside[stage.parent_stage_id].append(stage)
        for ref in stage.requisite_stage_ref_ids:
            self._downstream[ref].append(stage)


def _unevaluated(parent: Stage, draft: Synthetic) -> Document:
    """Give what is still to be evaluated: what the owner wrote, and what did not resolve in *parent*.

    Everything else in the context of the new stage is data: the parent's expressions have been evaluated.
    """
    inherited: dict[str, Any] = {
        key: entry
        for key, entry in (parent.unevaluated or {}).items()
        if key in draft.context and draft.context[key] == entry["shown"]
    }
    written = {key: {"shown": draft.context[key]} for key in draft.written if key in draft.context}
    return inherited | written
