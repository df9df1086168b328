"""On call, as people look at it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.browsing import QUICK_LOOKS, violations
from support.sites import ORGANISATION, open_site


@pytest.mark.parametrize("look", QUICK_LOOKS, ids=str)
def test_typing_filters_and_stands_in_the_address(browse, look):
    """By mouse at a desk, by keyboard on a small screen; loading the page anew shows the same."""
    page = browse("/ui/oncall?whose=all", look)
    expect(page.get_by_role("row").filter(has_text="payments-team")).to_be_visible()
    page.keyboard.press("/")
    page.get_by_role("searchbox", name="Application, service, policy").fill("devika")
    expect(page.get_by_role("link", name="search", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="payments", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("q=devika"))
    page.reload()
    expect(page.get_by_role("link", name="search", exact=True)).to_have_count(0)
    assert violations(page) == []


def test_a_night_without_anybody_is_told(browse):
    """With its hours, and who would be woken instead."""
    page = browse("/ui/oncall?whose=all&q=shipping")
    section = page.get_by_role("region", name="Nobody at level 1")
    expect(section).to_contain_text("22:00")
    expect(section).to_contain_text("level 2 has Grace Mbeki")


@pytest.mark.slow
def test_a_wrong_token_is_told_with_its_remedy(window, tmp_path):
    """Instead of an empty table."""
    organisation = {**ORGANISATION, "tokens": [{"token": "another"}]}
    with open_site(tmp_path, organisation=organisation, is_furnished=False, awaits_catalog=False) as site:
        site.create(name="lonely", pdApiKey="0123456789abcdef0123456789abcdef")
        page = window(site, "/ui/oncall?whose=all")
        expect(page.get_by_text("The list of services cannot be refreshed")).to_be_visible()
        expect(page.get_by_text("PagerDuty answered 401").first).to_be_visible()
        assert violations(page) == []
