"""Event bodies and their limits."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret
from masthead.pagerduty import Event, Link, Protocol, Severity, encode_event, shorten
from masthead.pagerduty.bodies import BODY_LIMIT, DETAILS_LEFT_OUT, FULL_TEXT, SUMMARY_LIMIT

KEY = Secret("c0ffee5eed1dea5a0123456789abcdef")
#: Any code points, halves of surrogate pairs included.
ANY_TEXT = st.text(st.characters(exclude_categories=()))
EVENT = Event(
    Protocol.V2,
    "trigger",
    KEY,
    "dedup",
    summary="db down",
    severity=Severity.WARNING,
    source="demo",
    details={"from": "Night watch"},
    client="Spinnaker (ann)",
    client_url="http://deck/executions/1",
    links=(Link("http://deck/1", "Execution"), Link("http://deck/2")),
    timestamp=datetime(2026, 11, 23, 3, 0, tzinfo=UTC),
    component="db",
    group="nightly",
    class_="pageApplicationOwner",
)


def body(event: Event) -> dict:
    return json.loads(encode_event(event))


def test_v1_is_echos_body():
    """With an incident key, which Echo leaves out, and links as contexts; v1 has no place for a severity."""
    assert body(replace(EVENT, protocol=Protocol.V1)) == {
        "service_key": KEY.reveal(),
        "event_type": "trigger",
        "incident_key": "dedup",
        "description": "db down",
        "details": {"from": "Night watch"},
        "client": "Spinnaker (ann)",
        "client_url": "http://deck/executions/1",
        "contexts": [
            {"type": "link", "href": "http://deck/1", "text": "Execution"},
            {"type": "link", "href": "http://deck/2", "text": "http://deck/2"},
        ],
    }


def test_v2_says_all_there_is():
    """Every field of Events v2 that Masthead knows."""
    assert body(EVENT) == {
        "routing_key": KEY.reveal(),
        "event_action": "trigger",
        "dedup_key": "dedup",
        "payload": {
            "summary": "db down",
            "source": "demo",
            "severity": "warning",
            "timestamp": "2026-11-23T03:00:00+00:00",
            "component": "db",
            "group": "nightly",
            "class": "pageApplicationOwner",
            "custom_details": {"from": "Night watch"},
        },
        "client": "Spinnaker (ann)",
        "client_url": "http://deck/executions/1",
        "links": [
            {"href": "http://deck/1", "text": "Execution"},
            {"href": "http://deck/2", "text": "http://deck/2"},
        ],
    }


@pytest.mark.parametrize("protocol", list(Protocol))
def test_what_is_not_known_is_left_out(protocol):
    """A minimal event has no empty fields; v2's source is never empty."""
    small = body(Event(protocol, "trigger", KEY, "d", summary="x", source=""))
    assert not {"client_url", "links", "contexts"} & small.keys()
    if protocol is Protocol.V2:
        assert small["payload"]["source"] == "spinnaker"
        assert small["payload"].keys() == {"summary", "source", "severity", "custom_details"}


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_acknowledging_and_resolving_only_say_which(action):
    """Three fields, nothing of the page."""
    assert body(replace(EVENT, action=action)) == {
        "routing_key": KEY.reveal(),
        "event_action": action,
        "dedup_key": "dedup",
    }
    assert body(replace(EVENT, action=action, protocol=Protocol.V1)) == {
        "service_key": KEY.reveal(),
        "event_type": action,
        "incident_key": "dedup",
    }


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_change_event_says_what_changed(protocol):
    """Neither action, severity, dedup key nor client: it wakes nobody and is of no protocol."""
    assert body(replace(EVENT, protocol=protocol, action="change")) == {
        "routing_key": KEY.reveal(),
        "payload": {
            "summary": "db down",
            "source": "demo",
            "timestamp": "2026-11-23T03:00:00+00:00",
            "custom_details": {"from": "Night watch"},
        },
        "links": [
            {"href": "http://deck/1", "text": "Execution"},
            {"href": "http://deck/2", "text": "http://deck/2"},
        ],
    }


def test_a_small_change_event_has_no_empty_fields():
    """Its source is never empty."""
    assert body(Event(Protocol.V2, "change", KEY, "", summary="x", source="")) == {
        "routing_key": KEY.reveal(),
        "payload": {"summary": "x", "source": "spinnaker", "custom_details": {}},
    }


@given(ANY_TEXT, st.integers(2, 50))
def test_shortening_keeps_the_beginning(text, limit):
    """What fits stays; what does not is exactly the limit long and ends in an ellipsis."""
    short = shorten(text, limit=limit)
    assert len(short) <= limit
    if len(text) > limit:
        assert len(short) == limit
        assert short == text[: limit - 1] + "…"
    else:
        assert short is text


def test_a_limit_without_room_is_refused():
    """One character cannot be text and ellipsis."""
    with pytest.raises(ValueError, match="no room"):
        shorten("abc", limit=1)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_long_message_stands_in_full_in_the_details(protocol):
    """The sender's details stay, even one of the name that the message would take."""
    text = "é" * 2000
    long = replace(EVENT, protocol=protocol, summary=text, details={FULL_TEXT: "mine", "a": 1})
    sent = body(long)
    payload = sent if protocol is Protocol.V1 else sent["payload"]
    summary, details = (
        (sent["description"], sent["details"])
        if protocol is Protocol.V1
        else (payload["summary"], payload["custom_details"])
    )
    assert summary == "é" * 1023 + "…"
    assert details == {FULL_TEXT: "mine", "a": 1, f"{FULL_TEXT} (2)": text}


def test_a_short_message_leaves_the_details_alone():
    """Nothing is added to what fits."""
    fits = replace(EVENT, summary="x" * SUMMARY_LIMIT, details={})
    assert body(fits)["payload"]["custom_details"] == {}


def test_the_largest_details_go_first_when_the_body_is_too_large():
    """Message, links, runbook and who asked stay; the details say what is missing and how large all were."""
    large = replace(
        EVENT,
        summary="y" * 3000,
        details={"from": "ann", "log": "z" * BODY_LIMIT, "runbook": "https://wiki", "dump": [0] * 300_000},
    )
    sent = body(large)
    assert sent["links"] == body(EVENT)["links"]
    told = sent["payload"]["custom_details"]
    assert list(told) == ["from", "runbook", DETAILS_LEFT_OUT, FULL_TEXT]
    assert (told["from"], told["runbook"], told[FULL_TEXT]) == ("ann", "https://wiki", "y" * 3000)
    assert told[DETAILS_LEFT_OUT].startswith("log, dump: 1,1")
    assert "512,000" in told[DETAILS_LEFT_OUT]


def test_as_many_details_stay_as_there_is_room_for():
    """The smallest first, in their own order; thousands of names that are missing are not all told."""
    details = {f"entry {number}": "z" * number for number in range(3000, 0, -1)}
    sent = encode_event(replace(EVENT, details=details))
    told = json.loads(sent)["payload"]["custom_details"]
    note = told.pop(DETAILS_LEFT_OUT)
    assert BODY_LIMIT - 5_000 < len(sent) <= BODY_LIMIT
    assert list(told) == [name for name in details if name in told]
    assert told.keys() == set(list(details)[-len(told) :])
    assert note.startswith("entry 3000, entry 2999, ")
    assert len(note) < 400


def test_a_message_may_be_too_large_by_itself():
    """Then its end is missing, and none of the details."""
    told = body(replace(EVENT, summary="y" * 600_000, details={"from": "ann"}))["payload"]["custom_details"]
    assert told["from"] == "ann"
    assert told[FULL_TEXT] == "y" * 59_999 + "…"
    assert told[DETAILS_LEFT_OUT].startswith("60")


def test_a_detail_may_be_called_as_ours():
    """What it says stays, or is named as missing."""
    details = {FULL_TEXT: "mine", DETAILS_LEFT_OUT: "mine too", "log": "z" * BODY_LIMIT}
    told = body(replace(EVENT, summary="y" * 3000, details=details))["payload"]["custom_details"]
    assert (told[FULL_TEXT], told[f"{FULL_TEXT} (2)"]) == ("mine", "y" * 3000)
    assert told[DETAILS_LEFT_OUT].startswith("log: ")


def test_a_body_of_exactly_the_limit_is_sent_whole():
    """512,000 bytes are allowed, one more is not."""
    room = BODY_LIMIT - len(encode_event(replace(EVENT, details={"log": ""})))
    assert len(encode_event(replace(EVENT, details={"log": "z" * room}))) == BODY_LIMIT
    assert (
        DETAILS_LEFT_OUT
        in body(replace(EVENT, details={"log": "z" * (room + 1)}))["payload"]["custom_details"]
    )


@given(
    st.sampled_from(Protocol),
    st.sampled_from(["trigger", "change"]),
    st.sampled_from("\x00é😀a\ud800"),
    st.integers(0, 700_000) | st.sampled_from((0, SUMMARY_LIMIT, BODY_LIMIT // 13, BODY_LIMIT)),
)
@settings(max_examples=20)
def test_no_event_is_ever_too_large(protocol, action, character, count):
    """Whatever is endless, the body is within all limits and is valid UTF-8."""
    text = character * count
    link = Link(text, text)
    endless = Event(
        protocol, action, KEY, text, text, Severity.INFO, text, {"a": text}, text, text, (link,) * 3, None,
        text, text, text,
    )  # fmt: skip
    encoded = encode_event(endless)
    sent = json.loads(encoded.decode())
    assert len(encoded) <= BODY_LIMIT
    assert len(sent.get("incident_key", sent.get("dedup_key", ""))) <= 255
    summary = sent["description"] if "description" in sent else sent["payload"]["summary"]
    assert len(summary) <= SUMMARY_LIMIT


@given(st.sampled_from(Protocol), ANY_TEXT, st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_no_half_of_a_surrogate_pair_goes_out(protocol, text, details):
    """JSON text cannot carry one; U+FFFD stands in its place and everything else is as it was."""
    encoded = encode_event(Event(protocol, "trigger", KEY, "d", text, details=details))
    decoded = encoded.decode()
    assert not any("\ud800" <= character <= "\udfff" for character in decoded)
    sent = json.loads(decoded)
    if not any(
        "\ud800" <= character <= "\udfff" for one in (text, *details, *details.values()) for character in one
    ):
        assert (sent["description"] if protocol is Protocol.V1 else sent["payload"]["summary"]) == text


@given(st.text(min_size=256, max_size=400))
def test_long_dedup_keys_stay_different(text):
    """They keep their beginning and end in a hash of the whole."""
    one, other = (body(replace(EVENT, dedup_key=text + end))["dedup_key"] for end in "ab")
    assert one != other
    assert len(one) == len(other) == 255
    assert one.startswith(text[:100])


@pytest.mark.parametrize("details", [{"a": object()}, {(1, 2): 3}])
def test_details_that_are_not_json_are_the_callers_error(details):
    """It is told which field is wrong."""
    with pytest.raises(InvalidRequest, match="details cannot be written as JSON") as raised:
        encode_event(replace(EVENT, details=details))
    assert raised.value.pointer == "/details"


def test_details_without_end_are_the_callers_error():
    """A structure that holds itself is no JSON."""
    details: dict = {}
    details["again"] = details
    with pytest.raises(InvalidRequest):
        encode_event(replace(EVENT, details=details))
