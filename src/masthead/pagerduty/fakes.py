"""A sender that answers from a script, for tests of what stands above it."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from masthead.kernel.errors import Reason
from masthead.pagerduty.model import Answer, Event, Outcome

__all__ = ["ACCEPT", "REJECT", "THROTTLE", "ScriptedSender"]

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
