"""Looking back at what was paged."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client
from masthead.cli.options import AsJson, asks_server
from masthead.cli.page_words import in_short

__all__ = ["pages"]

#: Pages that one question asks for.
_AT_A_TIME = 500
_MESSAGE_SHOWN = 80


def _one_of(name: str) -> Any:
    return typer.Option(help=f"{name}; may be repeated.")


@asks_server
def pages(
    client: Client,
    *,
    state: Annotated[list[str] | None, _one_of("pending, accepted, rejected or expired")] = None,
    application: Annotated[str | None, typer.Option(help="In whose name it was asked.")] = None,
    service: Annotated[
        str | None, typer.Option(help="To which PagerDuty service: id, name or label.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who asked.")] = None,
    execution: Annotated[str | None, typer.Option(help="Of which execution: its id.")] = None,
    severity: Annotated[list[str] | None, _one_of("critical, error, warning or info")] = None,
    door: Annotated[list[str] | None, _one_of("stage, echo, v1 or web")] = None,
    kind: Annotated[
        list[str] | None, _one_of("trigger (pages), change, acknowledge, resolve or resend")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="From then on: ISO 8601, or how long ago: 90m, 24h, 7d.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before then; as --since.")] = None,
    text: Annotated[str | None, typer.Option(help="Words of the message or the details.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: AsJson = False,
    csv: Annotated[
        Path | None, typer.Option(help="Write all that match into this file as CSV; - for standard output.")
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print all that match as JSON lines, a page a line.")
    ] = False,
) -> None:
    """List pages, newest first: who asked, what was said, what became of it."""
    if sum((as_json, csv is not None, jsonl)) > 1:
        raise typer.BadParameter("choose one of them", param_hint="--json, --csv, --jsonl")
    filters = {
        "state": ",".join(state or ()) or None,
        "application": application,
        "service": service,
        "user": by,
        "execution": execution,
        "severity": ",".join(severity or ()) or None,
        "door": ",".join(door or ()) or None,
        "kind": ",".join(kind or ()) or None,
        "since": since,
        "until": until,
        "text": text,
    }
    if csv is not None:
        _write(client.download("/v1/pages.csv", **filters), csv)
    elif jsonl:
        _print(client.download("/v1/pages.jsonl", **filters))
    else:
        _show(*_find(client, filters, limit), as_json=as_json)


def _find(client: Client, filters: dict[str, Any], limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Give the newest *limit* pages, and whether there are more."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        wanted = min(limit - len(found), _AT_A_TIME)
        answer = client.get("/v1/pages", **filters, limit=wanted, cursor=cursor)
        found += answer["pages"]
        cursor = answer["nextCursor"]
        if cursor is None or len(found) >= limit:
            return found, cursor is not None


def _show(found: list[dict[str, Any]], is_more: bool, *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
        return
    show.table(
        ("WHEN (UTC)", "PAGE", "SEVERITY", "MESSAGE", "ASKED BY", "APPLICATION", "WHAT BECAME OF IT"),
        (
            (
                page["createdAt"][:19].replace("T", " "),
                page["id"],
                page["severity"],
                _short(page["message"]),
                page["user"],
                page["application"],
                in_short(page),
            )
            for page in found
        ),
        empty="No page matches.",
        whole=("PAGE",),
    )
    if is_more:
        show.say("There are older ones: raise --limit, or narrow it with --since and --until.", err=True)


def _short(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= _MESSAGE_SHOWN else f"{line[: _MESSAGE_SHOWN - 1]}…"


def _write(parts: Iterable[bytes], file: Path) -> None:
    """Write a file that is there whole or not at all."""
    if str(file) == "-":
        _print(parts)
        return
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with unfinished.open("wb") as output:
            for part in parts:
                output.write(part)
        unfinished.replace(file)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}", param_hint="--csv") from error
    finally:
        unfinished.unlink(missing_ok=True)
    show.say(f"Written to {file}.")


def _print(parts: Iterable[bytes]) -> None:
    for part in parts:
        sys.stdout.buffer.write(part)
    sys.stdout.flush()
