"""Reading a list page by page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty.pages import OFFSET_CEILING, Params, collect


class List:
    """A list as PagerDuty pages it."""

    def __init__(self, count: int, *, tells_total: bool = True, most: int = 100) -> None:
        self.items = [{"id": str(number)} for number in range(count)]
        self.tells_total, self.most = tells_total, most
        self.failing: dict[int, Reason] = {}
        self.asked: list[int] = []
        self.under_way = self.most_at_once = 0

    async def get(self, path: str, params: Params) -> dict[str, Any]:
        assert path == "/services"
        asked = dict(params)
        assert asked["total"] == "true"
        offset, limit = int(asked["offset"]), min(int(asked["limit"]), self.most)
        self.asked.append(offset)
        assert offset + int(asked["limit"]) <= OFFSET_CEILING, "PagerDuty would answer 400"
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if offset in self.failing:
            raise OutsideFailure("no", reason=self.failing[offset])
        return {
            "services": self.items[offset : offset + limit],
            "limit": limit,
            "offset": offset,
            "more": offset + limit < len(self.items),
            "total": len(self.items) if self.tells_total else None,
        }

    async def read(self):
        return await collect(self.get, "/services", "services", [("a", "b")], in_flight=4)


@given(st.integers(0, 1250), st.booleans(), st.sampled_from([100, 25]))
def test_every_item_comes_once_and_in_order(count, tells_total, most):
    """Whether the server tells its total or not, and how many it puts on a page."""
    served = List(count, tells_total=tells_total, most=most)
    got = asyncio.run(served.read())
    assert got.items == served.items
    assert got.is_complete
    assert len(served.asked) == len(set(served.asked))


async def test_a_few_pages_are_asked_for_at_once():
    """The first tells how many there are, then four at a time."""
    served = List(1000)
    await served.read()
    assert served.most_at_once == 4
    assert served.asked[0] == 0


@given(st.sets(st.integers(1, 9)), st.booleans())
def test_a_page_that_fails_leaves_the_rest(pages, tells_total):
    """As long as not everything fails; and it is told what is missing."""
    served = List(1000, tells_total=tells_total)
    served.failing = {100 * page: Reason.SERVER for page in pages}
    got = asyncio.run(served.read())
    came = {int(item["id"]) // 100 for item in got.items}
    assert came == set(range(10)) - pages or len(pages) >= 3
    assert came.isdisjoint(pages)
    assert got.is_complete == (not pages)


async def test_a_first_page_that_is_broken_leaves_the_rest():
    """One service that PagerDuty cannot show hides its hundred and no more."""
    served = List(300)
    served.failing = {0: Reason.SERVER}
    got = await served.read()
    assert [item["id"] for item in got.items] == [str(number) for number in range(100, 300)]
    assert not got.is_complete


@pytest.mark.parametrize("reason", [Reason.TOKEN, Reason.SCOPE, Reason.NETWORK, Reason.THROTTLED])
async def test_a_list_of_which_nothing_comes_is_a_failure(reason):
    """It is asked for once: another page would fail alike."""
    served = List(300)
    served.failing = {0: reason}
    with pytest.raises(OutsideFailure) as raised:
        await served.read()
    assert raised.value.reason is reason
    assert served.asked == [0]


async def test_when_pagerduty_goes_down_the_rest_is_not_asked_for():
    """A hundred pages that time out one after another would take an hour."""
    served = List(5000)
    served.failing = dict.fromkeys(range(200, 5000, 100), Reason.TIMEOUT)
    got = await served.read()
    assert len(got.items) == 200
    assert len(served.asked) < 12
    assert not got.is_complete


async def test_broken_pages_here_and_there_do_not_end_the_list():
    """Only failures in a row mean that PagerDuty is down."""
    served = List(3000)
    served.failing = dict.fromkeys(range(300, 3000, 600), Reason.SERVER)
    got = await served.read()
    assert len(got.items) == 2500


@pytest.mark.parametrize("tells_total", [True, False])
async def test_what_lies_beyond_the_ceiling_is_told(tells_total):
    """The first 10,000 come; that there are more is known."""
    served = List(10_101, tells_total=tells_total)
    got = await served.read()
    assert len(got.items) == 10_000
    assert got.is_cut
    assert not got.is_complete


@pytest.mark.parametrize("tells_total", [True, False])
async def test_exactly_the_ceiling_is_complete(tells_total):
    """Nothing lies beyond it."""
    got = await List(10_000, tells_total=tells_total).read()
    assert len(got.items) == 10_000
    assert got.is_complete


async def test_a_list_that_grows_meanwhile_is_read_to_its_end():
    """``more`` of the last page counts, not the first one's total."""
    served = List(200)
    get = served.get

    async def growing(path, params):
        answer = await get(path, params)
        if dict(params)["offset"] == "0":
            served.items += [{"id": str(number)} for number in range(200, 350)]
        return answer

    got = await collect(growing, "/services", "services", [], in_flight=4)
    assert len(got.items) == 350


@pytest.mark.parametrize("document", [{}, {"services": None}, {"services": {"id": "1"}}, {"error": "?"}])
async def test_an_answer_without_the_list_is_a_failure(document):
    """Some other server's JSON is not a catalog without services."""

    async def get(_path, _params):
        return document

    with pytest.raises(OutsideFailure, match="no list of services") as raised:
        await collect(get, "/services", "services", [], in_flight=4)
    assert raised.value.reason is Reason.ANSWER


async def test_what_is_no_object_is_left_out():
    """Odd paging fields are survived."""

    async def get(_path, _params):
        return {"services": [{"id": "1"}, None, "x"], "more": "yes", "total": True, "limit": "many"}

    assert (await collect(get, "/services", "services", [], in_flight=4)).items == [{"id": "1"}]


async def test_a_server_that_always_says_more_is_left():
    """An empty page ends a list."""

    async def get(_path, _params):
        return {"services": [], "more": True}

    assert (await collect(get, "/services", "services", [], in_flight=4)).items == []
