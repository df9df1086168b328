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
    print(f"Masthead {found['version']}, stored in {found['database']}\n")
    for one in found["findings"]:
        since = f" (since {show.moment(one['since'])} UTC)" if one["since"] else ""
        print(f"{_MARKS[one['kind']]} {one['title']}{since}\n  {one['text']}")
        if one["command"]:
            print(f"  {one['command']}")
    if not found["findings"]:
        print("✓ Nothing is wrong.")
    print()
    for account in found["accounts"]:
        print(
            f"PagerDuty ({account['name']}): {account['services']} services, read {show.moment(account['servicesFetchedAt']) or 'never'}; "
            f"{account['oncalls']} on-calls, read {show.moment(account['oncallsFetchedAt']) or 'never'}"
        )
    if found["deliveries"] is not None:
        doing = ", ".join(f"{count} {name}" for name, count in found["deliveries"].items())
        print(f"Deliveries: {doing}; executions that go on: {found['executions']}")
    for use in found["budgets"] or ():
        print(f"Budget of {use['label']}: {use['events']} of {use['limit']} events in {use['windowS']:g} s")
    for one in found["machines"] or ():
        state = "alive" if one["isAlive"] else "silent"
        print(
            f"Machine {one['host']} {one['id']}: {state}, {one['version']}, since {show.moment(one['startedAt'])}"
        )
    given = [one for one in found["settings"] if one["source"] != "default"]
    if given:
        print("\nSettings that somebody gave (masthead config check shows all):")
    for one in given:
        print(f"  {one['key']} = {one['value']}  ({one['source']})")
