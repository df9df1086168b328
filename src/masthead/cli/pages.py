"""Paging by hand, and what is to become of a page that was sent.

``masthead page`` is a group, and what does not begin with one of its commands is meant for ``send``: ``masthead page
demo --message …`` pages. An application that is called like one of the commands is paged by ``masthead page send``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from masthead.cli import show
from masthead.cli.client import Client, ServerRefused, quoted
from masthead.cli.follow import patiently
from masthead.cli.options import AsJson, asks_server, pairs, segment
from masthead.cli.page_words import DeliveryNews, has_woken_nobody, incident_line, page_lines, service_name
from masthead.cli.preflight import show_dry_run

__all__ = ["app", "change_event"]

#: Seconds that one question waits on the server.
_WAIT_S = 10
#: How long it is looked what PagerDuty makes of a page that it took, and how often; an incident is there within seconds.
_PROOF_S = 5.0
_PROOF_POLL_S = 0.2


class _SendsByDefault(TyperGroup):
    """Takes what is none of its commands for the arguments of ``send``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["send", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_SendsByDefault,
    help='Page the people on call: masthead page APPLICATION… --message "…"; and look after pages that were sent.',
    no_args_is_help=True,
)

_Applications = Annotated[
    list[str] | None, typer.Argument(help="Applications whose owners are told.", show_default=False)
]
_Services = Annotated[
    list[str] | None,
    typer.Option(
        "--service", help="A PagerDuty service: its id, name, or a part of one name; may be repeated."
    ),
]
_Details = Annotated[list[str] | None, typer.Option("--detail", help="key=value; may be repeated.")]
_Links = Annotated[list[str] | None, typer.Option("--link", help="An address; may be repeated.")]
_Waits = Annotated[
    bool,
    typer.Option("--wait/--no-wait", help="Wait until PagerDuty took or refused it, or Masthead gave up."),
]
_Id = Annotated[str, typer.Argument(help="The page's id.", callback=segment)]


@app.command()
@asks_server
def send(
    client: Client,
    *,
    message: Annotated[
        str | None,
        typer.Option(
            help="The first line that the person on call reads. Without it: pagerDuty.defaultSubject of "
            "settings-local.js, and pagerDuty.defaultDetails where no --detail is given.",
            show_default=False,
        ),
    ] = None,
    applications: _Applications = None,
    services: _Services = None,
    severity: Annotated[str | None, typer.Option(help="critical, error, warning or info.")] = None,
    details: _Details = None,
    links: _Links = None,
    wait: _Waits = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show who would be woken and what would be sent; wakes nobody.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Page the owners of applications, or services, and say what came of it."""
    body = _body(applications, services, details, links)
    body |= {"message": message} if message is not None else _defaults(client, body["details"])
    if severity is not None:
        body["severity"] = severity
    if dry_run:
        show_dry_run(client, body, as_json=as_json)
        return
    _tell(client, client.post("/v1/pages", body), wait=wait, as_json=as_json)


@app.command("show")
@asks_server
def show_(client: Client, page_id: _Id, as_json: AsJson = False) -> None:
    """Show all that is known of a page: who asked, what was said, every attempt, the incidents."""
    page = client.get(f"/v1/pages/{quoted(page_id)}")
    if as_json:
        show.as_json(page)
    else:
        show.say("\n".join(map(show.indented, page_lines(page))))


@app.command()
@asks_server
def acknowledge(client: Client, page_id: _Id, wait: _Waits = True, as_json: AsJson = False) -> None:
    """Tell PagerDuty that somebody looks after it."""
    _tell(client, client.post(f"/v1/pages/{quoted(page_id)}/acknowledge"), wait=wait, as_json=as_json)


@app.command()
@asks_server
def resolve(client: Client, page_id: _Id, wait: _Waits = True, as_json: AsJson = False) -> None:
    """Tell PagerDuty that it is over."""
    _tell(client, client.post(f"/v1/pages/{quoted(page_id)}/resolve"), wait=wait, as_json=as_json)


@app.command()
@asks_server
def resend(client: Client, page_id: _Id, wait: _Waits = True, as_json: AsJson = False) -> None:
    """Send what failed of a page again; it wakes nobody who was told already."""
    _tell(client, client.post(f"/v1/pages/{quoted(page_id)}/resend"), wait=wait, as_json=as_json)


@asks_server
def change_event(
    client: Client,
    *,
    summary: Annotated[str, typer.Option(help="What was changed, in one line.")],
    applications: _Applications = None,
    services: _Services = None,
    details: _Details = None,
    links: _Links = None,
    timestamp: Annotated[str | None, typer.Option(help="When, if not now: ISO 8601.")] = None,
    wait: _Waits = True,
    as_json: AsJson = False,
) -> None:
    """Tell PagerDuty what was changed, for those who look at an incident later; wakes nobody."""
    body = _body(applications, services, details, links) | {"summary": summary}
    if timestamp is not None:
        body["timestamp"] = timestamp
    _tell(client, client.post("/v1/change-events", body), wait=wait, as_json=as_json)


def _defaults(client: Client, details: dict[str, str]) -> dict[str, Any]:
    """Give what Deck's pager starts with, as the operator set it."""
    deck = client.get("/v1/settings")["pagerDuty"]
    subject, more = deck["defaultSubject"].strip(), deck["defaultDetails"].strip()
    if not subject:
        raise typer.BadParameter(
            "say what is wrong; pagerDuty.defaultSubject is empty", param_hint="--message"
        )
    show.say(f"No --message: it says {subject!r} (pagerDuty.defaultSubject).", err=True)
    return {"message": subject, "details": details or ({"details": more} if more else {})}


def _body(
    applications: list[str] | None,
    services: list[str] | None,
    details: list[str] | None,
    links: list[str] | None,
) -> dict[str, Any]:
    return {
        "applications": applications or [],
        "services": services or [],
        "details": pairs(details, option="--detail"),
        "links": links or [],
    }


def _tell(client: Client, page: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    """Say what comes of *page*, to its end with *wait*.

    Raises:
        ServerRefused: somebody was not told.
    """
    news = _News(client, is_quiet=as_json)
    news.tell(page)
    while wait and not page["isDecided"]:
        page = patiently(client, f"/v1/pages/{quoted(page['id'])}", wait=_WAIT_S)
        news.tell(page)
    if as_json:
        show.as_json(page)
    elif not page["isDecided"]:
        show.say(f"Stored as page {page['id']}. What comes of it: masthead page show {page['id']}")
    elif wait and page["kind"] == "trigger":
        page = _prove(client, page)
    _complain(page)


def _prove(client: Client, page: dict[str, Any]) -> dict[str, Any]:
    """Say what PagerDuty makes of *page*, and give the page as it stands then; looks on for a moment only."""
    deadline = time.monotonic() + _PROOF_S
    while any(map(_may_be_proven, page["deliveries"])) and time.monotonic() < deadline:
        time.sleep(_PROOF_POLL_S)
        page = patiently(client, f"/v1/pages/{quoted(page['id'])}")
    told = [one for one in page["deliveries"] if one["state"] == "accepted" and one["serviceId"]]
    for one in told:
        show.say(f"  {incident_line(one)}")
    if any(map(_may_be_proven, told)):
        show.say(f"  What comes of it: masthead page show {page['id']}")
    return page


def _may_be_proven(delivery: Mapping[str, Any]) -> bool:
    is_open = delivery["state"] == "accepted" and delivery["incident"]["state"] == "unknown"
    return is_open and delivery["serviceId"] is not None


def _complain(page: Mapping[str, Any]) -> None:
    failed = [service_name(one) for one in page["deliveries"] if one["state"] in ("rejected", "expired")]
    if failed:
        again = f" Send it again: masthead page resend {page['id']}" if page["kind"] == "trigger" else ""
        raise ServerRefused(
            f"{len(failed)} of {len(page['deliveries'])} not told: {', '.join(failed)}.{again}"
        )
    if asleep := [service_name(one) for one in page["deliveries"] if has_woken_nobody(one)]:
        raise ServerRefused(f"PagerDuty took the page, and woke nobody for {', '.join(asleep)}.")


class _News:
    """What was told already of a page's deliveries."""

    def __init__(self, client: Client, *, is_quiet: bool) -> None:
        self._words = DeliveryNews(client)
        self._is_quiet = is_quiet
        self._told: dict[str, str] = {}

    def tell(self, page: Mapping[str, Any]) -> None:
        """Print what changed since the last time."""
        for delivery in page["deliveries"]:
            line = "" if self._is_quiet else self._line(delivery)
            if line and self._told.get(delivery["id"]) != line:
                self._told[delivery["id"]] = line
                show.say(line)

    def _line(self, delivery: Mapping[str, Any]) -> str:
        if delivery["action"] == "trigger" or delivery["state"] != "accepted":
            return self._words.line(delivery)
        return f"{service_name(delivery)}: PagerDuty took it"
