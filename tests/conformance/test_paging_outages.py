"""Paging when something fails: PagerDuty, the database, the lease, a caller or a machine goes away in the middle."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from masthead.kernel.clock import SystemClock, to_ms
from masthead.kernel.errors import NotFound, Reason, StorageUnavailable
from masthead.pagerduty import Answer, Outcome
from masthead.pagerduty.fakes import ACCEPT, THROTTLE
from masthead.paging import Delivery, ahead, pager
from masthead.paging.model import Incident
from masthead.paging.retry import RetryPolicy
from masthead.storage.schema import burst, delivery, page
from support.commits import commits_lose_their_answer
from support.paging import ANN, KEYS, LOST, ScriptedMemory, draft

KEY, OTHER, _ = KEYS


async def test_a_database_that_fails_while_a_key_is_worked_off_holds_up_nothing(node, sender, monkeypatch):
    """What was marked as being sent is tried again once the database answers."""
    real, calls = ahead._some, []

    def flaky(connection, wanted):
        calls.append(wanted)
        if len(calls) == 1:
            raise StorageUnavailable("away")
        return real(connection, wanted)

    sender.answer(KEY.reveal(), THROTTLE, ACCEPT)
    asked = await node.page()
    monkeypatch.setattr(ahead, "_some", flaky)
    told: asyncio.Queue = asyncio.Queue()
    node.paging.on_decided(told.put_nowait)
    node.work_off()
    assert (await asyncio.wait_for(told.get(), 20)).id == asked.id
    assert len(calls) > 1


async def test_a_lease_that_was_lost_and_found_again_forgets_no_first_attempt(node):
    """The machine was too slow to beat but nobody buried it: what it took meanwhile is sent."""
    node.work_off()
    node.loops[0].cancel()
    node.machines._beat_at -= 1000
    asked = await node.page()
    node.beat()
    await node.decided(asked.id)


async def test_a_lease_that_was_lost_and_found_again_forgets_nothing_that_waits(node, sender):
    """As above, for what a run was about to send."""
    sender.answer(KEY.reveal(), THROTTLE, ACCEPT)
    asked = await node.page()
    await node.paging.wait(asked.id, 0.1)
    node.loops[0].cancel()
    node.machines._beat_at -= 1000
    node.work_off()
    assert not (await node.paging.wait(asked.id, 0.3)).is_decided
    node.beat()
    await node.decided(asked.id)


async def test_a_lease_that_was_lost_while_a_connection_came_about_sends_nothing(node, sender):
    """It is asked for just before the first byte; what was not sent goes out when there is a lease again."""
    sender.gate.clear()
    asked = await node.page()
    node.loops[0].cancel()  # no beat comes in between
    node.machines._beat_at = float("-inf")
    sender.gate.set()
    assert not (await node.paging.wait(asked.id, 0.05)).is_decided
    assert sender.sent == []
    node.beat()
    node.work_off()
    done = await node.decided(asked.id)
    assert (len(sender.sent), done.deliveries[0].attempts) == (1, 1)


async def test_a_lease_is_over_while_the_computer_sleeps(node):
    """The others bury a machine that is silent: when it wakes it looks at a clock that went on."""
    assert node.machines.may_act(node.machines.id)
    assert not node.machines.may_act("another")
    real = node.machines._elapsed
    node.machines._elapsed = lambda: real() + 1000
    assert not node.machines.may_act(node.machines.id)


async def test_a_lease_that_was_lost_during_a_look_up_sends_nothing(start, sender):
    """Another machine may have sent it meanwhile: it is looked up once more before it is sent."""

    class Slow(ScriptedMemory):
        async def has_arrived(self, delivery: Delivery) -> Incident | None:
            node.loops[0].cancel()  # no beat comes in between
            node.machines._beat_at = float("inf" if self.asked else "-inf")
            return await super().has_arrived(delivery)

    memory = Slow()
    sender.answer(KEY.reveal(), LOST, ACCEPT)
    node = await start(look_back=memory)
    node.work_off()
    await node.decided((await node.page()).id)
    assert (len(memory.asked), len(sender.sent)) == (2, 2)


async def test_a_caller_that_goes_away_takes_no_page_with_it(node):
    """Cancelled while its page is being stored: what was stored is sent all the same."""
    gate, begun = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_connection):
        loop.call_soon_threadsafe(begun.set)
        gate.wait(10)

    holding = asyncio.ensure_future(node.database.write(hold))
    await begun.wait()
    asking = asyncio.ensure_future(node.page())
    while not node.paging._intake._is_writing:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0)
    asking.cancel()
    gate.set()
    await asyncio.gather(holding, asking, return_exceptions=True)
    await node.database.write(lambda c: None)
    (page_id,) = await node.rows(select(page.c.id))
    await node.decided(page_id)


async def test_nobody_waits_for_an_attempt_that_would_be_in_vain(node, sender):
    """While no connection to PagerDuty comes about, a page that nobody waits for is tried by its key's run; others at once."""
    sender.away.add("default")
    left = await node.paging.request(draft(message="left"), ANN, is_waited_for=False)
    tried = await node.page(message="tried")
    await node.decided(tried.id)
    assert [event.summary for event in sender.sent] == ["tried"]
    sender.away.clear()
    at_once = await node.paging.request(draft(message="at once"), ANN, is_waited_for=False)
    await node.decided(at_once.id)
    assert not (await node.paging.get(left.id)).is_decided
    node.work_off()
    await node.decided(left.id)
    assert [event.summary for event in sender.sent] == ["tried", "at once", "left"]


async def test_a_key_that_is_through_wakes_those_that_rest_after_failures(start, sender):
    """PagerDuty is back: nothing that got no answer waits for the end of its rest, half a minute away; oldest first."""

    class Chance:
        share = 1.0

        def random(self) -> float:
            return self.share

    chance, half_a_minute = Chance(), timedelta(seconds=30)
    node = await start(retry=RetryPolicy(half_a_minute, half_a_minute, timedelta(hours=1)), chance=chance)
    refused = Answer(Outcome.RETRY, None, Reason.NETWORK, None, "refused", 1)
    sender.answer(OTHER.reveal(), refused, refused, ACCEPT)
    sender.answer(KEY.reveal(), refused, ACCEPT)
    sender.away.add("default")
    asked = [
        await node.paging.request(draft(OTHER, message=str(number)), ANN, is_waited_for=False)
        for number in range(3)
    ]
    node.work_off()
    rests = select(burst.c.machine.is_(None) & (burst.c.due_at > to_ms(SystemClock().now()) + 15_000))
    while await node.rows(rests) != [True]:
        pass
    chance.share = 0.0
    await node.decided((await node.paging.request(draft(KEY), ANN, is_waited_for=False)).id)
    for one in asked:
        await node.decided(one.id)
    sent = [event.summary for event in sender.sent if event.routing_key == OTHER]
    assert sent == ["0", "1", "0", "1", "2"]


async def test_a_delivery_that_cannot_even_be_tried_holds_up_no_other(node, sender):
    """Whatever sending raises: the delivery is tried again, and what waits for the same key goes out."""
    real, failures = sender.send, [RuntimeError("unforeseen"), RuntimeError("unforeseen")]

    async def send(event, may_send):
        if event.summary == "poison" and failures:
            raise failures.pop()
        return await real(event, may_send)

    sender.send = send
    poison = await node.page(message="poison")
    sender.answer(KEY.reveal(), THROTTLE, ACCEPT)
    other = await node.page(message="fine")
    node.work_off()
    await node.decided(other.id)
    await node.decided(poison.id)


async def test_pages_are_read_ahead_in_few_queries_but_long_ones_in_their_turn(node, monkeypatch):
    """Two, then four, and so on; one that is too long to be read before its turn begins anew."""
    real, read_together = ahead._some, []

    def some(connection, wanted):
        found = real(connection, wanted)
        read_together.append([len(one.page.details["text"]) for one in found.values()])
        return found

    monkeypatch.setattr(ahead, "_some", some)
    sizes = [10, 10, 10, 40, 40_000, 50_000, 40, 10]
    asked = [await node.page(message=str(n), details={"text": "x" * size}) for n, size in enumerate(sizes)]
    read = ahead.Ahead(node.database, [one.deliveries[0] for one in asked])
    found = [await read.get(number) for number in range(len(asked))]
    assert [(one.page.id, one.page.details) for one in found] == [(one.id, one.details) for one in asked]
    assert list(map(sorted, read_together)) == [[10, 10], [10, 40], [10, 40, 40_000], [10, 40, 50_000]]


async def test_what_a_delivery_says_comes_with_whether_its_page_has_others(node):
    """Who is told of the page's end needs the others too."""
    for keys in ((KEY,), (KEY, OTHER)):
        asked = await node.paging.get((await node.page(*keys)).id)
        for one in asked.deliveries:
            said = await ahead.Ahead(node.database, [one]).get(0)
            assert said == (replace(asked, deliveries=(one,)), len(keys) == 1)


async def test_a_page_that_is_gone_is_told_as_such(node):
    """The run fails and is tried again, instead of sending something else."""
    (known,) = (await node.page()).deliveries
    read = ahead.Ahead(node.database, [replace(known, page_id="no-such-page")])
    with pytest.raises(NotFound, match="no-such-page"):
        await read.get(0)


async def test_a_page_whose_commit_gave_no_answer_is_sent_all_the_same(node, sender):
    """Its caller hears 503 and may ask again under its identity; what was stored does not lie there for ever."""
    with commits_lose_their_answer(node.database), pytest.raises(StorageUnavailable):
        await node.page(identity="nightly")
    node.work_off()
    (page_id,) = await node.rows(select(page.c.id))
    await node.decided(page_id)
    again = await node.page(identity="nightly")
    assert (again.id, again.is_decided, len(sender.sent)) == (page_id, True, 1)


async def test_only_so_much_text_is_held_in_memory(start, sender, monkeypatch):
    """While PagerDuty is slow, long pages wait as rows; the first one, however long, is tried at once."""
    monkeypatch.setattr(pager, "_CHARACTERS_IN_FLIGHT", 1000)
    node = await start()
    sender.gate.clear()
    pages = [await node.page(message=f"{number}{'x' * 900}") for number in range(4)]
    marked = select(delivery.c.page_id).where(delivery.c.machine.is_not(None))
    assert await node.rows(marked) == [pages[0].id]
    sender.gate.set()
    await node.decided(pages[0].id)
    pages.append(await node.page(message="x" * 5000))
    await node.decided(pages[-1].id)
    node.work_off()
    for one in pages:
        await node.decided(one.id)
