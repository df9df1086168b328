"""Several PagerDuty accounts side by side: each event goes out by the events client of its own."""

from __future__ import annotations

from collections.abc import Mapping

from masthead.kernel.secret import Secret
from masthead.pagerduty.events import EventsClient, key_check
from masthead.pagerduty.model import Answer, Event, Protocol
from masthead.pagerduty.posting import Leave

__all__ = ["AccountSenders"]


class AccountSenders:
    """The events clients of all accounts; an account that is not there any more is the default account."""

    def __init__(self, clients: Mapping[str, EventsClient], *, default: str) -> None:
        """Args: clients: by account; default: one of them."""
        self._clients = dict(clients)
        self._default = clients[default]

    async def send(self, event: Event, may_send: Leave | None = None) -> Answer:
        """Send *event* once, to its account; see :meth:`EventsClient.send`.

        Raises:
            InvalidRequest: the details cannot be written as JSON.
            Withheld: *may_send* said no.
        """
        return await self._clients.get(event.account, self._default).send(event, may_send)

    def is_away(self, account: str) -> bool:
        """Tell whether sending for *account* is in vain now."""
        return self._clients.get(account, self._default).is_away()

    async def check_key(self, key: Secret, protocol: Protocol, *, account: str = "") -> Answer:
        """Say whether *account* takes *key*, without paging anybody; see :func:`key_check`."""
        return await self._clients.get(account, self._default).send(key_check(key, protocol))

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()
