"""What keeps pages from waking somebody, found before it matters."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

from masthead.cli import show
from masthead.cli.client import Client
from masthead.cli.options import AsJson, asks_server

__all__ = ["lint", "problem_lines"]

_ERRORS_FOUND = 1
#: Sentences are read best when they are not as wide as the screen.
_WIDTH = 100
#: With more of them, errors would be lost among warnings.
_MOST_WARNINGS = 30
_MOST_NAMES = 8


@asks_server
def lint(
    client: Client,
    applications: Annotated[
        list[str] | None, typer.Argument(help="Applications to look at; all if none is named.")
    ] = None,
    check_keys: Annotated[
        bool,
        typer.Option(
            "--check-keys", help="Ask PagerDuty whether it takes each integration key; pages nobody."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find what keeps pages from waking somebody; exit status 1 when there are errors."""
    names = applications or []
    if check_keys:
        report = client.post("/v1/lint", {"applications": names})
    else:
        report = client.get("/v1/lint", application=names or None)
    if as_json:
        show.as_json(report)
    else:
        show.say("\n".join([*_findings(report["findings"]), _sum(report)]))
    if report["errors"]:
        raise typer.Exit(_ERRORS_FOUND)


def problem_lines(problem: dict[str, Any], *, indent: str = "  ") -> Iterator[str]:
    """Give a problem as people read it: how bad, what, and on a line of its own what to do."""
    margin = indent + " " * 9
    yield from _wrapped(str(problem["sentence"]), f"{indent}{problem['severity']:<9}", margin)
    yield from _wrapped(str(problem["remedy"]), f"{margin}→ ", f"{margin}  ")


def _findings(findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Give every error, and every warning unless they are so many that the errors would be lost among them."""
    warnings = [one for one in findings if one["severity"] == "warning"]
    is_crowded = len(warnings) > _MOST_WARNINGS
    shown = [one for one in findings if one["severity"] == "error"] if is_crowded else findings
    for place, group in groupby(shown, key=_place):
        yield place
        for one in group:
            yield from problem_lines(one)
        yield ""
    if is_crowded:
        yield from _in_short(warnings)


def _in_short(warnings: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"{len(warnings):,} warnings, by rule; --json lists them all"
    by_rule: dict[str, list[str]] = {}
    for one in warnings:
        by_rule.setdefault(one["rule"], []).append(str(one["application"] or "all applications"))
    for rule, places in sorted(by_rule.items(), key=lambda pair: -len(pair[1])):
        names = list(dict.fromkeys(places))
        more = ", …" if len(names) > _MOST_NAMES else ""
        first = f"  {rule:<22}{len(places):>6,}  "
        yield from _wrapped(", ".join(names[:_MOST_NAMES]) + more, first, " " * len(first))
    yield ""


def _place(finding: dict[str, Any]) -> str:
    parts = [str(finding["application"] or "all applications")]
    if finding["pipeline"] is not None:
        parts += [f"pipeline {finding['pipeline']}", f"stage {finding['stage']}"]
    return ", ".join(parts)


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _sum(report: dict[str, Any]) -> str:
    looked = f"{_count(report['applications'], 'application')} and {_count(report['pipelines'], 'pipeline')}"
    checked = report.get("keysChecked")
    keys = "" if checked is None else f"; PagerDuty was asked about {_count(checked, 'key')}"
    if not report["findings"]:
        return f"Nothing is wrong with {looked}{keys}."
    found = f"{_count(report['errors'], 'error')}, {_count(report['warnings'], 'warning')}"
    return f"{found} in {looked}{keys}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
