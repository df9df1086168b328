"""Pipelines: save, look, run and watch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client, ServerRefused, quoted
from masthead.cli.follow import follow
from masthead.cli.options import AsJson, asks_server, pairs, segment

__all__ = ["app", "save_pipeline"]

app = typer.Typer(help="Pipelines: save them, run them, watch them.", no_args_is_help=True)
_Application = Annotated[str, typer.Argument(help="The application.", callback=segment)]
_Name = Annotated[str, typer.Argument(help="The pipeline's name or id.")]


@app.command()
@asks_server
def save(
    client: Client,
    file: Annotated[
        Path, typer.Argument(help="The pipeline as JSON, as Deck writes it; - for standard input.")
    ],
) -> None:
    """Save a pipeline; one of the same name is replaced."""
    document = _read(file)
    save_pipeline(client, document)
    application = document["application"]
    show.say(f"Pipeline {document['name']} of application {application} is saved.")
    if not _exists(client, application):
        show.say(f"Warning: there is no application {application} yet.", err=True)


def _read(file: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
        document = json.loads(text)
        json.dumps(document, ensure_ascii=False).encode()  # a lone \ud800 is JSON, but no text
    except OSError as error:
        raise _unusable(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeError as error:
        raise _unusable(f"{file} holds characters that are not UTF-8 text") from error
    except ValueError as error:
        raise _unusable(f"{file} is not JSON: {error}") from error
    except RecursionError as error:
        raise _unusable(f"{file}: its objects and lists are too deep inside each other") from error
    if not isinstance(document, dict):
        raise _unusable(f"{file} is not one pipeline: a JSON object is needed")
    return document


def _exists(client: Client, application: str) -> bool:
    try:
        client.get(f"/v1/applications/{quoted(application)}")
    except ServerRefused:
        return False
    return True


def _unusable(sentence: str) -> typer.BadParameter:
    return typer.BadParameter(sentence, param_hint="FILE")


def save_pipeline(client: Client, document: dict[str, Any]) -> None:
    """Save *document* over the application's pipeline of the same name, or as a new one."""
    application, name = document.get("application"), str(document.get("name", "")).strip()
    if "id" not in document and application:
        known = client.get(f"/applications/{quoted(application)}/pipelineConfigs")
        same = [one["id"] for one in known if one["name"].casefold() == name.casefold()]
        document = document | ({"id": same[0]} if same else {})
    client.post("/pipelines", document)


@app.command("list")
@asks_server
def list_(client: Client, application: _Application, as_json: AsJson = False) -> None:
    """List an application's pipelines."""
    found = client.get(f"/applications/{quoted(application)}/pipelineConfigs")
    if as_json:
        show.as_json(found)
        return
    rows = [(one["name"], one["id"], len(one.get("stages", ())), one.get("lastModifiedBy")) for one in found]
    show.table(
        ("PIPELINE", "ID", "STAGES", "CHANGED BY"),
        rows,
        empty=f"Application {application} has no pipeline.",
        whole=("ID",),
    )


@app.command("show")
@asks_server
def show_(client: Client, application: _Application, name: _Name) -> None:
    """Show a pipeline as JSON, as Deck writes it."""
    show.as_json(client.get(f"/applications/{quoted(application)}/pipelineConfigs/{quoted(name)}"))


@app.command("next")
@asks_server
def next_(
    client: Client,
    application: _Application,
    name: _Name,
    count: Annotated[int, typer.Option(min=1, max=100, help="Firings of each trigger.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show when a pipeline's cron triggers fire next."""
    found = client.get(f"/v1/pipelines/{quoted(application)}/{quoted(name)}/firings", limit=count)
    if as_json:
        show.as_json(found)
        return
    rows = [
        (at, one["cronExpression"], one["timeZone"])
        for one in found["triggers"]
        for at in one["next"] or ["never again"]
    ]
    empty = f"Pipeline {found['pipeline']} has no cron trigger that is enabled."
    show.table(("FIRES", "CRON EXPRESSION", "TIME ZONE"), sorted(rows), empty=empty)


@app.command()
@asks_server
def run(
    client: Client,
    application: _Application,
    name: _Name,
    parameter: Annotated[list[str] | None, typer.Option(help="key=value; may be repeated.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show progress; the exit status follows the execution.")
    ] = False,
) -> None:
    """Start a pipeline."""
    trigger = {"type": "manual", "parameters": pairs(parameter, option="--parameter")}
    path = client.post(f"/pipelines/{quoted(application)}/{quoted(name)}", trigger)["ref"]
    show.say(f"Execution {path.rpartition('/')[2]} of {name} is started.")
    if not watch:
        return
    execution = follow(client, path, stages=True)
    show.say(f"The execution ended: {execution['status']}")
    if execution["status"] != "SUCCEEDED":
        raise typer.Exit(1)
