"""Gate's tasks: how applications are changed and owners are paged by hand.

Source: Spinnaker compatibility facts, sections 2.3.1 and 2.4.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.executions import ExecutionType

__all__ = ["routes"]

routes = Routes("gate")


@routes.post("/tasks", "Start jobs as one task; the answer's ref leads to it.")
async def start(ask: Ask) -> Any:
    """Start the jobs; the task can be read before this answers."""
    task_id = await ask.services.executions.start_tasks(await ask.object(), ask.caller)
    return {"ref": f"/tasks/{task_id}"}


@routes.post("/applications/{application}/tasks", "Start jobs in the name of an application.")
async def start_for_application(ask: Ask) -> Any:
    """Start the jobs; the path's application wins over the body's."""
    body = {**await ask.object(), "application": ask.path("application")}
    task_id = await ask.services.executions.start_tasks(body, ask.caller)
    return {"ref": f"/tasks/{task_id}"}


@routes.put("/tasks/cancel", "Cancel the tasks named in ids.")
async def cancel_many(ask: Ask) -> Any:
    """Cancel each; an unknown one is an error after the known ones before it were cancelled."""
    for task_id in ask.words("ids"):
        await ask.services.executions.cancel(task_id, ask.caller, kind=ExecutionType.ORCHESTRATION)
    return empty()


@routes.get("/tasks/{id}", "A task with its steps, variables and execution.")
@routes.get("/applications/{application}/tasks/{id}", "A task (deprecated path).")
async def get(ask: Ask) -> Any:
    """Give the task as it stands."""
    return await ask.services.executions.get_task(ask.path("id"))


@routes.delete("/tasks/{id}", "Delete a task that has ended; 409 while it runs.")
async def delete(ask: Ask) -> Any:
    """Delete the task."""
    await ask.services.executions.delete(ask.path("id"), ask.caller, kind=ExecutionType.ORCHESTRATION)
    return empty()


@routes.put("/tasks/{id}/cancel", "Cancel a task.")
@routes.put("/applications/{application}/tasks/{id}/cancel", "Cancel a task (deprecated path).")
async def cancel(ask: Ask) -> Any:
    """Ask the task to stop."""
    reason = ask.text("reason") or None
    await ask.services.executions.cancel(ask.path("id"), ask.caller, reason, kind=ExecutionType.ORCHESTRATION)
    return empty()


routes.unbuilt("GET", "/tasks/{id}/details/{details}", "Clouddriver's task details are not part of Masthead.")
