"""A PagerDuty of a few lines, on a port of its own, that answers from a list."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from masthead.kernel.clock import ManualClock
from masthead.kernel.secret import Secret
from masthead.pagerduty import Event, Protocol

KEY = Secret("c0ffee5eed1dea5a" + "0123456789abcdef")
TOKEN = Secret("y_NbAkKc66ryYTWUXYEu")


@dataclass
class Said:
    """One answer: what to say, or how to fail."""

    status: int = 202
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: "hang", "reset" or "half".
    trouble: str = ""


class Endpoint:
    """Answers from a script, the last answer again and again; remembers what came."""

    def __init__(self) -> None:
        self.answers: list[Said] = [Said(body={"status": "success", "dedup_key": "d"})]
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.under_way = self.most_at_once = 0
        #: Every answer waits until so many requests are under way.
        self.together = 1
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            while self.most_at_once < self.together:  # noqa: ASYNC110 - over within a few rounds
                await asyncio.sleep(0)
            return await self._say(request, self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        finally:
            self.under_way -= 1

    async def _say(self, request: web.Request, said: Said) -> web.StreamResponse:
        if said.trouble == "hang":
            await asyncio.sleep(60)
        if said.trouble == "reset":
            request.transport.abort()
        if said.trouble == "half":
            half = web.StreamResponse(status=said.status, headers={"Content-Length": "500"})
            await half.prepare(request)
            await half.write(b'{"status":"succ')
            request.transport.close()
            return half
        if isinstance(said.body, (str, bytes)):
            body = said.body.encode() if isinstance(said.body, str) else said.body
            return web.Response(status=said.status, body=body, headers=said.headers)
        return web.json_response(said.body, status=said.status, headers=said.headers)


class EagerClock(ManualClock):
    """A clock on which every wait is over at once and remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._move_to(self._elapsed + max(seconds, 0))
        await asyncio.sleep(0)


def event(protocol: Protocol = Protocol.V2, **changes: Any) -> Event:
    values = {
        "action": "trigger",
        "routing_key": KEY,
        "dedup_key": "dedup",
        "summary": "db down",
        "source": "demo",
        "client": "Spinnaker (ann)",
    }
    return Event(protocol, **values | changes)
