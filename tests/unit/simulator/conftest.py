"""A simulator without sockets, a clock that stands still, and a desk from which to call it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from masthead.simulator.app import Simulator, create_app
from masthead.simulator.data import built_in, decode


class FakeClock:
    """Stands still until a test moves it on; sleeping moves it on at once."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept: list[float] = []

    def now(self):
        return datetime(2026, 11, 24, 3, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self):
        return self.elapsed

    async def sleep(self, seconds):
        if seconds:
            self.slept.append(seconds)
            self.elapsed += seconds


class Desk:
    """Calls the simulator over ASGI, with the built-in keys at hand."""

    v1_key = "c0ffee00000000000000000checkout1"
    v2_key = "c0ffee00000000000000paymentsapi2"
    search_key = "c0ffee000000000000000000search02"
    orchestration_key = "R0FFEE0000000000000000CHECKOUT01"

    def __init__(self, app: Simulator, clock: FakeClock) -> None:
        self.app = app
        self.clock = clock
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://simulator")

    async def v1(self, **fields):
        body = {
            "service_key": self.v1_key,
            "event_type": "trigger",
            "description": "The till is shut",
            **fields,
        }
        return await self.http.post("/generic/2010-04-15/create_event.json", json=_given(body))

    async def v2(self, **fields):
        body = {
            "routing_key": self.v2_key,
            "event_action": "trigger",
            "payload": {"summary": "Cards are refused", "severity": "critical", "source": "test"},
            **fields,
        }
        return await self.http.post("/v2/enqueue", json=_given(body))

    async def change(self, **fields):
        body = {
            "routing_key": self.v2_key,
            "payload": {"summary": "Deployed 1.2", "source": "test"},
            **fields,
        }
        return await self.http.post("/v2/change/enqueue", json=_given(body))

    async def rest(self, method, path, *, token="t", sender=None, **kwargs):
        headers = {"Authorization": f"Token token={token}"}
        if sender:
            headers["From"] = sender
        return await self.http.request(method, path, headers=headers, **kwargs)

    async def get(self, path, *, token="t", **params):
        return await self.rest("GET", path, token=token, params=params)

    async def settings(self, **changes):
        answer = await self.http.post("/simulator/settings", json=changes)
        assert answer.status_code == 200, answer.text

    async def fault(self, **order):
        answer = await self.http.post("/simulator/faults", json=order)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def incidents(self):
        return (await self.http.get("/simulator/incidents")).json()

    async def events(self, **params):
        return (await self.http.get("/simulator/events", params=params)).json()


def _given(body):
    """Leave out what a test set to None, so that it can leave out a field."""
    return {name: value for name, value in body.items() if value is not None}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def make_desk(clock):
    """Build a desk over an organisation of its own (a data document)."""

    def make(document=None):
        return Desk(create_app(decode(document) if document is not None else built_in(), clock=clock), clock)

    return make


@pytest.fixture
def desk(make_desk):
    return make_desk()
