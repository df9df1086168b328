"""What exists in the simulated account: people, schedules, policies, services, keys, tokens.

These structures are also the shape of a ``--data`` file: msgspec decodes it straight into them and
says where it is wrong. References are ids; :class:`Directory` resolves them and finds services by key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable
from typing import Annotated, Literal, TypeVar

import msgspec

__all__ = [
    "Account",
    "DataInvalid",
    "Directory",
    "Integration",
    "OAuthClient",
    "Orchestration",
    "Organisation",
    "Policy",
    "Route",
    "Schedule",
    "Service",
    "Team",
    "Token",
    "User",
    "make_id",
    "make_key",
]

T = TypeVar("T", bound="_Record")

Hour = Annotated[float, msgspec.Meta(ge=0, le=24)]

#: Which Events API an integration of a type listens to; other types listen to neither.
PROTOCOLS = {"generic_events_api_inbound_integration": "v1", "events_api_v2_inbound_integration": "v2"}


class DataInvalid(ValueError):
    """The data file cannot be used; the text says where and why."""


def make_id(kind: str, text: str) -> str:
    """Make the same PagerDuty-like id (``P`` and six characters) for the same *kind* and *text*, always."""
    number = int.from_bytes(hashlib.sha256(f"{kind}/{text}".encode()).digest()[:8], "big")
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "P" + "".join(digits[number // 36**place % 36] for place in range(6))


def make_key(text: str) -> str:
    """Make the same integration key (32 lower-case alphanumerics) for the same *text*, always."""
    return hashlib.sha256(f"key/{text}".encode()).hexdigest()[:32]


class _Record(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Something with a name; its id is made from the name when the file gives none."""

    name: str
    id: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            self.id = make_id(type(self).__name__, self.name)


class Account(msgspec.Struct, forbid_unknown_fields=True):
    """The account itself."""

    subdomain: str = "masthead-example"
    #: Begins the ``html_url`` of everything; empty makes it ``https://SUBDOMAIN.pagerduty.com``.
    web_url: str = ""
    #: Begins the ``self`` of everything; empty makes it the address at which the simulator listens.
    api_url: str = ""
    abilities: list[str] = msgspec.field(
        default_factory=lambda: ["sso", "advanced_reports", "teams", "read_only_users", "team_responders"]
    )

    def web(self, path: str) -> str:
        """Give the address of the page *path* for people."""
        return (self.web_url or f"https://{self.subdomain}.pagerduty.com") + path


class User(_Record, kw_only=True):
    """A person."""

    email: str = ""
    role: str = "user"
    time_zone: str = "Etc/UTC"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.email = self.email or ".".join(self.name.lower().split()) + "@example.com"


class Team(_Record, kw_only=True):
    """A group of services and policies."""


class Schedule(_Record, kw_only=True):
    """Who is on call when: the users of *rotation* take turns of *turn_hours*; an empty rotation is a gap.

    *hours*, for example ``[8, 18]``, restricts every turn to these hours of each day, in UTC; ``[22, 6]`` are nights.
    """

    rotation: list[str] = []
    turn_hours: float = 168.0
    time_zone: str = "Etc/UTC"
    hours: tuple[Hour, Hour] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hours is not None and self.hours[0] == self.hours[1]:
            raise ValueError("hours must differ; leave them out for the whole day")


class Policy(_Record, kw_only=True):
    """An escalation policy: levels of targets (ids of users and schedules), level 1 first."""

    levels: list[list[str]] = []
    delay_minutes: int = 30
    teams: list[str] = []


class Integration(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A way into a service."""

    type: str = "events_api_v2_inbound_integration"
    name: str = "Events API v2"
    id: str = ""
    #: Empty: none for e-mail, else made from the service's name and the place in its list.
    key: str = ""
    email: str = ""
    vendor: str = ""

    @property
    def protocol(self) -> str | None:
        """Say which Events API this integration listens to: ``v1``, ``v2`` or none."""
        return PROTOCOLS.get(self.type)


class Service(_Record, kw_only=True):
    """A service as it was configured; incidents change what REST shows as its status."""

    description: str = ""
    status: Literal["active", "maintenance", "disabled"] = "active"
    policy: str
    teams: list[str] = []
    integrations: list[Integration] = []
    urgency: Literal["high", "low", "severity_based"] = "high"
    alert_creation: Literal["create_incidents", "create_alerts_and_incidents"] = "create_alerts_and_incidents"
    #: Severities that are accepted and open nothing, as an event rule would do.
    suppress: list[str] = []
    created_at: str = "2023-03-01T09:00:00Z"

    def __post_init__(self) -> None:
        super().__post_init__()
        for place, integration in enumerate(self.integrations):
            integration.id = integration.id or make_id("Integration", f"{self.id}/{place}")
            if not integration.key and not integration.email:
                integration.key = make_key(f"{self.id}/{place}")


class Orchestration(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An orchestration's key (it begins with ``R``) and the service that its events go to."""

    key: str
    service: str


class Token(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A REST token; without *user* it is an account-level one."""

    token: str
    #: None: everything.
    scopes: list[str] | None = None
    #: What GET answers in place of integration keys.
    keys: Literal["shown", "null", "absent"] = "shown"
    user: str = ""


class OAuthClient(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An app that gets its tokens from ``POST /oauth/token``; scopes it asks for beyond these are left out."""

    client_id: str
    client_secret: str
    scopes: list[str] = []
    expires_in: int = 86_400


class Organisation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A whole account, as a data file gives it."""

    account: Account = msgspec.field(default_factory=Account)
    users: list[User] = []
    teams: list[Team] = []
    schedules: list[Schedule] = []
    escalation_policies: list[Policy] = []
    services: list[Service] = []
    orchestrations: list[Orchestration] = []
    #: Empty: any token is accepted, except one that begins with ``invalid``.
    tokens: list[Token] = []
    oauth_clients: list[OAuthClient] = []


class Route(msgspec.Struct, frozen=True):
    """Where the events of one key go."""

    key: str
    service: Service
    #: None for an orchestration's key.
    integration: Integration | None
    protocol: str | None


class Directory:
    """An organisation with every reference resolved.

    Raises:
        DataInvalid: A reference leads nowhere, an id or a key stands twice.
    """

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.account = organisation.account
        self.users = _index("user", organisation.users)
        self.teams = _index("team", organisation.teams)
        self.schedules = _index("schedule", organisation.schedules)
        self.policies = _index("escalation policy", organisation.escalation_policies)
        self.services = _index("service", organisation.services)
        self.tokens = {token.token: token for token in organisation.tokens}
        self.routes: dict[str, Route] = {}
        self._check_references()
        for service in organisation.services:
            for integration in service.integrations:
                self.add_route(service, integration)
        for orchestration in organisation.orchestrations:
            service = self.services[orchestration.service]
            self._claim(Route(key=orchestration.key, service=service, integration=None, protocol="v2"))

    def add_route(self, service: Service, integration: Integration) -> None:
        """Let events with the key of *integration* reach *service*; without a key nothing happens."""
        if integration.key:
            route = Route(
                key=integration.key, service=service, integration=integration, protocol=integration.protocol
            )
            self._claim(route)

    def find_user(self, text: str) -> User | None:
        """Give the user with this id, e-mail or name, whatever its case."""
        wanted = text.casefold()
        for user in self.users.values():
            if wanted in (user.id.casefold(), user.email.casefold(), user.name.casefold()):
                return user
        return None

    def _claim(self, route: Route) -> None:
        if len(route.key) != 32 or not (route.key.isalnum() and route.key.isascii()):
            raise DataInvalid(f"service {route.service.name!r}: a key must be 32 letters and digits")
        if route.key in self.routes:
            other = self.routes[route.key].service.name
            raise DataInvalid(f"services {other!r} and {route.service.name!r} have the same key")
        self.routes[route.key] = route

    def _check_references(self) -> None:
        for schedule in self.schedules.values():
            _require(schedule.rotation, self.users, f"schedule {schedule.name!r}")
        for policy in self.policies.values():
            for level in policy.levels:
                _require(level, {**self.users, **self.schedules}, f"escalation policy {policy.name!r}")
            _require(policy.teams, self.teams, f"escalation policy {policy.name!r}")
        for service in self.services.values():
            _require([service.policy], self.policies, f"service {service.name!r}")
            _require(service.teams, self.teams, f"service {service.name!r}")
        for orchestration in self.organisation.orchestrations:
            _require([orchestration.service], self.services, "orchestration")
        for token in self.tokens.values():
            _require([token.user] if token.user else [], self.users, "token")


def _index(kind: str, records: list[T]) -> dict[str, T]:
    index: dict[str, T] = {}
    for record in records:
        if record.id in index:
            raise DataInvalid(f"two of kind {kind} have the id {record.id!r}")
        index[record.id] = record
    return index


def _require(ids: Iterable[str], known: Container[str], where: str) -> None:
    for id_ in ids:
        if id_ not in known:
            raise DataInvalid(f"{where}: nothing has the id {id_!r}")
