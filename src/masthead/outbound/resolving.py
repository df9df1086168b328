"""From names to addresses, once: what was checked is what is connected to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Any, Protocol

import aiohttp.abc

from masthead.outbound.addresses import Address
from masthead.outbound.problems import UnknownHost, UrlRefused

__all__ = ["FixedResolver", "Resolver", "SystemResolver"]


class Resolver(Protocol):
    """Knows the addresses of names; the fake stands in ``fakes.py``."""

    async def addresses(self, host: str) -> Sequence[Address]:
        """Give every address of *host*, at least one.

        Raises:
            UnknownHost: it has none, or nobody could be asked.
        """
        ...


class SystemResolver:
    """Asks the system, as every other program on this machine."""

    async def addresses(self, host: str) -> Sequence[Address]:
        """See :class:`Resolver`."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UnknownHost(f"{host}: Name or service not known") from error
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found if entry[0] in _FAMILIES]
        if not addresses:
            raise UnknownHost(f"{host}: No address associated with hostname")
        return tuple(dict.fromkeys(addresses))


_FAMILIES = (socket.AF_INET, socket.AF_INET6)


class FixedResolver(aiohttp.abc.AbstractResolver):
    """Gives aiohttp the addresses that were checked, for the host they were checked for and no other."""

    def __init__(self, host: str, addresses: Sequence[Address]) -> None:
        self._host = host
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[aiohttp.abc.ResolveResult]:
        """See aiohttp's AbstractResolver."""
        if host.rstrip(".") != self._host.rstrip("."):
            raise UrlRefused(f"Host not allowed: {host}")
        return [
            aiohttp.abc.ResolveResult(
                hostname=host,
                host=str(each),
                port=port,
                family=socket.AF_INET if each.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for each in self._addresses
            if family in (socket.AF_UNSPEC, socket.AF_INET if each.version == 4 else socket.AF_INET6)
        ]

    async def close(self) -> None:
        """Nothing is held."""

    def socket(self, address_info: Any) -> socket.socket:
        """Make the socket that is about to be connected, and only to an address that was checked."""
        family, kind, protocol, _, place = address_info
        if ipaddress.ip_address(place[0]) not in self._addresses:
            raise OSError(f"{place[0]} was not checked")
        return socket.socket(family, kind, protocol)
