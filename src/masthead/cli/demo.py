"""``masthead demo``: the whole path at once, on this machine, with a PagerDuty that wakes nobody.

It starts the simulator and Masthead as two processes, loads the applications and the pipeline of examples/demo
over HTTP and asks PagerDuty for the incident: what it prints is what happened, not what should have happened.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import masthead
from masthead.cli import show
from masthead.cli.catalog import pageable
from masthead.cli.children import Child, ended_by_signals, free_port
from masthead.cli.client import Client, ServerMissing, ServerRefused, quoted
from masthead.cli.follow import follow
from masthead.cli.pipelines import save_pipeline

__all__ = ["demo"]

_PACKAGE = Path(masthead.__file__).parent
_USER = "ann@example.com"
#: The simulator's built-in data takes any token; the manifest of the example gives this one.
_TOKEN = "demo-token"  # noqa: S105 - nobody's
_CATALOG_TIMEOUT_S = 30.0
_LOOK_S = 0.5


def demo(
    exit_: Annotated[
        bool, typer.Option("--exit", help="End at once: status 0 when the incident was proven, else 1.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where to keep the database and the logs; a temporary folder if not given."),
    ] = None,
) -> None:
    """Try the whole path on this machine: a page from a pipeline to an incident, in a simulated PagerDuty."""
    examples = _find_examples()
    with contextlib.ExitStack() as stack:
        stack.enter_context(ended_by_signals())
        house = _open(stack, examples, folder or _temporary(stack))
        is_proven = _play(house, examples)
        if exit_:
            raise typer.Exit(0 if is_proven else 1)
        _stay(house)


@dataclass(frozen=True)
class _House:
    """The two processes and how to reach them."""

    children: tuple[Child, ...]
    client: Client
    pagerduty: str


def _find_examples() -> Path:
    """Give the folder of the example organisation: beside the installed package, or in the checkout."""
    for folder in (_PACKAGE / "examples" / "demo", _PACKAGE.parents[1] / "examples" / "demo"):
        if folder.is_dir():
            return folder
    raise ServerRefused("The example organisation (examples/demo) is not here; run make demo in a checkout.")


def _temporary(stack: contextlib.ExitStack) -> Path:
    return Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="masthead-demo-", ignore_cleanup_errors=True))
    )


def _open(stack: contextlib.ExitStack, examples: Path, folder: Path) -> _House:
    folder.mkdir(parents=True, exist_ok=True)
    show.say("PagerDuty is simulated on this machine: nobody is woken.\n")
    simulator, pagerduty = _start(
        stack, "simulate", [], 8999, probe="/simulator/incidents", environ={}, log=folder / "simulator.log"
    )
    server, address = _start(
        stack,
        "serve",
        ["--config", str(examples / "SpinnakerService.yml"), "--database", str(folder / "demo.db")],
        8084,
        probe="/health",
        environ={"DEMO_PAGERDUTY": pagerduty},
        log=folder / "masthead.log",
    )
    return _House((simulator, server), Client(address, _USER), pagerduty)


def _start(
    stack: contextlib.ExitStack,
    command: str,
    arguments: list[str],
    wanted: int,
    *,
    probe: str,
    environ: dict[str, str],
    log: Path,
) -> tuple[Child, str]:
    port = free_port(wanted)
    address = f"http://127.0.0.1:{port}"
    note = "" if port == wanted else f"   (port {wanted} is taken)"
    child = Child([command, "--port", str(port), *arguments], environ=environ, log=log)
    stack.callback(child.end)
    child.wait_until_up(address + probe)
    show.say(f"masthead {command:10} {address}{note}")
    return child, address


def _play(house: _House, examples: Path) -> bool:
    services = _read_services(house.client)
    waking = [one for one in services if pageable(one) == "yes"]
    show.say(f"\nPagerDuty has {len(services)} services; a page to {len(waking)} of them wakes somebody now.")
    show.say("These applications are saved, each with the service that pages for it:\n")
    _save_applications(house.client, json.loads((examples / "applications.json").read_text("utf-8")))
    pipeline = json.loads((examples / "pipeline.json").read_text("utf-8"))
    deliveries = _run(house.client, pipeline)
    return bool(deliveries) and all(_prove(house.pagerduty, delivery) for delivery in deliveries)


def _read_services(client: Client) -> list[dict[str, Any]]:
    """Give the services as soon as the catalog was read."""
    deadline = time.monotonic() + _CATALOG_TIMEOUT_S
    while time.monotonic() < deadline:
        found = client.get("/v1/services", limit=100)
        if found["services"]:
            return list(found["services"])
        time.sleep(0.05)
    why = found["catalog"].get("servicesExplanation") or ""
    raise ServerRefused(f"Masthead read no services from PagerDuty. {why}".strip())


def _save_applications(client: Client, applications: list[dict[str, str]]) -> None:
    rows = []
    for one in applications:
        document = {"name": one["name"], "email": one["email"], "description": one["description"]}
        job = {"type": "upsertApplication", "application": document}
        client.task(one["name"], f"Save Application: {one['name']}", job)
        owner = client.put(
            f"/v1/applications/{quoted(one['name'])}/pagerduty-service", {"service": one["pagerDutyService"]}
        )
        rows.append((one["name"], owner["service"]["name"], show.names(owner["service"]["onCall"])))
    show.table(("APPLICATION", "PAGERDUTY SERVICE", "ON CALL NOW"), rows, empty="")


def _run(client: Client, pipeline: dict[str, Any]) -> list[dict[str, Any]]:
    """Save and run *pipeline*; give the deliveries of its stage."""
    save_pipeline(client, pipeline)
    application, name = pipeline["application"], pipeline["name"]
    show.say(f"\nPipeline {name!r} of application {application} runs:")
    path = client.post(f"/pipelines/{quoted(application)}/{quoted(name)}", {"type": "manual"})["ref"]
    execution = follow(client, path, stages=True)
    show.say(f"The execution ended: {execution['status']}\n")
    return [
        delivery
        for stage in execution["stages"]
        for delivery in stage["context"].get("pages", {}).get("deliveries", ())
    ]


def _prove(pagerduty: str, delivery: dict[str, Any]) -> bool:
    """Ask PagerDuty itself, over its REST API, for the one incident of *delivery*."""
    import httpx

    headers = {"Authorization": f"Token token={_TOKEN}", "Accept": "application/vnd.pagerduty+json;version=2"}
    asked = {"incident_key": delivery["dedupKey"]}
    with httpx.Client(trust_env=False) as http:
        answer = http.get(f"{pagerduty}/incidents", params=asked, headers=headers).raise_for_status()
    incidents = answer.json()["incidents"]
    if len(incidents) != 1:
        show.say(f"PagerDuty has {len(incidents)} incidents for this page instead of one.", err=True)
        return False
    incident = incidents[0]
    people = ", ".join(one["assignee"]["summary"] for one in incident["assignments"]) or "nobody"
    show.say(f"PagerDuty confirms: {people} was paged through service {incident['service']['summary']}.")
    show.say(f"Incident #{incident['incident_number']} is {incident['status']}: {incident['title']}")
    return bool(incident["status"] == "triggered")


def _stay(house: _House) -> None:
    """Stay until Ctrl-C, or until one of the processes ends by itself."""
    show.say("\nBoth stay up. Try, in another terminal:\n")
    if house.client.server != "http://127.0.0.1:8084":
        show.say(f"  export MASTHEAD_SERVER={house.client.server}")
    show.say("  .venv/bin/masthead services")
    show.say('  .venv/bin/masthead page demo --message "The checkout is down"')
    show.say(f"\nPages for people   {house.client.server}/ui/")
    show.say(f"Open incidents     {house.pagerduty}/simulator/incidents")
    show.say("\nCtrl-C ends both.")
    with contextlib.suppress(KeyboardInterrupt):
        while all(child.is_running for child in house.children):
            time.sleep(_LOOK_S)
        gone = next(child for child in house.children if not child.is_running)
        raise ServerMissing(f"One of the two ended by itself. It said:\n{gone.last_words()}")
    show.say("\nEnding both.")
