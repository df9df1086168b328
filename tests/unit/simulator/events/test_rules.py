"""The rules of Events v1, v2 and change events, with PagerDuty's own words."""

from __future__ import annotations

import pytest

from masthead.simulator.events.rules import read_change, read_v1, read_v2

KEY = "a" * 32
V1 = {"service_key": KEY, "event_type": "trigger", "description": "d"}
PAYLOAD = {"summary": "s", "severity": "error", "source": "x"}
V2 = {"routing_key": KEY, "event_action": "trigger", "payload": PAYLOAD}

SEVERITY_ERROR = (
    "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
)


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({}, []),
        ({"description": "d" * 1024, "incident_key": "k" * 255, "details": {"a": 1}}, []),
        ({"service_key": ""}, ["Service key can't be blank"]),
        ({"service_key": None}, ["Service key can't be blank"]),
        ({"service_key": "short"}, ["Service key is the wrong length (should be 32 characters)"]),
        ({"event_type": None}, ["'event_type' is missing or blank"]),
        (
            {"event_type": "page"},
            ["event_type is invalid (must be one of: trigger acknowledge resolve)"],
        ),
        ({"description": ""}, ["Description is missing or blank"]),
        ({"description": "d" * 1025}, ["Description is too long (maximum is 1024 characters)"]),
        ({"incident_key": "k" * 256}, ["Incident key is too long (maximum is 255 characters)"]),
        ({"event_type": "resolve"}, ["Incident key can't be blank"]),
        ({"event_type": "acknowledge", "incident_key": "k", "description": None}, []),
        ({"details": "text"}, ["Details must be an object"]),
        ({"event_action": "", "payload": None, "anything": [1]}, []),
    ],
)
def test_v1_says_what_is_wrong(change, errors):
    """Events v1 refuses with PagerDuty's texts, and ignores fields it does not know (Alertmanager sends some)."""
    assert read_v1({**V1, **change}).errors == errors


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({}, []),
        ({"dedup_key": "k" * 255, "links": [{"href": "https://x"}], "images": [], "unknown": 1}, []),
        ({"routing_key": None}, ["'routing_key' is missing or blank"]),
        ({"routing_key": "a" * 31}, ["Length of 'routing_key' is incorrect (should be 32 characters)"]),
        ({"routing_key": "-" * 32}, ["'routing_key' cannot contain non-alphanumeric characters."]),
        (
            {"routing_key": "e+23_"},
            [
                "Length of 'routing_key' is incorrect (should be 32 characters)",
                "'routing_key' cannot contain non-alphanumeric characters.",
            ],
        ),
        ({"event_action": None}, ["'event_action' is missing or blank"]),
        ({"event_action": "resolve"}, ["'dedup_key' is missing or blank"]),
        ({"event_action": "resolve", "dedup_key": "k", "payload": None}, []),
        ({"dedup_key": "k" * 256}, ["'dedup_key' is too long (maximum is 255 characters)"]),
        (
            {"payload": None},
            [
                "'payload.summary' is missing or blank",
                "'payload.severity' is missing or blank",
                "'payload.source' is missing or blank",
            ],
        ),
        ({"payload": {**PAYLOAD, "summary": "é" * 1024}}, []),
        (
            {"payload": {**PAYLOAD, "summary": "é" * 1025}},
            ["'summary' is too long (maiximum is 1024 characters)"],
        ),
        ({"payload": {**PAYLOAD, "severity": "high"}}, [SEVERITY_ERROR]),
        ({"payload": {**PAYLOAD, "custom_details": "x"}}, ["'payload.custom_details' must be an object"]),
        ({"payload": "x"}, ["'payload' must be an object"]),
        ({"links": "x"}, ["'links' must be an array"]),
    ],
)
def test_v2_says_what_is_wrong(change, errors):
    """Events v2 refuses with PagerDuty's texts, counts characters and ignores unknown fields."""
    assert read_v2({**V2, **change}).errors == errors


@pytest.mark.parametrize(
    ("payload", "errors"),
    [
        ({"summary": "s"}, []),
        ({"summary": "s", "severity": "nonsense"}, []),
        ({}, ["'payload.summary' is missing or blank"]),
        ({"summary": "s" * 1025}, ["'summary' is too long (maiximum is 1024 characters)"]),
    ],
)
def test_change_events_need_only_a_summary(payload, errors):
    """A change event needs a summary of at most 1,024 characters and knows no severity."""
    assert read_change({"routing_key": KEY, "payload": payload}).errors == errors


@pytest.mark.parametrize(("key", "text"), [(17, "17"), (1.5, "1.5"), (True, ""), ([], ""), ({}, "")])
def test_numbers_count_as_text(key, text):
    """An incident key that is a number is taken as its digits; what is no text counts as missing."""
    assert read_v1({**V1, "incident_key": key}).dedup_key == text
