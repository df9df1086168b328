"""Which answer means what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.kernel.errors import Reason
from masthead.pagerduty import Outcome, Protocol
from masthead.pagerduty.answers import classify_event, classify_rest, retry_after

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
V1, V2 = Protocol.V1, Protocol.V2


@pytest.mark.parametrize(
    ("protocol", "status", "text", "outcome", "reason"),
    [
        (V1, 200, "", Outcome.ACCEPTED, None),
        (V2, 202, "", Outcome.ACCEPTED, None),
        (V1, 403, "", Outcome.RETRY, Reason.THROTTLED),
        (V1, 429, "", Outcome.RETRY, Reason.THROTTLED),
        (V2, 429, "", Outcome.RETRY, Reason.THROTTLED),
        (V2, 403, "", Outcome.REJECTED, Reason.REJECTED),
        (V1, 408, "", Outcome.RETRY, Reason.TIMEOUT),
        (V2, 408, "", Outcome.RETRY, Reason.TIMEOUT),
        (V2, 500, "", Outcome.RETRY, Reason.SERVER),
        (V1, 503, "", Outcome.RETRY, Reason.SERVER),
        (V2, 302, "", Outcome.RETRY, Reason.ANSWER),
        (V2, 404, "", Outcome.REJECTED, Reason.NOT_FOUND),
        (V2, 400, "Invalid routing key", Outcome.REJECTED, Reason.KEY),
        (V2, 400, "Length of 'routing_key' is incorrect", Outcome.REJECTED, Reason.KEY),
        (V1, 400, "Service key is the wrong length", Outcome.REJECTED, Reason.KEY),
        (V2, 400, "'dedup_key' is too long", Outcome.REJECTED, Reason.REJECTED),
        (V2, 413, "", Outcome.REJECTED, Reason.REJECTED),
    ],
)
def test_an_event_status_means_one_thing(protocol, status, text, outcome, reason):
    """v1 throttles with 403 and v2 with 429; every other 4xx but 408 is final."""
    assert classify_event(protocol, status, text) == (outcome, reason)


@given(st.sampled_from(Protocol), st.integers(100, 599), st.text(max_size=40))
def test_every_status_is_classified(protocol, status, text):
    """Accepted only with 2xx, rejected only with 4xx, and whatever is not accepted has a reason."""
    outcome, reason = classify_event(protocol, status, text)
    assert (outcome is Outcome.ACCEPTED) == (200 <= status < 300) == (reason is None)
    if outcome is Outcome.REJECTED:
        assert 400 <= status < 500
        assert status not in (408, 429)


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (400, Reason.REJECTED, False),
        (401, Reason.TOKEN, False),
        (402, Reason.SCOPE, False),
        (403, Reason.SCOPE, False),
        (404, Reason.NOT_FOUND, False),
        (408, Reason.TIMEOUT, True),
        (429, Reason.THROTTLED, True),
        (502, Reason.SERVER, True),
        (301, Reason.ANSWER, False),
    ],
)
def test_a_rest_status_means_one_thing(status, reason, retryable):
    """REST has its own table: 403 is a missing scope there."""
    assert classify_rest(status) == (reason, retryable)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {}, None),
        (429, {"Retry-After": "7"}, 7),
        (503, {"Retry-After": "7"}, 7),
        (429, {"ratelimit-reset": "30"}, 30),
        (500, {"ratelimit-reset": "30"}, None),
        (429, {"Retry-After": "5", "ratelimit-reset": "30"}, 5),
        (429, {"Retry-After": "-3"}, 0),
        (429, {"Retry-After": "nan"}, None),
        (429, {"Retry-After": "inf"}, None),
        (429, {"Retry-After": "soon"}, None),
        (429, {"Retry-After": "99999999"}, 900),
        (429, {"Retry-After": format_datetime(NOW + timedelta(seconds=9), usegmt=True)}, 9),
        (429, {"Retry-After": "Mon, 23 Nov 2026 03:00:09 -0000"}, 9),
    ],
)
def test_how_long_to_wait_is_read_from_the_headers(status, headers, seconds):
    """Seconds or a date; ``ratelimit-reset`` counts only where something was throttled."""
    assert retry_after(status, headers, now=NOW) == seconds


def test_a_date_is_measured_by_the_answers_own_clock():
    """A clock of ours that is an hour wrong changes nothing."""
    headers = {
        "Retry-After": format_datetime(NOW + timedelta(seconds=9), usegmt=True),
        "Date": format_datetime(NOW, usegmt=True),
    }
    assert retry_after(429, headers, now=NOW - timedelta(hours=1)) == 9


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_header_breaks_the_reading(value, date):
    """Whatever stands there, the wait is None or between 0 and 900 seconds."""
    seconds = retry_after(429, {"Retry-After": value, "Date": date}, now=NOW)
    assert seconds is None or 0 <= seconds <= 900
