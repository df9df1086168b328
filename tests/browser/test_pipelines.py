"""The list of pipelines in the browser: what is hidden behind More, and a connection that is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.test_executions import JUDGE, live, pipeline
from support.browsing import Look, violations


@pytest.mark.parametrize("look", [Look("light", 1440), Look("dark", 390)], ids=str)
def test_everything_behind_more_can_be_seen_and_pressed(site, browse, look):
    """Also in the last row, where a table that scrolls would cut off what lies over it."""
    name = f"Disabled {look}"
    pipeline(site, name, {"type": "noop"})
    page = browse("/ui/applications/payments/pipelines", look)
    page.get_by_label(f"More for {name}").click()
    row = page.get_by_role("row", name=name) if look.width > 640 else page.locator("tr", has_text=name)
    button = row.get_by_role("button", name="Disable", exact=True)
    page.get_by_label(f"Delete {name}…").click()
    within = page.locator("main .scroll").bounding_box()
    place = row.get_by_role("button", name=f"Delete {name}", exact=True).bounding_box()
    assert within is not None
    assert place is not None
    assert place["y"] + place["height"] <= within["y"] + within["height"]
    assert page.locator("main .scroll").evaluate("(it) => it.scrollHeight - it.clientHeight") == 0
    assert violations(page) == []
    button.click()
    expect(page.get_by_text(f"{name} is disabled: nobody and no trigger can start it.")).to_be_visible()
    expect(page.locator("tr", has_text=name).get_by_text("it is disabled", exact=True)).to_be_visible()


def test_a_lost_connection_shows_as_such_and_heals_by_itself(site, browse):
    """What happened meanwhile shows when it is back."""
    pipeline(site, "Offline", JUDGE)
    execution = site.start("payments", "Offline")
    page = browse(f"/ui/executions/{execution}", expected=["net::", "Failed to fetch"])
    live(page)
    page.context.set_offline(True)
    page.evaluate("() => window.htmx.trigger('#execution', 'changed')")
    expect(page.locator("#lost")).to_be_visible()
    site.server.ask("PUT", f"/pipelines/{execution}/pause")
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_contain_text("paused", timeout=20_000)


@pytest.mark.parametrize("look", [Look("light", 1440), Look("dark", 390)], ids=str)
def test_all_runs_of_a_pipeline_are_found_and_filtered_as_one_types(site, browse, look):
    """From the pipeline's row; the address says what is filtered, and so does the form after a reload."""
    name, other = f"Listed {look}", f"Other {look}"
    for one in (name, other):
        pipeline(site, one, JUDGE)
    execution = site.start("payments", name)
    site.start("payments", other)
    page = browse("/ui/pipelines", look)
    page.get_by_role("link", name=f"All runs of {name}").click()
    rows = page.locator("#found tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.get_by_text("waits for judgment")).to_be_visible(timeout=20_000)
    page.get_by_label("Pipeline", exact=True).fill(other)
    expect(rows.get_by_role("link", name=other, exact=True)).to_be_visible()
    page.get_by_label("Status").select_option("paused")
    expect(page.get_by_role("heading", name="No execution matches")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Pipeline", exact=True)).to_have_value(other)
    assert violations(page) == []
    page.get_by_label("Status").select_option("any")
    page.get_by_label("Pipeline", exact=True).fill(name)
    page.get_by_role("link", name=name, exact=True).press("Enter")
    expect(page).to_have_url(f"{site.url}/ui/executions/{execution}")
