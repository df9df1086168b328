"""How often a password may be tried: so often for one user, and so often from one address, within a sliding window.

Counted by each machine for itself: on three machines behind a balancer three times as many attempts are possible,
which is still nothing against argon2 and a decent password. An attempt counts from its beginning, so that many at
once are no way around, and is forgiven when it succeeds. Somebody who guesses at a name from elsewhere must not keep
its owner out at night: an address from which the user has logged in is held to the address's limit only.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass

from masthead.kernel.clock import Clock
from masthead.kernel.errors import TooManyAttempts

__all__ = ["Attempts"]

#: Users and addresses that are remembered; beyond it the longest silent one is forgotten.
_MOST_REMEMBERED = 20_000
_IPV6_NET_BITS = 64
#: Longest name and address that are told apart.
_LONGEST = 100


class Attempts:
    """Counts attempts that failed or are under way."""

    def __init__(self, clock: Clock, *, per_user: int, per_address: int, window_s: float) -> None:
        self._clock = clock
        self._by_user = _Counts(per_user, window_s)
        self._by_address = _Counts(per_address, window_s)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def begin(self, user: str, address: str) -> Attempt:
        """Count an attempt to log in as *user* from *address*.

        Raises:
            TooManyAttempts: with the seconds after which one may be tried again.
        """
        now, net = self._clock.monotonic(), _net(address)
        user = user if len(user) <= _LONGEST else ""  # nobody's, and not worth the memory
        counted: list[tuple[_Counts, Hashable]] = [(self._by_address, net)]
        if (user, net) not in self._known:
            counted.append((self._by_user, user))
        wait_s = max(counts.wait_s(key, now) for counts, key in counted)
        if wait_s > 0:
            raise TooManyAttempts(retry_after=wait_s)
        for counts, key in counted:
            counts.add(key, now)
        return Attempt(self, user, net, now, tuple(counted))

    def succeeded(self, attempt: Attempt) -> None:
        """Forgive *attempt*, and remember where its user logs in."""
        for counts, key in attempt.counted:
            counts.forgive(key, attempt.at)
        self._known[attempt.user, attempt.net] = None
        self._known.move_to_end((attempt.user, attempt.net))
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, counted."""

    _attempts: Attempts
    user: str
    net: str
    at: float
    counted: tuple[tuple[_Counts, Hashable], ...]

    def succeeded(self) -> None:
        """Have it forgiven."""
        self._attempts.succeeded(self)


class _Counts:
    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._at: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def wait_s(self, key: Hashable, now: float) -> float:
        """Give after how many seconds *key* may try again; 0 for now."""
        at = self._at.get(key, deque())
        while at and at[0] <= now - self._window_s:
            at.popleft()
        return at[0] + self._window_s - now if len(at) >= self._limit else 0.0

    def add(self, key: Hashable, now: float) -> None:
        self._at.setdefault(key, deque()).append(now)
        self._at.move_to_end(key)
        if len(self._at) > _MOST_REMEMBERED:
            self._at.popitem(last=False)

    def forgive(self, key: Hashable, at: float) -> None:
        counted = self._at.get(key)
        if counted and at in counted:
            counted.remove(at)
            if not counted:
                del self._at[key]


def _net(address: str) -> str:
    """Give what one attacker commands: an IPv4 address, or the 64 first bits of an IPv6 address."""
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_LONGEST]
    if number.version == 4:
        return str(number)
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return str(ipaddress.ip_network((number, _IPV6_NET_BITS), strict=False))
