"""``masthead doctor``: what is wrong with a running Masthead, and what to do about it."""

from __future__ import annotations

from typing import Any

import typer

from masthead.cli import show
from masthead.cli.client import Client
from masthead.cli.options import AsJson, asks_server

__all__ = ["doctor"]

_MARKS = {"failed": "✕", "warning": "!", "neutral": "·"}


@asks_server
def doctor(client: Client, as_json: AsJson = False) -> None:
    """Say what is wrong and what to do about it; exit 1 when pages may not reach anybody."""
    found = client.get("/v1/diagnostics")
    if as_json:
        show.as_json(found)
    else:
        _print(found)
    if any(one["kind"] == "failed" for one in found["findings"]):
        raise typer.Exit(1)


def _print(found: dict[str, Any]) -> None:
    show.say(f"Masthead {found['version']}, stored in {found['database']}\n")
    for one in found["findings"]:
        since = f" (since {show.moment(one['since'])} UTC)" if one["since"] else ""
        show.say(f"{_MARKS[one['kind']]} {one['title']}{since}\n  {one['text']}")
        if one["command"]:
            show.say(f"  {one['command']}")
    if not found["findings"]:
        show.say("✓ Nothing is wrong.")
    show.say()
    for account in found["accounts"]:
        show.say(
            f"PagerDuty ({account['name']}): {account['services']} services, read {show.moment(account['servicesFetchedAt']) or 'never'}; "
            f"{account['oncalls']} on-calls, read {show.moment(account['oncallsFetchedAt']) or 'never'}"
        )
    if found["deliveries"] is not None:
        doing = ", ".join(f"{count} {name}" for name, count in found["deliveries"].items())
        show.say(f"Deliveries: {doing}; executions that go on: {found['executions']}")
    for use in found["budgets"] or ():
        show.say(
            f"Budget of {use['label']}: {use['events']} of {use['limit']} events in {use['windowS']:g} s"
        )
    for one in found["machines"] or ():
        state = "alive" if one["isAlive"] else "silent"
        show.say(
            f"Machine {one['host']} {one['id']}: {state}, {one['version']}, since {show.moment(one['startedAt'])}"
        )
    given = [one for one in found["settings"] if one["source"] != "default"]
    if given:
        show.say("\nSettings that somebody gave (masthead config check shows all):")
    for one in given:
        show.say(f"  {one['key']} = {one['value']}  ({one['source']})")
