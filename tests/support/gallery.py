"""Every screen of the pages, with something to see on each; for the tests of all screens and for the pictures of the docs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from support.processes import wait_until
from support.sites import Site

__all__ = ["Screen", "furnish_gallery"]

#: What has been paged, oldest first: application, message, severity, and who acknowledged it, if anybody did.
_PAGED = (
    ("search", "Search answers slowly", "warning", None),
    ("reports", "The figures of yesterday are missing", "error", "Devika Rao"),
    ("login", "Nobody can log in", "critical", None),
    ("payments", "Card payments fail in eu-west-1", "critical", "Emil Novak"),
)


@dataclass(frozen=True)
class Screen:
    """One screen: its name, which is also that of its picture, and where it is."""

    name: str
    path: str
    #: What the docs say under its picture.
    words: str


def furnish_gallery(site: Site) -> list[Screen]:
    """Page somebody and run a pipeline, so that no screen is empty; give all screens."""
    paged = [_page(site, *one) for one in _PAGED]
    done = site.start("payments", "Nightly settlement", region="eu")
    _judge(site, done)
    waiting = site.start("payments", "Nightly settlement", region="us")
    _judgment_of(site, waiting)
    pipeline = site.server.get("/applications/payments/pipelineConfigs/Nightly%20settlement")
    at = f"/ui/applications/payments/pipelines/{pipeline['id']}"
    services = {one["name"]: one["id"] for one in site.server.get("/v1/services", limit=100)["services"]}
    confirm = f"/ui/page/confirm?service={services['Checkout']}&service={services['Payments API']}"
    return [
        Screen("overview", "/ui/", "The overview"),
        Screen("applications", "/ui/applications", "Applications: owner, service, who is on call, last page, last execution"),
        Screen("application", "/ui/applications/payments", "One application"),
        Screen("application-edit", "/ui/applications/payments/edit", "Its form, with the service select"),
        Screen("application-new", "/ui/new/application", "A new application"),
        Screen("application-history", "/ui/applications/payments/history", "Who changed what"),
        Screen("pager", "/ui/page", "The pager: whom to page, who is on call by level, and what cannot be paged and why"),
        Screen("pager-filtered", "/ui/page?app=payments,demo&q=Emil", "The pager, led to by a link of Deck's form"),
        Screen("page-confirm", confirm, "Before anybody is woken: everybody by name"),
        Screen("services", "/ui/services", "PagerDuty's services, and whether a page wakes somebody"),
        Screen("pages-sent", "/ui/pages", "Pages sent, and what became of each"),
        Screen("page", f"/ui/pages/{paged[-1]['id']}", "One page, followed live"),
        Screen("pipelines", "/ui/pipelines", "Pipelines and their last runs"),
        Screen("pipelines-of-application", "/ui/applications/payments/pipelines", "The pipelines of an application"),
        Screen("editor", f"{at}/edit?stage=3", "The editor, with a stage that pages and whom it wakes"),
        Screen("editor-triggers", f"{at}/edit?panel=triggers", "The triggers of a pipeline"),
        Screen("editor-json", f"{at}/edit?panel=json", "The pipeline as JSON"),
        Screen("pipeline-history", f"{at}/history", "The versions of a pipeline"),
        Screen("run", f"{at}/run", "Running a pipeline, with its parameters"),
        Screen("executions", "/ui/executions", "All executions, newest first, as far back as they are kept"),
        Screen("execution-waiting", f"/ui/executions/{waiting}", "An execution that waits for a judgment"),
        Screen("execution", f"/ui/executions/{done}", "An execution that has ended, with what became of its page"),
        Screen("on-call", "/ui/oncall?whose=all", "On call: now, who follows, and gaps"),
        Screen("search", "/ui/search?q=pay", "Search everything"),
        Screen("settings", "/ui/settings", "Settings and diagnostics: what is set and by what, and what is wrong"),
    ]  # fmt: skip


def _page(site: Site, application: str, message: str, severity: str, person: str | None) -> dict[str, Any]:
    page = site.page(
        application,
        message,
        severity=severity,
        details={"runbook": f"https://wiki.example.com/{application}"},
    )
    if person is not None:
        wait_until(lambda: _incidents(site, message))
        site.acknowledge(_incidents(site, message)[0], person)
    return page


def _incidents(site: Site, title: str) -> list[dict[str, Any]]:
    return [one for one in site.incidents() if one["title"] == title]


def _judgment_of(site: Site, execution: str) -> str:
    """Wait until the execution asks somebody; gives the stage's id."""

    def asking() -> list[str]:
        stages = site.server.get(f"/pipelines/{execution}")["stages"]
        return [one["id"] for one in stages if one["type"] == "manualJudgment" and one["status"] == "RUNNING"]

    wait_until(asking)
    return asking()[0]


def _judge(site: Site, execution: str) -> None:
    path = f"/pipelines/{execution}/stages/{_judgment_of(site, execution)}"
    site.server.ask("PATCH", path, json={"judgmentStatus": "continue"})
    wait_until(lambda: site.server.get(f"/pipelines/{execution}")["status"] == "SUCCEEDED")
