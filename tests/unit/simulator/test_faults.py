"""Faults on request: where, how often, and whether the call was processed."""

from __future__ import annotations

import pytest


async def test_an_answer_in_place_of_the_real_one(desk):
    """A fault before processing answers for PagerDuty, and nothing happens."""
    await desk.fault(status=503, body="try later", headers={"Retry-After": "7"})
    answer = await desk.v2()
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (503, "try later", "7")
    assert await desk.incidents() == []
    (event,) = await desk.events()
    assert (event["status"], event["outcome"], event["fault"]) == (
        503,
        "struck before it was processed",
        "F1",
    )


async def test_the_answer_may_be_lost_after_processing(desk):
    """A fault after processing hides that the event was accepted."""
    await desk.fault(status=500, body={"oops": 1}, when="after")
    answer = await desk.v2()
    assert (answer.status_code, answer.json()) == (500, {"oops": 1})
    assert len(await desk.incidents()) == 1
    assert [event["outcome"] for event in await desk.events()] == ["opened"]


@pytest.mark.parametrize(("when", "opened"), [("before", 0), ("after", 1)])
async def test_a_reset_gives_no_answer(desk, when, opened):
    """A reset breaks the connection before or after the event was processed."""
    await desk.fault(reset=True, when=when, count=1)
    with pytest.raises(ConnectionResetError):
        await desk.v2()
    assert len(await desk.incidents()) == opened
    (event,) = await desk.events()
    assert event["status"] is None


async def test_half_a_body_is_the_real_answers_half(desk):
    """Half a body without a status cuts the real answer, so the event was processed."""
    await desk.fault(half_body=True)
    with pytest.raises(ConnectionResetError):
        await desk.v2()
    assert len(await desk.incidents()) == 1


async def test_count_ends_a_fault(desk):
    """A fault with a count is over after as many strokes."""
    await desk.fault(status=500, count=2)
    assert [(await desk.v2()).status_code for _ in range(3)] == [500, 500, 202]
    assert (await desk.http.get("/simulator/faults")).json() == []


async def test_seconds_end_a_fault(desk, clock):
    """A fault with seconds is over when they have passed."""
    await desk.fault(status=500, seconds=10)
    assert (await desk.v2()).status_code == 500
    clock.elapsed += 9.5
    (fault,) = (await desk.http.get("/simulator/faults")).json()
    assert (fault["struck"], fault["ends_in_seconds"]) == (1, 0.5)
    clock.elapsed += 0.5
    assert (await desk.v2()).status_code == 202


async def test_a_fault_may_be_about_one_key(desk):
    """A fault with a key leaves other keys and the REST API alone."""
    await desk.fault(status=500, key=desk.search_key)
    assert (await desk.v2()).status_code == 202
    assert (await desk.v2(routing_key=desk.search_key)).status_code == 500
    assert (await desk.get("/abilities")).status_code == 200


async def test_a_fault_may_be_about_one_token(desk):
    """A fault with a token strikes only its calls."""
    await desk.fault(target="rest", status=502, token="unlucky")
    assert (await desk.get("/abilities")).status_code == 200
    assert (await desk.get("/abilities", token="unlucky")).status_code == 502
    assert (await desk.v2()).status_code == 202


async def test_a_fault_may_be_about_a_path_and_a_method(desk):
    """A fault may be about everything below a path, and one method."""
    await desk.fault(target="/services", status=500)
    await desk.fault(target="/v2/", method="POST", status=502)
    await desk.fault(target="/incidents", method="put", status=504)
    assert (await desk.get("/services")).status_code == 500
    assert (await desk.get("/services/PCHKOUT")).status_code == 500
    assert (await desk.get("/oncalls")).status_code == 200
    assert (await desk.get("/incidents")).status_code == 200
    assert (await desk.rest("PUT", "/incidents/X")).status_code == 504
    assert (await desk.v2()).status_code == 502
    assert (await desk.v1()).status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
async def test_delay_alone_only_slows(desk, when):
    """A delay without an answer of its own slows the real answer."""
    await desk.fault(delay_ms=1500, when=when)
    await desk.fault(target="rest", delay_ms=500, when=when)
    assert (await desk.v2()).status_code == 202
    assert (await desk.get("/abilities")).status_code == 200
    assert desk.clock.slept == [1.5, 0.5]


async def test_headers_alone_are_added(desk):
    """Headers without a status are added to the real answer."""
    await desk.fault(target="rest", headers={"ratelimit-remaining": "1"})
    answer = await desk.get("/abilities")
    assert (answer.status_code, answer.headers["ratelimit-remaining"]) == (200, "1")


async def test_rest_after_processing(desk):
    """A REST call struck afterwards has had its effect."""
    await desk.v2(dedup_key="k")
    (incident,) = await desk.incidents()
    await desk.fault(target="rest", status=500, when="after", count=1)
    answer = await desk.rest(
        "PUT",
        f"/incidents/{incident['id']}",
        sender="anna.lindqvist@example.com",
        json={"incident": {"type": "incident_reference", "status": "resolved"}},
    )
    assert answer.status_code == 500
    assert [one["status"] for one in await desk.incidents()] == ["resolved"]


async def test_the_oldest_fault_strikes_first(desk):
    """Of several faults that fit the oldest strikes; deleting it lets the next one."""
    first = await desk.fault(status=500)
    await desk.fault(status=502)
    assert (await desk.v2()).status_code == 500
    left = await desk.http.delete(f"/simulator/faults/{first['id']}")
    assert [fault["status"] for fault in left.json()] == [502]
    assert (await desk.v2()).status_code == 502
    assert (await desk.http.delete("/simulator/faults")).json() == []
    assert (await desk.v2()).status_code == 202
    assert (await desk.http.delete("/simulator/faults/F1")).status_code == 404


async def test_chance_strikes_some(desk):
    """A fault with a chance strikes about as many calls, the same ones in every run."""
    await desk.settings(events_per_key=None)
    await desk.fault(status=500, chance=0.5)
    struck = [(await desk.v2()).status_code for _ in range(200)].count(500)
    assert 70 < struck < 130


@pytest.mark.parametrize(
    "order",
    [
        {"target": "everything"},
        {"status": 99},
        {"count": 0},
        {"unknown": 1},
        {"when": "never"},
        {"chance": 0},
        [],
    ],
)
async def test_nonsense_is_refused(desk, order):
    """An order that is none gets 400 and a reason."""
    answer = await desk.http.post("/simulator/faults", json=order)
    assert answer.status_code == 400
    assert answer.json()["error"]
