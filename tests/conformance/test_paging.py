"""What a page is promised, on both databases: stored before sent, never lost, never doubled."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from masthead.kernel.clock import SystemClock
from masthead.kernel.errors import InvalidRequest, NotFound, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import Protocol, Severity
from masthead.pagerduty.fakes import ACCEPT, REJECT, THROTTLE, ScriptedReader
from masthead.paging import DeliveryState, Draft
from masthead.paging.model import Door
from masthead.paging.retry import RetryPolicy
from masthead.storage.database import Database
from masthead.storage.schema import attempt, delivery, page
from support.paging import ANN, KEYS, QUICK, Node
from support.paging import draft as draft_to
from unit.catalog.documents import key_of, service, whole


def draft(*keys: Secret, **changes) -> Draft:
    return draft_to(*(keys or KEYS), **changes)


@pytest.fixture
async def start(database_url, sender):
    async with contextlib.AsyncExitStack() as stack:

        async def make(retry: RetryPolicy = QUICK, **more) -> Node:
            database = await Database.open(database_url, clock=SystemClock())
            stack.push_async_callback(database.close)
            node = await Node(database, sender, retry=retry, **more).start()
            node.work_off()
            stack.push_async_callback(node.die)
            return node

        yield make


async def test_every_key_is_told_once_under_its_own_dedup_key(start, sender):
    """Repeated keys are one delivery; the dedup key holds no key."""
    node = await start()
    asked = await node.paging.request(draft(*KEYS, KEYS[0]), ANN)
    done = await node.paging.wait(asked.id, 20)
    assert [d.state for d in done.deliveries] == [DeliveryState.ACCEPTED] * 3
    assert {e.routing_key for e in sender.sent} == set(KEYS)
    assert len({e.dedup_key for e in sender.sent}) == 3
    assert not any(key.reveal() in event.dedup_key for key in KEYS for event in sender.sent)
    assert {e.client for e in sender.sent} == {"Spinnaker (ann@example.com)"}


async def test_a_page_in_the_first_seconds_is_told_by_the_protocol_of_its_key(start, sender):
    """The very first reading of the catalog is waited for: PagerDuty refuses a key of Events v1 at v2, and for good."""
    reader = ScriptedReader()
    reader.answer("/services", whole(service("web", "v1")))
    node = await start(reader=reader)
    reader.gate.clear()
    refreshing = asyncio.ensure_future(node.catalog.refresh())
    while len(reader.asked) < 2:  # noqa: ASYNC110 - over within a few rounds
        await asyncio.sleep(0)
    asking = asyncio.ensure_future(node.page(Secret(key_of("web0"))))
    await asyncio.sleep(0)
    reader.gate.set()
    asked = await asking
    await refreshing
    await node.catalog.close()
    assert [(one.label, one.protocol) for one in asked.deliveries] == [("web", Protocol.V1)]


async def test_what_is_sent_again_goes_to_whom_the_catalog_knows_by_now(start, sender):
    """A key that was younger than the catalog, which is read anew, gets its protocol and its service; its refusal is not told as news."""
    key, reader = Secret(key_of("web0")), ScriptedReader()
    node = await start(reader=reader)
    await node.catalog.refresh()
    sender.answer(key.reveal(), REJECT, ACCEPT)
    asked = await node.paging.wait((await node.page(key)).id, 20)
    assert [(one.label, one.state) for one in asked.deliveries] == [(key.label, DeliveryState.REJECTED)]
    reader.answer("/services", whole(service("web", "v1")))
    sender.gate.clear()
    (again,) = (await node.paging.resend(asked.id, ANN)).deliveries
    await node.catalog.close()
    assert (again.label, again.service_id, again.protocol, again.text) == ("web", "PWEB", Protocol.V1, "")
    sender.gate.set()
    assert (await node.paging.wait(asked.id, 20)).deliveries[0].state is DeliveryState.ACCEPTED
    assert sender.sent[-1].protocol is Protocol.V1


@pytest.mark.parametrize("is_first", [True, False], ids=["first attempt", "run"])
async def test_a_key_that_is_younger_than_the_catalog_is_told_by_its_own_protocol(start, sender, is_first):
    """PagerDuty refuses a key of Events v1 at v2: the services are read once more, and the page goes out by itself."""
    keys, reader = [Secret(key_of("web0")), Secret(key_of("nobody0"))], ScriptedReader()
    node = await start(reader=reader)
    await node.catalog.refresh()
    sender.answer(keys[0].reveal(), REJECT, ACCEPT)
    sender.answer(keys[1].reveal(), REJECT)
    reader.answer("/services", whole(service("web", "v1")))
    node.paging._in_flight = 0 if is_first else 10_000
    done = [await node.decided((await node.page(key)).id) for key in keys]
    await node.decided((await node.page(keys[1], message="again")).id)
    await node.catalog.close()
    known, unknown = (one.deliveries[0] for one in done)
    accepted = ("web", Protocol.V1, DeliveryState.ACCEPTED, 2)
    assert (known.label, known.protocol, known.state, known.attempts) == accepted
    assert (unknown.state, unknown.attempts) == (DeliveryState.REJECTED, 1)
    tried = select(attempt.c.protocol).where(attempt.c.delivery_id == known.id).order_by(attempt.c.number)
    assert await node.rows(tried) == ["v2", "v1"]
    assert [path for path, _ in reader.asked].count("/services") == 3


async def test_a_page_is_stored_before_the_first_byte_goes_out(start, sender):
    """While nothing was sent yet, another process can already read the page."""
    sender.gate.clear()
    node = await start()
    asked = await node.paging.request(draft(), ANN)
    rows = await node.database.read(lambda c: c.execute(select(delivery.c.state)).scalars().all())
    assert rows == ["pending"] * 3
    assert sender.sent == []
    assert not (await node.paging.wait(asked.id, 0)).is_decided


async def test_the_same_identity_is_one_page(start, sender):
    """A second request of a stage gives the first one's page and sends nothing."""
    node = await start()
    first = await node.paging.request(draft(identity="exec/stage"), ANN)
    await node.paging.wait(first.id, 20)
    second = await node.paging.request(draft(identity="exec/stage"), ANN)
    assert second.id == first.id
    assert len(sender.sent) == 3
    assert second.is_decided


async def test_the_dedup_key_is_the_same_after_a_restart(start, sender):
    """The installation's secret survives, so an identity keeps its dedup key."""
    pages = [
        await (await start()).paging.request(draft(dedup_identity="x", identity=name), ANN) for name in "ab"
    ]
    assert len({tuple(one.dedup_key for one in page.deliveries) for page in pages}) == 1


async def test_what_pagerduty_refuses_for_now_is_tried_until_it_succeeds(start, sender):
    """429 twice, then accepted: three attempts are on record, all with one dedup key."""
    sender.answer(KEYS[0].reveal(), THROTTLE, THROTTLE, THROTTLE, ACCEPT)
    node = await start()
    asked = await node.paging.request(draft(KEYS[0]), ANN)
    done = await node.paging.wait(asked.id, 20)
    assert done.deliveries[0].state is DeliveryState.ACCEPTED
    assert done.deliveries[0].attempts == 4
    assert len({e.dedup_key for e in sender.sent}) == 1
    outcomes = await node.database.read(lambda c: c.execute(select(attempt.c.outcome)).scalars().all())
    assert sorted(outcomes) == ["accepted", "retry", "retry", "retry"]


async def test_a_permanent_refusal_touches_only_its_key(start, sender):
    """The others are accepted; the refused one has PagerDuty's words and a reason."""
    sender.answer(KEYS[1].reveal(), REJECT)
    node = await start()
    done = await node.paging.wait((await node.paging.request(draft(), ANN)).id, 20)
    assert [d.state.value for d in done.deliveries] == ["accepted", "rejected", "accepted"]
    assert (done.deliveries[1].reason, done.deliveries[1].text) == (Reason.KEY, "Invalid routing key")


async def test_after_the_deadline_a_delivery_expires(start, sender):
    """It is given up with the last answer in its text."""
    sender.answer(KEYS[0].reveal(), THROTTLE)
    node = await start(
        RetryPolicy(timedelta(milliseconds=5), timedelta(milliseconds=5), timedelta(milliseconds=40))
    )
    done = await node.paging.wait((await node.paging.request(draft(KEYS[0]), ANN)).id, 20)
    assert done.deliveries[0].state is DeliveryState.EXPIRED
    assert "HTTP 429" in done.deliveries[0].text


async def test_a_machine_that_dies_before_sending_loses_nothing(start, sender):
    """Stored but not sent when the process was killed: another one sends it, under the same dedup key."""
    sender.gate.clear()
    first = await start()
    asked = await first.paging.request(draft(), ANN)
    expected = {d.dedup_key for d in asked.deliveries}
    await first.die()
    sender.gate.set()
    second = await start()
    done = await second.paging.wait(asked.id, 20)
    assert [d.state for d in done.deliveries] == [DeliveryState.ACCEPTED] * 3
    assert {e.dedup_key for e in sender.sent} == expected
    assert len(sender.sent) == 3


async def test_subscribers_hear_once_when_a_page_is_decided(start, sender):
    """An execution that waits for its page is told."""
    node = await start()
    told: asyncio.Queue = asyncio.Queue()
    node.paging.on_decided(told.put_nowait)
    asked = await node.paging.request(draft(KEYS[0], execution_id="e", stage_id="s"), ANN)
    page_told = await asyncio.wait_for(told.get(), 20)
    assert (page_told.id, page_told.execution_id, page_told.is_decided) == (asked.id, "e", True)


@pytest.mark.parametrize("bad", [{"message": "  "}, {"keys": ()}])
async def test_a_page_to_nobody_or_about_nothing_is_refused_and_not_stored(start, sender, bad):
    """Nothing is stored and nothing sent."""
    node = await start()
    values = {"keys": KEYS, "message": "m", "door": Door.V1, "application": "a", "severity": Severity.INFO}
    with pytest.raises(InvalidRequest):
        await node.paging.request(Draft(**values | bad), ANN)
    assert await node.database.read(lambda c: c.execute(select(page)).all()) == []


async def test_an_unknown_page_is_not_found(start, sender):
    """The id is named."""
    node = await start()
    with pytest.raises(NotFound, match="nope"):
        await node.paging.wait("nope", 1)


async def test_keys_stand_only_in_their_column(start, sender):
    """No other column of a page, a delivery or an attempt holds the key."""
    sender.answer(KEYS[0].reveal(), REJECT)
    node = await start()
    asked = await node.paging.request(draft(KEYS[0]), ANN)
    await node.paging.wait(asked.id, 20)

    def texts(connection):
        rows = [r for t in (page, delivery, attempt) for r in connection.execute(select(t)).mappings()]
        return [f"{name}={value}" for row in rows for name, value in row.items() if name != "routing_key"]

    assert not any(KEYS[0].reveal() in text for text in await node.database.read(texts))
