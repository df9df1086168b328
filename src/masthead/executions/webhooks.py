"""What webhook stages use of the outside: the guarded client, what the settings allow, and attempts made once.

An attempt belongs to the process and not to the run that began it: when the run is superseded (somebody changed the execution
meanwhile), the request goes on, and the run that follows gets its answer instead of sending it again. When that run is another
machine's, the answer is left for it in the database.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from masthead.config.webhooks import AllowedRequest, PreconfiguredWebhook
from masthead.executions.model import Stage
from masthead.kernel.tasks import Tasks
from masthead.outbound import Outbound, Reply, UrlRefused, parse_url

__all__ = ["ALIAS", "Attempts", "Webhooks", "answer_of", "document_of"]

log = structlog.get_logger(__name__)
#: What Deck writes as the alias of stages that an operator has set up.
ALIAS = "preconfiguredWebhook"
#: How long an answer waits for a run that fetches it; it was superseded, and the next one begins at once.
_KEPT_S = 60.0
_LEFT_AFTER_S = 1.0


class Attempts:
    """Requests that are under way on this machine, by the attempt's name."""

    def __init__(self, *, leave_after_s: float = _LEFT_AFTER_S) -> None:
        """Args: leave_after_s: how long the run that waits here has to store the answer before it is left for others."""
        self._leave_after_s = leave_after_s
        self._leave: Callable[[str, Reply], Coroutine[None, None, None]] | None = None
        self._tasks = Tasks(_log_failure)
        self._flights: dict[str, asyncio.Task[Reply]] = {}
        self._is_open = True

    def on_answered(self, leave: Callable[[str, Reply], Coroutine[None, None, None]]) -> None:
        """Have *leave* called with each attempt and its answer, to store it where no run has taken it."""
        self._leave = leave

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
            flight.add_done_callback(lambda landed: self._landed(attempt, landed))
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Give up what is under way."""
        self._is_open = False
        await self._tasks.close()

    def _landed(self, attempt: str, flight: asyncio.Task[Reply]) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(_KEPT_S, self._flights.pop, attempt, None)
        if not flight.cancelled() and flight.exception() is None:
            loop.call_later(self._leave_after_s, self._left, attempt, flight.result())

    def _left(self, attempt: str, answer: Reply) -> None:
        if self._leave is not None and self._is_open:
            self._tasks.start(self._leave(attempt, answer), name=f"leave {attempt}")


def document_of(answer: Reply) -> dict[str, Any]:
    """Give *answer* as it is left for another machine."""
    return {
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": base64.b64encode(answer.body).decode(),
        "url": answer.url,
    }


def answer_of(document: Mapping[str, Any]) -> Reply:
    """Give the answer that was left as *document*."""
    return Reply(document["status"], document["headers"], base64.b64decode(document["body"]), document["url"])


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
    #: How long after its beginning an attempt of another machine may still be answered.
    patience_s: float = 70.0

    def hook_of(self, stage: Stage) -> PreconfiguredWebhook | None:
        """Give what the operator has set up for the type of *stage*; None where it runs as another type, by its alias."""
        is_own = stage.lookup_type in (stage.type, ALIAS)
        return self.preconfigured.get(stage.type) if is_own else None

    def rule_for(self, method: str, url: str) -> AllowedRequest | None:
        """Give the entry that allows this request, or None; what counts is the URL as it is requested.

        A user in front of the host, and ``..`` in the path, would lead elsewhere than the text seems to.
        """
        with contextlib.suppress(UrlRefused):  # which the client refuses in its turn
            url = str(parse_url(url))
        return next((each for each in self.allowed or () if each.matches(method, url)), None)
