"""In whose name a stage runs: the one who started the execution, until a judgment passes it on.

Source: Spinnaker compatibility facts, section 4.5.7.
"""

from __future__ import annotations

from dataclasses import replace

from masthead.executions.model import Execution, Stage
from masthead.executions.status import Status
from masthead.kernel.caller import Caller

__all__ = ["caller_of"]


def caller_of(execution: Execution, stage: Stage) -> Caller:
    """Give in whose name *stage* runs.

    The nearest judgment before it that somebody answered with "continue", and that has
    ``propagateAuthenticationContext``, counts; without one it is who started the execution.
    """
    private = execution.masthead or {}
    started = Caller(
        user=execution.user,
        origin=execution.origin,
        address=str(private.get("address") or ""),
        request_id=str(private.get("requestId") or ""),
    )
    judge = _judge(execution, stage)
    return started if judge is None else replace(started, user=judge)


def _judge(execution: Execution, stage: Stage) -> str | None:
    if not any(map(_passed_on, execution.stages)):
        return None
    by_ref = {each.ref_id: each for each in execution.stages}
    by_id = {each.id: each for each in execution.stages}
    seen: set[str] = set()
    level = [stage]
    while level:
        before = [by_ref[ref] for each in level for ref in each.requisite_stage_ref_ids if ref in by_ref]
        around = [by_id[each.parent_stage_id] for each in level if each.parent_stage_id in by_id]
        level = [each for each in (*before, *around) if each.id not in seen]
        seen.update(each.id for each in level)
        for each in level:
            if (user := _passed_on(each)) is not None:
                return user
    return None


def _passed_on(stage: Stage) -> str | None:
    if stage.type != "manualJudgment" or stage.status is not Status.SUCCEEDED:
        return None
    if stage.context.get("propagateAuthenticationContext") is not True:
        return None
    user = (stage.last_modified or {}).get("user")
    return user if isinstance(user, str) and user else None
