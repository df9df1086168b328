"""Events and answers, in PagerDuty's words.

Source: PagerDuty facts A.1 (Events v1), A.2 (Events v2), A.4 (change events).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from masthead.kernel.errors import InvalidRequest, Reason
from masthead.kernel.secret import Secret

__all__ = ["Answer", "Event", "Link", "Outcome", "Protocol", "Severity", "key_trouble", "parse_severity"]

#: An integration key is 32 letters and digits (PagerDuty facts, A.1 and A.2).
_KEY_LENGTH = 32


class Protocol(StrEnum):
    """The Events API that an integration understands."""

    V1 = "v1"
    V2 = "v2"


class Severity(StrEnum):
    """How bad it is, as Events v2 knows it; most severe first."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical to 3 for info."""
        return list(Severity).index(self)


#: What may be repeated of a wrong severity.
_LONGEST_WORD = 12


def parse_severity(text: object) -> Severity:
    """Read a severity, whatever its case.

    Raises:
        InvalidRequest: it is none of the four; the message names them.
    """
    if isinstance(text, str) and text.lower() in set(Severity):
        return Severity(text.lower())
    # A short word helps to find the place; anything longer may be a key that went into the wrong field.
    shown = repr(text) if isinstance(text, str) and len(text) <= _LONGEST_WORD else "This"
    raise InvalidRequest(
        f"{shown} is not a severity; use critical, error, warning or info.", pointer="/severity"
    )


def key_trouble(key: Secret) -> str | None:
    """Say why *key* can be no integration key, without repeating it; None when it may be one."""
    text = key.reveal()
    if len(text) != _KEY_LENGTH:
        count = f"{len(text)} character{'s' if len(text) != 1 else ''}"
        return f"This integration key has {count}; PagerDuty's have {_KEY_LENGTH}."
    if not (text.isascii() and text.isalnum()):
        return f"An integration key is {_KEY_LENGTH} letters and digits; this one is not."
    return None


@dataclass(frozen=True, slots=True)
class Link:
    """A link that the person on call may follow."""

    href: str
    text: str = ""


class Event(Struct, frozen=True):
    """One event for one routing key."""

    protocol: Protocol
    #: "trigger", "acknowledge" or "resolve", of which the last two say nothing but which incident; or "change":
    #: a change event, which wakes nobody and has neither protocol, severity nor dedup key.
    action: str
    routing_key: Secret
    #: v1 calls it incident_key; over 255 characters its end becomes a hash.
    dedup_key: str
    #: v1 calls it description; what the person on call reads first.
    summary: str = ""
    #: v2 only; v1 has no place for it, and the details are the sender's own.
    severity: Severity = Severity.CRITICAL
    #: v2 only: what is affected.
    source: str = "spinnaker"
    details: Mapping[str, Any] = field(default_factory=dict)
    client: str = ""
    client_url: str | None = None
    links: tuple[Link, ...] = ()
    #: v2 only: when it happened.
    timestamp: datetime | None = None
    #: v2 only: the part of the source that is affected.
    component: str | None = None
    #: v2 only: a logical grouping, for example the pipeline.
    group: str | None = None
    #: v2 only, there called "class": the kind of event, for example the stage's type.
    class_: str | None = None
    #: The PagerDuty account it is sent by; no part of the body.
    account: str = "default"


class Outcome(StrEnum):
    """What an answer means for the event."""

    ACCEPTED = "accepted"
    #: Refused for now, or nobody knows whether it arrived: the same event may be sent again.
    RETRY = "retry"
    REJECTED = "rejected"


class Answer(Struct, frozen=True):
    """What one request brought; never an exception."""

    outcome: Outcome
    #: HTTP status, or None without an answer.
    status: int | None
    reason: Reason | None
    #: Seconds PagerDuty asked to wait.
    retry_after: float | None
    #: PagerDuty's own words, or what went wrong on the way, and what to do about it; never a key in it.
    text: str
    duration_ms: int
    #: What PagerDuty called the event; None unless it was accepted.
    dedup_key: str | None = None
    #: With outcome *retry*: whether PagerDuty may have taken the event all the same (the answer was lost).
    may_have_arrived: bool = False
