"""Which incident is a delivery's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from masthead.kernel.clock import to_ms
from masthead.pagerduty import IncidentSeen
from masthead.paging.model import Incident, IncidentState
from masthead.paging.proof.rows import Claim, Sought
from masthead.paging.proof.verdict import can_tell, joined, own, told

ASKED = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OURS = "masthead-" + "0" * 32


def sought(dedup_key: str = "db", **changes) -> Sought:
    values = {
        "service_id": "PSVC01",
        "created_at": to_ms(ASKED),
        "accepted_at": to_ms(ASKED) + 500,
        "is_key_made_here": dedup_key == OURS,
        "has_siblings": False,
        "incident": Incident(IncidentState.UNKNOWN),
    }
    return Sought("d1", dedup_key, **values | changes)


def seen(id_: str = "Q1", at_s: float = 1, **changes) -> IncidentSeen:
    created = ASKED + timedelta(seconds=at_s)
    values = {
        "number": 1,
        "status": "triggered",
        "url": None,
        "service_id": "PSVC01",
        "assignees": (),
        "created_at": created,
        "updated_at": created,
        "resolved_at": None,
    }
    return IncidentSeen(id_, **values | changes)


def test_any_incident_of_our_own_key_is_the_pages():
    """However old, of whatever service: the key belongs to one page and one routing key."""
    assert own(sought(OURS, service_id=None, has_siblings=True), [seen(at_s=-9999)], []).id == "Q1"
    assert own(sought(OURS), [], []) is None


def test_an_earlier_pages_key_that_somebody_chose_is_a_chosen_one():
    """It looks like ours, and the incident of the earlier page is not this one's."""
    assert own(sought(OURS, is_key_made_here=False), [seen(at_s=-3600)], []) is None


@pytest.mark.parametrize(("at_s", "is_own"), [(-3600, False), (-6, False), (-4, True), (0, True), (50, True)])
def test_of_a_chosen_key_only_what_came_after_the_request_counts(at_s, is_own):
    """With some seconds of leeway, as PagerDuty writes whole ones."""
    assert (own(sought(), [seen(at_s=at_s)], []) is not None) is is_own


def test_of_a_chosen_key_only_the_same_service_counts():
    """One dedup key may go to several services at once."""
    assert own(sought(), [seen(service_id="PSVC02")], []) is None
    assert joined(sought(), [seen(at_s=-60, service_id="PSVC02")], []) is None


def test_without_a_service_a_shared_key_tells_nothing():
    """The incident might be that of the page's other key."""
    shared = sought(service_id=None, has_siblings=True)
    assert not can_tell(shared)
    assert own(shared, [seen()], []) is None
    assert own(sought(service_id=None), [seen()], []).id == "Q1"


def test_what_an_earlier_page_led_to_is_not_this_ones():
    """Two pages within seconds under one chosen key: the first opened it, the second joined."""
    earlier = Claim("Q1", "d0", to_ms(ASKED) - 1)
    at_once = Claim("Q1", "d0", to_ms(ASKED))
    assert own(sought(), [seen()], [earlier]) is None
    assert joined(sought(), [seen()], [earlier]).id == "Q1"
    assert own(sought(), [seen()], [at_once]).id == "Q1"
    assert own(sought(), [seen()], [Claim("Q1", "d1", 0)]).id == "Q1"


def test_a_new_incident_goes_before_one_that_was_joined():
    """The first that was created since the request is the page's."""
    found = [seen("Q3", 100), seen("Q2", 1), seen("Q1", -100)]
    assert own(sought(), found, []).id == "Q2"


@pytest.mark.parametrize(("resolved_s", "is_joined"), [(None, True), (60, True), (-60, False)])
def test_only_what_was_open_can_have_been_joined(resolved_s, is_joined):
    """A key that was resolved before opens a new incident."""
    resolved = None if resolved_s is None else ASKED + timedelta(seconds=resolved_s)
    older = seen(at_s=-3600, resolved_at=resolved, status="triggered" if resolved is None else "resolved")
    assert (joined(sought(), [older], []) is not None) is is_joined


def test_a_known_incident_is_followed_by_its_id():
    """A newer one of the same key belongs to another page."""
    followed = sought(incident=Incident(IncidentState.TRIGGERED, id="Q1"))
    assert own(followed, [seen("Q2", 50), seen("Q1")], []).id == "Q1"
    assert own(followed, [seen("Q2", 50)], []) is None


def test_who_had_it_stays_known_after_it_is_resolved():
    """PagerDuty empties the assignment then."""
    followed = sought(incident=Incident(IncidentState.TRIGGERED, id="Q1", assignee="Ada Lovelace"))
    assert told(seen(status="resolved"), followed).assignee == "Ada Lovelace"
    assert told(seen(assignees=("Grace", "Ada")), followed).assignee == "Grace, Ada"


@pytest.mark.parametrize("status", ["", "escalated", "not-opened", "unknown"])
def test_a_state_that_pagerduty_has_not_yet_is_an_open_incident(status):
    """Something was opened, and it is not known to be in anybody's hand."""
    assert told(seen(status=status), sought()).state is IncidentState.TRIGGERED
