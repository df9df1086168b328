"""One attempt: which event goes out for a delivery, and what its answer means for it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from msgspec.structs import replace

from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import InvalidRequest, Reason
from masthead.pagerduty import Answer, Event, EventsSender, Leave, Outcome, Withheld
from masthead.paging.model import Delivery, DeliveryState, Page
from masthead.paging.outcomes import Result
from masthead.paging.retry import RetryPolicy

__all__ = ["Attempts", "Repeats", "event_of"]

#: So long before its deadline, or a tenth of its time before it, a delivery is tried once more: as long as a request may take.
_LAST_CHANCE = timedelta(seconds=10)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often the same was said, of a delivery that speaks for others."""

    count: int
    first_at: datetime
    last_at: datetime


class Attempts:
    """Makes attempts and judges their answers."""

    def __init__(
        self,
        sender: EventsSender,
        clock: Clock,
        retry: RetryPolicy,
        chance: random.Random | None = None,
        *,
        find_home: Callable[[Delivery], Awaitable[Delivery | None]],
    ) -> None:
        """Args: find_home: gives a delivery whose key was refused as it is to be sent instead, or None."""
        self._sender = sender
        self._clock = clock
        self._retry = retry
        self._find_home = find_home
        self._chance = chance or random.Random()  # noqa: S311 - a wait is no secret

    def are_in_vain(self, account: str) -> bool:
        """Tell whether an attempt that is made now would be in vain: a moment ago PagerDuty took no connection."""
        return self._sender.is_away(account)

    def wait_ms(self, failures: int) -> int:
        """Give how long to wait, in ms, after so many failures in a row."""
        return self._retry.wait(failures, retry_after=None, chance=self._chance) // timedelta(milliseconds=1)

    async def make(
        self, page: Page, delivery: Delivery, may_send: Leave, *, repeats: Repeats | None = None
    ) -> Result | None:
        """Send the delivery's event once and give what came of it; None when *may_send*, asked last, said no."""
        at = self._clock.now()
        try:
            answer = await self._send(event_of(page, delivery, repeats), may_send)
        except Withheld:
            return None
        log.info(
            "delivery.attempted",
            delivery=delivery.id,
            page=page.id,
            service=delivery.label,
            outcome=answer.outcome,
            status=answer.status,
            reason=answer.reason,
            duration_ms=answer.duration_ms,
        )
        state, due_at_ms = self._decide(delivery, answer)
        moved = await self._find_home(delivery) if answer.reason is Reason.KEY else None
        if moved is not None:
            state, due_at_ms = DeliveryState.PENDING, to_ms(self._clock.now())
        return Result(
            delivery=delivery,
            number=delivery.attempts + 1,
            at_ms=to_ms(at),
            status=answer.status,
            outcome=answer.outcome,
            reason=answer.reason,
            text=answer.text,
            duration_ms=answer.duration_ms,
            state=state,
            due_at_ms=due_at_ms,
            is_uncertain=delivery.is_uncertain or answer.may_have_arrived,
            is_told_to_wait=bool(answer.retry_after),
            moved=moved,
        )

    async def _send(self, event: Event, may_send: Leave) -> Answer:
        """Send, and make an answer of whatever else is raised: nothing may hold up what else waits for the key."""
        try:
            return await self._sender.send(event, may_send)
        except Withheld:
            raise
        except InvalidRequest as error:
            return Answer(Outcome.REJECTED, None, Reason.REJECTED, None, error.message, 0)
        except Exception as error:
            log.exception("delivery.not-sent", error=type(error).__name__)
            text = f"Masthead failed to send it ({type(error).__name__}); its log says more."
            return Answer(Outcome.RETRY, None, Reason.ANSWER, None, text, 0, may_have_arrived=True)

    def expire(self, delivery: Delivery) -> Result:
        """Give up: the deadline passed."""
        last = f" The last answer was: {delivery.text}" if delivery.text else ""
        return self._without_attempt(
            delivery,
            DeliveryState.EXPIRED,
            Reason.EXPIRED,
            f"Given up after {_words(delivery.deadline_at - delivery.created_at)} and {_times(delivery.attempts)}.{last}",
        )

    def had_arrived(self, delivery: Delivery, incident: str) -> Result:
        """Accept without sending: an earlier attempt, whose answer was lost, opened *incident*."""
        text = f"An earlier attempt had arrived although its answer was lost: it opened {incident}."
        return self._without_attempt(delivery, DeliveryState.ACCEPTED, None, text)

    def leave(self, delivery: Delivery, *, for_: timedelta = timedelta(0)) -> Result:
        """Leave a delivery, that was not sent, to whoever works off what waits for its key, so much later."""
        result = self._without_attempt(delivery, DeliveryState.PENDING, delivery.reason, delivery.text)
        wait_ms = for_ // timedelta(milliseconds=1)
        return replace(result, due_at_ms=result.at_ms + wait_ms, is_told_to_wait=wait_ms > 0)

    def _without_attempt(
        self, delivery: Delivery, state: DeliveryState, reason: Reason | None, text: str
    ) -> Result:
        return Result(
            delivery=delivery,
            number=0,
            at_ms=to_ms(self._clock.now()),
            status=None,
            outcome=state,
            reason=reason,
            text=text,
            duration_ms=0,
            state=state,
            due_at_ms=None,
            is_uncertain=delivery.is_uncertain,
        )

    def _decide(self, delivery: Delivery, answer: Answer) -> tuple[DeliveryState, int | None]:
        if answer.outcome is Outcome.ACCEPTED:
            return DeliveryState.ACCEPTED, None
        if answer.outcome is Outcome.REJECTED:
            return DeliveryState.REJECTED, None
        wait = self._retry.wait(delivery.attempts + 1, retry_after=answer.retry_after, chance=self._chance)
        return DeliveryState.PENDING, to_ms(_next_at(delivery, self._clock.now(), wait))


def _next_at(delivery: Delivery, now: datetime, wait: timedelta) -> datetime:
    """Give when it is tried again: after *wait*, but once more before it is given up, whatever PagerDuty asked for."""
    last = delivery.deadline_at - min(_LAST_CHANCE, (delivery.deadline_at - delivery.created_at) / 10)
    return min(now + wait, last if now < last else delivery.deadline_at)


def event_of(page: Page, delivery: Delivery, repeats: Repeats | None = None) -> Event:
    """Give the event that tells *delivery* of *page*."""
    if delivery.action.is_follow_up:
        return Event(
            protocol=delivery.protocol,
            action=delivery.action,
            routing_key=delivery.key,
            dedup_key=delivery.dedup_key,
            account=delivery.account,
        )
    return Event(
        protocol=delivery.protocol,
        action=delivery.action,
        routing_key=delivery.key,
        dedup_key=delivery.dedup_key,
        summary=page.message,
        severity=page.severity,
        source=page.application,
        details={**page.details, **_repeated(repeats)},
        client=page.client,
        client_url=page.client_url,
        links=page.links,
        timestamp=page.happened_at or page.created_at,
        account=delivery.account,
    )


def _repeated(repeats: Repeats | None) -> Mapping[str, Any]:
    if repeats is None:
        return {}
    return {
        "repeated": {
            "count": repeats.count,
            "first": repeats.first_at.isoformat(),
            "last": repeats.last_at.isoformat(),
        }
    }


def _times(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"


def _words(duration: timedelta) -> str:
    minutes = round(duration.total_seconds() / 60)
    return f"{minutes} minutes" if minutes else f"{duration.total_seconds():g} seconds"
