"""Several PagerDuty accounts side by side: each event goes out by the events client of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from msgspec.structs import replace

from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.events import EventsClient, key_check
from masthead.pagerduty.model import Answer, Event, Outcome, Protocol
from masthead.pagerduty.posting import Leave

__all__ = ["AccountSenders"]


class AccountSenders:
    """The events clients of all accounts; in place of one that is not there any more stands the key's, or the default."""

    def __init__(
        self,
        clients: Mapping[str, EventsClient],
        *,
        default: str,
        home_of: Callable[[Secret], Awaitable[str]] | None = None,
        unread: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """Build it.

        Args:
            clients: By account.
            default: One of them.
            home_of: Gives to which account a key belongs by now; asked where the account is not there any more, or refused.
            unread: Gives the accounts whose keys are not known: a key that the default account refuses may be theirs.
        """
        self._clients = dict(clients)
        self._default_name = default
        self._default = clients[default]
        self._home_of = home_of
        self._unread = unread

    async def send(self, event: Event, may_send: Leave | None = None) -> Answer:
        """Send *event* once, to its account; see :meth:`EventsClient.send`.

        Raises:
            InvalidRequest: the details cannot be written as JSON.
            Withheld: *may_send* said no.
        """
        account = event.account if event.account in self._clients else await self._home(event.routing_key)
        answer = await self._clients[account].send(event, may_send)
        if answer.reason is Reason.KEY and account == self._default_name:
            answer = await self._ask_others(event, may_send, answer)
        if answer.outcome is not Outcome.REJECTED or event.account in self._clients:
            return answer
        why = f"The account {event.account} is not configured any more; {account} was asked."
        return replace(answer, text=f"{answer.text.rstrip('.')}. {why}")

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

    async def _home(self, key: Secret) -> str:
        """Give the account to which *key* belongs by now, as far as can be told; the default account else."""
        account = await self._home_of(key) if self._home_of else self._default_name
        return account if account in self._clients else self._default_name

    async def _ask_others(self, event: Event, may_send: Leave | None, refusal: Answer) -> Answer:
        """Give what those say whose key it may be; the default account's refusal where they refuse it, too.

        That is whose catalog has the key by now, for it may have been read meanwhile, or who could not be read.
        """
        home = await self._home(event.routing_key)
        for account in [home] if home != self._default_name else self._unread():
            if account != self._default_name and account in self._clients:
                answer = await self._clients[account].send(event, may_send)
                if answer.outcome is not Outcome.REJECTED:
                    return answer
        return refusal
