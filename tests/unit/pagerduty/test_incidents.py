"""Reading incidents over a real connection."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty import IncidentSeen, RestClient, RestIncidents, ServiceSeen
from masthead.pagerduty.bodies import sent_dedup_key
from unit.pagerduty.endpoint import TOKEN, Said

DOCUMENT = {
    "id": "Q1",
    "incident_number": 7,
    "status": "acknowledged",
    "html_url": "https://acme.pagerduty.com/incidents/Q1",
    "incident_key": None,
    "service": {"id": "PSVC01", "type": "service_reference"},
    "assignments": [
        {"assignee": {"id": "PU1", "summary": "Ada Lovelace"}},
        {"assignee": {"id": "PU2", "name": "Grace Hopper"}},
        {"assignee": {"id": "PU1", "summary": "Ada Lovelace"}},
    ],
    "created_at": "2026-11-23T03:00:01Z",
    "updated_at": "2026-11-23T03:00:05Z",
    "resolved_at": None,
}


@pytest.fixture
async def reader(endpoint, clock):
    client = RestClient(endpoint.url, lambda: TOKEN, clock)
    yield RestIncidents(client)
    await client.close()


async def failure_of(reading) -> OutsideFailure:
    with pytest.raises(OutsideFailure) as raised:
        await reading
    return raised.value


async def test_incidents_of_a_key_are_asked_for_whatever_their_age_and_state(reader, endpoint):
    """PagerDuty's default would be the last month; the newest come first."""
    endpoint.answers = [Said(200, {"incidents": [DOCUMENT]}, {"Date": "Mon, 23 Nov 2026 03:00:00 GMT"})]
    found = await reader.by_key("masthead-1")
    query = endpoint.requests[0].query
    assert endpoint.requests[0].path == "/incidents"
    assert query["incident_key"] == "masthead-1"
    assert query.getall("statuses[]") == ["triggered", "acknowledged", "resolved"]
    assert (query["date_range"], query["sort_by"]) == ("all", "created_at:desc")
    assert found == [
        IncidentSeen(
            id="Q1",
            number=7,
            status="acknowledged",
            url="https://acme.pagerduty.com/incidents/Q1",
            service_id="PSVC01",
            assignees=("Ada Lovelace", "Grace Hopper"),
            created_at=datetime(2026, 11, 23, 3, 0, 1, tzinfo=UTC),
            updated_at=datetime(2026, 11, 23, 3, 0, 5, tzinfo=UTC),
            resolved_at=None,
        )
    ]


async def test_who_acknowledged_an_incident_has_it(reader, endpoint):
    """Whoever it was assigned to; before and after, it is those."""
    by = [
        {"at": "2026-11-23T03:00:04Z", "acknowledger": {"type": "user_reference", "summary": "Joan Clarke"}}
    ]
    acknowledged = DOCUMENT | {"status": "acknowledged", "acknowledgements": by}
    resolved = acknowledged | {"status": "resolved"}
    endpoint.answers = [Said(200, {"incidents": [acknowledged, resolved]})]
    first, second = await reader.by_key("masthead-1")
    assert first.assignees == ("Joan Clarke",)
    assert second.assignees == ("Ada Lovelace", "Grace Hopper")


async def test_a_long_key_is_looked_up_as_it_was_sent(reader, endpoint):
    """What went out shortened is known to PagerDuty under the shortened key."""
    endpoint.answers = [Said(200, {"incidents": []})]
    assert await reader.by_key("k" * 300) == []
    assert endpoint.requests[0].query["incident_key"] == sent_dedup_key("k" * 300)
    assert len(sent_dedup_key("k" * 300)) == 255


async def test_open_incidents_of_a_service_are_the_unresolved_ones(reader, endpoint):
    """One page of PagerDuty's largest size."""
    endpoint.answers = [Said(200, {"incidents": [DOCUMENT]})]
    assert [one.id for one in await reader.open_of_service("PSVC01")] == ["Q1"]
    query = endpoint.requests[0].query
    assert query.getall("service_ids[]") == ["PSVC01"]
    assert query.getall("statuses[]") == ["triggered", "acknowledged"]
    assert (query["date_range"], query["limit"]) == ("all", "100")


async def test_a_service_tells_its_state_and_policy(reader, endpoint):
    """Fresh from PagerDuty, not from the catalog; an id cannot leave its place in the path."""
    endpoint.answers = [Said(200, {"service": {"status": "disabled", "escalation_policy": {"id": "PPOL01"}}})]
    assert await reader.service("P/1") == ServiceSeen("P/1", "disabled", "PPOL01")
    assert endpoint.requests[0].raw_path == "/services/P%2F1"


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "Q1"},
        {
            "id": "Q1",
            "service": "x",
            "assignments": {},
            "created_at": 5,
            "incident_number": True,
            "status": None,
        },
        {"id": "Q1", "assignments": [None, {"assignee": []}], "created_at": "soon"},
    ],
)
async def test_what_is_odd_is_left_empty(reader, endpoint, odd):
    """One field that is not as documented does not hide the incident; what has no id is none."""
    endpoint.answers = [Said(200, {"incidents": [odd, {"status": "triggered"}, "x"]})]
    (found,) = await reader.by_key("k")
    assert (found.id, found.number, found.assignees, found.created_at) == ("Q1", None, (), None)


@pytest.mark.parametrize("body", [{}, {"incidents": {}}, {"service": {}}])
async def test_an_answer_that_is_none_is_a_failure(reader, endpoint, body):
    """An empty answer must not be read as "no incident"."""
    endpoint.answers = [Said(200, body)]
    assert (await failure_of(reader.by_key("k"))).reason is Reason.ANSWER
    assert (await failure_of(reader.service("P1"))).reason is Reason.ANSWER


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Said(429, b"", {"Retry-After": "7"}), Reason.THROTTLED),
        (Said(500), Reason.SERVER),
        (Said(403, {"error": {"message": "Access Denied"}}), Reason.SCOPE),
    ],
)
async def test_a_failure_is_told_at_once(reader, endpoint, clock, said, reason):
    """Nothing is repeated here: who asks decides when to come again."""
    endpoint.answers = [said]
    failure = await failure_of(reader.by_key("k"))
    assert failure.reason is reason
    assert len(endpoint.requests) == 1
    assert clock.waits == []
    if reason is Reason.THROTTLED:
        assert failure.retry_after == 7


@pytest.mark.parametrize(("ahead_s", "moved_s"), [(0, 0), (3600, 3600), (-3600, 0)])
async def test_a_clock_that_goes_ahead_does_not_make_incidents_old(reader, endpoint, clock, ahead_s, moved_s):
    """Instants are moved to our clock by the answer's Date, and never back."""
    date = format_datetime(clock.now() - timedelta(seconds=ahead_s), usegmt=True)
    endpoint.answers = [Said(200, {"incidents": [DOCUMENT]}, {"Date": date})]
    (found,) = await reader.by_key("k")
    assert found.created_at == datetime(2026, 11, 23, 3, 0, 1, tzinfo=UTC) + timedelta(seconds=moved_s)
