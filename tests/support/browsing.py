"""Chromium as the tests use it: what every look at a page must hold, whatever else it tests."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request

__all__ = ["LOOKS", "QUICK_LOOKS", "Look", "Watch", "browse", "chromium_path", "launch", "violations"]

Theme = Literal["light", "dark"]

#: Says no to every service of Google that Chromium would otherwise try to reach.
_ARGUMENTS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--font-render-hinting=none",
)
_PATIENCE_MS = 10_000
_HEIGHTS = {1440: 900, 1024: 768, 390: 844, 720: 450}


@dataclass(frozen=True)
class Look:
    """How somebody looks at a page: the theme of the system and the width of the window, in pixels."""

    theme: Theme = "light"
    width: int = 1440
    #: 2 for a browser's zoom of 200 %; then *width* is what is left for the page.
    scale: int = 1

    def __str__(self) -> str:
        return f"{self.theme}-{self.width}{'-zoomed' if self.scale > 1 else ''}"


#: Light and dark at three widths, and a zoom of 200 % at 1440.
LOOKS = (
    *(Look(theme, width) for theme in ("light", "dark") for width in (1440, 1024, 390)),
    Look("light", 720, scale=2),
)
QUICK_LOOKS = (Look("light", 1440), Look("dark", 390))


def chromium_path() -> str:
    """Give where Chromium is; a test that needs it is skipped without it, but fails where CI runs."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    sentence = "Chromium is not installed; Debian's package is called chromium."
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def launch(playwright: Playwright) -> Browser:
    """Start Chromium."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=list(_ARGUMENTS))


@dataclass
class Watch:
    """What went wrong in the background of a context, and all that went over the wire."""

    host: str
    secrets: Sequence[str] = field(repr=False)
    #: Console errors that the test brings about: a part of their text or of the address.
    expected: Sequence[str]
    traffic: Path
    troubles: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list, repr=False)

    def over(self, context: BrowserContext) -> None:
        """Watch everything that happens in *context*."""
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.troubles.append(f"script: {error.error}"))

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "about") and address.netloc != self.host:
            self.troubles.append(f"a request to another host: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        text = f"{message.text} at {message.location.get('url', '')}"
        if message.type in ("error", "warning") and not any(part in text for part in self.expected):
            self.troubles.append(f"console: {text}")

    def keep_storage(self, context: BrowserContext) -> None:
        """Note what the browser stores: cookies, local storage, session storage."""
        self.stored.append(json.dumps(context.storage_state(indexed_db=True)))
        self.stored += [
            json.dumps(page.evaluate("() => ({...sessionStorage})"))
            for page in context.pages
            if page.url.startswith("http")
        ]

    def verdict(self) -> list[str]:
        """Give what was wrong, once the context is closed."""
        found = list(self.troubles)
        for where, text in (("traffic", self.traffic.read_text()), ("storage", "\n".join(self.stored))):
            found += [
                f"a key or token in the {where}, near: {_near(text, one)}"
                for one in self.secrets
                if one in text
            ]
        return found


def _near(text: str, secret: str) -> str:
    at = text.index(secret)
    urls = re.findall(r'"url": ?"([^"]+)"', text[:at])
    return f"{urls[-1] if urls else ''} …{text[max(at - 80, 0) : at]}"


@contextlib.contextmanager
def browse(
    browser: Browser,
    url: str,
    *,
    traffic: Path,
    secrets: Sequence[str] = (),
    look: Look | None = None,
    expected: Sequence[str] = (),
    **more: Any,
) -> Iterator[Page]:
    """Open a window of its own; leaving it fails when anything was wrong in the background.

    Wrong are an error or a warning of the console (so is what the content security policy forbids), an exception of
    a script, a request to another host, and a secret in anything sent, received or stored.

    Args:
        browser: From :func:`launch`.
        url: Where relative addresses lead.
        traffic: A file for what goes over the wire.
        secrets: What may appear nowhere.
        look: Theme and width.
        expected: Parts of console errors that belong to the test.
        more: For Playwright's ``new_context``.
    """
    look = look or Look()
    context = browser.new_context(
        base_url=url,
        color_scheme=look.theme,
        viewport={"width": look.width, "height": _HEIGHTS[look.width]},
        device_scale_factor=look.scale,
        locale="en-GB",
        timezone_id="UTC",
        record_har_path=traffic,
        record_har_content="embed",
        **more,
    )
    context.set_default_timeout(_PATIENCE_MS)
    watch = Watch(urlsplit(url).netloc, secrets, expected, traffic)
    watch.over(context)
    try:
        yield context.new_page()
        watch.keep_storage(context)
    finally:
        context.close()
    if found := watch.verdict():
        raise AssertionError("\n".join(found))


def _place(target: Sequence[Any]) -> str:
    """Give where a node is; what is inside a shadow root comes as a list of its own."""
    return " ".join(one if isinstance(one, str) else " >> ".join(one) for one in target)


def violations(page: Page) -> list[str]:
    """Give what axe finds wrong with *page*, one line each: rule, what to do, where."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {_place(node['target'])} {node['failureSummary'].splitlines()[-1].strip()}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
