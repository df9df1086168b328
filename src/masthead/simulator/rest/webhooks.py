"""Endpoints for webhook subscriptions."""

from __future__ import annotations

import msgspec

from masthead.simulator.rest.call import Call, invalid, not_found
from masthead.simulator.webhooks.subscriptions import Subscription, SubscriptionOrder
from masthead.simulator.wire import Answer, json_answer

__all__ = [
    "create_subscription",
    "delete_subscription",
    "get_subscription",
    "list_subscriptions",
    "ping_subscription",
]


def create_subscription(call: Call) -> Answer:
    """Answer POST /webhook_subscriptions; this once the answer holds the secret."""
    try:
        order = msgspec.convert(call.body("webhook_subscription"), SubscriptionOrder)
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from error
    subscription = call.world.subscriptions.add(order)
    return json_answer(201, {"webhook_subscription": subscription.document(secret=True)})


def list_subscriptions(call: Call) -> Answer:
    """Answer GET /webhook_subscriptions."""
    return call.page("webhook_subscriptions", list(call.world.subscriptions), Subscription.document)


def get_subscription(call: Call) -> Answer:
    """Answer GET /webhook_subscriptions/{id}."""
    return json_answer(200, {"webhook_subscription": _subscription(call).document()})


def delete_subscription(call: Call) -> Answer:
    """Answer DELETE /webhook_subscriptions/{id}."""
    call.world.subscriptions.remove(_subscription(call).id)
    return Answer(204, b"", "")


def ping_subscription(call: Call) -> Answer:
    """Answer POST /webhook_subscriptions/{id}/ping."""
    call.world.teller.ping(_subscription(call))
    return Answer(202, b"", "")


def _subscription(call: Call) -> Subscription:
    subscription = call.world.subscriptions.find(call.path["id"])
    if subscription is None:
        raise not_found()
    return subscription
