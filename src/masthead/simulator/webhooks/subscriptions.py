"""Who wants to hear of what: webhook subscriptions and their secrets.

Source: PagerDuty's developer documentation, "V3 Webhooks": the secret is shown once, signatures are
``v1=`` and the HMAC-SHA256 of the raw body in hexadecimal digits, several during a rotation.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from masthead.simulator.incidents import Incident
from masthead.simulator.organisation import make_id

__all__ = ["Filter", "Subscription", "SubscriptionOrder", "Subscriptions"]

#: Drops in a row after which a subscription is disabled.
_DROPS_ALLOWED = 3


class Filter(msgspec.Struct, kw_only=True):
    """Which incidents a subscription is about."""

    type: Literal["account_reference", "service_reference", "team_reference"]
    id: str | None = None

    def fits(self, incident: Incident) -> bool:
        """Say whether *incident* is one of them."""
        service = incident.opening.service
        if self.type == "service_reference":
            return service.id == self.id
        return self.type == "account_reference" or self.id in service.teams


class _Header(msgspec.Struct):
    name: str
    value: str


class _Method(msgspec.Struct):
    url: Annotated[str, msgspec.Meta(pattern="^https?://")]
    type: Literal["http_delivery_method"] = "http_delivery_method"
    custom_headers: list[_Header] = []


class SubscriptionOrder(msgspec.Struct):
    """What POST /webhook_subscriptions takes; members it does not know are ignored."""

    delivery_method: _Method
    events: Annotated[list[str], msgspec.Meta(min_length=1)]
    filter: Filter
    description: str = ""
    active: bool = True


class Subscription(msgspec.Struct):
    """A subscription in force."""

    id: str
    order: SubscriptionOrder
    #: Newest first; more than one while a rotation lasts.
    secrets: list[str]
    disabled_since: datetime | None = None
    drops: int = 0

    def wants(self, event_type: str, incident: Incident) -> bool:
        """Say whether this is to be told of *event_type* on *incident*."""
        is_on = self.order.active and self.disabled_since is None
        return is_on and event_type in self.order.events and self.order.filter.fits(incident)

    def sign(self, body: bytes) -> str:
        """Give the value of ``X-PagerDuty-Signature`` for *body*."""
        return ",".join(
            f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}" for secret in self.secrets
        )

    def note_drop(self, now: datetime) -> None:
        """Count a webhook that the receiver refused; too many in a row disable the subscription."""
        self.drops += 1
        if self.drops >= _DROPS_ALLOWED:
            self.disabled_since = now

    def document(self, *, secret: bool = False) -> dict[str, Any]:
        """Write the subscription; the secret only when it was just made."""
        method = self.order.delivery_method
        return {
            "id": self.id,
            "type": "webhook_subscription",
            "active": self.order.active and self.disabled_since is None,
            "delivery_method": {
                "id": f"{self.id}D",
                "type": method.type,
                "url": method.url,
                "secret": self.secrets[0] if secret else None,
                "temporarily_disabled": self.disabled_since is not None,
                "custom_headers": [
                    {"name": one.name, "value": "<redacted>"} for one in method.custom_headers
                ],
            },
            "description": self.order.description,
            "events": self.order.events,
            "filter": self.order.filter,
        }


class Subscriptions:
    """All subscriptions, oldest first."""

    def __init__(self) -> None:
        self._all: dict[str, Subscription] = {}
        self._count = 0

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, order: SubscriptionOrder) -> Subscription:
        """Put a subscription into force, with a new secret."""
        self._count += 1
        id_ = make_id("Subscription", str(self._count))
        self._all[id_] = Subscription(id_, order, [secrets.token_hex(32)])
        return self._all[id_]

    def find(self, id_: str) -> Subscription | None:
        """Give the subscription with this id."""
        return self._all.get(id_)

    def remove(self, id_: str) -> bool:
        """End a subscription and say whether it was in force."""
        return self._all.pop(id_, None) is not None

    @staticmethod
    def rotate(subscription: Subscription) -> str:
        """Give a subscription a second, newer secret; bodies are signed with both from now on."""
        subscription.secrets = [secrets.token_hex(32), *subscription.secrets[:1]]
        return subscription.secrets[0]
