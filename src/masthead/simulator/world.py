"""All state of one simulator, and how it begins again."""

from __future__ import annotations

from collections import deque
from datetime import datetime

import msgspec

from masthead.simulator.clock import Clock, SystemClock
from masthead.simulator.faults import Faults
from masthead.simulator.incidents import IncidentBook, Listener
from masthead.simulator.ledger import Ledger
from masthead.simulator.limits import KeyWindow, TokenMinutes
from masthead.simulator.organisation import Directory, Organisation, Route, Service, Token
from masthead.simulator.settings import Settings
from masthead.simulator.webhooks.couriers import Couriers, Post, post_in_thread
from masthead.simulator.webhooks.subscriptions import Subscriptions
from masthead.simulator.webhooks.teller import Teller

__all__ = ["ChangeEvent", "World"]

_CHANGES_KEPT = 10_000
_TOKENS_KEPT = 10_000


class ChangeEvent(msgspec.Struct, frozen=True):
    """A change event as it was received."""

    id: str
    service: Service
    integration_id: str
    summary: str
    time: datetime
    body: bytes


class World:
    """The account, what has happened in it, and the faults and settings in force."""

    def __init__(
        self, organisation: Organisation, *, clock: Clock | None = None, post: Post = post_in_thread
    ) -> None:
        self.clock = clock or SystemClock()
        #: Where this simulator can be reached, as far as it knows.
        self.address = "https://api.pagerduty.com"
        self.couriers = Couriers(self.clock, lambda: self.settings, post)
        #: Called with ``incident.triggered`` and so on after each change of an incident.
        self.listeners: list[Listener] = []
        self._issued: dict[str, tuple[Token, float]] = {}
        self._original = msgspec.json.encode(organisation)
        self.reset()

    def reset(self) -> None:
        """Begin again: the organisation as it was given, no incidents, events, faults; settings by default."""
        self.settings = Settings()
        self._issued = {}
        self.couriers.stop()
        self.subscriptions = Subscriptions()
        self.teller = Teller(self.subscriptions, self.couriers, self.clock)
        self.directory = Directory(msgspec.json.decode(self._original, type=Organisation))
        self.faults = Faults(self.clock)
        self.forget()

    def forget(self) -> None:
        """Drop what has happened - incidents, events, budgets used - and keep what was set up."""
        self.ledger = Ledger(lambda: self.settings)
        self.incidents = IncidentBook(
            self.directory, self.clock, lambda: self.settings, listeners=self.listeners
        )
        self.changes: deque[ChangeEvent] = deque(maxlen=_CHANGES_KEPT)
        self.key_window = KeyWindow(self.clock)
        self.token_minutes = TokenMinutes(self.clock)
        self.limited_minutes = TokenMinutes(self.clock)
        self._changes = 0

    def api(self, path: str) -> str:
        """Give the address of *path* in the REST API; clients follow it."""
        return (self.directory.account.api_url or self.address) + path

    def replace(self, organisation: Organisation) -> None:
        """Put another organisation in the place of the one given at the start, and begin again.

        Raises:
            DataInvalid: The organisation contradicts itself; everything stays as it was.
        """
        Directory(organisation)
        self._original = msgspec.json.encode(organisation)
        self.reset()

    def admit(self, key: str) -> bool:
        """Count an event of *key* and say whether it is within its budget."""
        budget = self.settings.key_budgets.get(key, self.settings.events_per_key)
        return self.key_window.admit(key, budget, self.settings.events_window_s)

    def issue(self, token: Token, expires_in: float) -> None:
        """Let *token* in for *expires_in* seconds."""
        self._issued[token.token] = token, self.clock.monotonic() + expires_in
        if len(self._issued) > _TOKENS_KEPT:
            del self._issued[next(iter(self._issued))]

    def issued(self, secret: str) -> Token | None:
        """Give the token that was issued as *secret*, unless it has expired."""
        token, ends_at = self._issued.get(secret, (None, 0.0))
        return token if ends_at > self.clock.monotonic() else None

    def keep_change(self, route: Route, summary: str, body: bytes) -> None:
        """Remember a change event."""
        self._changes += 1
        integration_id = route.integration.id if route.integration else ""
        event = ChangeEvent(
            f"01C{self._changes:010d}", route.service, integration_id, summary, self.clock.now(), body
        )
        self.changes.append(event)
