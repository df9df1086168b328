"""In whose name a stage runs: the one who started the execution, until a judgment passes it on.

Source: Spinnaker compatibility facts, section 4.5.7.
"""

from __future__ import annotations

from dataclasses import replace

from masthead.executions.model import JUDGMENT, Execution, Stage
from masthead.executions.status import Status
from masthead.kernel.caller import Caller

__all__ = ["caller_of", "remember_roles"]


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
        roles=tuple(private.get("roles") or ()),
    )
    judgment = _judgment(execution, stage)
    if judgment is None:
        return started
    roles = (private.get("judges") or {}).get(judgment.id) or ()
    return replace(started, user=str((judgment.last_modified or {})["user"]), roles=tuple(roles))


def remember_roles(execution: Execution, stage_id: str, caller: Caller) -> None:
    """Note which roles *caller*, who changes a stage, has: what follows may run in the caller's name."""
    private = execution.masthead or {}
    judges = {key: value for key, value in (private.get("judges") or {}).items() if key != stage_id}
    if caller.roles:
        judges[stage_id] = list(caller.roles)
    if judges or "judges" in private:
        execution.masthead = {**private, "judges": judges}


def _judgment(execution: Execution, stage: Stage) -> Stage | None:
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
            if _passed_on(each):
                return each
    return None


def _passed_on(stage: Stage) -> bool:
    """Tell whether *stage* is a judgment that has what follows run in the name of whoever made it."""
    if stage.type != JUDGMENT or stage.status is not Status.SUCCEEDED:
        return False
    user = (stage.last_modified or {}).get("user")
    is_told = stage.context.get("propagateAuthenticationContext") is True
    return is_told and isinstance(user, str) and bool(user)
