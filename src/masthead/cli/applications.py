"""Applications: who owns what, and which PagerDuty service pages them."""

from __future__ import annotations

from itertools import zip_longest
from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client, quoted
from masthead.cli.options import AsJson, asks_server, segment

__all__ = ["app"]

app = typer.Typer(help="Applications and who is paged for them.", no_args_is_help=True)
#: As many versions as are shown.
_VERSIONS = 20
#: What changes with every version.
_STAMPS = ("updateTs", "lastModifiedBy")
_Name = Annotated[str, typer.Argument(help="The application's name.", callback=segment)]


@app.command("list")
@asks_server
def list_(client: Client, as_json: AsJson = False) -> None:
    """List all applications."""
    found = client.get("/v1/applications")["applications"]
    if as_json:
        show.as_json(found)
        return
    rows = [(one["name"].lower(), one.get("email"), one.get("pdApiKey") or "nobody") for one in found]
    show.table(("APPLICATION", "OWNER", "PAGES"), rows, empty="There is no application yet.")


@app.command("show")
@asks_server
def show_(client: Client, name: _Name, as_json: AsJson = False) -> None:
    """Show an application and who would be woken."""
    application = client.get(f"/v1/applications/{quoted(name)}")
    owner = client.get(f"/v1/applications/{quoted(name)}/pagerduty-service")
    if as_json:
        show.as_json(application | {"pagerDuty": owner})
        return
    service = owner.get("service") or {}
    lines = {
        "name": application["name"].lower(),
        "owner": application.get("email"),
        "description": application.get("description"),
        "changed": f"{show.instant(application.get('updateTs'))} by {application.get('lastModifiedBy')}",
        "pages": _paged(owner),
        "on call now": show.names(service.get("onCall", ())),
        "warning": owner.get("warning"),
    }
    for label, text in lines.items():
        if text:
            show.say(f"{label:12} {text}")


@app.command()
@asks_server
def save(
    client: Client,
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
    given = {"email": email, "description": description, "service": pagerduty_service}
    changes = {key: value for key, value in given.items() if value is not None}
    client.patch(f"/v1/applications/{quoted(name)}", changes)
    show.say(f"Application {name} is saved.")
    if pagerduty_service is not None:
        owner = client.get(f"/v1/applications/{quoted(name)}/pagerduty-service")
        show.say(f"Application {name} pages {_paged(owner)}. {_woken(owner)}")


def _paged(owner: dict[str, Any]) -> str | None:
    service = owner.get("service")
    return f"{service['name']} ({service['id']})" if service else owner.get("label")


def _woken(owner: dict[str, Any]) -> str:
    if warning := owner.get("warning"):
        return f"Warning: {warning}"
    return f"On call now: {show.names(owner['service'].get('onCall', ())) or 'nobody'}."


@app.command()
@asks_server
def delete(client: Client, name: _Name) -> None:
    """Delete an application with its pipelines."""
    client.get(f"/v1/applications/{quoted(name)}")  # Spinnaker's job is silent about one that does not exist
    job = {"type": "deleteApplication", "application": {"name": name}}
    client.task(name, f"Deleting Application: {name}", job)
    show.say(f"Application {name} is deleted.")


@app.command()
@asks_server
def history(client: Client, name: _Name, as_json: AsJson = False) -> None:
    """Show who changed what of an application, newest first."""
    found = client.get(f"/applications/{quoted(name)}/history", limit=_VERSIONS + 1)
    rows = [
        {
            "when": show.instant(one.get("updateTs")),
            "who": one.get("lastModifiedBy"),
            "owner": one.get("email"),
            "changed": _changed(one, older),
        }
        for one, older in zip_longest(found, found[1:])
    ][:_VERSIONS]
    if as_json:
        show.as_json(rows)
        return
    show.table(
        ("WHEN (UTC)", "WHO", "OWNER", "CHANGED"),
        [(*list(row.values())[:3], ", ".join(row["changed"])) for row in rows],
        empty=f"No application was ever called {name}.",
    )


def _changed(version: dict[str, Any], older: dict[str, Any] | None) -> list[str]:
    """Name the attributes that *version* changed, never showing a key."""
    if version.get("deleted"):
        return ["deleted"]
    if older is None or older.get("deleted"):
        return ["created"]
    names = sorted(name for name in version.keys() | older.keys() if version.get(name) != older.get(name))
    shown = ["PagerDuty service" if name == "pdApiKey" else name for name in names if name not in _STAMPS]
    return shown or ["nothing"]
