"""A browser, a site to look at, and windows that fail a test when something was wrong in their background.

What a test asks for::

    def test_something(browse, site):
        page = browse("/ui/pages", Look("dark", 390))
        page.get_by_role("button", name="Filter").click()
        assert violations(page) == []
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from support import browsing
from support.browsing import Look
from support.sites import Site, open_site

Browse = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium; closed behind the last test of this folder."""
    browsing.chromium_path()
    with sync_playwright() as playwright, browsing.launch(playwright) as opened:
        yield opened


@pytest.fixture(scope="package")
def site(tmp_path_factory) -> Iterator[Site]:
    """The demo's applications and a pipeline of three stages, with nobody to log in; shared, so leave it usable."""
    browsing.chromium_path()
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture
def window(browser: Browser, tmp_path) -> Iterator[Callable[..., Page]]:
    """Open windows at any site: ``window(site, "/ui/", Look("dark", 390), expected=["status of 409"])``."""
    with contextlib.ExitStack() as stack:
        opened = 0

        def open_(at: Site, path: str, look: Look | None = None, **more: Any) -> Page:
            nonlocal opened
            opened += 1
            traffic = tmp_path / f"traffic{opened}.har"
            page = stack.enter_context(
                browsing.browse(browser, at.url, traffic=traffic, secrets=at.secrets, look=look, **more)
            )
            page.goto(path)
            return page

        yield open_


@pytest.fixture
def browse(window: Callable[..., Page], site: Site) -> Browse:
    """Open a window at the shared site: ``browse("/ui/", Look("dark", 390))``."""

    def open_(path: str, look: Look | None = None, **more: Any) -> Page:
        return window(site, path, look, **more)

    return open_
