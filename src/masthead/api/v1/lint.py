"""Lint under /v1: every application and every stage that pages, and what keeps them from waking somebody."""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.api.v1.preflight import problem_document
from masthead.kernel.errors import InvalidRequest
from masthead.ownership import Finding, Report, Weight

__all__ = ["routes"]

routes = Routes("v1")


@routes.get(
    "/lint", "What keeps pages from waking somebody: all applications, or those named in application."
)
async def lint(ask: Ask) -> Any:
    """Give the findings about the applications named, or about all."""
    return _document(await ask.services.lint.report(ask.caller, names=ask.words("application")))


@routes.post("/lint", "The same, asking PagerDuty whether it takes each key; pages nobody.")
async def lint_with_keys(ask: Ask) -> Any:
    """Give the findings after PagerDuty was asked of every key, by resolving what was never triggered.

    Raises:
        InvalidRequest: ``applications`` is not a list of names.
    """
    names = (await ask.object_or_none() or {}).get("applications") or []
    if not isinstance(names, list) or not all(isinstance(one, str) and one.strip() for one in names):
        raise InvalidRequest("Name applications in a list, or none for all.", pointer="/applications")
    return _document(await ask.services.lint.report(ask.caller, names=names, is_asking_pagerduty=True))


def _document(report: Report) -> dict[str, Any]:
    return {
        "findings": [_finding(one) for one in report.findings],
        "errors": report.count(Weight.ERROR),
        "warnings": report.count(Weight.WARNING),
        "applications": report.applications,
        "pipelines": report.pipelines,
        "keysChecked": report.keys_checked,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    place = {"application": finding.application, "pipeline": finding.pipeline, "stage": finding.stage}
    return {**place, **problem_document(finding.problem)}
