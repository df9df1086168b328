"""A sender and a reader that answer from a script, for tests of what stands above them."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty.model import Answer, Event, Outcome
from masthead.pagerduty.pages import Collected, Params

__all__ = ["ACCEPT", "REJECT", "THROTTLE", "ScriptedReader", "ScriptedSender"]

ACCEPT = Answer(Outcome.ACCEPTED, 202, None, None, "Event processed", 1)
REJECT = Answer(Outcome.REJECTED, 400, Reason.KEY, None, "Invalid routing key", 1)
THROTTLE = Answer(Outcome.RETRY, 429, Reason.THROTTLED, None, "HTTP 429", 1)


class ScriptedSender:
    """Accepts every event, unless :meth:`answer` said otherwise for its key; remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[Event] = []
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        #: While this is clear, sends wait: for what happens between storing and sending.
        self.gate = asyncio.Event()
        self.gate.set()

    def answer(self, key: str, *answers: Answer) -> None:
        """Give *answers* to the next events for *key*; the last one stays."""
        self._answers[key].extend(answers)

    async def send(self, event: Event) -> Answer:
        """Answer as told."""
        await self.gate.wait()
        self.sent.append(event)
        script = self._answers[event.routing_key.reveal()]
        if not script:
            return ACCEPT
        return script.pop(0) if len(script) > 1 else script[0]


class ScriptedReader:
    """Gives the lists that :meth:`answer` said, else empty ones; remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Params]] = []
        self.is_closed = False
        self._answers: dict[str, list[Collected | OutsideFailure]] = defaultdict(list)
        #: While this is clear, every list is waited for.
        self.gate = asyncio.Event()
        self.gate.set()

    def answer(self, path: str, *answers: Collected | OutsideFailure) -> None:
        """Give *answers* to the next requests for *path* in place of what was left; the last one stays."""
        self._answers[path] = list(answers)

    async def collect(self, path: str, item_key: str, params: Params = ()) -> Collected:  # noqa: ARG002 - the lists are scripted by path
        """Answer as told."""
        self.asked.append((path, params))
        await self.gate.wait()
        script = self._answers[path]
        if not script:
            return Collected(total=0)
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, OutsideFailure):
            raise answer
        return answer

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True
