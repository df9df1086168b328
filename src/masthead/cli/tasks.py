"""Looking at tasks."""

from __future__ import annotations

from typing import Annotated

import typer

from masthead.cli import show
from masthead.cli.client import Client, quoted
from masthead.cli.options import asks_server, segment

__all__ = ["app"]

app = typer.Typer(help="What was asked for one by one: pages, changes.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What was asked for one by one: pages, changes."""


@app.command("show")
@asks_server
def show_task(
    client: Client, task_id: Annotated[str, typer.Argument(help="The task's id.", callback=segment)]
) -> None:
    """Show a task as JSON."""
    show.as_json(client.get(f"/tasks/{quoted(task_id)}"))
