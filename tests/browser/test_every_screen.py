"""What holds on every screen: no violation of accessibility, nothing cut off, headings, no trouble in the background."""

from __future__ import annotations

import pytest

from support.browsing import LOOKS, QUICK_LOOKS, violations

#: Every screen that needs no id.
SCREENS = ("/ui/", "/ui/services", "/ui/pages", "/ui/oncall", "/ui/search", "/ui/search?q=pay", "/ui/nowhere")


def check(page) -> None:
    assert page.locator("h1").count() == 1
    assert page.title().strip()
    assert violations(page) == []
    wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page scrolls sideways by {wide} pixels"


@pytest.mark.parametrize("look", QUICK_LOOKS, ids=str)
def test_every_screen_is_accessible_and_fits(browse, look):
    """In the lightest and the hardest look."""
    page = browse(SCREENS[0], look, expected=["/ui/nowhere"])
    for path in SCREENS:
        page.goto(path)
        check(page)


@pytest.mark.slow
@pytest.mark.parametrize("look", [look for look in LOOKS if look not in QUICK_LOOKS], ids=str)
def test_every_screen_is_accessible_and_fits_in_every_look(browse, look):
    """Light and dark, at three widths and at a zoom of 200 %."""
    page = browse(SCREENS[0], look, expected=["/ui/nowhere"])
    for path in SCREENS:
        page.goto(path)
        check(page)
