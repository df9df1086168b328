"""The pager and the form of an application, by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.browsing import QUICK_LOOKS, violations


@pytest.mark.parametrize("look", QUICK_LOOKS, ids=str)
def test_services_are_chosen_under_a_filter_and_paged(browse, site, look):
    """By mouse: what was chosen survives the filter, everybody is named before, the fate is shown afterwards."""
    page = browse("/ui/page", look)
    page.get_by_role("checkbox", name="Checkout").check()
    page.get_by_role("searchbox", name=re.compile("person on call")).fill("novak")
    expect(page.get_by_role("checkbox", name="Checkout")).to_have_count(0)
    page.get_by_role("checkbox", name="Payments API").check()
    expect(page.get_by_text("2 services chosen")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=novak.*service=.*service="))
    assert violations(page) == []
    page.get_by_role("button", name="Page 2 services…").click()
    dialog = page.get_by_role("dialog", name="Page 2 services")
    expect(dialog).to_contain_text("2 people will be woken: Emil Novak, Benjamin Okafor.")
    assert violations(page) == []
    dialog.get_by_label("Subject").fill(f"Two at once, {look}")
    dialog.get_by_role("button", name="Page 2 services").click()
    expect(page).to_have_url(re.compile(r"/ui/pages/\w+$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Two at once, {look}")
    expect(page.get_by_role("row", name=re.compile("Checkout"))).to_contain_text("triggered", timeout=20_000)
    titles = [one["title"] for one in site.incidents() if one["title"] == f"Two at once, {look}"]
    assert len(titles) == 2


def test_the_pager_needs_no_mouse(browse):
    """From the filter to the page, and back out of the dialog by Escape."""
    page = browse("/ui/page")
    page.keyboard.press("/")
    page.keyboard.type("login")
    expect(page.get_by_role("checkbox", name="Checkout")).to_have_count(0)
    box = page.get_by_role("checkbox", name="Login")
    for _ in range(12):
        if box.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    ask = page.get_by_role("button", name="Page 1 service…")
    for _ in range(12):
        if ask.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    subject = page.get_by_label("Subject")
    expect(subject).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(ask).to_be_focused()
    page.keyboard.press("Enter")
    expect(subject).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("By keyboard alone")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("By keyboard alone")


#: A browser that is too busy for timers, so that htmx's own does not come.
BUSY = "const later = window.setTimeout; window.setTimeout = (call, ms, ...more) => ms === undefined ? 0 : later(call, ms, ...more);"
#: Somebody who types as soon as he sees the field, before the scripts are there.
EARLY = """
new MutationObserver((_, watch) => {
  const field = document.querySelector('main input[type="search"]');
  if (field) { field.value = "login"; watch.disconnect(); }
}).observe(document, { subtree: true, childList: true });
"""


def test_the_first_keys_are_not_lost(browse):
    """However busy the browser is when the page has just come."""
    page = browse("/ui/")
    page.add_init_script(BUSY)
    page.goto("/ui/page")
    page.keyboard.press("/")
    page.keyboard.type("login")
    expect(page.get_by_role("checkbox", name="Checkout")).to_have_count(0)
    expect(page.get_by_role("checkbox", name="Login")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "gone", "found"), [("/ui/page", "Checkout", "Login"), ("/ui/applications", "payments", "login")]
)
def test_what_was_typed_before_the_scripts_came_is_asked_for(browse, path, gone, found):
    """The list says what the field says."""
    page = browse("/ui/")
    page.add_init_script(EARLY)
    page.goto(path)
    expect(page.get_by_role("row", name=found)).to_be_visible()
    expect(page.get_by_role("row", name=gone)).to_have_count(0)


def test_a_chip_takes_a_service_away(browse):
    """The row is unticked, and loading anew shows the same."""
    page = browse("/ui/page?app=demo,payments")
    expect(page.get_by_role("checkbox", name="Payments API")).to_be_checked()
    page.get_by_role("button", name="Remove Payments API").click()
    expect(page.get_by_role("checkbox", name="Payments API")).not_to_be_checked()
    expect(page.get_by_text("1 service chosen")).to_be_visible()
    page.get_by_role("checkbox", name="Login").check()
    page.get_by_role("checkbox", name="Login").uncheck()
    expect(page.get_by_role("checkbox", name="Checkout")).to_be_checked()


def test_pager_and_dialog_work_without_script(browse):
    """A filter that is sent, a plain page that names who will be woken, a page that is stored."""
    page = browse("/ui/page", java_script_enabled=False)
    page.get_by_role("checkbox", name="Checkout").check()
    page.get_by_role("searchbox", name=re.compile("person on call")).fill("novak")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("1 service chosen")).to_be_visible()
    page.get_by_role("checkbox", name="Payments API").check()
    page.get_by_role("button", name=re.compile("^Page 1 service")).click()
    expect(page.get_by_role("heading", name="Page 2 services")).to_be_visible()
    page.get_by_label("Subject").fill("By plain forms")
    page.get_by_role("button", name="Page 2 services").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("By plain forms")


@pytest.mark.parametrize("look", QUICK_LOOKS, ids=str)
def test_a_service_is_chosen_by_keyboard(browse, site, look):
    """Arrow keys and Enter in the combobox; who would be woken is said, and the key never reaches the browser."""
    site.create(name=f"chosen{look.width}")
    page = browse(f"/ui/applications/chosen{look.width}/edit", look)
    combobox = page.get_by_role("combobox", name=re.compile("PagerDuty service"))
    combobox.focus()
    page.keyboard.type("shipp")
    option = page.get_by_role("option", name=re.compile("^Shipping"))
    expect(option).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(combobox).to_have_value("Shipping")
    expect(page.get_by_text(re.compile("wakes (Fatima Haddad|Emil Novak|Grace Mbeki)")).last).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Shipping")).to_be_visible()


def test_what_was_typed_stays_while_masthead_does_not_answer(browse):
    """Instead of the browser's own page of errors; once it is back, the same button sends it."""
    page = browse("/ui/page?app=demo", expected=["net::", "Failed to fetch"])
    page.get_by_role("button", name="Page 1 service…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Subject").fill("Typed before it was gone")
    page.context.set_offline(True)
    dialog.get_by_role("button", name="Page 1 service").click()
    expect(dialog.get_by_role("alert")).to_contain_text("nothing was sent")
    assert violations(page) == []
    page.context.set_offline(False)
    expect(dialog.get_by_role("alert")).to_have_count(0)
    dialog.get_by_role("button", name="Page 1 service").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Typed before it was gone")


def test_text_that_chose_no_service_is_said_to_have_chosen_none(browse):
    """What stays chosen is named; typing again takes the doubt away."""
    page = browse("/ui/applications/payments/edit")
    combobox = page.get_by_role("combobox", name=re.compile("PagerDuty service"))
    combobox.fill("Checkou")
    expect(page.get_by_role("option", name=re.compile("^Checkout"))).to_be_visible()
    page.keyboard.press("Tab")
    doubt = page.get_by_text(
        "“Checkou” was typed and no service of the list was chosen. It stays Payments API."
    )
    expect(doubt).to_be_visible()
    expect(combobox).to_have_value("Payments API")
    assert violations(page) == []
    combobox.fill("Check")
    expect(doubt).to_have_count(0)


def test_what_is_wrong_with_a_form_takes_the_focus(browse):
    """The summary leads to the field, and what was typed stays."""
    page = browse("/ui/new/application", expected=["status of 422"])
    page.get_by_label("Description").fill("Typed before")
    page.get_by_role("button", name="Create application").click()
    summary = page.get_by_role("alert").filter(has_text="not saved")
    expect(summary).to_be_focused()
    assert violations(page) == []
    summary.get_by_role("link", name=re.compile("email")).click()
    expect(page.get_by_label("Owner's e-mail")).to_be_focused()
    expect(page.get_by_label("Description")).to_have_value("Typed before")
