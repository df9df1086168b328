"""The body of a page: strict, everything that is wrong told at once, and no key repeated."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.api.v1.page_body import Complaints, read_change, read_page
from masthead.kernel.errors import InvalidRequest
from masthead.pagerduty import Link, Severity

KEY = "c0ffee00c0ffee00c0ffee00c0ffee01"
GOOD = {"applications": ["demo"], "message": "db down"}


def read(body, reader=read_page):
    complaints = Complaints()
    result = reader(body, complaints)
    complaints.raise_if_any()
    return result


def test_a_whole_body_is_read():
    """Every field there is."""
    page = read(
        {
            "applications": [" demo "],
            "services": ["Checkout"],
            "keys": [KEY],
            "message": "db down",
            "severity": "Error",
            "details": {"run": 1},
            "links": [{"href": "https://x/y", "text": "Runbook"}, "http://z"],
            "dedupKey": "k",
        }
    )
    named = page.recipients
    assert [(one.pointer, one.text) for one in named.applications] == [("/applications/0", "demo")]
    assert [(one.pointer, one.text) for one in named.services] == [("/services/0", "Checkout")]
    assert [key.reveal() for key in named.keys] == [KEY]
    assert (page.message, page.severity, page.details, page.dedup_key) == (
        "db down",
        Severity.ERROR,
        {"run": 1},
        "k",
    )
    assert page.links == (Link("https://x/y", "Runbook"), Link("http://z"))


def test_what_is_not_said_is_left_open():
    """Null means absent."""
    page = read(GOOD | dict.fromkeys(("services", "keys", "severity", "details", "links", "dedupKey")))
    assert (page.severity, page.details, page.links, page.dedup_key) == (None, {}, (), None)
    assert (page.recipients.services, page.recipients.keys) == ((), ())


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"applications": None}, "", "Say whom to tell"),
        ({"applications": []}, "", "Say whom to tell"),
        ({"applications": "demo"}, "/applications", "list of application names"),
        ({"applications": ["demo", " "]}, "/applications/1", "not empty"),
        ({"applications": ["demo", 7]}, "/applications/1", "must be text"),
        ({"services": {"a": 1}}, "/services", "list of PagerDuty services"),
        ({"keys": [KEY, KEY[:-1]]}, "/keys/1", "has 31 characters; PagerDuty's have 32"),
        ({"keys": ["x"]}, "/keys/0", "has 1 character;"),
        ({"keys": ["c0ffee00-0ffee00c0ffee00c0ffee01"]}, "/keys/0", "letters and digits"),
        ({"keys": ["ü" * 32]}, "/keys/0", "letters and digits"),
        ({"message": None}, "/message", "message is missing"),
        ({"message": " \n"}, "/message", "message is missing"),
        ({"message": 5}, "/message", "must be text"),
        ({"severity": "bad"}, "/severity", "use critical, error, warning or info"),
        ({"severity": 1}, "/severity", "use critical, error, warning or info"),
        ({"severity": ""}, "/severity", "use critical, error, warning or info"),
        ({"details": [1]}, "/details", "must be an object"),
        ({"details": "text"}, "/details", "must be an object"),
        ({"links": {}}, "/links", "must be a list"),
        ({"links": [5]}, "/links/0", "object with href"),
        ({"links": ["javascript:alert(1)"]}, "/links/0/href", "https://"),
        ({"links": [{"text": "x"}]}, "/links/0/href", "https://"),
        ({"links": ["http://a", {"href": "http://b", "text": 1}]}, "/links/1/text", "must be text"),
        ({"links": [{"href": "http://b", "title": "x"}]}, "/links/0/title", "no field 'title'"),
        ({"dedupKey": "k" * 256}, "/dedupKey", "256 characters"),
        ({"dedupKey": ""}, "/dedupKey", "not empty"),
        ({"dedupKey": 5}, "/dedupKey", "must be text"),
        ({"mesage": "typo"}, "/mesage", "no field 'mesage'; there are applications, services"),
        ({"a/b~c": 1}, "/a~1b~0c", "no field"),
    ],
)
def test_a_wrong_field_is_named_by_its_pointer(change, pointer, says):
    """With what is allowed there."""
    with pytest.raises(InvalidRequest) as raised:
        read(GOOD | change)
    assert (raised.value.pointer, raised.value.errors) == (pointer, ())
    assert says in raised.value.message


def test_everything_that_is_wrong_is_told_at_once():
    """Each behind its pointer; the first one's pointer is that of the error."""
    with pytest.raises(InvalidRequest) as raised:
        read({"keys": ["short"], "message": "", "severity": "bad", "extra": 1})
    assert raised.value.message.startswith("4 things are wrong")
    assert [one.partition(":")[0] for one in raised.value.errors] == [
        "/extra",
        "/keys/0",
        "/message",
        "/severity",
    ]
    assert raised.value.pointer == "/extra"


@pytest.mark.parametrize(
    "body",
    [
        GOOD | {"severity": KEY},
        GOOD | {KEY: 1},
        GOOD | {"links": [{"href": "http://x", KEY: 1}]},
        GOOD | {"keys": [KEY + "0"]},
        GOOD | {"dedupKey": KEY * 9},
    ],
)
def test_no_error_repeats_a_key(body):
    """Wherever it was pasted by mistake."""
    with pytest.raises(InvalidRequest) as raised:
        read(body)
    assert KEY not in raised.value.message + raised.value.pointer


def test_an_error_stays_short_whatever_was_sent():
    """Nobody reads a megabyte of his own severity."""
    with pytest.raises(InvalidRequest) as raised:
        read(GOOD | {"severity": "x" * 10_000, "y" * 10_000: 1})
    assert len("".join(raised.value.errors)) < 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "applications",
    "services",
    "keys",
    "message",
    "summary",
    "severity",
    "details",
    "links",
    "dedupKey",
    "timestamp",
)


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), JSON))
def test_any_object_is_read_or_refused(body):
    """Never anything but an answer, whatever stands in the fields."""
    for reader in (read_page, read_change):
        with contextlib.suppress(InvalidRequest):
            read(body, reader)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-24T03:04:05Z", datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)),
        ("2026-11-24T04:04:05+01:00", datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_change_may_say_when_it_happened(text, instant):
    """ISO 8601; without an offset it is UTC."""
    assert read({"keys": [KEY], "summary": "deploy", "timestamp": text}, read_change).timestamp == instant


@pytest.mark.parametrize("wrong", ["yesterday", 5, "9999-12-31T23:59:59-23:00", ""])
def test_a_time_that_is_none_is_refused(wrong):
    """With an example."""
    with pytest.raises(InvalidRequest, match="ISO 8601") as raised:
        read({"keys": [KEY], "summary": "deploy", "timestamp": wrong}, read_change)
    assert raised.value.pointer == "/timestamp"


def test_a_change_has_a_summary_and_no_message():
    """Nor a severity: nobody is woken."""
    with pytest.raises(InvalidRequest) as raised:
        read({"keys": [KEY], "message": "x", "severity": "info"}, read_change)
    assert [one.partition(":")[0] for one in raised.value.errors] == ["/message", "/severity", "/summary"]
