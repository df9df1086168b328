"""What proof promises, on both databases: every accepted page is looked up, followed, and never asked about too often."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from masthead.kernel.clock import SystemClock
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.kernel.ids import UlidIds
from masthead.pagerduty import ServiceSeen
from masthead.paging.model import Incident, IncidentState, Kind, NotOpened
from masthead.paging.proof import Proof, Timings, load_incidents, rows
from masthead.paging.proof.proof import BURST
from masthead.storage.bursts import Bursts, Superseded
from masthead.storage.machines import Machines
from masthead.storage.schema import delivery, proof
from support.proving import ACCOUNT, House, on_call, ours
from unit.pagerduty.endpoint import EagerClock

DAY_S = 86_400.0
DOWN = OutsideFailure("PagerDuty answered 500.", reason=Reason.SERVER, retryable=True, status=500)


@pytest.fixture
async def house(database):
    return House(database, EagerClock())


async def test_an_accepted_page_is_found_and_told(house):
    """The incident with number, link and who has it; told after it is stored."""
    (id_,) = await house.accept(ours("a"))
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN
    house.reader.put(ours("a"), house.seen())
    await house.run_until(1)
    incident = await house.proof.incident_of(id_)
    assert incident == Incident(
        IncidentState.TRIGGERED,
        id="Q1",
        number=7,
        url="https://acme.pagerduty.com/incidents/Q1",
        assignee="Ada Lovelace",
        checked_at=incident.checked_at,
    )
    assert incident.checked_at is not None
    assert house.told == [(id_, incident)]
    assert await house.database.read(lambda c: load_incidents(c, [id_, "other"])) == {id_: incident}


async def test_an_incident_is_followed_to_its_end(house):
    """Triggered, acknowledged, resolved: each is told once, and then nobody asks any more."""
    (id_,) = await house.accept(ours("a"))
    for status in ("triggered", "acknowledged", "resolved"):
        house.reader.put(ours("a"), house.seen(status=status, assignees=("Ada",) * (status != "resolved")))
        await house.run_until(120)
    assert [incident.state for _, incident in house.told] == ["triggered", "acknowledged", "resolved"]
    assert (await house.proof.incident_of(id_)).assignee == "Ada"
    assert await house.due_at() is None
    assert await house.bursts_waiting() == []


@pytest.mark.parametrize("is_folded", [False, True])
@pytest.mark.parametrize(("kind", "state"), [(Kind.ACKNOWLEDGE, "acknowledged"), (Kind.RESOLVE, "resolved")])
async def test_what_was_followed_up_is_looked_at_at_once(house, kind, state, is_folded):
    """However old it is, and again a moment later where PagerDuty takes its time; and so are those that share its event."""
    ids = [(await house.page([ours("a")]))[0] for _ in range(2)]
    if is_folded:
        folding = update(delivery).where(delivery.c.id == ids[0]).values(folded_into=ids[1])
        await house.database.write(lambda c: c.execute(folding))
    house.reader.put(ours("a"), house.seen())
    await house.run_until(2)
    house.pass_time(DAY_S * 2)
    await house.run()
    assert await house.due_at() is None
    await house.follow_up(ids[0], kind)
    await house.run_until(2.5)
    assert {row.state for row in await house.rows()} == {"triggered"}
    house.reader.put(ours("a"), house.seen(status=state))
    await house.run_until(2)
    found = {row.delivery_id: row.state for row in await house.rows()}
    assert found == {ids[0]: state, ids[1]: state if is_folded else "triggered"}
    asked = len(house.reader.asked)
    await house.run_until(DAY_S)
    assert len(house.reader.asked) <= asked + 4
    assert await house.due_at() is None


async def test_an_incident_nobody_takes_is_followed_for_a_day_and_no_longer(house):
    """So a forgotten incident costs some hundred requests, not one every few seconds for ever."""
    await house.accept(ours("a"))
    house.reader.put(ours("a"), house.seen())
    await house.run_until(DAY_S * 2)
    assert 300 < len(house.reader.asked) < 400
    assert await house.due_at() is None
    (row,) = await house.rows()
    assert row.state == "triggered"


async def test_an_incident_that_appears_late_is_found(house):
    """PagerDuty takes events first and opens incidents a moment later."""
    (id_,) = await house.accept(ours("a"))
    await house.run_until(40)
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN
    house.reader.put(ours("a"), house.seen())
    await house.run_until(10)
    assert (await house.proof.incident_of(id_)).state is IncidentState.TRIGGERED


async def test_an_incident_that_vanishes_keeps_what_was_known(house):
    """One that was merged or deleted does not become "not opened"."""
    (id_,) = await house.accept(ours("a"))
    house.reader.put(ours("a"), house.seen())
    await house.run_until(5)
    house.reader.put(ours("a"))
    await house.run_until(DAY_S * 2)
    assert (await house.proof.incident_of(id_)).state is IncidentState.TRIGGERED
    assert await house.due_at() is None


async def test_a_process_that_ends_leaves_what_is_due_to_the_next(house):
    """Where much is followed something is always due: the look under way ends, and nobody waits for the others."""
    await house.accept(*map(ours, "abcdefghijkl"))
    house.pass_time(60)
    house.reader.gate.clear()
    running = asyncio.ensure_future(house.run())
    while not house.reader.asked:  # noqa: ASYNC110 - over within a few rounds
        await asyncio.sleep(0)
    await house.bursts.settle(0)
    house.reader.gate.set()
    await running
    assert len({which for what, which in house.reader.asked if what == "key"}) == 1
    (left,) = await house.bursts_waiting()
    assert (left.kind, left.machine) == (BURST, None)
    assert left.due_at <= await house.database.read(house.database.now_ms)


@pytest.mark.parametrize("status", ["disabled", "maintenance"])
async def test_a_service_that_opens_nothing_is_the_reason(house, status):
    """PagerDuty's own word, asked for afresh: nothing is inferred."""
    house.reader.put_service(ServiceSeen("PSVC01", status, "PPOL01"))
    (id_,) = await house.accept(ours("a"))
    await house.run_until(59)
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN
    await house.run_until(2)
    incident = await house.proof.incident_of(id_)
    assert (incident.state, incident.reason, incident.is_inferred) == ("not-opened", status, False)
    assert await house.due_at() is None


@pytest.mark.parametrize("status", ["disabled", "maintenance"])
async def test_a_service_that_the_catalog_knows_to_be_closed_is_told_early(house, status):
    """Within seconds, so that a waiting stage need not wait a minute; and looked at once more at the end."""
    house.book.statuses["PSVC01"] = status
    house.reader.put_service(ServiceSeen("PSVC01", status, None))
    (id_,) = await house.accept(ours("a"))
    await house.run_until(5)
    assert (await house.proof.incident_of(id_)).reason == status
    house.reader.put(ours("a"), house.seen())
    await house.run_until(60)
    assert (await house.proof.incident_of(id_)).state is IncidentState.TRIGGERED


async def test_what_was_told_early_stays_the_reason(house):
    """Though the service was opened again before the wait was over."""
    house.book.statuses["PSVC01"] = "maintenance"
    house.reader.put_service(ServiceSeen("PSVC01", "maintenance", None))
    (id_,) = await house.accept(ours("a"))
    await house.run_until(10)
    house.reader.put_service(ServiceSeen("PSVC01", "active", None))
    await house.run_until(120)
    assert (await house.proof.incident_of(id_)).reason is NotOpened.MAINTENANCE
    assert await house.due_at() is None


async def test_a_catalog_that_is_out_of_date_does_not_close_a_service(house):
    """What it says is confirmed by PagerDuty before it is told."""
    house.book.statuses["PSVC01"] = "disabled"
    (id_,) = await house.accept(ours("a"))
    await house.run_until(30)
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN
    assert house.asked("service") != []


@pytest.mark.parametrize("oncalls", [[], [on_call(None)], [on_call("Ada", "2026-11-23T03:00:00Z")]])
async def test_nobody_on_call_is_inferred_from_the_catalog(house, oncalls):
    """No entry, an entry without a user, or one whose shift is over."""
    house.book.oncalls = oncalls
    (id_,) = await house.accept(ours("a"))
    await house.run_until(61)
    incident = await house.proof.incident_of(id_)
    assert (incident.reason, incident.is_inferred) == (NotOpened.NOBODY_ON_CALL, True)


@pytest.mark.parametrize("is_complete", [True, False])
async def test_what_has_no_other_reason_was_suppressed(house, is_complete):
    """Inferred; and a catalog that is not complete does not say that nobody is on call."""
    house.book.is_complete = is_complete
    if not is_complete:
        house.book.oncalls = []
    (id_,) = await house.accept(ours("a"))
    await house.run_until(61)
    incident = await house.proof.incident_of(id_)
    assert (incident.state, incident.reason, incident.is_inferred) == (
        IncidentState.NOT_OPENED,
        NotOpened.SUPPRESSED,
        True,
    )
    assert house.asked("open") == []  # PagerDuty said that nothing is open there


async def test_a_second_page_under_a_chosen_key_opens_nothing(house):
    """The open incident took it; it is named, with who has it."""
    (first,) = await house.accept("db")
    house.reader.put("db", house.seen())
    house.pass_time(1)
    (second,) = await house.accept("db")
    await house.run_until(2)
    assert (await house.proof.incident_of(first)).state is IncidentState.TRIGGERED
    incident = await house.proof.incident_of(second)
    assert (incident.state, incident.reason, incident.is_inferred) == ("not-opened", "already-open", False)
    assert (incident.number, incident.assignee) == (7, "Ada Lovelace")
    assert house.asked("service") == []


async def test_pages_under_a_chosen_key_that_are_looked_at_together_are_told_apart(house):
    """The first opened it, the second joined, though neither was known before."""
    (first,) = await house.accept("db")
    house.reader.put("db", house.seen())
    house.pass_time(1)
    (second,) = await house.accept("db")
    house.pass_time(1)
    await house.run()
    assert house.asked("key") == ["db"]
    assert (await house.proof.incident_of(first)).state is IncidentState.TRIGGERED
    assert (await house.proof.incident_of(second)).reason is NotOpened.ALREADY_OPEN


async def test_what_may_be_an_earlier_pages_incident_is_nobodys_until_that_is_known(house):
    """PagerDuty shows the first page's incident late: the second, looked at just then, does not take it for its own."""
    (first,) = await house.accept("db")
    await house.database.write(lambda c: c.execute(update(proof).values(due_at=proof.c.due_at + 5000)))
    house.pass_time(0.5)
    (second,) = await house.accept("db")
    earlier = house.seen("Q1", status="resolved", resolved_at=house.clock.now())
    house.reader.put("db", earlier)
    await house.run_until(2)
    assert (await house.proof.incident_of(second)).state is IncidentState.UNKNOWN
    house.reader.put("db", house.seen("Q2"), earlier)
    await house.run_until(10)
    assert [(await house.proof.incident_of(one)).id for one in (first, second)] == ["Q1", "Q2"]


async def test_an_old_open_incident_of_a_chosen_key_took_the_event(house):
    """Also one that Masthead knows nothing about."""
    house.reader.put("db", house.seen(created_at=house.clock.now() - timedelta(days=3)))
    (id_,) = await house.accept("db")
    await house.run_until(2)
    assert (await house.proof.incident_of(id_)).reason is NotOpened.ALREADY_OPEN


async def test_an_old_resolved_incident_of_a_chosen_key_says_nothing(house):
    """PagerDuty opens a new one, which is waited for."""
    long_ago = house.clock.now() - timedelta(days=3)
    old = house.seen("Q1", created_at=long_ago, resolved_at=long_ago, status="resolved")
    house.reader.put("db", old)
    (id_,) = await house.accept("db")
    await house.run_until(10)
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN
    house.reader.put("db", house.seen("Q2"), old)
    await house.run_until(10)
    assert (await house.proof.incident_of(id_)).id == "Q2"


async def test_an_older_incident_that_changed_since_has_taken_the_alert_in(house):
    """Alert grouping; inferred, and only from an incident that was there before and changed after."""
    now = house.clock.now()
    since = timedelta(hours=1)
    untouched = house.seen("Q1", created_at=now - since, updated_at=now - since)
    touched = house.seen("Q2", created_at=now - since, updated_at=now + timedelta(seconds=2))
    new = house.seen("Q3", created_at=now + timedelta(seconds=1), updated_at=now + timedelta(seconds=9))
    (id_,) = await house.accept(ours("a"))
    house.reader.put_service(ServiceSeen("PSVC01", "critical", None), [new, touched, untouched])
    await house.run_until(61)
    incident = await house.proof.incident_of(id_)
    assert (incident.reason, incident.is_inferred, incident.id) == (NotOpened.ALREADY_OPEN, True, "Q2")
    house.reader.put_service(ServiceSeen("PSVC01", "critical", None), [new, untouched])
    (id_,) = await house.accept(ours("b"))
    await house.run_until(61)
    assert (await house.proof.incident_of(id_)).reason is NotOpened.SUPPRESSED


async def test_a_key_of_no_known_service_stays_unknown(house):
    """It may be another account's, whose incidents this token does not see."""
    (id_,) = await house.accept(ours("a"), service_id=None)
    await house.run_until(120)
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN
    assert await house.due_at() is None


async def test_a_service_that_is_gone_stays_unknown(house):
    """PagerDuty does not know it any more; nobody can say why nothing was opened."""
    house.reader.service = gone
    (id_,) = await house.accept(ours("a"))
    await house.run_until(120)
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN
    assert await house.due_at() is None


async def gone(service_id: str) -> ServiceSeen:
    raise OutsideFailure("404", reason=Reason.NOT_FOUND, status=404)


async def test_one_chosen_key_for_unknown_services_tells_nothing(house):
    """Whose incident it is cannot be told, so none is claimed, and PagerDuty is not asked in vain."""
    ids = await house.page(["db", "db"], service_id=None)
    house.reader.put("db", house.seen())
    await house.run_until(120)
    assert {(await house.proof.incident_of(id_)).state for id_ in ids} == {IncidentState.UNKNOWN}
    assert house.reader.asked == []


async def test_pages_of_one_event_need_one_request(house):
    """Folded pages share the dedup key of the one that speaks for them."""
    ids = await house.accept(*([ours("a")] * 50))
    house.reader.put(ours("a"), house.seen())
    await house.run_until(1)
    assert house.asked("key") == [ours("a")]
    assert {(await house.proof.incident_of(id_)).id for id_ in ids} == {"Q1"}


async def test_many_pages_to_a_closed_service_ask_about_it_seldom(house):
    """Its state is asked for once in a few seconds, not once a page."""
    house.reader.put_service(ServiceSeen("PSVC01", "disabled", None))
    await house.accept(*(f"{ours('a')[:-2]}{number:02}" for number in range(50)))
    await house.run_until(120)
    assert {row.reason for row in await house.rows()} == {"disabled"}
    assert len(house.asked("service")) < 10


async def test_requests_keep_to_their_share(house):
    """Eight a second, however many pages were accepted at once."""
    await house.accept(*(f"{ours('a')[:-3]}{number:03}" for number in range(100)))
    house.pass_time(1)
    began = house.clock.monotonic()
    await house.run()
    assert len(house.reader.asked) / (house.clock.monotonic() - began) <= 8.2


@pytest.mark.parametrize("together", [1, 200])
async def test_what_is_new_goes_before_a_backlog_and_what_is_followed(house, monkeypatch, together):
    """Somebody may be waiting for it; however many rows are read at once."""
    monkeypatch.setattr(rows, "_BATCH", together)
    await house.accept(ours("a"))
    house.reader.put(ours("a"), house.seen())
    await house.run_until(1)
    await house.accept(ours("b"))
    house.pass_time(20)
    await house.accept(ours("c"))
    house.pass_time(20)
    house.reader.asked.clear()
    await house.run()
    assert house.asked("key")[:3] == [ours("c"), ours("b"), ours("a")]


async def test_a_failure_postpones_and_loses_nothing(house):
    """The pauses grow to five minutes; when PagerDuty answers again, everything is found."""
    house.reader.failure = DOWN
    ids = await house.accept(ours("a"), ours("b"), ours("c"))
    await house.run_until(1)
    assert len(house.reader.asked) == 1
    await house.run_until(3600)
    assert 10 < len(house.reader.asked) < 25
    house.reader.failure = None
    for letter in "abc":
        house.reader.put(ours(letter), house.seen(f"Q{letter}"))
    house.pass_time(300)
    await house.run_until(600)
    assert {(await house.proof.incident_of(id_)).state for id_ in ids} == {IncidentState.TRIGGERED}


async def test_a_throttled_account_rests_for_as_long_as_it_is_told(house):
    """Nobody asks before, also when pages come meanwhile."""
    house.reader.failure = OutsideFailure("429", reason=Reason.THROTTLED, retry_after=40, status=429)
    await house.accept(ours("a"), ours("b"))
    await house.run_until(1)
    house.reader.failure = None
    (row,) = await house.bursts_waiting()
    assert row.due_at - await house.database.read(house.database.now_ms) > 35_000
    await house.accept(ours("c"))
    house.pass_time(38)
    await house.run()
    assert len(house.reader.asked) == 1
    house.pass_time(2)
    await house.run()
    assert len(house.reader.asked) > 3


async def test_one_question_that_pagerduty_refuses_does_not_hold_up_the_others(house):
    """It is asked again later, alone."""
    refused = OutsideFailure("400", reason=Reason.REJECTED, status=400)
    (good,) = await house.accept(ours("b"))
    house.pass_time(0.5)
    (bad,) = await house.accept("bad")
    house.pass_time(1)
    house.reader.break_off("bad", refused)
    house.reader.put(ours("b"), house.seen())
    await house.run()
    assert house.asked("key") == ["bad", ours("b")]
    assert (await house.proof.incident_of(good)).state is IncidentState.TRIGGERED
    assert (await house.proof.incident_of(bad)).state is IncidentState.UNKNOWN
    house.reader.put("bad", house.seen("Q2"))
    await house.run_until(10)
    assert (await house.proof.incident_of(bad)).id == "Q2"


async def test_what_nobody_cares_about_any_more_is_let_go_while_pagerduty_is_away(house):
    """A token that never works does not gather work for ever; what is newer stays."""
    await house.accept(ours("a"))
    house.pass_time(2 * DAY_S + 1)
    await house.accept(ours("b"))
    house.pass_time(1)
    house.reader.failure = DOWN
    await house.run()
    assert [row.due_at is None for row in await house.rows()] == [True, False]


async def test_a_page_that_was_accepted_long_ago_is_looked_at_once(house):
    """After a long stop: what happened meanwhile is found, and no more is asked."""
    (id_,) = await house.accept(ours("a"))
    house.reader.put(ours("a"), house.seen())
    house.pass_time(DAY_S * 3)
    await house.run()
    assert (await house.proof.incident_of(id_)).state is IncidentState.TRIGGERED
    assert await house.due_at() is None


async def test_an_account_without_a_token_costs_nothing(house):
    """No row, no burst: its incidents stay unknown."""
    (id_,) = await house.accept(ours("a"), account="other")
    assert await house.rows() == []
    assert await house.bursts_waiting() == []
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN


async def test_rows_of_an_account_whose_token_is_gone_are_left_alone(house):
    """They stay, for another machine or for the day the token is back."""
    await house.accept(ours("a"))
    house.proof._lookers.clear()
    await house.run()
    (row,) = await house.rows()
    assert row.due_at is not None
    assert len(await house.bursts_waiting()) == 1


async def test_a_page_that_is_accepted_again_keeps_what_is_known(house):
    """A second record of the same acceptance changes nothing."""
    (id_,) = await house.accept(ours("a"))
    house.reader.put(ours("a"), house.seen())
    await house.run_until(1)
    await house.database.write(lambda c: house.proof.expect_many(c, [(id_, ACCOUNT, 1)]))
    assert (await house.proof.incident_of(id_)).state is IncidentState.TRIGGERED


async def test_a_run_that_was_taken_over_writes_nothing(house):
    """Two machines never both follow an account."""
    (id_,) = await house.accept(ours("a"))
    house.reader.put(ours("a"), house.seen())
    house.pass_time(1)
    await house.database.write(lambda c: house.bursts.request(c, BURST, ACCOUNT, due_at_ms=0))
    turn = await house.database.write(lambda c: house.bursts._claim(c, (BURST, ACCOUNT)))
    await house.database.write(lambda c: house.bursts.request(c, BURST, ACCOUNT))
    with pytest.raises(Superseded):
        await house.proof._work_off(turn)
    assert (await house.proof.incident_of(id_)).state is IncidentState.UNKNOWN
    assert house.told == []


async def test_a_clock_that_was_set_back_neither_stops_nor_hurries_the_looks(house):
    """A page accepted "in the future" is still looked at, and not over and over."""
    await house.accept(ours("a"))
    hour_ms = 3_600_000
    await house.database.write(
        lambda c: c.execute(
            update(proof).values(accepted_at=proof.c.accepted_at + hour_ms, due_at=proof.c.due_at + hour_ms)
        )
    )
    await house.run()
    assert len(house.reader.asked) == 1
    await house.run_until(1200)
    assert 2 < len(house.reader.asked) < 8


async def test_the_bursts_carry_it_by_themselves(database):
    """Stored with the acceptance, found by the sweep: nothing else is called."""
    house = House(database, EagerClock())
    machines = Machines(database, SystemClock(), UlidIds(), version="test")
    bursts = Bursts(database, SystemClock(), machines, sweep_every_s=0.02)
    timings = Timings(first_s=0.01)
    house.proof = Proof(
        database, bursts, SystemClock(), readers={ACCOUNT: house.reader}, catalog=house.book, timings=timings
    )
    found = asyncio.Event()
    house.proof.on_changed(lambda _id, _incident: found.set())
    house.reader.put(ours("a"), house.seen())
    await machines.start()
    loop = asyncio.ensure_future(bursts.run())
    await house.accept(ours("a"))
    await asyncio.wait_for(found.wait(), 20)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await bursts.close()
    await machines.stop()


@pytest.mark.parametrize("status", ["triggered", "acknowledged", "resolved"])
async def test_an_event_whose_answer_was_lost_is_found_in_any_state(house, status):
    """A resolved one too: sending it again would open a second incident."""
    house.reader.put(ours("a"), house.seen(status=status))
    incident = await house.proof.has_arrived(house.delivery())
    assert (incident.state, incident.number) == (status, 7)


async def test_an_event_that_did_not_arrive_is_told_so(house):
    """None, which is not the same as not knowing."""
    assert await house.proof.has_arrived(house.delivery()) is None


@pytest.mark.parametrize(
    ("failure", "is_awaited"),
    [
        (DOWN, True),
        (OutsideFailure("401", reason=Reason.TOKEN), False),
        (OutsideFailure("403", reason=Reason.SCOPE), False),
        (OutsideFailure("401, a new token may do", reason=Reason.TOKEN, retryable=True), True),
    ],
)
async def test_when_pagerduty_cannot_say_nobody_knows(house, failure, is_awaited):
    """Then the event is sent again, at once where waiting does not help; and PagerDuty is not asked again at once."""
    house.reader.failure = failure
    for _ in range(3):
        found = await house.proof.has_arrived(house.delivery())
        assert (found.state, found.is_awaited) == (IncidentState.UNKNOWN, is_awaited)
    assert len(house.reader.asked) == 1


async def test_an_account_without_a_token_cannot_say(house):
    """Nothing is asked."""
    incident = await house.proof.has_arrived(house.delivery(account="other"))
    assert incident.state is IncidentState.UNKNOWN


async def test_a_slow_pagerduty_does_not_hold_up_a_page(house):
    """After some seconds the event is sent again without an answer."""
    house.reader.gate.clear()
    assert (await house.proof.has_arrived(house.delivery())).state is IncidentState.UNKNOWN


async def test_an_earlier_pages_incident_is_no_arrival(house):
    """Under a chosen key a resolved incident of last week must not keep a page from being sent."""
    long_ago = house.clock.now() - timedelta(days=7)
    house.reader.put("db", house.seen(status="resolved", created_at=long_ago, resolved_at=long_ago))
    assert await house.proof.has_arrived(house.delivery(dedup_key="db")) is None


async def test_an_earlier_pages_own_key_that_is_used_again_is_no_arrival(house):
    """Who sends a page under the dedup key that Masthead gave an earlier one has chosen it."""
    long_ago = house.clock.now() - timedelta(days=7)
    house.reader.put(ours("a"), house.seen(status="resolved", created_at=long_ago, resolved_at=long_ago))
    assert await house.proof.has_arrived(house.delivery(dedup_key=ours("a"), says="")) is None


async def test_another_services_incident_is_no_arrival(house):
    """One chosen key for two services: that one got it says nothing about the other."""
    house.reader.put("db", house.seen(service_id="PSVC02"))
    assert await house.proof.has_arrived(house.delivery(dedup_key="db")) is None


async def test_an_earlier_page_of_seconds_ago_is_no_arrival(house):
    """Its incident is known to be its own."""
    (first,) = await house.accept("db")
    house.reader.put("db", house.seen())
    await house.run_until(1)
    house.pass_time(1)
    later = house.delivery(dedup_key="db")
    assert await house.proof.has_arrived(later) is None
    assert (await house.proof.has_arrived(replace(later, id=first))).id == "Q1"


async def test_a_resolved_incident_of_seconds_ago_is_no_arrival(house):
    """A chosen key that is used, resolved and used again at once: the second page must be sent."""
    await house.accept("db")
    house.reader.put("db", house.seen(status="resolved", resolved_at=house.clock.now()))
    await house.run_until(2)
    house.pass_time(1)
    assert await house.proof.has_arrived(house.delivery(dedup_key="db")) is None
    await house.run_until(120)
    assert await house.due_at() is None


async def test_the_incident_of_an_earlier_page_that_was_not_looked_at_yet_is_no_arrival(house):
    """Whose it is shows a moment later; taken for the second page's it would keep that from being sent."""
    await house.accept("db")
    house.reader.put("db", house.seen(status="resolved", resolved_at=house.clock.now()))
    house.pass_time(0.1)
    later = house.delivery(dedup_key="db")
    found = await house.proof.has_arrived(later)
    assert (found.state, found.is_awaited) == (IncidentState.UNKNOWN, True)
    await house.run_until(2)
    assert await house.proof.has_arrived(later) is None


@pytest.mark.parametrize("is_later", [False, True])
async def test_the_incident_of_a_page_that_was_taken_meanwhile_is_no_arrival(house, is_later):
    """It was asked for before (or after: then only once it is over), and PagerDuty took it after the second was asked for."""
    later = house.delivery(dedup_key="db")
    house.pass_time(0.5)
    (first,) = await house.accept("db")
    if not is_later:
        earlier = update(delivery).values(created_at=delivery.c.created_at - 1000)
        await house.database.write(lambda c: c.execute(earlier))
    house.reader.put("db", house.seen())
    await house.run_until(2)
    assert (await house.proof.has_arrived(later) is None) is not is_later
    house.reader.put("db", house.seen(status="resolved", resolved_at=house.clock.now()))
    await house.run_until(120)
    assert (await house.proof.incident_of(first)).state is IncidentState.RESOLVED
    assert await house.proof.has_arrived(later) is None


async def test_what_cannot_be_told_apart_is_not_known(house):
    """A chosen key for several keys of unknown services."""
    ids = await house.page(["db", "db"], service_id=None)
    await house.run_until(2)
    house.reader.put("db", house.seen())
    unknown = house.delivery(ids[0], "db", service_id=None)
    assert (await house.proof.has_arrived(unknown)).state is IncidentState.UNKNOWN
    (alone,) = await house.page(["db"], service_id=None)
    assert (await house.proof.has_arrived(replace(unknown, id=alone))).id == "Q1"
