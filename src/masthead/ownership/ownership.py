"""From an application to the people behind it: application → pdApiKey → service → policy → on-calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masthead.applications import Applications
from masthead.catalog import Catalog, OnCall, Service
from masthead.kernel.caller import Caller
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret

__all__ = ["Owner", "Ownership"]

_KEY_ATTRIBUTE = "pdApiKey"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a page for an application would reach."""

    application: str
    #: None when the application has no service.
    label: str | None
    #: None when the key belongs to no service that the catalog knows.
    service: Service | None
    oncalls: Sequence[OnCall]


class Ownership:
    """Looks owners up and changes them."""

    def __init__(self, applications: Applications, catalog: Catalog, *, prefer_v1: bool = False) -> None:
        """Args: prefer_v1: offer the key of an Events v1 integration where there is one, as Gate does."""
        self._applications = applications
        self._catalog = catalog
        self._prefer_v1 = prefer_v1

    async def owner(self, name: str, caller: Caller) -> Owner:
        """Say who would be woken for application *name*.

        Raises:
            NotFound: there is no such application.
        """
        document = await self._applications.get(name, caller)
        key = self._applications.pd_api_key(document)
        if key is None:
            return Owner(name, None, None, ())
        known = self._catalog.service_of_key(key)
        service = known[0] if known else None
        oncalls = self._catalog.oncalls_of(service.policy_id) if service and service.policy_id else ()
        return Owner(name, self.label(key), service, oncalls)

    async def choose_service(self, name: str, text: str, caller: Caller) -> Service:
        """Let the PagerDuty service that *text* means page for application *name*.

        Args:
            name: An application that exists.
            text: The service's id, its name, or a part of one service's name only.
            caller: In whose name the application changes.

        Raises:
            NotFound: no such application, or no such service.
            InvalidRequest: several services are meant, or the service cannot be paged; says why.
        """
        service, key = self.usable_key(text)
        await self._applications.merge(name, {"name": name, _KEY_ATTRIBUTE: key.reveal()}, caller)
        return service

    def usable_key(self, text: str) -> tuple[Service, Secret]:
        """Give the service that *text* means and the key that is offered for it.

        Raises:
            NotFound: no such service.
            InvalidRequest: several services are meant, or it cannot be paged.
        """
        service = self._catalog.find_service(text)
        integration = service.usable(prefer_v1=self._prefer_v1)
        if integration is None or integration.key is None:
            raise InvalidRequest(
                f"PagerDuty service {service.name!r} cannot be paged: {service.unusable_reason}."
            )
        return service, integration.key

    def label(self, key: Secret) -> str:
        """Give what people see in the key's place: its service's name, or ``key …1234``."""
        known = self._catalog.service_of_key(key)
        return known[0].name if known else key.label

    def without_key(self, application: Mapping[str, Any]) -> dict[str, Any]:
        """Give the application's document with the service's name in the key's place."""
        shown = dict(application)
        key = shown.get(_KEY_ATTRIBUTE)
        if isinstance(key, str) and key:
            shown[_KEY_ATTRIBUTE] = self.label(Secret(key))
        return shown
