"""What exists in PagerDuty, and who is on call."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client

__all__ = ["app", "oncall", "services"]

app = typer.Typer(help="The list of services and on-calls that Masthead keeps.", invoke_without_command=True)

_Text = Annotated[str, typer.Argument(help="Part of a name.", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def services(context: typer.Context, text: _Text = "", as_json: _Json = False) -> None:
    """List PagerDuty's services: which can be paged, and who is on call."""
    client: Client = context.obj
    found = client.get("/v1/services", q=text or None, limit=10_000)
    if as_json:
        show.as_json(found)
        return
    rows = [
        (
            one["name"],
            one["id"],
            one.get("status"),
            (one.get("escalationPolicy") or {}).get("name"),
            ", ".join(person["user"] for person in one.get("onCall", ()) if person.get("level") == 1),
            "yes" if one.get("isPageable") else f"no: {one.get('reason')}",
        )
        for one in found["services"]
    ]
    show.table(
        ("SERVICE", "ID", "STATUS", "POLICY", "ON CALL NOW", "CAN BE PAGED"),
        rows,
        empty="No service matches.",
    )
    _say_trouble(client.get("/v1/catalog"))


def oncall(context: typer.Context, text: _Text = "", as_json: _Json = False) -> None:
    """List who is on call now, by escalation policy and level."""
    client: Client = context.obj
    found = client.get("/v1/oncalls", q=text or None)
    if as_json:
        show.as_json(found)
        return
    rows = [
        (
            (one.get("escalationPolicy") or {}).get("name"),
            one.get("level"),
            one.get("user"),
            one.get("schedule"),
            one.get("end") or "always",
        )
        for one in found["oncalls"]
    ]
    show.table(("POLICY", "LEVEL", "WHO", "SCHEDULE", "UNTIL"), rows, empty="Nobody matches.")
    _say_trouble(client.get("/v1/catalog"))


@app.callback()
def catalog(context: typer.Context) -> None:
    """Show how old the list is and what is wrong with it."""
    if context.invoked_subcommand is None:
        show.as_json(context.obj.get("/v1/catalog"))


@app.command()
def refresh(context: typer.Context) -> None:
    """Ask PagerDuty now."""
    show.as_json(context.obj.post("/v1/catalog/refresh"))


def _say_trouble(state: dict[str, Any]) -> None:
    trouble = state.get("trouble") or state.get("lastError")
    if trouble:
        typer.echo(trouble.get("text") or trouble.get("message"), err=True)
