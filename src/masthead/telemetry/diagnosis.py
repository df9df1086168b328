"""How a running Masthead is: what is wrong and what to do about it, as the settings page and ``masthead doctor`` show it.

No secret is in it: settings say *set* or *not set* where they hold one, and keys go by their services' names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

__all__ = [
    "AccountState",
    "Diagnose",
    "Diagnosis",
    "Finding",
    "KeyUse",
    "MachineState",
    "SettingRow",
    "WhoMayAsk",
]


class Finding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that is wrong, or should be known."""

    #: failed: pages may not reach anybody, or anybody may page; warning: look at it; neutral: know it.
    kind: Literal["failed", "warning", "neutral"]
    title: str
    #: What happened, and what to do about it.
    text: str
    since: datetime | None = None
    #: How whoever can run commands on the machine does it; people with a browser alone are not told.
    command: str = ""


class AccountState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is known of one PagerDuty account."""

    name: str
    #: The hosts of its two APIs.
    rest_url: str
    events_url: str
    #: Whether there is a token, or an app that gets one.
    has_token: bool
    services: int
    oncalls: int
    services_fetched_at: datetime | None
    oncalls_fetched_at: datetime | None
    trouble: str | None = None
    trouble_since: datetime | None = None


class KeyUse(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How much of one integration key's budget is used, as this machine counts."""

    #: The service's name, or ``key …1234``.
    label: str
    events: int
    limit: int
    window_s: float


class MachineState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One process on this database."""

    id: str
    host: str
    version: str
    started_at: datetime
    beat_at: datetime
    is_alive: bool
    #: Whether it is the one that answers.
    is_this: bool


class WhoMayAsk(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who is answered."""

    #: The file of users; None where nobody is asked for a name.
    users_file: str | None
    users: int


class SettingRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One setting as it is in force."""

    key: str
    value: str
    #: Who said so: ``file:line``, a variable, the command line, or ``default``.
    source: str
    doc: str


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All of it. What the database would have told is None while it does not answer."""

    at: datetime
    version: str
    #: What is wrong, the worst first; empty when all is well.
    findings: Sequence[Finding]
    #: Where everything is stored, passwords hidden.
    database: str
    accounts: Sequence[AccountState]
    who: WhoMayAsk
    #: Deliveries by what they do: sending, waiting, folded.
    deliveries: dict[str, int] | None
    oldest_age_s: float | None
    executions: int | None
    machines: Sequence[MachineState] | None
    #: The most used first.
    budgets: Sequence[KeyUse] | None
    settings: Sequence[SettingRow]


Diagnose = Callable[[], Awaitable[Diagnosis]]
