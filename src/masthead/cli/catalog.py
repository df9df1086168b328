"""What exists in PagerDuty, and who is on call."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client
from masthead.cli.options import AsJson, Server, User, asks_server

__all__ = ["app", "everything", "has_failed", "oncall", "pageable", "services"]

app = typer.Typer(help="The list of services and on-calls that Masthead keeps.", invoke_without_command=True)

_Text = Annotated[str, typer.Argument(help="Words of a name, policy, team or person.", show_default=False)]
#: So many at a time: the server answers others in between.
_AT_ONCE = 1_000


@asks_server
def services(client: Client, text: _Text = "", as_json: AsJson = False) -> None:
    """List PagerDuty's services: which can be paged, and who is on call."""
    found = everything(client, "services", text)
    if as_json:
        show.as_json(found)
        return
    has_accounts = "accounts" in (found.get("catalog") or {})
    show.table(
        (
            *(["ACCOUNT"] if has_accounts else []),
            "SERVICE",
            "ID",
            "STATUS",
            "POLICY",
            "ON CALL NOW",
            "CAN BE PAGED",
        ),
        (
            (
                *([one["account"]] if has_accounts else []),
                one["name"],
                one["id"],
                one.get("status"),
                (one.get("escalationPolicy") or {}).get("name"),
                show.names(one.get("onCall", ())),
                pageable(one, knows_oncalls=found["catalog"]["oncallsFetchedAt"] is not None),
            )
            for one in found["services"]
        ),
        empty=f"No service matches {text!r}." if text else "Masthead knows no PagerDuty service.",
        whole=("ID",),
    )
    _explain(found.get("catalog") or {}, "services")


def everything(client: Client, what: str, text: str) -> dict[str, Any]:
    """Give the whole of a list with the catalog's state, however many there are."""
    found: dict[str, Any] = {what: []}
    while True:
        more = client.get(f"/v1/{what}", q=text or None, limit=_AT_ONCE, offset=len(found[what]))
        found = more | {what: [*found[what], *more[what]]}
        if not more[what] or len(found[what]) >= more["total"]:
            return found


def pageable(service: dict[str, Any], *, knows_oncalls: bool = True) -> str:
    """Say whether a page to *service* would wake somebody, and if not, why.

    Where nobody *knows_oncalls* nothing is said of them.
    """
    if not service.get("isPageable"):
        return f"no: {service.get('reason')}"
    if service.get("warning"):
        return f"yes, but {service['warning']}"
    on_call = service.get("onCall", ())
    if not knows_oncalls or show.names(on_call):
        return "yes"
    return f"yes, but nobody is on call {'at level 1 ' if on_call else ''}now"


@asks_server
def oncall(client: Client, text: _Text = "", as_json: AsJson = False) -> None:
    """List who is on call now, by escalation policy and level."""
    found = everything(client, "oncalls", text)
    if as_json:
        show.as_json(found)
        return
    show.table(
        ("POLICY", "LEVEL", "WHO", "SCHEDULE", "UNTIL (UTC)", "SERVICES"),
        (
            (
                (one.get("escalationPolicy") or {}).get("name"),
                one.get("level"),
                one.get("user"),
                one.get("schedule"),
                show.moment(one.get("end")) or "always",
                ", ".join(one.get("services", ())),
            )
            for one in found["oncalls"]
        ),
        empty=f"Nobody on call matches {text!r}." if text else "Masthead knows nobody who is on call.",
    )
    _explain(found.get("catalog") or {}, "oncalls")


@app.callback()
def catalog(
    context: typer.Context, as_json: AsJson = False, server: Server = None, user: User = None
) -> None:
    """Show how old the list is and what is wrong with it."""
    if context.invoked_subcommand is None:
        _show_state(context, as_json=as_json, server=server, user=user)


@asks_server
def _show_state(client: Client, *, as_json: bool) -> None:
    _say(client.get("/v1/catalog"), as_json=as_json)


@app.command()
@asks_server
def refresh(client: Client, as_json: AsJson = False) -> None:
    """Ask PagerDuty now; exit 1 when it refused, could not be reached or is not configured."""
    state = client.post("/v1/catalog/refresh")
    _say(state, as_json=as_json)
    if has_failed(state):
        raise typer.Exit(1)


def has_failed(state: dict[str, Any]) -> bool:
    """Tell whether a refresh that left *state* did not bring all; an account without a token counts beside no other."""
    accounts = [one for one in (state.get("accounts") or {}).values() if one["isConfigured"]]
    return not state["isConfigured"] or any(
        one["trouble"] is not None and one["trouble"]["list"] is not None for one in accounts or [state]
    )


def _say(state: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show.as_json(state)
        return
    for what in ("services", "oncalls"):
        read = show.age(state.get(f"{what}AgeSeconds"))
        show.say(f"{'on-calls' if what == 'oncalls' else what:10} {state.get(what, 0):6}   read {read}")
    if state.get("isLoading"):
        show.say("PagerDuty is being asked now.")
    _explain(state, "services", "oncalls")


def _explain(state: dict[str, Any], *lists: str) -> None:
    """Say on standard error why these lists may be empty, old or not whole; each sentence once."""
    said = dict.fromkeys(state.get(f"{what}Explanation") for what in lists)
    for sentence in filter(None, said):
        show.say(sentence, err=True)
