"""Paging by hand, and looking at tasks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client, ServerRefused, errors_of, quoted
from masthead.cli.follow import follow
from masthead.cli.options import asks_server, pairs

__all__ = ["page", "tasks"]

tasks = typer.Typer(help="What was asked for one by one: pages, changes.", no_args_is_help=True)


@asks_server
def page(
    client: Client,
    applications: Annotated[list[str], typer.Argument(help="Applications whose owners are paged.")],
    message: Annotated[str, typer.Option(help="The first line that the person on call reads.")],
    severity: Annotated[str | None, typer.Option(help="critical, error, warning or info.")] = None,
    detail: Annotated[list[str] | None, typer.Option(help="key=value; may be repeated.")] = None,
) -> None:
    """Page the owners of applications and say what came of it."""
    job: dict[str, Any] = {
        "type": "pageApplicationOwner",
        "applications": applications,
        "message": message,
        "details": pairs(detail, option="--detail"),
    }
    if severity:
        job["severity"] = severity
    application = applications[0] if len(applications) == 1 else "spinnaker"
    task = follow(client, client.start_task(application, "Send Page", job), stages=False)
    if task["status"] != "SUCCEEDED":
        raise ServerRefused(" ".join(errors_of(task)) or f"The page ended as {task['status']}.")


@tasks.callback()
def _group() -> None:
    """What was asked for one by one: pages, changes."""


@tasks.command("show")
@asks_server
def show_task(client: Client, task_id: Annotated[str, typer.Argument(help="The task's id.")]) -> None:
    """Show a task as JSON."""
    show.as_json(client.get(f"/tasks/{quoted(task_id)}"))
