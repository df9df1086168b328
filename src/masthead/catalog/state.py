"""How much the catalog knows, since when, and what is wrong: of one account, and of all together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from masthead.catalog.shelf import Trouble

__all__ = ["CatalogState", "together"]


@dataclass(frozen=True, slots=True)
class CatalogState:
    """How much the catalog knows, and since when."""

    is_configured: bool
    is_loading: bool
    is_complete: bool
    services: int
    oncalls: int
    services_fetched_at: datetime | None
    oncalls_fetched_at: datetime | None
    #: The services' trouble, else the on-calls'.
    trouble: Trouble | None
    oncalls_trouble: Trouble | None = None
    #: Since when PagerDuty has been asked for the first time since this process began; None once that is over.
    asked_first_since: datetime | None = None

    @property
    def explanation(self) -> str | None:
        """Say why there is nothing to see, or only old or half the news; None when all is well."""
        return self.trouble.text if self.trouble is not None else self.services_explanation

    @property
    def services_trouble(self) -> Trouble | None:
        """What befell the services; None when only the on-calls are in trouble."""
        return None if self.trouble is None or self.trouble.kind == "oncalls" else self.trouble

    @property
    def services_explanation(self) -> str | None:
        """Say why the list of services is empty, old or not whole; None when all is well."""
        if self.services_trouble is not None:
            return self.services_trouble.text
        if self.services_fetched_at is None:
            return self._not_yet("services")
        if not self.services:
            return (
                "PagerDuty shows this token no service. Check that the account has services and that "
                "the token belongs to it and may see them."
            )
        return None

    @property
    def oncalls_explanation(self) -> str | None:
        """Say why the list of on-calls is empty, old or not whole; None when all is well."""
        if self.oncalls_trouble is not None:
            return self.oncalls_trouble.text
        return self._not_yet("on-calls") if self.oncalls_fetched_at is None else None

    def _not_yet(self, what: str) -> str:
        doing = "are being read" if self.is_loading else "have not been read yet"
        return f"PagerDuty's {what} {doing}; ask again in a moment."


def together(states: Mapping[str, CatalogState]) -> CatalogState:
    """Give the state of all accounts as one: as old as the oldest, in trouble when one of them is.

    Accounts without a REST token do not count beside others that have one: nothing was to come from them.

    Args:
        states: By account, at least one.
    """
    if len(states) == 1:
        return next(iter(states.values()))
    counted = {name: one for name, one in states.items() if one.is_configured} or states
    all_ = counted.values()
    return CatalogState(
        is_configured=any(one.is_configured for one in all_),
        is_loading=any(one.is_loading for one in all_),
        is_complete=all(one.is_complete for one in all_),
        services=sum(one.services for one in states.values()),
        oncalls=sum(one.oncalls for one in states.values()),
        services_fetched_at=_oldest(one.services_fetched_at for one in all_),
        oncalls_fetched_at=_oldest(one.oncalls_fetched_at for one in all_),
        trouble=_first((name, one.services_trouble) for name, one in counted.items())
        or _first((name, one.trouble) for name, one in counted.items()),
        oncalls_trouble=_first((name, one.oncalls_trouble) for name, one in counted.items()),
    )


def _oldest(instants: Iterable[datetime | None]) -> datetime | None:
    """Give the oldest of those that there are: what never came is told by its trouble."""
    return min((one for one in instants if one is not None), default=None)


def _first(troubles: Iterable[tuple[str, Trouble | None]]) -> Trouble | None:
    found = [replace(one, text=f"Account {name}: {one.text}") for name, one in troubles if one is not None]
    if len(found) < 2:
        return found[0] if found else None
    return replace(found[0], text=" ".join(one.text for one in found))
