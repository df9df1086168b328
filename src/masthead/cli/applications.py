"""Applications: who owns what, and which PagerDuty service pages them."""

from __future__ import annotations

from typing import Annotated

import typer

from masthead.cli import show
from masthead.cli.client import Client, quoted

__all__ = ["app"]

app = typer.Typer(help="Applications and who is paged for them.", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(help="The application's name.")]
_Json = Annotated[
    bool, typer.Option("--json", help="For programs; as Gate gives it, the integration key included.")
]


@app.command("list")
def list_(context: typer.Context, as_json: _Json = False) -> None:
    """List all applications."""
    found = context.obj.get("/applications")
    if as_json:
        show.as_json(found)
        return
    rows = [(one["name"], one.get("email"), "yes" if one.get("pdApiKey") else "no") for one in found]
    show.table(("APPLICATION", "OWNER", "CAN BE PAGED"), rows, empty="There is no application yet.")


@app.command("show")
def show_(context: typer.Context, name: _Name) -> None:
    """Show an application and who would be woken."""
    client: Client = context.obj
    attributes = client.get(f"/applications/{quoted(name)}")["attributes"]
    for key in ("name", "email", "description", "lastModifiedBy"):
        if attributes.get(key):
            print(f"{key:16} {attributes[key]}")
    owner = client.get(f"/v1/applications/{quoted(name)}/pagerduty-service")
    show.as_json(owner)


@app.command()
def save(
    context: typer.Context,
    name: _Name,
    email: Annotated[
        str | None, typer.Option(help="The owner's e-mail; needed for a new application.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it is.")] = None,
    pagerduty_service: Annotated[
        str | None,
        typer.Option(help="The PagerDuty service that pages for it: its name, id, or a part of one name."),
    ] = None,
) -> None:
    """Create an application or change it."""
    client: Client = context.obj
    given = {"name": name, "email": email, "description": description}
    document = {key: value for key, value in given.items() if value is not None}
    if len(document) > 1 or pagerduty_service is None:
        job = {"type": "upsertApplication", "application": document}
        client.task(name, f"Save Application: {name}", job)
        print(f"Application {name} is saved.")
    if pagerduty_service is not None:
        chosen = client.put(
            f"/v1/applications/{quoted(name)}/pagerduty-service", {"service": pagerduty_service}
        )
        service = chosen.get("service") or chosen
        print(
            f"Application {name} is paged through PagerDuty service {service.get('name')} ({service.get('id')})."
        )


@app.command()
def delete(context: typer.Context, name: _Name) -> None:
    """Delete an application with its pipelines."""
    context.obj.task(
        name, f"Deleting Application: {name}", {"type": "deleteApplication", "application": {"name": name}}
    )
    print(f"Application {name} is deleted.")


@app.command()
def history(context: typer.Context, name: _Name) -> None:
    """Show who changed an application, newest first."""
    found = context.obj.get(f"/applications/{quoted(name)}/history")
    rows = [(show.instant(one.get("updateTs")), one.get("lastModifiedBy"), one.get("email")) for one in found]
    show.table(("WHEN (UTC)", "WHO", "OWNER"), rows, empty="It was never changed.")
