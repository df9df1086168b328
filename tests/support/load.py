"""A crowd that pages through every door of a running Masthead and remembers what it was told.

It runs on a thread with an event loop of its own, so that a test may kill and restart the server under it. Where
the server does not listen the crowd waits; a request that was sent and never answered is remembered as such.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import aiohttp
import httpx


class By(StrEnum):
    """How the crowd asks for a page."""

    #: POST /echo/notifications of an execution: one request, never repeated.
    ECHO = "echo"
    #: POST /echo/notifications without an execution, as Orca's page task: repeated until it is answered.
    ORCA = "orca"
    #: POST /v1/pages with an Idempotency-Key: repeated until it is answered.
    V1 = "v1"
    #: POST /tasks with the job pageApplicationOwner: one request, never repeated.
    TASK = "task"
    #: POST /pipelines/{application}/{name} of a pipeline with two pages and a wait: one request, never repeated.
    PIPELINE = "pipeline"


@dataclass
class Asked:
    """One page that was asked for, and what the crowd heard."""

    by: By
    message: str
    keys: tuple[str, ...]
    #: Of the last answer; None when no request was ever answered.
    status: int | None = None
    text: str = ""
    #: The path of the execution that was started.
    ref: str = ""
    #: Requests that may have arrived.
    sent: int = 0

    @property
    def is_promised(self) -> bool:
        """Whether the server said that it has it."""
        return self.status is not None and self.status < 300


class Crowd:
    """Asks at a steady rate until it is sent home."""

    def __init__(
        self,
        url: str,
        keys: Mapping[str, str],
        *,
        by: Sequence[By],
        per_second: float,
        seed: int,
        people: int = 12,
    ) -> None:
        """Build it.

        Args:
            url: Of the server; it need not listen yet.
            keys: The integration key of each application; the applications exist.
            by: The doors, drawn at random.
            per_second: Requests, where the server keeps up.
            seed: Of the dice.
            people: Requests under way at a time.
        """
        self.asked: list[Asked] = []
        self._url = url
        self._keys = dict(keys)
        self._by = tuple(by)
        self._pause_s = people / per_second
        self._people = people
        self._dice = random.Random(seed)
        self._numbers = itertools.count(1)
        self._home = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="crowd")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.send_home()

    def send_home(self) -> list[Asked]:
        """Have everybody end what they are at, and give all that was asked."""
        self._home.set()
        self._thread.join()
        assert self._failure is None, self._failure
        return self.asked

    def _run(self) -> None:
        try:
            asyncio.run(self._all())
        except BaseException as error:  # noqa: BLE001 - told to the test when it sends the crowd home
            self._failure = error

    async def _all(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
            await asyncio.gather(*(self._person(http) for _ in range(self._people)))

    async def _person(self, http: aiohttp.ClientSession) -> None:
        while not self._home.is_set():
            await asyncio.sleep(self._dice.expovariate(1 / self._pause_s))
            asked = self._draw()
            path, body, headers = self._request(asked)
            self.asked.append(asked)
            await self._ask(http, asked, path, body, headers)

    def _draw(self) -> Asked:
        by = self._dice.choice(self._by)
        count = 1 if by is By.PIPELINE else self._dice.choice((1, 1, 1, 2, 3))
        keys = tuple(self._keys[name] for name in self._dice.sample(sorted(self._keys), count))
        return Asked(by, f"{by} {next(self._numbers):06d}", keys)

    def _request(self, asked: Asked) -> tuple[str, Any, dict[str, str]]:
        names = [name for key in asked.keys for name, other in self._keys.items() if other == key]
        severity = self._dice.choice(("critical", "error", "warning", "info"))
        job = {
            "type": "pageApplicationOwner",
            "applications": names,
            "message": asked.message,
            "severity": severity,
        }
        match asked.by:
            case By.ECHO | By.ORCA:
                source = {"application": names[0], "user": "crowd"}
                if asked.by is By.ECHO:
                    source["executionId"] = (
                        f"01CROWD{uuid.UUID(int=self._dice.getrandbits(128)).hex[:19].upper()}"
                    )
                context = {"message": asked.message, "severity": severity, "details": {"from": "crowd"}}
                body = {"notificationType": "PAGER_DUTY", "to": list(asked.keys), "source": source}
                return "/echo/notifications", {**body, "additionalContext": context}, {}
            case By.V1:
                body = {"applications": names, "message": asked.message, "severity": severity}
                return "/v1/pages", body, {"Idempotency-Key": asked.message}
            case By.TASK:
                body = {"application": names[0], "description": asked.message, "job": [job]}
                return "/tasks", body, {}
            case By.PIPELINE:
                return f"/pipelines/{names[0]}/two pages", {"type": "manual"}, {}

    async def _ask(
        self, http: aiohttp.ClientSession, asked: Asked, path: str, body: Any, headers: dict[str, str]
    ) -> None:
        is_repeated = asked.by in (By.ORCA, By.V1)
        while True:
            try:
                async with http.post(self._url + path, json=body, headers=headers) as response:
                    asked.sent += 1
                    asked.text = await response.text()
                    asked.status = response.status
                    if response.status < 300:
                        answer = await response.json() if asked.text else {}
                        asked.ref = str(answer.get("ref", "")) if isinstance(answer, dict) else ""
                    if response.status != 503 or not is_repeated:
                        return
            except aiohttp.ClientConnectorError:
                if self._home.is_set():
                    return  # nobody listens: nothing was sent
            except (aiohttp.ClientError, OSError):
                asked.sent += 1
                if not is_repeated:
                    return
            await asyncio.sleep(0.05)


class Human:
    """Resolves every incident soon after it was opened, so that an event that is sent again would open another."""

    def __init__(self, pagerduty: str) -> None:
        """Args: pagerduty: the simulator's address."""
        self._url = pagerduty
        self._home = threading.Event()
        self._thread = threading.Thread(target=self._run, name="human")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._home.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as http:
            while not self._home.wait(0.1):
                for incident in http.get("/simulator/incidents", params={"status": "triggered"}).json():
                    http.post(f"/simulator/incidents/{incident['number']}/resolve")
