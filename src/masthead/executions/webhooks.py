"""What webhook stages use of the outside: the guarded client, what the settings allow, and attempts made once.

An attempt belongs to the process and not to the run that began it: when the run is superseded (somebody changed the execution
meanwhile), the request goes on, and the run that follows gets its answer instead of sending it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from masthead.config.webhooks import AllowedRequest, PreconfiguredWebhook
from masthead.kernel.tasks import Tasks
from masthead.outbound import Outbound, Reply

__all__ = ["Attempts", "Webhooks"]

log = structlog.get_logger(__name__)
#: How long an answer waits for a run that fetches it; it was superseded, and the next one begins at once.
_KEPT_S = 60.0


class Attempts:
    """Requests that are under way on this machine, by the attempt's name."""

    def __init__(self) -> None:
        self._tasks = Tasks(_log_failure)
        self._flights: dict[str, asyncio.Task[Reply]] = {}

    def is_known(self, attempt: str) -> bool:
        """Tell whether the request of *attempt* is under way here, or its answer not fetched yet."""
        return attempt in self._flights

    async def join(self, attempt: str, send: Callable[[], Coroutine[None, None, Reply]]) -> Reply:
        """Give the answer of *attempt*, sent now if it is not known yet; raises what *send* raises.

        Who waits may be cancelled; the request is not.
        """
        flight = self._flights.get(attempt)
        if flight is None:
            flight = self._tasks.start(_told(send), name=f"webhook {attempt}")
            self._flights[attempt] = flight
            flight.add_done_callback(lambda _: self._expire(attempt))
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._tasks.close()

    def _expire(self, attempt: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(_KEPT_S, self._flights.pop, attempt, None)


async def _told(send: Callable[[], Coroutine[None, None, Reply]]) -> Reply:
    return await send()


def _log_failure(name: str, error: BaseException) -> None:
    """What the request raised is told to the run that waits for it."""
    log.debug("webhook.failed", task=name, error=type(error).__name__)


@dataclass(frozen=True)
class Webhooks:
    """What the settings say of webhook stages, and the client that they go out by."""

    outbound: Outbound
    default_retry_status_codes: Sequence[int] = (429,)
    #: The only requests that stages may make; None for all.
    allowed: Sequence[AllowedRequest] | None = None
    preconfigured: Mapping[str, PreconfiguredWebhook] = field(default_factory=dict)
    attempts: Attempts = field(default_factory=Attempts)

    def rule_for(self, method: str, url: str) -> AllowedRequest | None:
        """Give the entry that allows this request, or None."""
        return next((each for each in self.allowed or () if each.matches(method, url)), None)
