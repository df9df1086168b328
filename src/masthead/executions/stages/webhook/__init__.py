"""``webhook``: calls a URL, waits for what it started if it is told to, and can be preconfigured by an operator."""

from masthead.executions.stages.webhook.preconfigured import (
    PreconfiguredWebhookStage,
    listing,
    preconfigured_types,
)
from masthead.executions.stages.webhook.stage import WebhookStage

__all__ = ["PreconfiguredWebhookStage", "WebhookStage", "listing", "preconfigured_types"]
