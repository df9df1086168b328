"""Services, integrations and on-calls as they are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.catalog.model import read_oncall, read_service, write_service
from masthead.pagerduty import Protocol
from unit.catalog.documents import key_of, oncall, service

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "summary", "name", "type"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = [*service("a"), *oncall("a", "ann"), "summary"]


@pytest.mark.parametrize(
    ("type_", "protocol"),
    [
        ("generic_events_api", Protocol.V1),
        ("generic_events_api_inbound_integration", Protocol.V1),
        ("generic_events_api_reference", Protocol.V1),
        ("events_api_v2", Protocol.V2),
        ("events_api_v2_inbound_integration", Protocol.V2),
        ("events_api_v2_inbound_integration_reference", Protocol.V2),
        ("generic_email_inbound_integration", None),
        ("aws_cloudwatch_inbound_integration", None),
        ("event_transformer_api_inbound_integration", None),
        ("", None),
    ],
)
def test_the_type_tells_the_protocol(type_, protocol):
    """With and without the endings that PagerDuty puts to it."""
    read = read_service({"integrations": [{"type": type_}]})
    assert read.integrations[0].protocol is protocol


@pytest.mark.parametrize(
    ("integrations", "prefer_v1", "offered"),
    [
        (("v2", "v1"), False, 0),
        (("v1", "v2"), False, 0),
        (("mail", "v2", "v1"), False, 1),
        (("v2", "v1", "v1"), True, 1),
        (("v2",), True, 0),
        (("mail",), True, None),
        (("mail",), False, None),
    ],
)
def test_the_first_that_takes_events_is_offered(integrations, prefer_v1, offered):
    """A setting prefers v1, as Gate does."""
    read = read_service(service("db", *integrations))
    usable = read.usable(prefer_v1=prefer_v1)
    assert usable is (None if offered is None else read.integrations[offered])


def test_an_integration_whose_key_is_hidden_is_passed_over():
    """The next one with a key is offered."""
    document = service("db", "v2", "v2")
    document["integrations"][0]["integration_key"] = None
    assert read_service(document).usable().key.reveal() == key_of("db1")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"integrations": []}, "no integration"),
        ({"integrations": None}, "no integration"),
        ({"integrations": [{"type": "events_api_v2_inbound_integration_reference"}]}, "may not see"),
        ({"integrations": [{"type": "nagios_inbound_integration", "integration_key": "k"}, {"type": "generic_email"}]}, "(generic_email, nagios)"),
        ({"integrations": [{"type": "nagios_inbound_integration_reference"}]}, "(nagios)"),
        ({"integrations": [{}]}, "(of no type)"),
    ],
)  # fmt: skip
def test_a_service_that_cannot_be_paged_says_why(changes, reason):
    """And what to do about it."""
    read = read_service(service("db") | changes)
    assert read.usable() is None
    assert reason in read.unusable_reason


def test_a_service_that_can_be_paged_has_no_reason():
    """Whatever its status: an event is accepted, and the warning says that nobody is woken."""
    assert read_service(service("db")).unusable_reason is None
    assert read_service(service("db")).warning is None
    assert "maintenance" in read_service(service("db", status="maintenance")).warning
    assert "disabled" in read_service(service("db", status="disabled")).warning


def test_a_service_that_is_kept_is_read_back():
    """Nothing that Masthead uses is lost in the snapshot."""
    read = read_service(service("db", "v1", "mail", "v2"))
    assert read_service(write_service(read)) == read
    assert read.policy_name == "db policy"
    assert read.teams == ("Platform",)


def test_no_key_shows_in_a_service():
    """Its representation may stand in any log."""
    assert key_of("db0") not in repr(read_service(service("db")))


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_nothing_odd_breaks_the_reading(document):
    """One broken entry must not cost the list; and what was read is kept as it is."""
    read = read_service(document)
    assert read_service(write_service(read)) == read
    assert isinstance(read.unusable_reason, str | None)
    person = read_oncall(document)
    person.is_over(datetime.now(UTC))
    assert person.document is document


def test_an_oncall_names_person_level_and_shift():
    """As the CLI and the pages show them."""
    read = read_oncall(oncall("db", "Ann", level=2, end="2026-11-23T09:00:00Z"))
    assert (read.user_name, read.level, read.policy_id, read.schedule_name) == ("Ann", 2, "EPDB", "Nights")
    assert read_oncall(oncall("db", None)).user_name == "Nobody"


@pytest.mark.parametrize(
    ("end", "is_over"),
    [
        ("2026-11-23T09:00:00Z", True),
        ("2026-11-23T08:59:59+00:00", True),
        ("2026-11-23T09:00:01Z", False),
        ("2026-11-23T08:00:00", True),
        ("2026-11-23T09:30:00+01:00", True),
        (None, False),
        ("soon", False),
    ],
)
def test_a_shift_that_ended_is_over(end, is_over):
    """One without an end never is."""
    nine = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert read_oncall(oncall("db", "Ann", end=end)).is_over(nine) is is_over
