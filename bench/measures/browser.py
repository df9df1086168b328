"""What people wait for in front of the pages, measured in Chromium; medians."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from line import Absent, Line, at_most, figure
from playwright.sync_api import Page, sync_playwright

from support.browsing import launch
from support.sites import Site, open_large_site

__all__ = ["browser"]

_LOADS = 9
_WORDS = ("0451", "person 00120", "policy 00044", "app2999")
_STAGES = 200
_CHAINS = 10

#: Runs in every page before its own scripts: when it was painted whole, and each change of it.
_STOPWATCH = """
window.watch = { painted: null, typed: [], told: [] };
const painted = (then) => requestAnimationFrame(() => requestAnimationFrame(() => then(performance.now())));
addEventListener("DOMContentLoaded", () => painted((at) => { watch.painted = at; }));
let asked = null, sent = null, told = null;
addEventListener("input", (event) => { asked = event.timeStamp; }, true);
addEventListener("htmx:before:request", () => { if (asked !== null) { sent = asked; asked = null; } }, true);
addEventListener("version", () => { told ??= performance.now(); }, true);
addEventListener("htmx:after:swap", () => {
  if (sent !== null) { const from = sent; sent = null; painted((at) => watch.typed.push(at - from)); }
  if (told !== null) { const from = told; told = null; painted((at) => watch.told.push(at - from)); }
}, true);
"""
_WEIGHT = """
async () => {
  const sizes = { script: 0, style: 0 };
  for (const [kind, tags, at] of [["script", "script[src]", "src"], ["style", 'link[rel="stylesheet"]', "href"]]) {
    for (const tag of document.querySelectorAll(tags)) sizes[kind] += (await (await fetch(tag[at])).arrayBuffer()).byteLength;
  }
  return sizes;
}
"""


def browser() -> Iterator[Line]:
    """The pager of 10,000 services and 3,000 applications, the weight of its page, and a live execution of 200 stages."""
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        raise Absent("Chromium is not installed; Debian's package is called chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        open_large_site(Path(folder)) as site,
        launch(playwright) as chromium,
    ):
        context = chromium.new_context(base_url=site.url, viewport={"width": 1440, "height": 900})
        context.add_init_script(_STOPWATCH)
        page = context.new_page()
        yield from _pager(page)
        yield from _execution(site, page)


def _pager(page: Page) -> Iterator[Line]:
    painted = []
    for _ in range(_LOADS):
        page.goto("/ui/page")
        painted.append(_when_set(page, "painted"))
    yield at_most(0.6, "browser: pager of 10,000 services painted", statistics.median(painted) / 1000, "s")
    field = page.get_by_role("searchbox", name="Service, policy")
    for word in _WORDS:
        field.fill("")
        page.wait_for_timeout(600)
        field.press_sequentially(word, delay=250)
        page.wait_for_timeout(600)
    typed = page.evaluate("() => watch.typed")
    yield at_most(250, "browser: typed to painted with 10,000 services", statistics.median(typed), "ms")
    yield figure("browser: typed to painted, slowest", max(typed), "ms")
    weight = page.evaluate(_WEIGHT)
    yield at_most(60, "browser: script of the pager, uncompressed", weight["script"] / 1000, "kB")
    yield at_most(25, "browser: style of the pager, uncompressed", weight["style"] / 1000, "kB")


def _when_set(page: Page, name: str) -> float:
    while (value := page.evaluate(f"() => watch.{name}")) is None:
        page.wait_for_timeout(20)
    return float(value)


def _execution(site: Site, page: Page) -> Iterator[Line]:
    site.server.post("/pipelines", {"application": "app0000", "name": "two hundred", "stages": _stages()})
    execution = site.start("app0000", "two hundred")
    page.goto(f"/ui/executions/{execution}")
    while site.server.get(f"/pipelines/{execution}")["status"] == "RUNNING":
        page.wait_for_timeout(500)
    told = page.evaluate("() => watch.told")
    yield figure("browser: changes of an execution of 200 stages that were shown", len(told), "")
    yield at_most(100, "browser: an execution of 200 stages, event to painted", statistics.median(told), "ms")


def _stages() -> list[dict[str, Any]]:
    """Give chains of stages side by side, each of which waits a second for the one before it."""
    stages = []
    for number in range(_STAGES):
        chain, place = divmod(number, _STAGES // _CHAINS)
        before = [f"{chain}-{place - 1}"] if place else []
        stages.append(
            {"refId": f"{chain}-{place}", "requisiteStageRefIds": before, "type": "wait", "name": f"Step {chain}.{place}", "waitTime": 1}
        )  # fmt: skip
    return stages
