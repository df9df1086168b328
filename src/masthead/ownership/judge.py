"""Where an integration key leads, whom that wakes, and why perhaps nobody.

Everything is judged by the catalog, so it is as true as the catalog is young.

Source: PagerDuty facts A.1 (nobody on call: no incident), A.2 (the form of keys, keys of event orchestrations),
A.4 (PagerDuty takes events for services that are disabled or in maintenance, and opens nothing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from masthead.catalog import Catalog, Integration, OnCall, Service
from masthead.kernel.secret import Secret
from masthead.ownership import problems
from masthead.ownership.problems import Problem
from masthead.pagerduty import Protocol

__all__ = ["Judge", "Level", "Target"]

_KEY = re.compile(r"[0-9A-Za-z]{32}")


@dataclass(frozen=True, slots=True)
class Level:
    """Who is on call at one level of an escalation policy."""

    number: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One key that would be told, and whom that wakes."""

    key: Secret
    #: The service's name, or ``key …1234``.
    label: str
    service: Service | None
    integration: Integration | None
    #: Which Events API would be used.
    protocol: Protocol
    #: The lowest level that has somebody first; empty when nobody is on call, or nobody can tell.
    levels: tuple[Level, ...]
    problems: tuple[Problem, ...]
    #: The PagerDuty account that would be told.
    account: str
    #: The applications that led here, in the order in which they were named.
    applications: tuple[str, ...] = ()

    @property
    def would_wake(self) -> tuple[str, ...]:
        """Who is told first; nobody where that is in doubt."""
        is_certain = not any(one.rule in _OPENS_NOTHING for one in self.problems)
        return self.levels[0].names if self.levels and is_certain else ()


#: What keeps PagerDuty from opening an incident although somebody is on call.
_OPENS_NOTHING = (
    problems.Rule.INTEGRATION_TYPE,
    problems.Rule.SERVICE_DISABLED,
    problems.Rule.SERVICE_MAINTENANCE,
)


class Judge:
    """Says of keys what the catalog knows at one moment; each key is looked at once."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        now: datetime,
        unknown_key_protocol: Protocol = Protocol.V2,
        prefer_v1: bool = False,
    ) -> None:
        """Build it.

        Args:
            catalog: What is known.
            now: When people have to be on call.
            unknown_key_protocol: The Events API of keys that the catalog does not know.
            prefer_v1: Which key of a service is offered.
        """
        self._catalog = catalog
        self._now = now
        self._unknown_key_protocol = unknown_key_protocol
        self._prefer_v1 = prefer_v1
        self._targets: dict[Secret, Target] = {}
        self._state = catalog.state

    @property
    def is_blind(self) -> bool:
        """Whether the catalog never saw PagerDuty's services, so that nothing can be said of keys."""
        return self._state.services_fetched_at is None

    def general(self) -> list[Problem]:
        """Say what is wrong with the catalog itself."""
        explanation = self._state.explanation
        if explanation is None:
            return []
        return [problems.catalog_in_trouble(explanation, is_blind=self.is_blind)]

    def target(self, key: Secret) -> Target:
        """Give where *key* leads and what is wrong with that."""
        found = self._targets.get(key)
        if found is None:
            found = self._targets[key] = self._look_at(key)
        return found

    def _look_at(self, key: Secret) -> Target:
        known = self._catalog.service_of_key(key)
        if known is None:
            return Target(
                key=key,
                label=key.label,
                service=None,
                integration=None,
                protocol=self._unknown_key_protocol,
                levels=(),
                problems=tuple(self._unknown(key)),
                account=self._catalog.default_account,
            )
        service, integration = known
        levels = _levels(self._catalog.oncalls_of(service.policy_id) if service.policy_id else (), self._now)
        return Target(
            key=key,
            label=service.name,
            service=service,
            integration=integration,
            protocol=integration.protocol or self._unknown_key_protocol,
            levels=levels,
            problems=tuple(self._known(service, integration, levels)),
            account=service.account,
        )

    def _unknown(self, key: Secret) -> Iterator[Problem]:
        if not _KEY.fullmatch(key.reveal()):
            yield problems.malformed_key(key)
        elif not self.is_blind:
            trouble = self._state.trouble
            is_whole = self._state.is_complete and (trouble is None or trouble.kind == "oncalls")
            may_be_orchestration = key.reveal().startswith("R")
            yield problems.unknown_key(key, is_whole=is_whole, may_be_orchestration=may_be_orchestration)

    def _known(
        self, service: Service, integration: Integration, levels: Sequence[Level]
    ) -> Iterator[Problem]:
        if integration.protocol is None:
            better = service.usable(prefer_v1=self._prefer_v1)
            yield problems.wrong_integration(service, integration, better)
        if service.status == "disabled":
            yield problems.disabled(service)
        if service.status == "maintenance":
            yield problems.in_maintenance(service)
        if service.policy_id is None:
            yield problems.no_policy(service)
        elif not levels:
            yield self._nobody(service)
        elif levels[0].number != 1:
            yield problems.level_1_empty(service, levels[0].number, levels[0].names)

    def _nobody(self, service: Service) -> Problem:
        state = self._state
        is_known = state.oncalls_fetched_at is not None and state.oncalls_trouble is None
        return problems.nobody_on_call(service) if is_known else problems.on_call_unknown(service)


def _levels(oncalls: Iterable[OnCall], now: datetime) -> tuple[Level, ...]:
    names: dict[int, dict[str, None]] = {}
    for one in oncalls:
        if one.user_id is not None and not one.is_over(now):
            names.setdefault(one.level, {})[one.user_name] = None
    return tuple(Level(number, tuple(names[number])) for number in sorted(names))
