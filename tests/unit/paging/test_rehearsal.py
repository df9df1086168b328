"""A page is rehearsed: what would be sent is shown, and nothing happens."""

from __future__ import annotations

import pytest
from msgspec import structs
from sqlalchemy import func, select

from masthead.catalog import Catalog
from masthead.kernel.caller import Caller
from masthead.kernel.clock import SystemClock
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.ids import SequentialIds
from masthead.kernel.secret import Secret
from masthead.pagerduty import Severity
from masthead.pagerduty.fakes import ScriptedSender
from masthead.paging import Draft, Paging
from masthead.paging.hashing import KeyHasher
from masthead.paging.model import Door
from masthead.paging.pager import Infrastructure
from masthead.storage.bursts import Bursts
from masthead.storage.machines import Machines
from masthead.storage.schema import delivery, page

ANN = Caller(user="ann@example.com")
KEYS = (Secret("a" * 32), Secret("b" * 32))
DRAFT = Draft(
    keys=KEYS,
    message="db down",
    door=Door.V1,
    application="demo",
    severity=Severity.ERROR,
    details={"runbook": "R1"},
    identity="same",
)


@pytest.fixture
async def sender() -> ScriptedSender:
    return ScriptedSender()


@pytest.fixture
async def paging(database, sender):
    clock = SystemClock()
    machines = Machines(database, clock, SequentialIds(), version="test")
    bursts = Bursts(database, clock, machines)
    await machines.start()
    on = Infrastructure(database, bursts, machines, clock, SequentialIds())
    made = Paging(
        on, sender=sender, catalog=Catalog(None, database, clock), hasher=await KeyHasher.of(database)
    )
    yield made
    await made.settle(5)
    await bursts.close()
    await machines.stop()


async def test_a_rehearsal_shows_what_would_be_sent_and_sends_nothing(paging, sender, database):
    """The very events of the page that follows, but for the moment at which they are made."""
    shown = paging.rehearse(DRAFT, ANN)
    counts = select(
        select(func.count()).select_from(page).scalar_subquery(),
        select(func.count()).select_from(delivery).scalar_subquery(),
    )
    assert (await database.read(lambda connection: connection.execute(counts).one())) == (0, 0)
    assert (sender.sent, paging.budget.used()) == ([], (0.0, 0))
    asked = await paging.request(DRAFT, ANN)
    await paging.wait(asked.id, 5)

    def timeless(events):
        return sorted(repr(structs.replace(one, timestamp=None)) for one in events)

    assert timeless(shown) == timeless(sender.sent)
    assert {one.routing_key for one in shown} == set(KEYS)


@pytest.mark.parametrize("change", [{"keys": ()}, {"message": " "}, {"details": {"x": object()}}])
async def test_what_cannot_be_asked_cannot_be_rehearsed(paging, change):
    """With the same error as the page would have."""
    with pytest.raises(InvalidRequest):
        paging.rehearse(structs.replace(DRAFT, **change), ANN)
