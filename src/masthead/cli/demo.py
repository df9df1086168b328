"""``masthead demo``: the whole path at once, on this machine, with a PagerDuty that wakes nobody.

It starts the simulator and Masthead as two processes, chooses PagerDuty services for five applications, saves and
runs the pipeline of examples/demo/pipeline.json and asks the simulator for the incident: what it prints is what
happened, not what should have happened.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from masthead.cli.client import Client, ServerMissing, ServerRefused
from masthead.cli.pipelines import describe_pages

__all__ = ["demo"]

_EXAMPLES = Path(__file__).parents[3] / "examples" / "demo"
_APPLICATIONS = ("demo", "checkout", "payments", "search", "batch")
_START_TIMEOUT_S = 30.0


def demo(
    exit_: Annotated[
        bool, typer.Option("--exit", help="End at once: status 0 when the incident was proven, else 1.")
    ] = False,
) -> None:
    """Try the whole path on this machine: a page from a pipeline to an incident, in a simulated PagerDuty."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="masthead-demo-", ignore_cleanup_errors=True)
        )
        pagerduty = _start(stack, "simulate", 8999, [], {}, what="the PagerDuty simulator")
        environ = {"DEMO_PAGERDUTY": pagerduty}
        arguments = ["--config", str(_EXAMPLES / "SpinnakerService.yml"), "--database", f"{folder}/demo.db"]
        masthead = _start(stack, "serve", 8084, arguments, environ, what="Masthead")
        is_proven = _play(Client(masthead, "ann@example.com"), pagerduty)
        if exit_:
            raise typer.Exit(0 if is_proven else 1)
        print(f"\nMasthead stays up at {masthead}/ui/ and the simulator at {pagerduty}/simulator/incidents.")
        print(
            "Try: masthead services"
            + ("" if masthead.endswith(":8084") else f"   (with MASTHEAD_SERVER={masthead})")
        )
        print("Ctrl-C ends both.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


def _play(client: Client, pagerduty: str) -> bool:
    services = _pageable(client)
    print(f"Masthead knows {len(services)} PagerDuty services that can be paged:")
    for application, service in zip(_APPLICATIONS, services, strict=False):
        document = {"name": application, "email": f"{application}-team@example.com"}
        client.task(
            application,
            f"Save Application: {application}",
            {"type": "upsertApplication", "application": document},
        )
        client.put(f"/v1/applications/{application}/pagerduty-service", {"service": service["id"]})
        print(f"  application {application} is paged through {service['name']}")
    pipeline = json.loads((_EXAMPLES / "pipeline.json").read_text())
    client.post("/pipelines", pipeline)
    ref = client.post(f"/pipelines/{pipeline['application']}/{pipeline['name']}", {"type": "manual"})["ref"]
    execution = client.wait_for(f"/pipelines/{ref.rpartition('/')[2]}")
    print(f"Pipeline {pipeline['name']!r} ran: {execution['status']}")
    for stage in execution["stages"]:
        for line in describe_pages(stage["context"]):
            print(f"  {line}")
    return _prove(pagerduty, pipeline["stages"][0]["message"])


def _pageable(client: Client) -> list[dict[str, Any]]:
    """Give the services that would really wake somebody, as soon as the catalog was read."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        found = [
            one
            for one in client.get("/v1/services", limit=100)["services"]
            if one["isPageable"] and one["status"] not in ("disabled", "maintenance") and one["onCall"]
        ]
        if found:
            return found
        time.sleep(0.05)
    raise ServerRefused("Masthead read no services from PagerDuty.")


def _prove(pagerduty: str, message: str) -> bool:
    """Ask PagerDuty itself, over its REST API, whether an incident is open."""
    headers = {
        "Authorization": "Token token=demo-token",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    incidents = httpx.get(f"{pagerduty}/incidents", headers=headers).raise_for_status().json()["incidents"]
    found = [incident for incident in incidents if message in incident["title"]]
    if len(found) != 1:
        print(f"PagerDuty has {len(found)} incidents for this page, not one.", file=sys.stderr)
        return False
    incident = found[0]
    people = ", ".join(assignment["assignee"]["summary"] for assignment in incident["assignments"])
    print(f"PagerDuty confirms: incident #{incident['incident_number']} is {incident['status']} on service")
    print(f"  {incident['service']['summary']}, assigned to {people or 'nobody'}: {incident['title']}")
    return incident["status"] in ("triggered", "acknowledged")


def _start(
    stack: contextlib.ExitStack,
    command: str,
    port: int,
    arguments: list[str],
    environ: dict[str, str],
    *,
    what: str,
) -> str:
    chosen = _free_port(port)
    note = "" if chosen == port else f" (port {port} is taken)"
    address = f"http://127.0.0.1:{chosen}"
    print(f"Starting {what} at {address}{note}", flush=True)
    stack.enter_context(
        _process(
            [command, "--port", str(chosen), *arguments],
            environ,
            f"{address}/health" if command == "serve" else f"{address}/simulator/incidents",
        )
    )
    return address


@contextlib.contextmanager
def _process(arguments: list[str], environ: dict[str, str], probe: str) -> Iterator[None]:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "masthead", *arguments],
            env={**os.environ, **environ},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_up(process, probe, output)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], probe: str, output: Any) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(probe, timeout=5).status_code == 200:
                return
        time.sleep(0.05)
    output.seek(0)
    raise ServerMissing(f"It did not start:\n{output.read().decode(errors='replace')}")


def _free_port(wanted: int) -> int:
    """Give *wanted*, or any free port where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise ServerMissing("There is no free port on 127.0.0.1.")
