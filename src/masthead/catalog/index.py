"""Everything that is looked up in the catalog, worked out once per refresh: by id, by name, by key, by any word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from masthead.catalog.model import Integration, OnCall, Service
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.kernel.secret import Secret
from masthead.telemetry.logs import redact

__all__ = ["Index"]

_MOST_CANDIDATES = 10


class Index:
    """Services and on-calls at one moment; never changed, so that a reader sees one state."""

    def __init__(self, services: Iterable[Service] = (), oncalls: Iterable[OnCall] = ()) -> None:
        self.services = tuple(services)
        self.oncalls = tuple(sorted(oncalls, key=_place))
        self._by_policy = _by_policy(self.oncalls)
        #: Several where accounts have one id; PagerDuty never gives one twice in an account.
        self._by_id = _by_id(self.services)
        self._accounts = {service.account for service in self.services}
        self._by_key = _by_key(self.services)
        self._names = [service.name.casefold() for service in self.services]
        self._texts = [self._text(service) for service in self.services]

    def service(self, service_id: str) -> Service | None:
        """Give the service with this id, or None; where accounts have one id, the first account's."""
        return next(iter(self._by_id.get(service_id, ())), None)

    def oncalls_of(self, policy_id: str | None) -> Sequence[OnCall]:
        """Give who is on call for an escalation policy, level 1 first."""
        return self._by_policy.get(policy_id, ())

    def service_of_key(self, key: Secret) -> tuple[Service, Integration] | None:
        """Give the service and integration that *key* belongs to, or None."""
        return self._by_key.get(key)

    def search(self, text: str) -> list[Service]:
        """Give the services that contain every word of *text*, in PagerDuty's order; all for an empty one."""
        places: Iterable[int] = range(len(self.services))
        for word in text.casefold().split():
            places = [place for place in places if word in self._texts[place]]
        return [self.services[place] for place in places]

    def find(self, text: str, *, why_missing: str = "") -> Service:
        """Give the one service that *text* means: its id, one of its keys, its name, a part of one name only.

        ``account/id`` and ``account/name`` mean that account's service.

        Args:
            text: What somebody typed.
            why_missing: A sentence about the catalog for who finds nothing.

        Raises:
            NotFound: none.
            InvalidRequest: several, which are named, or *text* is empty.
        """
        wanted = text.strip()
        if not wanted:
            raise InvalidRequest("Name a PagerDuty service: its id, its name, or a part of its name.")
        if known := self._by_key.get(Secret(wanted)):
            return known[0]
        found = self._by_id.get(wanted) or self._by_id.get(wanted.upper()) or ()
        found = found or self._called(wanted) or self._of_account(wanted)
        if len(found) == 1:
            return found[0]
        # What somebody typed may be a key of another account.
        shown = redact(wanted)
        if found:
            listed = _list(found, with_account=len(self._accounts) > 1)
            raise InvalidRequest(f"{shown!r} means several PagerDuty services: {listed}.")
        count = len(self.services)
        sentence = f"No PagerDuty service is called {shown!r} among the {count} that Masthead knows."
        raise NotFound(f"{sentence} {why_missing}".strip())

    def _called(self, text: str) -> list[Service]:
        """Give those called exactly so, else those called so in another case, else those with a name that has it."""
        folded = text.casefold()
        parts = [service for service, name in zip(self.services, self._names, strict=True) if folded in name]
        exact = [service for service in parts if service.name.casefold() == folded]
        same = [service for service in exact if service.name == text]
        return same or exact or parts

    def _of_account(self, text: str) -> list[Service]:
        account, _, rest = text.partition("/")
        if account not in self._accounts or not rest.strip():
            return []
        inner = [one for one in self.services if one.account == account]
        by_id = [one for one in inner if one.id == rest.strip().upper()]
        return by_id or Index(inner)._called(rest.strip())  # noqa: SLF001 - its own kind

    def _text(self, service: Service) -> str:
        people = [oncall.user_name for oncall in self.oncalls_of(service.policy_id)]
        account = [service.account] if service.account != "default" else []
        words = (service.name, service.id, service.policy_name, *service.teams, *people, *account)
        return "\n".join(words).casefold()


def _place(oncall: OnCall) -> tuple[str, str, int, str]:
    return oncall.policy_name.casefold(), oncall.policy_id or "", oncall.level, oncall.user_name.casefold()


def _by_id(services: Iterable[Service]) -> dict[str, list[Service]]:
    found: dict[str, list[Service]] = {}
    for service in services:
        found.setdefault(service.id, []).append(service)
    return found


def _by_policy(oncalls: Iterable[OnCall]) -> dict[str | None, tuple[OnCall, ...]]:
    grouped: dict[str | None, list[OnCall]] = defaultdict(list)
    for oncall in oncalls:
        grouped[oncall.policy_id].append(oncall)
    return {policy_id: tuple(group) for policy_id, group in grouped.items()}


def _by_key(services: Iterable[Service]) -> dict[Secret, tuple[Service, Integration]]:
    found: dict[Secret, tuple[Service, Integration]] = {}
    for service in services:
        for integration in service.integrations:
            if integration.key:
                found.setdefault(integration.key, (service, integration))
    return found


def _list(services: Sequence[Service], *, with_account: bool) -> str:
    names = ", ".join(
        f"{service.name} ({f'{service.account}/' if with_account else ''}{service.id})"
        for service in services[:_MOST_CANDIDATES]
    )
    more = f" and {len(services) - _MOST_CANDIDATES} more" if len(services) > _MOST_CANDIDATES else ""
    how = ", behind its account where several have it: account/id or account/name" if with_account else ""
    return f"{names}{more}. Give the id or the whole name{how}"
