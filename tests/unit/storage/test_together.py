"""What comes at the same time is written at the same time, and nobody waits for nobody."""

from __future__ import annotations

import asyncio

import pytest

from masthead.kernel.errors import StorageUnavailable
from masthead.kernel.tasks import Tasks
from masthead.storage import together
from masthead.storage.together import Together


class Written:
    """Keeps the groups; each write ends when the test says so."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, group):
        self.groups.append(list(group))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if "bad" in group:
            raise ValueError("bad")
        return [item.upper() for item in group]


@pytest.fixture
async def written():
    return Written()


@pytest.fixture
async def put(written):
    tasks = Tasks(lambda _, error: pytest.fail(str(error)))
    made = Together(written.write, tasks)
    yield made.put
    await tasks.close()


async def many(put, *items):
    return await asyncio.gather(*(put(item) for item in items), return_exceptions=True)


@pytest.fixture
def no_end(monkeypatch):
    """The moment never ends by itself, so that a test that waits for it fails."""
    monkeypatch.setattr(together, "_MOMENT_S", 3600.0)


@pytest.mark.usefixtures("no_end")
async def test_what_comes_together_is_written_together(put, written):
    """Each caller gets the result of its own item."""
    assert await many(put, "a", "b", "c") == ["A", "B", "C"]
    assert written.groups == [["a", "b", "c"]]


@pytest.mark.usefixtures("no_end")
async def test_who_is_alone_never_waits(put, written):
    """One after the other, however often."""
    for item in "abc":
        assert await put(item) == item.upper()
    assert written.groups == [["a"], ["b"], ["c"]]


@pytest.mark.usefixtures("no_end")
async def test_what_comes_meanwhile_goes_along_next(put, written):
    """A group is never changed while it is written."""
    written.gate.clear()
    first = asyncio.ensure_future(put("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = asyncio.ensure_future(many(put, "b", "c"))
    await asyncio.sleep(0)
    written.gate.set()
    assert await first == "A"
    assert await others == ["B", "C"]
    assert written.groups == [["a"], ["b", "c"]]


@pytest.mark.usefixtures("no_end")
async def test_a_group_waits_for_as_many_as_the_last_had(put, written):
    """Those who got their answer come back one by one, and one transaction serves them all again."""
    await many(put, "a", "b", "c")
    early = [asyncio.ensure_future(put(item)) for item in "de"]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(written.groups) == 1
    assert await put("f") == "F"
    assert await asyncio.gather(*early) == ["D", "E"]
    assert written.groups[1:] == [["d", "e", "f"]]


async def test_a_group_waits_a_moment_at_most(put, written, monkeypatch):
    """Where the others do not come back, those who did are written, and the next waits for as few as they."""
    monkeypatch.setattr(together, "_MOMENT_S", 0.0)
    await many(put, "a", "b", "c")
    assert await put("d") == "D"
    monkeypatch.setattr(together, "_MOMENT_S", 3600.0)
    assert await put("e") == "E"
    assert written.groups == [["a", "b", "c"], ["d"], ["e"]]


@pytest.mark.usefixtures("no_end")
async def test_one_bad_item_does_not_spoil_its_group(put):
    """The others are written without it."""
    results = await many(put, "a", "bad", "c")
    assert results[0] == "A"
    assert isinstance(results[1], ValueError)
    assert results[2] == "C"


@pytest.mark.usefixtures("no_end")
async def test_everybody_hears_that_the_database_is_away(put, written):
    """Each an error of his own."""
    written.error = StorageUnavailable("away")
    results = await many(put, "a", "b")
    assert [str(one) for one in results] == ["away", "away"]
    assert results[0] is not results[1]
    assert len(written.groups) == 1
