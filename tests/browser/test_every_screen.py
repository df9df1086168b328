"""What holds on every screen: no violation of accessibility, nothing cut off, headings, no trouble in the background."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from browser.test_executions import pipeline
from support.browsing import LOOKS, QUICK_LOOKS, Look, violations
from support.gallery import Screen, furnish_gallery
from support.sites import Site

#: What has nothing to see, or too much.
OTHERS = (
    Screen("search-empty", "/ui/search", ""),
    Screen("search-nothing", "/ui/search?q=zzzz", ""),
    Screen("pages-none", "/ui/pages?text=zzzz", ""),
    Screen("on-call-none", "/ui/oncall?q=zzzz", ""),
    Screen("executions-none", "/ui/executions?application=zzzz", ""),
    Screen("pager-none", "/ui/page?q=zzzz", ""),
    Screen("missing", "/ui/nowhere", ""),
)


#: Nothing in it can be broken at the end of a word.
LONG = f"checkout_production_{'0123456789' * 14}"


@pytest.fixture(scope="package")
def screens(site) -> list[Screen]:
    return [*furnish_gallery(site), *OTHERS, *with_long_names(site)]


def with_long_names(site: Site) -> list[Screen]:
    """Give screens with names that fit nowhere, and one with more services than it has room for."""
    application = LONG.replace("_", "")[:60]
    site.create(name=application, description=LONG)
    stage = {"refId": "1", "requisiteStageRefIds": [], "type": "noop", "name": LONG}
    site.server.post(
        "/pipelines",
        {"application": application, "name": LONG, "parameterConfig": [{"name": LONG}], "stages": [stage]},
    )
    (pipeline,) = site.server.get(f"/applications/{application}/pipelineConfigs")
    at = f"/ui/applications/{application}"
    services = site.server.get("/v1/services", limit=100)["services"]
    chosen = "&".join(f"service={one['id']}" for one in services)
    return [
        Screen("long-application", at, ""),
        Screen("long-editor", f"{at}/pipelines/{pipeline['id']}/edit", ""),
        Screen("long-run", f"{at}/pipelines/{pipeline['id']}/run", ""),
        Screen("long-pipelines", "/ui/pipelines", ""),
        Screen("long-executions", "/ui/executions?status=TERMINAL&pipeline=" + LONG, ""),
        Screen("long-confirm", f"/ui/page/confirm?{chosen}", ""),
    ]


def troubles(page: Page, screen: Screen) -> list[str]:
    """Give what is wrong with a screen."""
    page.goto(screen.path)
    found = violations(page)
    if (headings := page.locator("h1").count()) != 1:
        found.append(f"{headings} main headings")
    wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        found.append(f"the page scrolls sideways by {wide} pixels")
    return [f"{screen.name}: {one}" for one in found]


def check(browse, screens: list[Screen], look: Look) -> None:
    page = browse("/ui/", look, expected=["/ui/nowhere"])
    found = [one for screen in screens for one in troubles(page, screen)]
    assert found == []


@pytest.mark.parametrize("look", QUICK_LOOKS, ids=str)
def test_every_screen_is_accessible_and_fits(browse, screens, look):
    """In the lightest and the hardest look."""
    check(browse, screens, look)


@pytest.mark.slow
@pytest.mark.parametrize("look", [look for look in LOOKS if look not in QUICK_LOOKS], ids=str)
def test_every_screen_is_accessible_and_fits_in_every_look(browse, screens, look):
    """Light and dark, at three widths and at a zoom of 200 %."""
    check(browse, screens, look)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_moves_for_those_who_asked_for_no_motion(browse, site, motion):
    """Only what is under way moves, and for them not even that."""
    pipeline(site, f"Under way, {motion}", {"type": "wait", "waitTime": 3600})
    execution = site.start("payments", f"Under way, {motion}")
    page = browse(f"/ui/executions/{execution}", reduced_motion=motion)
    page.locator(".status.running").first.wait_for()
    moving = page.evaluate(
        "() => document.getAnimations().filter((one) => one.playState === 'running').length"
    )
    assert (moving > 0) is (motion == "no-preference")
