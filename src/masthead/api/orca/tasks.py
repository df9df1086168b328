"""Tasks at Orca.

Source: Spinnaker compatibility facts, section 4.2.1.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.executions import ExecutionType
from masthead.kernel.errors import InvalidRequest

__all__ = ["routes"]

routes = Routes("orca")

#: Orca's own default and, here, the most.
_MOST = 3500


@routes.get("/tasks", "All tasks, newest first.")
async def list_all(ask: Ask) -> Any:
    """Give the newest tasks of all applications."""
    return await ask.services.executions.list_tasks(None, statuses=(), page=1, limit=_MOST)


@routes.get("/applications/{application}/tasks", "Tasks of an application, newest first.")
async def of_application(ask: Ask) -> Any:
    """Give one page of tasks."""
    return await ask.services.executions.list_tasks(
        ask.path("application"),
        statuses=ask.words("statuses"),
        page=ask.number("page", 1, minimum=1),
        limit=min(ask.number("limit", _MOST, minimum=1), _MOST),
    )


@routes.put("/tasks/cancel", "Cancel the tasks whose ids are the body's list.", status=202)
async def cancel_many(ask: Ask) -> Any:
    """Cancel each task."""
    ids = await ask.document()
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise InvalidRequest("The body must be a list of task ids.")
    for task_id in ids:
        await ask.services.executions.cancel(task_id, ask.caller, kind=ExecutionType.ORCHESTRATION)
    return empty(status=202)


@routes.get("/tasks/{id}", "A task with its steps, variables and execution.")
async def get(ask: Ask) -> Any:
    """Give the task as it stands."""
    return await ask.services.executions.get_task(ask.path("id"))


@routes.delete("/tasks/{id}", "Delete a task that has ended; 409 while it runs.")
async def delete(ask: Ask) -> Any:
    """Delete the task."""
    await ask.services.executions.delete(ask.path("id"), ask.caller, kind=ExecutionType.ORCHESTRATION)
    return empty()


@routes.put("/tasks/{id}/cancel", "Cancel a task.", status=202)
async def cancel(ask: Ask) -> Any:
    """Ask the task to stop."""
    reason = ask.text("reason") or None
    await ask.services.executions.cancel(ask.path("id"), ask.caller, reason, kind=ExecutionType.ORCHESTRATION)
    return empty(status=202)
