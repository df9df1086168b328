"""What pages for people need to know of the settings: Deck's PagerDuty switches; no secret is among them."""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes

__all__ = ["routes"]

routes = Routes("v1")


@routes.get("/settings", "Deck's PagerDuty settings and Masthead's version.")
async def settings(ask: Ask) -> Any:
    """Give the settings in Deck's own shape."""
    deck = ask.services.settings.deck
    return {
        "version": ask.services.version,
        "feature": {"pagerDuty": deck.feature_pager_duty is not False},
        "pagerDuty": {
            "accountName": deck.account_name,
            "defaultSubject": deck.default_subject,
            "defaultDetails": deck.default_details,
            "required": deck.required,
        },
    }
