"""An execution in the browser: live without being loaded anew, with the hands and by the keyboard, also when the server goes."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from support.browsing import Look, violations


def pipeline(site, name: str, *stages: dict[str, Any], **more: Any) -> str:
    """Store a pipeline of payments; gives its id."""
    given = [
        {"refId": str(at + 1), "requisiteStageRefIds": [str(at)] if at else [], **one}
        for at, one in enumerate(stages)
    ]
    site.server.post("/pipelines", {"application": "payments", "name": name, "stages": given, **more})
    found = site.server.get("/applications/payments/pipelineConfigs")
    return next(str(one["id"]) for one in found if one["name"] == name)


JUDGE = {
    "type": "manualJudgment",
    "name": "Keep it?",
    "judgmentInputs": [{"value": "all regions"}, {"value": "eu only"}],
}
PAGE = {
    "type": "pageApplicationOwner",
    "name": "Tell the owners",
    "applications": ["payments"],
    "message": "It went wrong",
}


def live(page: Page) -> None:
    """Wait until the page follows."""
    expect(page.locator("#follow")).to_have_attribute("data-state", "live")


def test_a_run_is_started_followed_judged_and_its_incident_acknowledged(site, browse):
    """By the mouse, on one page that is never loaded anew; nothing that is open or typed is lost on the way."""
    pipeline(
        site,
        "Follow me",
        JUDGE,
        PAGE,
        parameterConfig=[{"name": "region", "label": "Region", "required": True}],
    )
    page = browse("/ui/applications/payments/pipelines")
    page.get_by_role("row", name="Follow me").get_by_role("link", name="Run… Follow me").click()
    expect(page.get_by_text("wakes Emil Novak")).to_be_visible()
    page.get_by_label("Region").fill("eu")
    page.get_by_role("button", name="Run Follow me").click()
    live(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("waits for judgment")
    page.get_by_text("The trigger as JSON").click()
    page.evaluate("() => { window.mark = 'same page' }")
    page.get_by_label("Answer").select_option("eu only")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    graph = page.get_by_role("group", name="Stages of Follow me")
    graph.get_by_role("link", name=re.compile("Tell the owners")).click()
    expect(page.get_by_text(re.compile(r"incident #\d+ triggered"))).to_be_visible()
    assert "stage=" in page.url
    page.evaluate("() => { window.mark = 'same page' }")
    page.get_by_text("Its context").click()
    incident = next(one for one in site.incidents() if one["title"] == "It went wrong")
    site.acknowledge(incident, "Emil Novak")
    expect(page.get_by_text(re.compile(r"incident #\d+ acknowledged by Emil Novak"))).to_be_visible(
        timeout=30_000
    )
    assert page.evaluate("() => window.mark") == "same page"
    expect(page.locator("details.json[open]")).to_have_count(1)


def test_a_change_leaves_the_focus_and_what_is_being_typed(site, browse):
    """While somebody writes why he cancels, somebody else pauses."""
    pipeline(site, "Typed", JUDGE)
    execution = site.start("payments", "Typed")
    page = browse(f"/ui/executions/{execution}")
    live(page)
    page.get_by_text("Cancel…").click()
    page.get_by_label("Reason").fill("because of")
    site.server.ask("PUT", f"/pipelines/{execution}/pause")
    expect(page.get_by_role("heading", level=1)).to_contain_text("paused")
    expect(page.get_by_label("Reason")).to_have_value("because of")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type(" rain")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Cancelled by anonymous: because of rain")).to_be_visible()
    expect(page.locator("#follow")).to_have_count(0)


def test_updates_are_held_and_let_go(site, browse):
    """So that somebody can read; then everything that happened shows at once."""
    pipeline(site, "Held", JUDGE)
    execution = site.start("payments", "Held")
    page = browse(f"/ui/executions/{execution}")
    live(page)
    page.get_by_role("button", name="Hold updates").click()
    expect(page.get_by_text("Updates are held")).to_be_visible()
    site.server.ask("PUT", f"/pipelines/{execution}/pause")
    page.get_by_role("button", name="Go on updating").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("paused")
    site.server.ask("PUT", f"/pipelines/{execution}/cancel?reason=over")
    expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")


def test_a_run_is_judged_by_the_keyboard_on_a_phone(site, browse):
    """The graph is walked by tabs in the order in which it runs; without a violation on the way."""
    pipeline(
        site,
        "By keys",
        {"type": "wait", "name": "Settle", "waitTime": 0},
        JUDGE,
        {"type": "noop", "name": "Done"},
    )
    execution = site.start("payments", "By keys")
    page = browse(f"/ui/executions/{execution}", Look("dark", 390))
    live(page)
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    page.get_by_role("group", name="Graph of the stages").focus()
    for name in ("Settle", "Keep it", "Done"):
        page.keyboard.press("Tab")
        expect(
            page.get_by_role("link", name=re.compile(f"^{name}.*"), include_hidden=False).first
        ).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name=re.compile("Done"))).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name=re.compile("Keep it"))).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("failed")


def test_without_script_everything_can_still_be_done(site, browser):
    """Forms post, links lead, and the page says how to look again."""
    pipeline(site, "Plain", JUDGE)
    execution = site.start("payments", "Plain")
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    try:
        page = context.new_page()
        page.goto(f"/ui/executions/{execution}")
        expect(page.get_by_role("link", name="look again")).to_be_visible()
        page.get_by_role("button", name="Continue").click()
        page.goto(f"/ui/executions/{execution}")
        expect(page.get_by_text("Answered with continue")).to_be_visible()
    finally:
        context.close()


def test_a_run_of_many_stages_shows_what_a_page_loaded_anew_would(site, browse):
    """Only what changed is sent: in the end every row and every place of the graph is as it should be."""
    stages = [{"type": "wait", "name": f"Step {at}", "waitTime": 1 if at % 3 == 0 else 0} for at in range(12)]
    pipeline(site, "Many", *stages)
    page = browse(f"/ui/executions/{site.start('payments', 'Many')}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded", timeout=60_000)
    shown = page.locator(".timeline").inner_text(), page.locator("svg.graph").inner_html()
    page.reload()
    # What was open while it ran has its tasks below it; the names and statuses are the same.
    assert [one for one in shown[0].splitlines() if "Step" in one] == [
        one for one in page.locator(".timeline").inner_text().splitlines() if "Step" in one
    ]
    expect(page.locator(".graph .node.succeeded")).to_have_count(12)
    assert re.findall(r'aria-label="([^"]*)"', shown[1]) == re.findall(
        r'aria-label="([^"]*)"', page.locator("svg.graph").inner_html()
    )


def judge(site, execution: str, name: str) -> None:
    """Answer a judgment as somebody else would."""
    stages = site.server.get(f"/pipelines/{execution}")["stages"]
    stage = next(each["id"] for each in stages if each["name"] == name)
    site.server.ask("PATCH", f"/pipelines/{execution}/stages/{stage}", json={"judgmentStatus": "continue"})


def test_a_change_of_a_stage_leaves_the_focus_on_it(site, browse):
    """In the list and in the graph; the window's title says how the run stands."""
    pipeline(site, "Focused", JUDGE | {"name": "First?"}, JUDGE | {"name": "Second?"})
    execution = site.start("payments", "Focused")
    page = browse(f"/ui/executions/{execution}")
    live(page)
    row = page.locator(".timeline").get_by_role("link", name="First?")
    row.focus()
    judge(site, execution, "First?")
    done = page.locator(".timeline > li.succeeded", has=page.get_by_role("link", name="First?"))
    expect(done).to_be_visible()
    expect(row).to_be_focused()
    node = page.locator(".graph").get_by_role("link", name="Second?")
    node.focus()
    judge(site, execution, "Second?")
    expect(node).to_have_accessible_name(re.compile("succeeded"))
    expect(node).to_be_focused()
    expect(page).to_have_title(re.compile("succeeded"))


def test_a_page_of_a_refusal_follows_too(site, browse):
    """Its address is the form's, of which there is nothing to be read."""
    answered, other = (JUDGE | {"name": name} for name in ("Answered?", "Other?"))
    pipeline(site, "Refused", answered, other | {"requisiteStageRefIds": []})
    execution = site.start("payments", "Refused")
    page = browse(f"/ui/executions/{execution}?stage=1", expected=["409"])
    page.get_by_role("button", name="Hold updates").click()
    judge(site, execution, "Answered?")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
    live(page)
    judge(site, execution, "Other?")
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was done")


def test_what_is_chosen_of_many_stages_is_in_sight_and_reached_by_a_key(site, browse):
    """The graph and the list are scrolled to it, and one link leads past them."""
    stages = [{"type": "wait", "name": f"Step {at}", "waitTime": 0} for at in range(40)]
    pipeline(site, "Long", *stages, JUDGE)
    page = browse(f"/ui/executions/{site.start('payments', 'Long')}", Look("light", 1440))
    expect(page.get_by_role("heading", level=1)).to_contain_text("waits for judgment", timeout=30_000)
    page.reload()
    expect(page.locator(".graph").get_by_role("link", name="Keep it?")).to_be_in_viewport()
    page.get_by_role("link", name="Skip to Keep it?").press("Enter")
    expect(page.locator(".timeline").get_by_role("link", name="Keep it?")).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="link to this stage")).to_be_focused()
