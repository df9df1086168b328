"""What people read about a failure."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.words import decode_object, event_remedy, remedy, spoken, without

KEY = Secret("c0ffee5eed1dea5a0123456789abcdef")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "errors", "message", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            '{"status":"invalid event","message":"Event object is invalid","errors":["A","B"]}',
            "Event object is invalid: A, B",
        ),
        ('{"error":{"message":"Invalid Input","code":2001,"errors":["A"]}}', "Invalid Input: A"),
        ('{"error":{"message":"M","errors":"text"}}', "M: text"),
        ('{"error":[{"message":"M"}]}', "M"),
        ('{"errors":[{"title":"T","detail":"D"}]}', "T, D"),
        ('{"error":"invalid_client","error_description":"no"}', "invalid_client: no"),
        ('{"status":"throttle exceeded"}', "throttle exceeded"),
        ("Too many\n requests", "Too many requests"),
        ("<html><style>p{}</style><h1>502</h1><p>Bad Gateway</p></html>", "502 Bad Gateway"),
        ("", ""),
        ("null", ""),
        ("[" * 100_000, "[" * 500),
    ],
)
def test_an_error_body_is_understood_however_it_is_shaped(body, text):
    """Message and errors are joined; errors have been texts, lists and objects."""
    assert spoken(body.encode()) == text


@given(JSON)
def test_no_json_breaks_the_reading(document):
    """Whatever an answer holds, at most 500 characters of text come of it."""
    assert len(spoken(json.dumps(document).encode())) <= 500


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reading(body):
    """An answer need not be UTF-8."""
    assert isinstance(spoken(body), str)
    decode_object(body)


@given(st.integers(0, 520), st.sampled_from([str.upper, str.lower, str]))
def test_the_key_is_removed_wherever_it_stands(before, spell):
    """Also in another case, and where the text is cut in its middle: no eight characters of it remain."""
    body = json.dumps({"message": "x" * before + " " + spell(KEY.reveal())}).encode()
    shown = spoken(body, KEY).lower()
    assert not any(KEY.reveal()[at : at + 8] in shown for at in range(24))


def test_a_key_in_a_url_is_removed():
    """A token with characters that a URL escapes is found there too."""
    token = Secret("a+b/c=d")
    assert "a%2Bb" not in without("GET /services?query=a%2Bb%2Fc%3Dd", token, None, Secret(""))


def test_only_objects_are_read():
    """A list, a text, half a body and a deep one are no object."""
    for body in (b"[]", b'"x"', b'{"a":', b'{"a":' * 100_000, b'{"a":"\xff"}'):
        assert decode_object(body) is None
    assert decode_object(b'{"a":1}') == {"a": 1}


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence(reason):
    """An operator is never left without a next step for the REST side."""
    assert remedy(reason).endswith(".")
    assert event_remedy(reason) == "" or event_remedy(reason).endswith(".")


def test_the_token_sentence_names_the_region():
    """A wrong region looks like a wrong token."""
    assert "https://api.eu.pagerduty.com" in remedy(Reason.TOKEN)
    assert event_remedy(None) == ""


@pytest.mark.parametrize(
    "shown", [KEY.reveal(), KEY.reveal().upper(), KEY.reveal().title(), "\u017f\u212a00" * 8]
)
def test_a_key_is_cut_out_however_it_is_spelt(shown):
    """PagerDuty repeats keys as they came; letters outside ASCII may stand for ASCII ones."""
    secret = Secret("sk00" * 8) if "\u017f" in shown else KEY
    assert shown not in without(f"no such key: {shown}.", secret)
