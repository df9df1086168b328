"""What a page and its deliveries are.

Those that are made for every page are structs of msgspec, which cost a tenth of a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import Link, Protocol, Severity

__all__ = [
    "FOLLOW_UPS",
    "Delivery",
    "DeliveryState",
    "Door",
    "Draft",
    "Incident",
    "IncidentState",
    "Kind",
    "Link",
    "NotOpened",
    "Page",
]


class Kind(StrEnum):
    """What is asked for: a page, something about an earlier page, or a change event."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    #: The failed deliveries of the parent are tried anew; has no deliveries of its own.
    RESEND = "resend"
    CHANGE = "change"

    @property
    def is_follow_up(self) -> bool:
        """Whether it is about the incident of an earlier page."""
        return self in FOLLOW_UPS


FOLLOW_UPS = (Kind.ACKNOWLEDGE, Kind.RESOLVE)


class DeliveryState(StrEnum):
    """How far one key's telling has come."""

    #: Stored; being sent, or waiting to be sent again.
    PENDING = "pending"
    #: PagerDuty took the event.
    ACCEPTED = "accepted"
    #: PagerDuty refused it for good.
    REJECTED = "rejected"
    #: The deadline passed while it waited: a dead letter.
    EXPIRED = "expired"

    @property
    def is_decided(self) -> bool:
        """Whether nothing more will be tried."""
        return self is not DeliveryState.PENDING


class Door(StrEnum):
    """Where a page came in."""

    STAGE = "stage"
    ECHO = "echo"
    V1 = "v1"
    WEB = "web"


class IncidentState(StrEnum):
    """What an accepted delivery led to."""

    #: Not looked up yet, or nobody can: the account has no REST token.
    UNKNOWN = "unknown"
    NOT_OPENED = "not-opened"
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class NotOpened(StrEnum):
    """Why PagerDuty took an event and opened no incident."""

    DISABLED = "disabled"
    MAINTENANCE = "maintenance"
    ALREADY_OPEN = "already-open"
    NOBODY_ON_CALL = "nobody-on-call"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Incident:
    """What is known of the incident of a delivery."""

    state: IncidentState
    #: Why none was opened.
    reason: NotOpened | None = None
    #: Whether the reason is concluded from what else is known; PagerDuty does not say it.
    is_inferred: bool = False
    id: str | None = None
    number: int | None = None
    url: str | None = None
    #: Names of those it is assigned to, or of who acknowledged it, separated by commas.
    assignee: str | None = None
    checked_at: datetime | None = None
    #: Whether somebody will look (again); without a REST token nobody can.
    is_awaited: bool = False


class Draft(Struct, frozen=True):
    """A page that somebody asks for."""

    #: Integration keys, in the order in which people see them; repeated ones are told once.
    keys: tuple[Secret, ...]
    #: The first line that the person on call reads.
    message: str
    door: Door
    #: The application in whose name it is asked; "spinnaker" for none.
    application: str
    severity: Severity
    details: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    execution_id: str | None = None
    stage_id: str | None = None
    #: What makes it this page: a second request of the same identity gives the first one's page.
    identity: str | None = None
    #: What the dedup keys are made of, where a page follows an earlier one of the same identity; else as identity.
    dedup_identity: str | None = None
    #: Keys that an earlier page under the same dedup keys may have reached: that is looked up before anything is sent.
    doubtful: frozenset[Secret] = frozenset()
    #: A dedup key that the sender chose; for all keys of the page.
    dedup_key: str | None = None
    #: Recognise a page of the same content that was asked for so recently, unless it reached nobody; None: never.
    recognise: timedelta | None = None
    #: Hash of what was asked under this identity: another content under the same identity is a conflict.
    fingerprint: str | None = None
    kind: Kind = Kind.TRIGGER
    #: PagerDuty's "client"; who asked, if not given.
    client: str | None = None
    client_url: str | None = None
    #: When what it tells of happened; when it was asked for, if not given.
    happened_at: datetime | None = None


class Delivery(Struct, frozen=True):
    """One routing key told once."""

    id: str
    page_id: str
    key: Secret
    #: A keyed hash of the key, which may be logged.
    key_hash: str
    dedup_key: str
    protocol: Protocol
    service_id: str | None
    #: What people see in the key's place: the service's name, or "key …1234".
    label: str
    state: DeliveryState
    reason: Reason | None
    #: What PagerDuty said last, or what went wrong; never a key in it.
    text: str
    attempts: int
    created_at: datetime
    decided_at: datetime | None
    #: When it is given up.
    deadline_at: datetime
    account: str = "default"
    action: Kind = Kind.TRIGGER
    #: Whether an earlier attempt may have arrived although no answer said so.
    is_uncertain: bool = False
    #: The delivery whose event speaks for this one too.
    folded_into: str | None = None
    #: A hash of what the person on call reads; empty where nothing may be folded: the sender chose the dedup key.
    says: str = ""
    #: Whether others are folded into this one.
    speaks_for_others: bool = False
    incident: Incident = Incident(IncidentState.UNKNOWN)

    @property
    def is_decided(self) -> bool:
        """Whether nothing more will be tried."""
        return self.state.is_decided

    @property
    def is_key_made_here(self) -> bool:
        """Whether Masthead made the dedup key of a page, so that no other page and no other routing key has it."""
        return bool(self.says)


class Page(Struct, frozen=True):
    """A message to the people who own something, with its deliveries."""

    id: str
    message: str
    details: Mapping[str, Any]
    links: tuple[Link, ...]
    severity: Severity
    user: str
    client: str
    client_url: str | None
    door: Door
    application: str
    execution_id: str | None
    stage_id: str | None
    created_at: datetime
    deliveries: tuple[Delivery, ...]
    kind: Kind = Kind.TRIGGER
    #: The page that an acknowledge, a resolve or a resend is about.
    parent_id: str | None = None
    #: Where the request came from; empty when it was not over HTTP.
    address: str = ""
    #: When what it tells of happened, where its sender said so.
    happened_at: datetime | None = None

    @property
    def is_decided(self) -> bool:
        """Whether every delivery is decided."""
        return all(delivery.is_decided for delivery in self.deliveries)

    def in_state(self, *states: DeliveryState) -> tuple[Delivery, ...]:
        """Give the deliveries that are in one of *states*, in the order of the keys."""
        return tuple(delivery for delivery in self.deliveries if delivery.state in states)
