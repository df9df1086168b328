"""Paging by hand, and looking at tasks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client, quoted
from masthead.cli.pipelines import describe_pages

__all__ = ["page", "tasks"]

tasks = typer.Typer(help="What was asked for one by one: pages, changes.", no_args_is_help=True)


def page(
    context: typer.Context,
    applications: Annotated[list[str], typer.Argument(help="Applications whose owners are paged.")],
    message: Annotated[str, typer.Option(help="The first line that the person on call reads.")],
    severity: Annotated[str | None, typer.Option(help="critical, error, warning or info.")] = None,
    detail: Annotated[list[str] | None, typer.Option(help="key=value; may be repeated.")] = None,
) -> None:
    """Page the owners of applications and say what came of it."""
    client: Client = context.obj
    details = dict(text.partition("=")[::2] for text in detail or ())
    job: dict[str, Any] = {
        "type": "pageApplicationOwner",
        "applications": applications,
        "message": message,
        "details": details,
    }
    if severity:
        job["severity"] = severity
    task = client.task(applications[0] if len(applications) == 1 else "spinnaker", "Send Page", job)
    stage = task["execution"]["stages"][0]
    for line in describe_pages(stage.get("context", {})):
        print(line)


@tasks.callback()
def _group() -> None:
    """What was asked for one by one: pages, changes."""


@tasks.command("show")
def show_task(context: typer.Context, task_id: Annotated[str, typer.Argument(help="The task's id.")]) -> None:
    """Show a task as JSON."""
    show.as_json(context.obj.get(f"/tasks/{quoted(task_id)}"))
