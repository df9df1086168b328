"""What every window watches for is found: a test of the tests."""

from __future__ import annotations

import contextlib
import re

import pytest

from support.browsing import browse
from support.sites import CANARY_KEY, CANARY_TOKEN

#: What a script does, the event of the context by which it is noticed (before that, leaving the page could undo it), and
#: what the failure says.
TRACES = {
    "a key in an address": (f"fetch('/ui/?q={CANARY_KEY}')", "requestfinished", "in the traffic"),
    "a token in local storage": (f"localStorage.a = '{CANARY_TOKEN}'", None, "in the storage"),
    "a key in session storage": (f"sessionStorage.a = '{CANARY_KEY}'", None, "in the storage"),
    "a key in a cookie": (f"document.cookie = 'a={CANARY_KEY}'", None, "in the "),
    "an exception": ("setTimeout(() => { throw new Error('oops') })", "weberror", "oops"),
    "a picture of another host": (
        "new Image().src = 'http://localhost:1/'",
        "console",
        "(Content Security Policy|another host)",
    ),
    "a script in the page": (
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
        "console",
        "Content Security Policy",
    ),
}


@pytest.mark.parametrize(("script", "event", "found"), TRACES.values(), ids=TRACES)
def test_what_goes_wrong_in_the_background_fails_the_test(browser, site, tmp_path, script, event, found):
    """Keys, exceptions, other hosts, and what the content security policy forbids."""
    traffic = tmp_path / "traffic.har"
    with pytest.raises(AssertionError) as caught:  # noqa: PT012, SIM117 - leaving the window is what fails
        with browse(browser, site.url, traffic=traffic, secrets=site.secrets) as page:
            page.goto("/ui/")
            with page.context.expect_event(event) if event else contextlib.nullcontext():
                page.evaluate(f"() => {{ {script} }}")
            page.goto("/ui/services")
    assert re.search(found, str(caught.value))
