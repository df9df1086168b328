"""What the durable engine promises, on both databases: nothing lost, nobody twice, whoever dies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from masthead.kernel.clock import SystemClock, to_ms
from masthead.kernel.ids import UlidIds
from masthead.storage import bursts
from masthead.storage.bursts import Bursts, Superseded, Turn
from masthead.storage.database import Database
from masthead.storage.machines import Machines, Rhythm
from masthead.storage.schema import burst, machine

RHYTHM = Rhythm(timedelta(milliseconds=50), timedelta(milliseconds=300), timedelta(milliseconds=400))


class Node:
    """One machine of a cluster, within this process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.machines = Machines(database, SystemClock(), UlidIds(), version="test", rhythm=RHYTHM)
        self.bursts = Bursts(database, SystemClock(), self.machines, sweep_every_s=0.02)
        self.ran: asyncio.Queue[Turn] = asyncio.Queue()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.machines.start()
        self._loops = [asyncio.ensure_future(self.bursts.run()), asyncio.ensure_future(self.machines.run())]

    async def die(self) -> None:
        """End as by kill -9: nothing is released, the operating system lets go of the lock."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.bursts.close()
        self.machines._drop_lock()

    async def request(self, subject: str, due_at_ms: int | None = None) -> int:
        generation = await self.database.write(
            lambda c: self.bursts.request(c, "k", subject, due_at_ms=due_at_ms)
        )
        self.bursts.kick("k", subject)
        return generation


@pytest.fixture
async def nodes(database_url: str) -> AsyncIterator[contextlib.AsyncExitStack]:
    async with contextlib.AsyncExitStack() as stack:

        async def make(run=None) -> Node:
            database = await Database.open(database_url, clock=SystemClock())
            stack.push_async_callback(database.close)
            node = Node(database)

            async def default(turn: Turn) -> None:
                await database.write(lambda c: (turn.hold(c), turn.rest(c, None)))
                await node.ran.put(turn)

            node.bursts.register("k", run(node) if run else default)
            await node.start()
            stack.push_async_callback(node.die)
            return node

        yield make


def blocking(node: Node):
    """A run that never ends by itself."""

    async def run(turn: Turn) -> None:
        await node.ran.put(turn)
        await asyncio.Event().wait()

    return run


async def get(queue: asyncio.Queue[Turn]) -> Turn:
    return await asyncio.wait_for(queue.get(), 20)


async def test_a_requested_subject_runs_once(nodes):
    """One request, one run; then it rests."""
    node = await nodes()
    generation = await node.request("a")
    assert (await get(node.ran)).generation == generation
    await node.bursts.sweep()
    await node.bursts.settle(5)
    assert node.ran.empty()


async def test_every_request_is_followed_by_a_run_that_sees_it(nodes):
    """Requests that come while a subject runs are not lost."""
    node = await nodes()
    generations = [await node.request("a") for _ in range(20)]
    while (await get(node.ran)).generation < max(generations):
        pass


async def test_generations_grow_even_after_the_row_was_removed(nodes):
    """A run of the past can never take itself for the present one."""
    node = await nodes()
    first = await node.request("a")
    turn = await get(node.ran)
    await node.database.write(lambda c: Turn("k", "a", turn.generation + 1, "").finish(c))
    assert await node.request("a") > first


async def test_a_superseded_run_cannot_write(nodes):
    """Whoever changed the subject fences the run before."""
    node = await nodes(blocking)
    await node.request("a")
    turn = await get(node.ran)
    await node.database.write(lambda c: node.bursts.request(c, "k", "a"))
    with pytest.raises(Superseded):
        await node.database.write(turn.hold)
    node.bursts.kick("k", "a")
    assert turn.superseded.is_set()


async def test_a_run_that_raises_is_run_again(nodes):
    """A failing run is postponed, not lost."""
    failures = []

    def fails_once(node: Node):
        async def run(turn: Turn) -> None:
            if not failures:
                failures.append(turn)
                raise RuntimeError("boom")
            await node.database.write(lambda c: (turn.hold(c), turn.finish(c)))
            await node.ran.put(turn)

        return run

    node = await nodes(fails_once)
    await node.request("a")
    assert (await get(node.ran)).generation > failures[0].generation
    assert await node.database.read(lambda c: c.execute(select(burst)).all()) == []


async def test_runs_of_one_kind_that_hang_hold_up_no_other_kind(nodes, monkeypatch):
    """Webhooks that never answer keep no page waiting, nor does a PagerDuty that hangs keep executions."""
    monkeypatch.setattr(bursts, "_LIMIT", 2)
    node = await nodes(blocking)
    others: asyncio.Queue[Turn] = asyncio.Queue()

    async def end(turn: Turn) -> None:
        await node.database.write(lambda c: (turn.hold(c), turn.finish(c)))
        await others.put(turn)

    node.bursts.register("other", end)
    for subject in "abcde":
        await node.request(subject)
    hanging = {(await get(node.ran)).subject for _ in range(2)}
    await node.database.write(lambda c: node.bursts.request(c, "other", "x"))
    assert (await get(others)).subject == "x"
    assert hanging == {"a", "b"}
    assert node.ran.empty()


async def test_what_is_due_later_runs_then(nodes):
    """A time in the past is due, a time far ahead is not."""
    node = await nodes()
    await node.request("later", due_at_ms=10**15)
    await node.request("now", due_at_ms=1)
    assert (await get(node.ran)).subject == "now"
    await node.database.write(lambda c: c.execute(update(burst).values(due_at=2)))
    assert {(await get(node.ran)).subject, (await get(node.ran)).subject} == {"now", "later"}


async def test_what_a_clock_dated_that_was_set_back_since_is_due(nodes):
    """No subject rests for an hour, so one that is due in an hour was dated before the clock was set back."""
    node = await nodes()
    await node.request("a", due_at_ms=10**15)
    in_an_hour = to_ms(SystemClock().now()) + 3_600_000
    await node.database.write(lambda c: c.execute(update(burst).values(due_at=in_an_hour)))
    assert (await get(node.ran)).subject == "a"


async def test_a_subject_that_rests_for_long_is_looked_at_now_and_then(nodes):
    """It is due after a quarter of an hour at the latest, when it may rest again."""

    def rests_for_years(node):
        async def run(turn: Turn) -> None:
            await node.database.write(lambda c: turn.rest(c, 10**15))
            await node.ran.put(turn)

        return run

    node = await nodes(rests_for_years)
    await node.request("a")
    await get(node.ran)
    due_at = await node.database.read(lambda c: c.execute(select(burst.c.due_at)).scalar_one())
    assert 800_000 < due_at - to_ms(SystemClock().now()) <= 900_000


@pytest.mark.parametrize("broken", ["_touch", "_find_dead"])
async def test_a_machine_goes_on_beating_whatever_happened_to_one_beat(nodes, monkeypatch, broken):
    """An error that nobody foresaw costs one beat, not the lease."""
    node = await nodes()
    real, loop, calls = getattr(node.machines, broken), asyncio.get_running_loop(), asyncio.Queue()
    failures = [RuntimeError("unforeseen")]

    def breaks_once(connection):
        loop.call_soon_threadsafe(calls.put_nowait, None)
        if failures:
            raise failures.pop()
        return real(connection)

    monkeypatch.setattr(node.machines, broken, breaks_once)
    for _ in range(3):
        await get(calls)
    assert node.machines.holds_lease


async def test_what_is_due_is_started_whatever_happened_to_one_sweep(nodes, monkeypatch):
    """As above, for the look for what is due."""
    node = await nodes()
    real = node.bursts._look
    failures = [RuntimeError("unforeseen")]

    def breaks_once(connection):
        if failures:
            raise failures.pop()
        return real(connection)

    monkeypatch.setattr(node.bursts, "_look", breaks_once)
    await node.database.write(lambda c: node.bursts.request(c, "k", "a"))
    assert (await get(node.ran)).subject == "a"


async def test_a_dead_machines_subject_is_taken_over_and_its_run_fenced(nodes):
    """Killed for good: another machine goes on, and the dead one's run may not write."""
    first = await nodes(blocking)
    await first.request("a")
    turn = await get(first.ran)
    await first.die()
    second = await nodes()
    taken = await get(second.ran)
    assert taken.generation > turn.generation
    with pytest.raises(Superseded):
        await second.database.write(turn.hold)


async def test_two_machines_share_work_without_running_a_subject_twice(nodes):
    """Each of many subjects runs exactly once, wherever."""
    one, two = await nodes(), await nodes()
    subjects = [f"s{n}" for n in range(40)]

    def work(connection):
        for subject in subjects:
            one.bursts.request(connection, "k", subject)

    await one.database.write(work)
    seen: list[str] = []
    while len(seen) < len(subjects):
        for node in (one, two):
            with contextlib.suppress(asyncio.QueueEmpty):
                seen.append(node.ran.get_nowait().subject)
        await asyncio.sleep(0.001)
    assert sorted(seen) == sorted(subjects)


async def test_a_machine_that_was_buried_comes_back_under_a_new_id(nodes):
    """A machine that was only slow loses what it held and goes on as another."""
    node = await nodes(blocking)
    await node.request("a")
    turn = await get(node.ran)
    old = node.machines.id
    await node.database.write(lambda c: node.machines._remove(c, old))
    await node.machines.beat()
    assert node.machines.id != old
    with pytest.raises(Superseded):
        await node.database.write(turn.hold)
    assert await node.database.read(lambda c: c.execute(select(machine.c.id)).scalars().all()) == [
        node.machines.id
    ]
