"""How a dry run is shown: who would be woken, why perhaps nobody, and what PagerDuty would get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import typer

from masthead.cli import show
from masthead.cli.client import Client
from masthead.cli.lint import problem_lines

__all__ = ["preflight_lines", "show_dry_run"]


def show_dry_run(client: Client, body: dict[str, Any], *, as_json: bool) -> None:
    """Ask what the page *body* would do and print it; exit status 1 when somebody named would not be woken."""
    document = client.post("/v1/pages?dryRun=true", body)
    if as_json:
        show.as_json(document)
    else:
        show.say("\n".join(preflight_lines(document)))
    if not document["isClear"]:
        raise typer.Exit(1)


def preflight_lines(document: dict[str, Any]) -> Iterator[str]:
    """Give the answer of ``POST /v1/pages?dryRun=true`` as people read it: the verdict stands last."""
    targets = document["targets"]
    for target in targets:
        yield from _target(target)
        yield ""
    for target in targets:
        if target.get("body") is not None:
            size = f"{target['bodyBytes']:,} bytes"
            yield f"Body for {target['service']} (Events {target['protocol']}, {size}; the key is hidden):"
            yield json.dumps(target["body"], indent=2, ensure_ascii=False)
            yield ""
    if document["problems"]:
        for problem in document["problems"]:
            yield from problem_lines(problem, indent="")
        yield ""
    yield _verdict(document)


def _target(target: dict[str, Any]) -> Iterator[str]:
    identity = f" ({target['serviceId']})" if target.get("serviceId") else ""
    yield f"{target['service']}{identity}"
    policy = target.get("escalationPolicy") or {}
    lines = {
        "for": ", ".join(target["applications"]),
        "account": "" if target["account"] == "default" else target["account"],
        "policy": policy.get("name") or "",
        **{f"level {one['level']}": ", ".join(one["users"]) for one in target["levels"]},
    }
    yield from (f"  {label:<8} {text}" for label, text in lines.items() if text)
    for problem in target["problems"]:
        yield from problem_lines(problem)


def _verdict(document: dict[str, Any]) -> str:
    if not document["targets"]:
        return "Nothing was sent. This page would go to nobody."
    woken = dict.fromkeys(name for target in document["targets"] for name in target["wouldWake"])
    wakes = f"would wake {_listed(list(woken))}" if woken else "would wake nobody, as far as Masthead knows"
    if document["isClear"]:
        return f"Nothing was sent. This page {wakes}."
    return f"Nothing was sent. This page {wakes}; mind the errors above."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
