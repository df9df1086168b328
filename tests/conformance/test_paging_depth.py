"""What keeps pages from being doubled, drowned or forgotten, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select, update

from masthead.kernel.caller import Caller
from masthead.kernel.clock import SystemClock, to_ms
from masthead.kernel.errors import Conflict, NotFound, Overloaded, StorageUnavailable
from masthead.pagerduty import Severity
from masthead.pagerduty.fakes import ACCEPT, REJECT, THROTTLE
from masthead.paging import DeliveryState, patience, waiting
from masthead.paging.model import Incident, IncidentState, Kind
from masthead.paging.pager import Limits
from masthead.paging.retry import RetryPolicy
from masthead.storage.schema import attempt, burst, delivery, page
from masthead.telemetry.metrics import PagingMetrics
from support.paging import ANN, KEYS, LOST, ScriptedMemory

KEY, OTHER, _ = KEYS
TOLD_TO_WAIT = replace(LOST, retry_after=900)


# -- recognised ---------------------------------------------------------------------------------


async def test_the_same_content_is_the_same_page_for_a_while(node, sender):
    """Asked again within the window, it gets the stored result; nothing is sent."""
    window = timedelta(minutes=5)
    first = await node.page(recognise=window)
    await node.decided(first.id)
    again = await node.page(recognise=window)
    assert (again.id, again.is_decided, len(sender.sent)) == (first.id, True, 1)


async def test_after_the_window_the_same_content_is_a_new_page(node, sender):
    """A page of six minutes ago is not this one."""
    first = await node.page(recognise=timedelta(minutes=5))
    old = to_ms(first.created_at) - 360_000
    await node.database.write(lambda c: c.execute(update(page).values(created_at=old)) and None)
    assert (await node.page(recognise=timedelta(minutes=5))).id != first.id


async def test_what_reached_nobody_is_not_recognised(node, sender):
    """A refusal is not repeated from memory: PagerDuty may take it by now, and nobody can be told twice."""
    sender.answer(KEY.reveal(), REJECT, ACCEPT)
    window = timedelta(minutes=5)
    first = await node.page(recognise=window)
    await node.decided(first.id)
    again = await asyncio.gather(*(node.page(recognise=window) for _ in range(3)))
    assert len({first.id, *(one.id for one in again)}) == 2
    await node.decided(again[0].id)
    assert (await node.page(recognise=window)).id == again[0].id
    assert len(sender.sent) == 2


async def test_what_reached_somebody_is_recognised(node, sender):
    """However many keys PagerDuty refused beside: who was told is not told twice."""
    sender.answer(OTHER.reveal(), REJECT)
    window = timedelta(minutes=5)
    first = await node.page(KEY, OTHER, recognise=window)
    await node.decided(first.id)
    assert (await node.page(KEY, OTHER, recognise=window)).id == first.id


async def test_what_was_given_up_is_not_recognised(node):
    """Nobody tries it any more, so who asks again asks anew."""
    window = timedelta(minutes=5)
    first = await node.page(recognise=window)
    await node.decided(first.id)
    expired = update(delivery).values(state=DeliveryState.EXPIRED)
    await node.database.write(lambda c: c.execute(expired) and None)
    assert (await node.page(recognise=window)).id != first.id


async def test_a_repeated_key_makes_no_other_content(node):
    """It is told once, so naming it twice asks for the same."""
    window = timedelta(minutes=5)
    first = await node.page(KEY, KEY, recognise=window)
    assert (await node.page(KEY, recognise=window)).id == first.id


@pytest.mark.parametrize(
    "other",
    [
        {"message": "db up"},
        {"details": {"a": 1}},
        {"severity": Severity.INFO},
        {"application": "x"},
        {"client": "Spinnaker (bob)"},
    ],
)
async def test_another_content_is_another_page(node, other):
    """Everything that the person on call reads counts."""
    window = timedelta(minutes=5)
    assert (await node.page(recognise=window)).id != (await node.page(recognise=window, **other)).id


async def test_nothing_else_is_matched_by_its_text(node, sender):
    """Who pages again because nobody came wakes somebody."""
    pages = [await node.page(), await node.page(), await node.page(recognise=timedelta(minutes=5))]
    assert len({one.id for one in pages}) == 3


async def test_the_same_page_asked_for_at_the_same_time_on_two_machines_is_one(start, sender):
    """Both get it; one event goes out."""
    nodes = [await start(), await start()]
    drafts = [{"identity": "a/b"}, {"recognise": timedelta(minutes=5), "message": "other"}]
    for values in drafts:
        pages = await asyncio.gather(*(node.page(**values) for node in nodes for _ in range(4)))
        assert len({one.id for one in pages}) == 1
    await asyncio.gather(*(nodes[0].decided(one) for one in await nodes[0].rows(select(page.c.id))))
    assert len(sender.sent) == 2


async def test_an_identity_with_another_fingerprint_is_a_conflict(node, sender):
    """An idempotency key stands for one request; together with others it touches nobody else."""
    await node.page(identity="idempotency/1", fingerprint="one")
    again = node.page(identity="idempotency/1", fingerprint="two")
    both = await asyncio.gather(again, node.page(message="else"), return_exceptions=True)
    assert isinstance(both[0], Conflict)
    assert both[1].message == "else"


# -- budget, order, folding ---------------------------------------------------------------------


async def test_what_exceeds_the_budget_waits_and_goes_later(start, sender):
    """Three at once, the others when the window has moved on; nothing is dropped."""
    node = await start(limits=Limits(budget=3, window_s=0.3))
    pages = [await node.page(message=f"page {n}") for n in range(8)]
    await asyncio.gather(*(node.paging.wait(one.id, 0.05) for one in pages[:3]))
    assert len(sender.sent) == 3
    node.work_off()
    for one in pages:
        await node.decided(one.id)
    assert len(sender.sent) == 8


async def test_who_asks_for_the_same_again_and_again_uses_up_no_budget(start, sender):
    """Only what is sent counts, or a caller in a loop would hold up every other page of the key."""
    node = await start(limits=Limits(budget=2, window_s=3600))
    for _ in range(5):
        await node.page(identity="nightly/1")
    await node.decided((await node.page(message="another")).id)
    assert len(sender.sent) == 2


async def test_what_is_refused_uses_up_no_budget(start, sender, monkeypatch):
    """Neither beyond the bound nor while the database cannot store."""
    node = await start(limits=Limits(budget=2, window_s=3600, waiting=1))
    sender.gate.clear()
    first = await node.page()
    for _ in range(5):
        with pytest.raises(Overloaded):
            await node.page(message="one more")
    sender.gate.set()
    await node.decided(first.id)
    with monkeypatch.context() as broken:
        broken.setattr(node.paging._intake_work, "store", _refuse)
        for _ in range(5):
            with pytest.raises(StorageUnavailable):
                await node.page(message="in vain")
    await node.decided((await node.page(message="another")).id)


def _refuse(*_: object) -> None:
    raise StorageUnavailable


async def test_a_follow_up_counts_and_does_not_wait_for_room(start, sender):
    """PagerDuty counts it; but a resolve that waited could come after the next page under its dedup key."""
    node = await start(limits=Limits(budget=2, window_s=3600))
    asked = await node.decided((await node.page()).id)
    for _ in range(2):
        await node.decided((await node.paging.follow_up(asked.id, Kind.ACKNOWLEDGE, ANN)).id)
    await node.paging.wait((await node.page(message="another")).id, 0.1)
    assert [event.action for event in sender.sent] == ["trigger", "acknowledge", "acknowledge"]


async def test_one_key_without_budget_does_not_hold_up_another(start, sender):
    """The budget is each key's own."""
    node = await start(limits=Limits(budget=1, window_s=3600))
    await node.page(KEY, message="first")
    asked = await node.page(KEY, OTHER)
    found = await node.paging.wait(asked.id, 0.2)
    assert [one.state for one in found.deliveries] == [DeliveryState.PENDING, DeliveryState.ACCEPTED]


async def test_the_budget_counts_what_other_machines_sent(start, sender):
    """Attempts of the last minute are read from the database before what waits is worked off."""
    first = await start(limits=Limits(budget=2, window_s=3600))
    for number in range(2):
        await first.decided((await first.page(message=str(number))).id)
    second = await start(limits=Limits(budget=2, window_s=3600))
    waiting = await first.page(message="third")
    second.work_off()
    assert not (await second.paging.wait(waiting.id, 0.3)).is_decided
    assert len(sender.sent) == 2


async def test_the_most_severe_goes_first_then_the_oldest(start, sender):
    """Whatever the order in which they came."""
    node = await start(limits=Limits(budget=100, window_s=60))
    node.paging._in_flight = 10_000
    order = [Severity.INFO, Severity.CRITICAL, Severity.WARNING, Severity.CRITICAL, Severity.ERROR]
    pages = [
        await node.page(message=f"{n} {severity}", severity=severity) for n, severity in enumerate(order)
    ]
    node.work_off()
    for one in pages:
        await node.decided(one.id)
    assert [event.summary[0] for event in sender.sent] == ["1", "3", "4", "2", "0"]


async def test_what_says_the_same_and_still_waits_is_one_event(start, sender):
    """It carries the count and the first and last time; all pages share its fate and its dedup key."""
    node = await start()
    node.paging._in_flight = 10_000
    pages = [await node.page() for _ in range(5)]
    pages.append(await node.page(message="something else"))
    node.work_off()
    done = [await node.decided(one.id) for one in pages]
    assert len(sender.sent) == 2
    repeated = sender.sent[0].details["repeated"]
    assert repeated["count"] == 5
    assert repeated["first"] <= repeated["last"]
    assert "repeated" not in sender.sent[1].details
    speaker = done[0].deliveries[0]
    for one in done[1:5]:
        assert one.deliveries[0].folded_into == speaker.id
        assert one.deliveries[0].dedup_key == speaker.dedup_key == sender.sent[0].dedup_key
        assert one.deliveries[0].text == "Event processed"


async def test_nothing_is_folded_into_a_less_severe_event(start, sender):
    """An old warning that says the same is told by the critical event, never the other way round."""
    node = await start()
    node.paging._in_flight = 10_000
    pages = [await node.page(severity=severity) for severity in (Severity.WARNING, Severity.CRITICAL)]
    node.work_off()
    for one in pages:
        await node.decided(one.id)
    assert [event.severity for event in sender.sent] == [Severity.CRITICAL]


async def test_what_may_have_arrived_is_not_folded_away(start, sender):
    """It may have an incident of its own, so it is sent under its own dedup key."""
    sender.answer(KEY.reveal(), LOST, LOST, ACCEPT)
    node = await start()
    pages = [await node.page(), await node.page()]
    for one in pages:
        await node.paging.wait(one.id, 0.05)
    node.work_off()
    for one in pages:
        await node.decided(one.id)
    assert len({event.dedup_key for event in sender.sent}) == 2


async def test_nothing_is_folded_into_what_may_have_arrived_before_it_was_asked_for(start, sender):
    """Its incident was opened, and resolved, before somebody paged once more."""
    memory = ScriptedMemory()
    memory.answer = Incident(IncidentState.RESOLVED, number=7)
    sender.answer(KEY.reveal(), LOST, ACCEPT)
    node = await start(look_back=memory)
    pages = [await node.page()]
    await node.paging.wait(pages[0].id, 0.05)
    node.paging._in_flight = 10_000
    pages.append(await node.page())
    node.work_off()
    first, second = [(await node.decided(one.id)).deliveries[0] for one in pages]
    assert [event.dedup_key for event in sender.sent] == [first.dedup_key, second.dedup_key]
    assert "incident #7" in first.text
    assert second.folded_into is None


async def test_who_is_given_up_takes_only_those_along_whose_time_is_over_too(start, sender):
    """Each page has its own deadline, whoever speaks for it."""
    node = await start()
    node.paging._in_flight = 10_000
    pages = [await node.page() for _ in range(3)]
    over = [one.id for one in pages[:2]]
    overdue = update(delivery).where(delivery.c.page_id.in_(over)).values(deadline_at=1)
    await node.database.write(lambda connection: connection.execute(overdue))
    node.work_off()
    found = [(await node.decided(one.id)).deliveries[0] for one in pages]
    expired, accepted = DeliveryState.EXPIRED, DeliveryState.ACCEPTED
    assert [one.state for one in found] == [expired, expired, accepted]
    assert [one.folded_into for one in found] == [None, found[0].id, None]
    assert len(sender.sent) == 1


async def test_a_delivery_that_always_fails_does_not_hold_up_the_others(start, sender):
    """The second is tried after the first failed."""
    sender.answer(KEY.reveal(), *([replace(LOST, may_have_arrived=False)] * 2), ACCEPT)
    node = await start()
    node.paging._in_flight = 10_000
    pages = [await node.page(message=str(n)) for n in range(3)]
    node.work_off()
    for one in pages:
        await node.decided(one.id)


async def test_ten_that_always_fail_do_not_hold_up_what_is_less_severe(start, sender, monkeypatch):
    """After a failure the one that was tried least is next; in order otherwise."""
    real = sender.send

    async def send(event, may_send):
        answer = await real(event, may_send)
        return replace(LOST, may_have_arrived=False) if event.severity is Severity.CRITICAL else answer

    monkeypatch.setattr(sender, "send", send)
    node = await start()
    node.paging._in_flight = 10_000
    for number in range(10):
        await node.page(message=f"always fails {number}")
    others = [Severity.INFO, Severity.ERROR, Severity.WARNING]
    pages = [await node.page(message=str(one), severity=one) for one in others]
    node.work_off()
    for one in pages:
        await node.decided(one.id)
    told = [event.severity for event in sender.sent if event.severity is not Severity.CRITICAL]
    assert told == [Severity.ERROR, Severity.WARNING, Severity.INFO]


async def test_what_one_delivery_was_told_to_wait_does_not_hold_up_another(start, sender):
    """Retry-After is its own: the next that fails is tried again as soon as ever."""
    sender.answer(KEY.reveal(), TOLD_TO_WAIT, LOST, ACCEPT)
    node = await start()
    node.work_off()
    first = await node.page(message="first")
    await node.paging.wait(first.id, 0.05)
    await node.decided((await node.page(message="second")).id)
    assert not (await node.paging.wait(first.id, 0)).is_decided


async def test_those_that_were_not_tried_yet_do_not_wait_for_what_two_were_told(start, sender, monkeypatch):
    """For no longer than a step of the back-off."""
    monkeypatch.setattr(waiting, "PATIENCE_MS", 10)
    sender.answer(KEY.reveal(), TOLD_TO_WAIT, TOLD_TO_WAIT, ACCEPT)
    node = await start()
    node.paging._in_flight = 10_000
    pages = [await node.page(message=str(number)) for number in range(3)]
    node.work_off()
    await node.decided(pages[2].id)
    assert not (await node.paging.wait(pages[0].id, 0)).is_decided


@pytest.mark.parametrize("is_tried", [True, False])
async def test_what_was_dated_before_the_clock_was_set_back_goes_out_at_once(start, sender, is_tried):
    """Across a restart, by less than the longest wait: it is dated by an attempt, or a request, that lies in the future."""
    sender.answer(KEY.reveal(), LOST, ACCEPT)
    node = await start()
    node.paging._in_flight = 0 if is_tried else 10_000
    asked = await node.page()
    await node.paging.wait(asked.id, 0.05)
    await node.die()
    columns = (delivery.c.due_at, delivery.c.created_at, attempt.c.at, burst.c.due_at)
    for column in columns:
        later = update(column.table).values({column: column + 600_000})
        await node.database.write(lambda connection, later=later: connection.execute(later) and None)
    second = await start()
    second.work_off()
    await second.decided(asked.id)


async def test_beyond_the_bound_nothing_is_stored(start, sender):
    """The caller is told to come back; what waits is kept."""
    node = await start(limits=Limits(budget=1, window_s=3600, waiting=3))
    for number in range(4):
        await node.page(message=str(number))
    await node.decided((await node.rows(select(page.c.id).order_by(page.c.id)))[0])
    with pytest.raises(Overloaded) as caught:
        await node.page(message="one more")
    assert caught.value.retry_after > 0
    assert len(await node.rows(select(page.c.id))) == 4


async def test_where_no_page_may_wait_any_more_a_resolve_may(start, sender):
    """It lowers the load; but whoever resolves for ever is stopped too."""
    node = await start(limits=Limits(waiting=3))
    asked = await node.decided((await node.page()).id)
    sender.answer(KEY.reveal(), THROTTLE)
    for number in range(3):
        await node.page(message=str(number))
    with pytest.raises(Overloaded):
        await node.page(message="one more")
    await node.paging.follow_up(asked.id, Kind.RESOLVE, ANN)
    with pytest.raises(Overloaded):
        await node.paging.follow_up(asked.id, Kind.RESOLVE, ANN)


# -- resent -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("incident", "events"),
    [
        (Incident(IncidentState.RESOLVED, number=7), 1),
        (Incident(IncidentState.UNKNOWN), 2),
        (None, 2),
    ],
)
async def test_before_sending_again_it_is_looked_up_whether_the_first_arrived(
    start, sender, incident, events
):
    """A key that was resolved meanwhile would open a second incident; where nobody can tell, it is sent."""
    memory = ScriptedMemory()
    memory.answer = incident
    sender.answer(KEY.reveal(), LOST, ACCEPT)
    node = await start(look_back=memory)
    node.work_off()
    done = await node.decided((await node.page()).id)
    assert len(sender.sent) == events
    assert memory.asked == [sender.sent[0].dedup_key]
    assert ("incident #7" in done.deliveries[0].text) is (events == 1)


@pytest.mark.parametrize(
    ("incident", "events"),
    [(Incident(IncidentState.RESOLVED, number=7), 1), (Incident(IncidentState.UNKNOWN), 2)],
)
async def test_what_an_earlier_page_may_have_led_to_is_looked_up_first(start, sender, incident, events):
    """A stage is restarted after its page was given up, and after somebody resolved what it had led to all the same."""
    memory = ScriptedMemory()
    memory.answer = incident
    sender.answer(KEY.reveal(), LOST, ACCEPT)
    node = await start(look_back=memory)
    first = await node.page(identity="run/stage")
    await node.paging._flights[first.id].wait(SystemClock(), 20)
    again = await node.page(
        KEY, OTHER, identity="run/stage/7", dedup_identity="run/stage", doubtful=frozenset({KEY})
    )
    given_up = update(delivery).where(delivery.c.page_id == first.id).values(state="expired", machine=None)
    await node.database.write(lambda connection: connection.execute(given_up) and None)
    node.work_off()
    done = await node.decided(again.id)
    assert memory.asked == [done.deliveries[0].dedup_key] == [first.deliveries[0].dedup_key]
    assert [event.routing_key for event in sender.sent].count(KEY) == events
    assert ("incident #7" in done.deliveries[0].text) is (events == 1)


async def test_while_nobody_can_tell_yet_it_is_not_sent_blindly(start, sender, monkeypatch):
    """It is looked for again as soon as PagerDuty's REST API answers; no attempt is counted meanwhile."""
    monkeypatch.setattr(waiting, "_LOOK_AGAIN", timedelta(milliseconds=5))
    memory = ScriptedMemory()
    memory.answer = Incident(IncidentState.UNKNOWN, is_awaited=True)
    sender.answer(KEY.reveal(), LOST, ACCEPT)
    node = await start(look_back=memory)
    node.work_off()
    asked = await node.page()
    while len(memory.asked) < 3:
        assert not (await node.paging.wait(asked.id, 0.01)).is_decided
    memory.answer = Incident(IncidentState.RESOLVED, number=7)
    done = await node.decided(asked.id)
    assert (len(sender.sent), done.deliveries[0].attempts) == (1, 1)
    assert "incident #7" in done.deliveries[0].text


async def test_what_nobody_can_tell_for_long_is_sent_all_the_same(start, sender, monkeypatch):
    """A page that is never sent wakes nobody."""
    monkeypatch.setattr(waiting, "_LOOK_AGAIN", timedelta(milliseconds=5))
    monkeypatch.setattr(patience, "_PATIENCE_S", 0.1)
    memory = ScriptedMemory()
    memory.answer = Incident(IncidentState.UNKNOWN, is_awaited=True)
    sender.answer(KEY.reveal(), LOST, ACCEPT)
    node = await start(look_back=memory)
    node.work_off()
    done = await node.decided((await node.page()).id)
    assert (len(sender.sent), done.deliveries[0].state) == (2, DeliveryState.ACCEPTED)


async def test_however_much_may_have_arrived_a_key_waits_for_the_look_ups_once(start, sender, monkeypatch):
    """Not each delivery after the other, or the last of many would be given up while PagerDuty's REST API is away."""
    monkeypatch.setattr(waiting, "_LOOK_AGAIN", timedelta(milliseconds=5))
    monkeypatch.setattr(patience, "_PATIENCE_S", 0.1)
    memory = ScriptedMemory()
    memory.answer = Incident(IncidentState.UNKNOWN, is_awaited=True)
    sender.answer(KEY.reveal(), *([LOST] * 8), ACCEPT)
    node = await start(look_back=memory)
    pages = [await node.page(message=str(number)) for number in range(8)]
    for one in pages:
        await node.paging.wait(one.id, 0.05)
    node.work_off()
    for one in pages:
        await node.decided(one.id)
    assert len(set(memory.asked)) == waiting._PATIENCE


async def test_what_was_surely_refused_is_not_looked_up(start, sender):
    """429 says that nothing was taken."""
    memory = ScriptedMemory()
    sender.answer(KEY.reveal(), THROTTLE, ACCEPT)
    node = await start(look_back=memory)
    node.work_off()
    await node.decided((await node.page()).id)
    assert memory.asked == []


async def test_what_a_dead_machine_was_sending_may_have_arrived(start, sender):
    """Whoever takes it over looks it up first."""
    sender.gate.clear()
    first = await start()
    asked = await first.page()
    await first.die()
    memory = ScriptedMemory()
    sender.gate.set()
    second = await start(look_back=memory)
    second.work_off()
    await second.decided(asked.id)
    assert memory.asked == [asked.deliveries[0].dedup_key]


async def test_a_dead_letter_is_told_and_can_be_sent_again(start, sender):
    """It keeps its dedup key and gets a new deadline; who did it is on record."""
    sender.answer(KEY.reveal(), THROTTLE)
    short = RetryPolicy(timedelta(milliseconds=5), timedelta(milliseconds=5), timedelta(milliseconds=500))
    node = await start(retry=short)
    dead: asyncio.Queue = asyncio.Queue()
    node.paging.on_dead_letter(lambda page, one: dead.put_nowait((page.id, one.state)))
    node.work_off()
    asked = await node.page(KEY, OTHER)
    failed = await node.decided(asked.id)
    assert [one.state for one in failed.deliveries] == [DeliveryState.EXPIRED, DeliveryState.ACCEPTED]
    assert await asyncio.wait_for(dead.get(), 20) == (asked.id, DeliveryState.EXPIRED)

    sender.answer(KEY.reveal(), ACCEPT, ACCEPT)
    sent = len(sender.sent)
    await node.paging.resend(asked.id, Caller(user="bob"))
    done = await node.decided(asked.id)
    assert [one.state for one in done.deliveries] == [DeliveryState.ACCEPTED] * 2
    assert {event.dedup_key for event in sender.sent[sent:]} == {asked.deliveries[0].dedup_key}
    kinds = select(page.c.user).where(page.c.kind == Kind.RESEND, page.c.parent_id == asked.id)
    assert await node.rows(kinds) == ["bob"]


async def test_what_did_not_fail_is_not_sent_again(node):
    """The answer says what to do instead."""
    asked = await node.page()
    await node.decided(asked.id)
    with pytest.raises(Conflict, match="page anew"):
        await node.paging.resend(asked.id, ANN)
    with pytest.raises(NotFound):
        await node.paging.resend("nope", ANN)


# -- followed up --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.RESOLVE, Kind.ACKNOWLEDGE])
async def test_a_page_is_followed_up_under_its_own_dedup_keys(node, sender, kind):
    """Only where PagerDuty took it; the follow-up is a page of its own."""
    sender.answer(OTHER.reveal(), REJECT, ACCEPT)
    asked = await node.decided((await node.page(KEY, OTHER)).id)
    told = await node.decided((await node.paging.follow_up(asked.id, kind, ANN)).id)
    assert (told.kind, told.parent_id, told.user) == (kind, asked.id, "ann@example.com")
    last = sender.sent[-1]
    assert (last.action, last.routing_key, last.dedup_key) == (kind, KEY, asked.deliveries[0].dedup_key)
    assert len(sender.sent) == 3


async def test_a_resolve_never_overtakes_its_page(start, sender):
    """While PagerDuty refuses the page, its resolve waits."""
    sender.answer(KEY.reveal(), THROTTLE, THROTTLE, ACCEPT)
    node = await start()
    asked = await node.page()
    await node.paging.wait(asked.id, 0.05)
    told = await node.paging.follow_up(asked.id, Kind.RESOLVE, ANN)
    node.work_off()
    await node.decided(told.id)
    assert [event.action for event in sender.sent] == ["trigger"] * 3 + ["resolve"]


async def test_a_resolve_that_waits_is_told_before_the_next_page_under_its_dedup_key(start, sender):
    """Or what happens again within seconds would be resolved by what was over."""
    sender.answer(KEY.reveal(), THROTTLE, ACCEPT)
    node = await start()
    asked = await node.page(dedup_key="disk")
    await node.paging.wait(asked.id, 0.05)
    await node.paging.follow_up(asked.id, Kind.RESOLVE, ANN)
    again = await node.page(dedup_key="disk")
    other = await node.page(dedup_key="fan")
    node.work_off()
    for one in (again, other):
        await node.decided(one.id)
    told = [event.action for event in sender.sent if event.dedup_key == "disk"]
    assert told == ["trigger", "trigger", "resolve", "trigger"]


async def test_there_is_nothing_to_follow_up_when_nothing_was_taken(node, sender):
    """The answer says so."""
    sender.answer(KEY.reveal(), REJECT)
    asked = await node.decided((await node.page()).id)
    with pytest.raises(Conflict, match="nothing to resolve"):
        await node.paging.follow_up(asked.id, Kind.RESOLVE, ANN)


async def test_only_a_page_has_an_incident_to_follow_up(node):
    """Though PagerDuty took it: a change event opens none."""
    asked = await node.decided((await node.page(kind=Kind.CHANGE)).id)
    with pytest.raises(Conflict, match="not a page"):
        await node.paging.follow_up(asked.id, Kind.ACKNOWLEDGE, ANN)


# -- recorded -----------------------------------------------------------------------------------


class Ledger:
    """A witness that writes down what it is told, in the transaction itself."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, int]] = []

    def expect_many(self, connection, accepted) -> None:
        self.rows.extend(accepted)


async def test_a_witness_hears_of_every_accepted_page_and_of_those_folded_into_it(start):
    """Each can then be proven; a follow-up or a change opens no incident."""
    ledger = Ledger()
    node = await start(witness=ledger)
    node.work_off()
    single = await node.decided((await node.page(message="alone")).id)
    node.paging._in_flight = 10_000
    folded = [await node.page(message="same") for _ in range(3)]
    for one in folded:
        await node.decided(one.id)
    node.paging._in_flight = 0
    await node.decided((await node.paging.follow_up(single.id, Kind.RESOLVE, ANN)).id)
    expected = {one.deliveries[0].id for one in [single, *folded]}
    assert {row[0] for row in ledger.rows} == expected


async def test_two_machines_that_made_the_same_attempt_both_can_say_so(start, sender):
    """One that was stopped and came back does not trip over what the other recorded."""
    node = await start()
    sender.gate.clear()
    asked = await node.page()
    row = {"delivery_id": asked.deliveries[0].id, "number": 1, "at": 0, "protocol": "v2"}
    row |= {"outcome": "retry", "text": "", "duration_ms": 1}
    await node.database.write(lambda c: c.execute(insert(attempt).values(**row)) and None)
    sender.gate.set()
    assert (await node.decided(asked.id)).deliveries[0].state is DeliveryState.ACCEPTED
    assert await node.rows(select(delivery.c.attempts)) == [1]


async def test_who_asked_and_from_where_is_kept(node):
    """As are account, kind and what the person on call reads."""
    found = await node.paging.get((await node.page()).id)
    assert (found.user, found.address, found.kind) == ("ann@example.com", "10.0.0.7", Kind.TRIGGER)
    assert found.deliveries[0].account == "default"


async def test_what_happens_is_counted(start, sender):
    """Pages, attempts, what was decided, what was folded, and what was given up."""
    metrics = PagingMetrics()
    sender.answer(KEY.reveal(), THROTTLE, ACCEPT)
    sender.answer(OTHER.reveal(), REJECT)
    node = await start(metrics=metrics)
    node.paging._in_flight = 10_000
    same = [await node.page(message="same") for _ in range(3)]
    node.paging._in_flight = 0
    refused = await node.page(KEY, OTHER)
    await node.paging.wait(refused.id, 0.1)
    node.work_off()
    for one in [refused, *same]:
        await node.decided(one.id)
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }
    assert values["masthead_pages_total", "v1", "critical", "trigger"] == 4
    assert values["masthead_attempts_total", "v2", "retry", "throttled"] == 1
    assert values["masthead_deliveries_total", "accepted", "none"] == 4
    assert values["masthead_deliveries_total", "rejected", "key"] == 1
    assert values["masthead_folded_deliveries_total",] == 2
    assert values["masthead_acceptance_seconds_count",] == 4
