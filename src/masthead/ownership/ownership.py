"""From an application to the people behind it: application → pdApiKey → service → policy → on-calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masthead.applications import Applications
from masthead.catalog import Catalog, OnCall, Service
from masthead.kernel.caller import Caller
from masthead.kernel.errors import InvalidRequest, ValidationFailed
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
    #: Why nobody can tell who is on call; None when the list of on-calls is there.
    oncalls_unknown: str | None = None


class Ownership:
    """Looks owners up and changes them."""

    def __init__(
        self,
        applications: Applications,
        catalog: Catalog,
        *,
        prefer_v1: bool = False,
        requires_service: bool = False,
    ) -> None:
        """Build it.

        Args:
            applications: Where the keys are kept.
            catalog: Whose keys they are.
            prefer_v1: Offer the key of an Events v1 integration where there is one, as Gate does.
            requires_service: Let :meth:`save` store no application without a PagerDuty service.
        """
        self._applications = applications
        self._catalog = catalog
        self._prefer_v1 = prefer_v1
        self._requires_service = requires_service

    async def owner(self, name: str, caller: Caller) -> Owner:
        """Say who would be woken for application *name*.

        Raises:
            NotFound: there is no such application.
        """
        return self.owner_of(await self._applications.get(name, caller), name=name)

    def owner_of(self, document: Mapping[str, Any], *, name: str = "") -> Owner:
        """Say who would be woken for the application *document*; *name* is how its name is shown, if not as stored."""
        name = name or str(document["name"])
        key = self._applications.pd_api_key(document)
        if key is None:
            return Owner(name, None, None, ())
        known = self._catalog.service_of_key(key)
        service = known[0] if known else None
        oncalls = self._catalog.oncalls_of(service.policy_id) if service and service.policy_id else ()
        return Owner(name, self.label(key), service, oncalls, self._catalog.oncalls_unknown(service))

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
        await self._applications.get(name, caller)
        service, key = self.usable_key(text)
        await self._applications.merge(name, {"name": name, _KEY_ATTRIBUTE: key.reveal()}, caller)
        return service

    async def save(
        self, name: str, changes: Mapping[str, Any], caller: Caller, *, service: str | None = None
    ) -> dict[str, Any]:
        """Create application *name* or change it, with the PagerDuty service that pages for it: all or nothing.

        Args:
            name: The application.
            changes: Front50's attributes; what they do not mention stays.
            caller: In whose name it is done.
            service: As for :meth:`choose_service`; None leaves the service as it is.

        Returns:
            The application as stored, with the service's name in the key's place.

        Raises:
            NotFound: no such service; nothing is stored.
            ValidationFailed: it breaks Front50's rules, or has no service although one is required.
            InvalidRequest: several services are meant, or the service cannot be paged; nothing is stored.
        """
        document = {"name": name, **changes}
        if service is not None:
            document[_KEY_ATTRIBUTE] = self.usable_key(service)[1].reveal()
        elif self._requires_service:
            await self._refuse_without_service(name)
        return self.without_key(await self._applications.merge(name, document, caller))

    async def _refuse_without_service(self, name: str) -> None:
        stored = await self._applications.find(name)
        if stored is None or self._applications.pd_api_key(stored) is None:
            raise ValidationFailed(
                (
                    "Application must have a PagerDuty service, because pagerDuty.required is true: choose one.",
                )
            )

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
