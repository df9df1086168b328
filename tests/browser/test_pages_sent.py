"""Pages that were sent: found again, followed live, acted upon."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.browsing import QUICK_LOOKS, Look, violations


@pytest.mark.parametrize("look", QUICK_LOOKS, ids=str)
def test_filters_are_typed_and_stand_in_the_address(browse, site, look):
    """The table follows, the exports too, and loading anew shows the same."""
    site.page("demo", "The till does not open")
    site.page("search", "Search finds nothing", severity="warning")
    page = browse("/ui/pages", look)
    page.get_by_label("Text").fill("till")
    expect(page.get_by_role("link", name="Search finds nothing")).to_have_count(0)
    expect(page.get_by_role("link", name="The till does not open").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"/ui/pages\?text=till$"))
    expect(page.get_by_role("link", name="CSV")).to_have_attribute("href", "/v1/pages.csv?text=till")
    page.get_by_label("Severity").select_option("warning")
    expect(page.get_by_role("heading", name="No page matches")).to_be_visible()
    assert violations(page) == []
    page.reload()
    expect(page.get_by_label("Text")).to_have_value("till")
    expect(page.get_by_label("Severity")).to_have_value("warning")


def test_the_fate_of_a_page_is_followed_live(browse, site):
    """Triggered, then acknowledged by a named person, without loading anew; then nothing of the sort is claimed before."""
    asked = site.page("login", "Nobody gets in")
    page = browse(f"/ui/pages/{asked['id']}")
    told = page.get_by_role("status").filter(has_text="incident")
    expect(told).to_contain_text(re.compile(r"incident #\d+ triggered"), timeout=20_000)
    assert violations(page) == []
    (incident,) = [one for one in site.incidents() if one["title"] == "Nobody gets in"]
    site.acknowledge(incident, "Grace Mbeki")
    expect(told).to_contain_text("acknowledged by Grace Mbeki", timeout=30_000)


def test_a_page_is_resolved_by_keyboard(browse, site):
    """What was done, and by whom, is listed below."""
    asked = site.page("reports", "The figures are wrong")
    page = browse(f"/ui/pages/{asked['id']}", Look("dark", 1024))
    page.get_by_role("button", name="Resolve").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("PagerDuty is being asked to resolve it.")).to_be_visible()
    expect(page.get_by_role("region", name="What was done about it")).to_contain_text("resolve")
    expect(page.get_by_role("status").filter(has_text="resolved")).to_be_visible(timeout=20_000)


def test_a_dead_letter_is_sent_again(browse, site):
    """What PagerDuty refused stays refused until somebody sends it again."""
    fault = site.pagerduty.post(
        "/simulator/faults", {"target": "events", "status": 400, "body": {"errors": ["out of order"]}}
    )
    asked = site.page("demo", "Refused at first")
    site.pagerduty.ask("DELETE", f"/simulator/faults/{fault['id']}")
    page = browse("/ui/pages?state=rejected,expired")
    page.get_by_role("link", name="Refused at first").click()
    assert page.url.endswith(asked["id"])
    expect(page.get_by_text("out of order").first).to_be_visible()
    page.get_by_role("button", name="Send 1 failed delivery again").click()
    expect(page.get_by_text("What failed is being sent again.")).to_be_visible()
    expect(page.get_by_role("region", name="What was done about it")).to_contain_text("resend")
