"""Pipelines: save, look, run and watch."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client, ServerRefused, quoted

__all__ = ["app", "describe_pages"]

app = typer.Typer(help="Pipelines: save them, run them, watch them.", no_args_is_help=True)
_Application = Annotated[str, typer.Argument(help="The application.")]
_Name = Annotated[str, typer.Argument(help="The pipeline's name or id.")]
_ENDED = ("SUCCEEDED", "TERMINAL", "CANCELED", "STOPPED", "SKIPPED", "FAILED_CONTINUE")


@app.command()
def save(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="The pipeline as JSON, as Deck writes it; - for standard input.")
    ],
) -> None:
    """Save a pipeline; one of the same name is replaced."""
    client: Client = context.obj
    try:
        document = json.loads(sys.stdin.read() if str(file) == "-" else file.read_text())
    except (OSError, ValueError) as error:
        raise ServerRefused(f"{file} cannot be read as JSON: {error}") from error
    if "id" not in document and document.get("application"):
        known = client.get(f"/applications/{quoted(document['application'])}/pipelineConfigs")
        same = [
            one["id"] for one in known if one["name"].casefold() == str(document.get("name", "")).casefold()
        ]
        document |= {"id": same[0]} if same else {}
    client.post("/pipelines", document)
    print(f"Pipeline {document.get('name')} of application {document.get('application')} is saved.")


@app.command("list")
def list_(context: typer.Context, application: _Application) -> None:
    """List an application's pipelines."""
    found = context.obj.get(f"/applications/{quoted(application)}/pipelineConfigs")
    rows = [(one["name"], one["id"], len(one.get("stages", ())), one.get("lastModifiedBy")) for one in found]
    show.table(
        ("PIPELINE", "ID", "STAGES", "CHANGED BY"), rows, empty=f"Application {application} has no pipeline."
    )


@app.command("show")
def show_(context: typer.Context, application: _Application, name: _Name) -> None:
    """Show a pipeline as JSON."""
    show.as_json(context.obj.get(f"/applications/{quoted(application)}/pipelineConfigs/{quoted(name)}"))


@app.command()
def run(
    context: typer.Context,
    application: _Application,
    name: _Name,
    parameter: Annotated[list[str] | None, typer.Option(help="key=value; may be repeated.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show progress; the exit status follows the execution.")
    ] = False,
) -> None:
    """Start a pipeline."""
    client: Client = context.obj
    trigger = {"type": "manual", "parameters": dict(_pair(text) for text in parameter or ())}
    ref = client.post(f"/pipelines/{quoted(application)}/{quoted(name)}", trigger)["ref"]
    execution_id = ref.rpartition("/")[2]
    print(f"Execution {execution_id} of {name} is started.")
    if not watch:
        return
    execution = _watch(client, execution_id)
    print(f"{execution['status']}")
    if execution["status"] != "SUCCEEDED":
        raise typer.Exit(1)


def _watch(client: Client, execution_id: str) -> dict[str, Any]:
    shown: dict[str, str] = {}
    while True:
        execution: dict[str, Any] = client.get(f"/pipelines/{execution_id}")
        for stage in execution.get("stages", ()):
            if shown.get(stage["id"]) != stage["status"] and stage["status"] != "NOT_STARTED":
                shown[stage["id"]] = stage["status"]
                print(f"  {stage['name']}: {stage['status']}")
                for line in describe_pages(stage.get("context", {})):
                    print(f"    {line}")
        if execution["status"] in _ENDED:
            return execution
        time.sleep(0.2)


def describe_pages(context: dict[str, Any]) -> list[str]:
    """Say in words what came of a stage's pages and what went wrong."""
    lines = []
    for delivery in (context.get("page") or context.get("pages") or {}).get("deliveries", ()):
        text = f" - {delivery['text']}" if delivery.get("text") and delivery["state"] != "accepted" else ""
        lines.append(f"{delivery['service']}: {delivery['state']}{text}")
    errors = context.get("exception", {}).get("details", {}).get("errors", ())
    return lines + [str(error) for error in errors]


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write key=value", param_hint="--parameter")
    return key, value
