"""How webhooks travel: one at a time per subscription, retried, dropped on a 4xx.

Source: PagerDuty's developer documentation, "Webhooks behavior": at least once, in order, five seconds
for an answer, repeated after 5xx, 429 and timeouts, never after another 4xx. Between attempts PagerDuty
waits up to 48 hours in all; the simulator gives up after a few attempts, so that a test sees the end.
"""

from __future__ import annotations

import asyncio
import http.client
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from masthead.simulator.clock import Clock
from masthead.simulator.settings import Settings
from masthead.simulator.webhooks.subscriptions import Subscription

__all__ = ["Couriers", "Parcel", "Post", "post_in_thread"]

#: Sends (URL, headers, body) and gives the status; raises OSError when there is none.
Post = Callable[[str, dict[str, str], bytes], Awaitable[int]]

_TIMEOUT_S = 5.0
_KEPT = 1_000
_MOST_ATTEMPTS = 6
_WAITING_MOST = 10_000


class Parcel(msgspec.Struct):
    """One webhook on its way, and what became of it."""

    id: str
    subscription: str
    event_type: str
    made_at: datetime
    body: bytes
    attempts: list[int | None] = []
    state: str = "waiting"


class Couriers:
    """Delivers parcels, one after another for each subscription."""

    def __init__(self, clock: Clock, settings: Callable[[], Settings], post: Post) -> None:
        self._clock = clock
        self._settings = settings
        self._post = post
        self._waiting: dict[str, deque[tuple[Subscription, Parcel]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        #: The newest parcels, newest last.
        self.parcels: deque[Parcel] = deque(maxlen=_KEPT)

    def send(self, subscription: Subscription, event_type: str, body: bytes) -> None:
        """Put a webhook on its way; with ``webhook_copies`` above 1, several times under the same id."""
        id_ = str(uuid.uuid4())
        queue = self._waiting.setdefault(subscription.id, deque(maxlen=_WAITING_MOST))
        for _ in range(self._settings().webhook_copies):
            parcel = Parcel(id_, subscription.id, event_type, self._clock.now(), body)
            self.parcels.append(parcel)
            queue.append((subscription, parcel))
        if subscription.id not in self._running:
            task = asyncio.get_running_loop().create_task(self._work(subscription.id))
            self._running[subscription.id] = task

    def stop(self) -> None:
        """Forget what is on its way."""
        for task in self._running.values():
            task.cancel()
        self._running.clear()
        self._waiting.clear()

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    async def _work(self, id_: str) -> None:
        try:
            while self._waiting[id_]:
                subscription, parcel = self._waiting[id_].popleft()
                await self._clock.sleep(self._settings().webhook_delay_ms / 1000)
                await self._deliver(subscription, parcel)
        finally:
            self._running.pop(id_, None)

    async def _deliver(self, subscription: Subscription, parcel: Parcel) -> None:
        while len(parcel.attempts) < _MOST_ATTEMPTS:
            status = await self._attempt(subscription, parcel)
            parcel.attempts = [*parcel.attempts, status]
            if status is not None and status < 300:
                parcel.state, subscription.drops = "delivered", 0
                return
            if status is not None and status != http.client.TOO_MANY_REQUESTS and status < 500:
                break
            await self._clock.sleep(self._settings().webhook_retry_s * 2 ** (len(parcel.attempts) - 1))
        parcel.state = "dropped"
        subscription.note_drop(self._clock.now())

    async def _attempt(self, subscription: Subscription, parcel: Parcel) -> int | None:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-PagerDuty-Signature": subscription.sign(parcel.body),
            "X-Webhook-Id": parcel.id,
            "X-Webhook-Subscription": subscription.id,
        }
        method = subscription.order.delivery_method
        headers |= {one.name: one.value for one in method.custom_headers}
        try:
            return await self._post(method.url, headers, parcel.body)
        except (OSError, http.client.HTTPException):
            return None


async def post_in_thread(url: str, headers: dict[str, str], body: bytes) -> int:
    """POST with the standard library's client, in a thread."""
    return await asyncio.to_thread(_post, url, headers, body)


def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
