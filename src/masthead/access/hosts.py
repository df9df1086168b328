"""Which hosts are this machine, and which requests are for it.

Without users nobody is asked for a name, so only this machine may ask. That a request came to the loopback address
is not enough: a web page of a stranger can have its own name lead to 127.0.0.1 (DNS rebinding), and then the browser
takes Masthead for that page's own server. Such a request still carries the stranger's name in its Host header.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

__all__ = ["ThisMachine", "is_loopback", "name_of_host"]

_LONGEST = 255
_MOST_REMEMBERED = 1000
_REMEDY = "Add users (masthead user add NAME; access.usersFile), or start it with --insecure."


def is_loopback(address: str) -> bool:
    """Tell whether *address*, a number such as ``127.0.0.1`` or ``::1``, is only reached from this machine."""
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address) and number.ipv4_mapped is not None:
        number = number.ipv4_mapped
    return number.is_loopback


def name_of_host(host: str) -> str:
    """Give the name in a Host header without its port, in lower case; empty for what cannot be one."""
    name = host.strip().lower()
    if name.startswith("["):
        inside, bracket, port = name[1:].partition("]")
        return inside if bracket and _is_port(port) else ""
    name, colon, port = name.partition(":")
    return name.removesuffix(".") if _is_port(colon + port) else ""


def _is_port(text: str) -> bool:
    return text == "" or (text[0] == ":" and text[1:].isascii() and (text[1:] or "0").isdigit())


class ThisMachine:
    """Tells which requests come from this machine and were meant for it."""

    def __init__(self, own: Iterable[str] = ()) -> None:
        """Args: own: more names that lead here, such as the one that was given as ``--host``."""
        self._own = frozenset(filter(None, own))
        #: Host headers and addresses that passed: browsers and programs repeat theirs.
        self._hosts: set[str] = set()
        self._addresses: set[str] = set()

    def refusal(self, host: str, address: str) -> str | None:
        """Say why a request is not taken while there are no users; None when it is.

        Args:
            host: Its Host header.
            address: Of the client; behind a proxy the one that the proxy names.
        """
        if host in self._hosts and address in self._addresses:
            return None
        if not self._is_own(host):
            return (
                "Masthead has no users, so it answers only requests for this machine itself (localhost), and this one is for "
                f"another host. {_REMEDY} Or name that host in access.hosts."
            )
        if address and not is_loopback(address):
            return f"Masthead has no users, so it answers only this machine, and a proxy sent this for another. {_REMEDY}"
        if len(self._hosts) + len(self._addresses) < _MOST_REMEMBERED:
            self._hosts.add(host)
            self._addresses.add(address)
        return None

    def _is_own(self, host: str) -> bool:
        if not host.strip():
            return True  # no browser leaves it out, so nobody's page made this
        name = name_of_host(host) if len(host) <= _LONGEST else ""
        return name == "localhost" or name.endswith(".localhost") or name in self._own or is_loopback(name)
