"""What a webhook says: the body of each event, sent to every subscription that wants it."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from masthead.simulator.clock import Clock
from masthead.simulator.incidents import Incident
from masthead.simulator.webhooks.couriers import Couriers
from masthead.simulator.webhooks.subscriptions import Subscription, Subscriptions

__all__ = ["Teller"]

Document = dict[str, Any]


class Teller:
    """Listens to the incident book and tells the subscribers."""

    def __init__(self, subscriptions: Subscriptions, couriers: Couriers, clock: Clock) -> None:
        self._subscriptions = subscriptions
        self._couriers = couriers
        self._clock = clock

    def tell(self, event_type: str, data: Document, agent: Document, incident: Incident) -> None:
        """Send *event_type* to whom it concerns."""
        for subscription in self._subscriptions:
            if subscription.wants(event_type, incident):
                self._couriers.send(subscription, event_type, self._body(event_type, data, agent))

    def ping(self, subscription: Subscription) -> None:
        """Send the test event to one subscription, whatever it wants."""
        data = {"message": "Hello from your friend Pagey!", "type": "ping"}
        self._couriers.send(subscription, "pagey.ping", self._body("pagey.ping", data, None))

    def _body(self, event_type: str, data: Document, agent: Document | None) -> bytes:
        event = {
            "id": uuid.uuid4().hex[:26].upper(),
            "event_type": event_type,
            "resource_type": event_type.partition(".")[0],
            "occurred_at": self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "agent": agent,
            "client": None,
            "data": data,
        }
        return msgspec.json.encode({"event": event})
