"""Search everywhere, by keyboard."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from support.browsing import Look, violations


def test_a_slash_leads_to_the_search_and_enter_to_what_was_found(browse):
    """From any page; what was looked at is offered again later."""
    page = browse("/ui/pages")
    page.keyboard.press("/")
    page.keyboard.type("grace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search everything")).to_be_visible()
    person = page.get_by_role("link", name="Grace Mbeki")
    expect(person).to_be_visible()
    person.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/ui/oncall.*Grace"))


def test_results_follow_what_is_typed(browse):
    """Without losing what is typed or the focus; nothing found says where it was looked for."""
    page = browse("/ui/search", Look("dark", 390))
    field = page.get_by_role("searchbox", name="Application, service, person")
    field.press_sequentially("settle")
    expect(page.get_by_role("link", name="Nightly settlement")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("settle")
    field.press_sequentially("xx")
    expect(page.get_by_role("heading", name="Nothing is called that")).to_be_visible()
    assert violations(page) == []


def test_the_id_of_a_page_leads_to_it(browse, site):
    """Pasted into the search of the header."""
    asked = site.page("search", "Search is slow")
    page = browse("/ui/oncall")
    page.get_by_role("searchbox", name="Search everything").fill(asked["id"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search is slow")).to_be_visible()
    assert page.url.endswith(f"/ui/pages/{asked['id']}")


def test_what_was_looked_at_lately_is_offered_again(browse):
    """Newest first, each once, by title; kept by the browser."""
    page = browse("/ui/applications/payments")
    page.goto("/ui/applications/search")
    page.goto("/ui/applications/payments")
    page.goto("/ui/search")
    lately = page.get_by_role("region", name="Looked at lately")
    expect(lately.get_by_role("link")).to_have_text(["Application · payments", "Application · search"])
