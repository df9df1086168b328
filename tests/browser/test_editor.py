"""The editor in the browser: by the mouse, by the keyboard, as JSON, without script, and with two people at it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from browser.test_executions import pipeline
from support.browsing import Look, violations
from support.sites import CANARY_KEY

WAIT = {"type": "wait", "name": "Settle", "waitTime": 5}
SEEDS_STAGE = """{
  "refId": "2",
  "requisiteStageRefIds": ["1"],
  "type": "pageApplicationOwner",
  "name": "Page the owners",
  "applications": ["payments"],
  "message": "Release ${parameters.version} is broken",
  "details": {"runbook": "https://wiki.example.com/payments"}
}"""


def editor(
    site, browse, name: str, *stages: dict[str, Any], query: str = "", look: Look | None = None, **more: Any
) -> Page:
    """Store a pipeline and open it in the editor."""
    at = pipeline(site, name, *stages)
    return browse(f"/ui/applications/payments/pipelines/{at}/edit{query}", look, **more)


def stored(site, name: str) -> dict[str, Any]:
    found = site.server.get("/applications/payments/pipelineConfigs")
    return next(one for one in found if one["name"] == name)


def test_a_stage_is_added_filled_in_and_saved(site, browse):
    """The graph and whom it wakes follow; going back takes a step back."""
    page = editor(site, browse, "Added", WAIT)
    page.get_by_label("What the new stage does").select_option("pageApplicationOwner")
    page.get_by_role("button", name="Add a stage behind Settle").click()
    expect(page.get_by_role("heading", name="Page application owner")).to_be_focused()
    expect(page.get_by_text("names nobody to page").first).to_be_visible()
    page.get_by_label("Applications").fill("payments")
    page.get_by_label("Message").fill("It is down")
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_text("wakes Emil Novak")).to_be_visible()
    expect(page.get_by_text("not saved")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Message")).to_have_value("")
    page.get_by_role("button", name="Redo").click()
    expect(page.get_by_label("Message")).to_have_value("It is down")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The pipeline is saved.")).to_be_visible()
    expect(page.get_by_text("not saved")).to_have_count(0)
    assert stored(site, "Added")["stages"][1]["message"] == "It is down"


def test_the_seeds_stage_is_written_as_json_and_its_faults_have_a_line(site, browse):
    """In CodeMirror, under the strict policy; the text that cannot be read stays."""
    page = editor(site, browse, "As JSON", WAIT, query="?panel=stage-json", expected=["status of 400"])
    code = page.get_by_role("textbox", name="Stage as JSON")
    code.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text('{"refId": "1",\n "type": wait}')
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_role("alert").get_by_text("The stage is no JSON: line 2")).to_be_visible()
    expect(page.get_by_role("textbox", name="Stage as JSON")).to_contain_text('"type": wait}')
    page.get_by_role("textbox", name="Stage as JSON").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(SEEDS_STAGE.replace('"2"', '"1"', 1).replace('["1"]', "[]"))
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_text("wakes Emil Novak")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The pipeline is saved.")).to_be_visible()
    assert stored(site, "As JSON")["stages"][0]["details"] == {"runbook": "https://wiki.example.com/payments"}


def test_a_key_in_a_stage_is_shown_by_its_service_and_survives(site, browse):
    """The window watches that it is in no answer, also when the stage is copied and saved."""
    stage = {"type": "pageApplicationOwner", "name": "Tell", "keys": [CANARY_KEY], "message": "Hi"}
    page = editor(site, browse, "Keyed", stage)
    expect(page.get_by_label("Keys")).to_have_value(re.compile(r"^<<hidden: .* [0-9a-f]{32}>>$"))
    page.get_by_role("button", name="Duplicate Tell").click()
    expect(page.get_by_role("button", name="Copy of Tell, Page application owner")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The pipeline is saved.")).to_be_visible()
    assert [one["keys"] for one in stored(site, "Keyed")["stages"]] == [[CANARY_KEY]] * 2


def test_the_graph_is_walked_by_the_keyboard_on_a_phone(site, browse):
    """Enter shows the stage; Enter in a field takes it over; no violation on the way."""
    page = editor(site, browse, "Walked", WAIT, {"type": "noop", "name": "Done"}, look=Look("dark", 390))
    page.get_by_role("group", name="Graph of the stages").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Done, ")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Done")
    page.get_by_label("Name", exact=True).fill("Ready")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Ready, "))).to_be_visible()
    assert "stage=2" in page.url
    assert violations(page) == []


def test_two_people_save_and_both_versions_are_shown(site, browse):
    """The second sees what the first changed, and chooses."""
    page = editor(site, browse, "Shared", WAIT, expected=["status of 409"])
    theirs = stored(site, "Shared")
    site.server.post("/pipelines", theirs | {"description": "theirs"})
    page.get_by_label("Wait time").fill("9")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("has saved this pipeline while you were editing it")
    expect(page.locator(".diff .added").get_by_text('"description": "theirs"')).to_be_visible()
    expect(page.locator(".diff .added").get_by_text('"waitTime": 9')).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Save mine in place of theirs").click()
    expect(page.get_by_text("The pipeline is saved.")).to_be_visible()
    assert stored(site, "Shared")["stages"][0]["waitTime"] == 9


def test_a_draft_that_is_not_saved_is_not_left_by_mistake(site, browse):
    """The browser asks; who stays loses nothing."""
    page = editor(site, browse, "Left", WAIT)
    page.get_by_label("Wait time").fill("9")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="payments: pipelines").click(no_wait_after=True)
    expect(page.get_by_label("Wait time")).to_have_value("9")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The pipeline is saved.")).to_be_visible()


def test_without_script_a_pipeline_is_edited_all_the_same(site, browser):
    """The stages of the graph are buttons of the form, and JSON is a text field."""
    at = pipeline(site, "Plain edit", WAIT, {"type": "noop", "name": "Done"})
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    try:
        page = context.new_page()
        page.goto(f"/ui/applications/payments/pipelines/{at}/edit")
        page.get_by_role("button", name=re.compile("^Done, ")).click()
        page.get_by_label("Name", exact=True).fill("Ready")
        page.get_by_role("button", name="Stage as JSON").click()
        expect(page.get_by_role("textbox", name="Stage as JSON")).to_have_value(re.compile('"name": "Ready"'))
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("The pipeline is saved.")).to_be_visible()
    finally:
        context.close()
    assert stored(site, "Plain edit")["stages"][1]["name"] == "Ready"
