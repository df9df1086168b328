"""What an IP address is: which network it belongs to, whatever form it is written in or wrapped into. Pure functions.

An IPv6 address may carry an IPv4 address that a gateway on the way will connect to; such an address is judged by both.

Source: IANA special-purpose address registries (RFC 6890); RFC 4291 (mapped), RFC 6052 and 8215 (NAT64), RFC 3056 (6to4),
RFC 4380 (Teredo); metadata addresses as the clouds document them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterator
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["Address", "Network", "Place", "is_own", "literal", "places", "within"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Place(StrEnum):
    """Where an address leads."""

    #: This machine: loopback, unspecified, or an address of one of its interfaces.
    LOCALHOST = "this machine"
    #: A cloud's metadata service, which hands out credentials.
    METADATA = "a metadata service"
    LINK_LOCAL = "link-local"
    PRIVATE = "in a private network"
    #: Multicast, broadcast, documentation and what else nobody serves.
    RESERVED = "reserved"


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_METADATA = _networks(
    "169.254.169.254/32",  # AWS, Google, Azure, DigitalOcean, OpenStack and others
    "169.254.170.2/32",  # AWS ECS task credentials
    "169.254.170.23/32",  # AWS EKS pod identity
    "fd00:ec2::254/128",  # AWS over IPv6
    "fd00:ec2::23/128",  # AWS EKS pod identity over IPv6
    "fd20:ce::254/128",  # Google over IPv6
    "100.100.100.200/32",  # Alibaba
    "192.0.0.192/32",  # Oracle, classic
    "168.63.129.16/32",  # Azure's platform address
)
_LINK_LOCAL = _networks("169.254.0.0/16", "fe80::/10")
_LOCALHOST = _networks("127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128")
_PRIVATE = _networks(
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "fec0::/10",
    "64:ff9b:1::/48",
)
_RESERVED = _networks(
    "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16", "ff00::/8",
)  # fmt: skip
_BY_PLACE = (
    (Place.LOCALHOST, _LOCALHOST),
    (Place.METADATA, _METADATA),
    (Place.LINK_LOCAL, _LINK_LOCAL),
    (Place.PRIVATE, _PRIVATE),
    (Place.RESERVED, _RESERVED),
)
#: Networks whose addresses carry an IPv4 address, and the bits that stand after it.
_CARRIERS: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
)
_TEREDO = IPv6Network("2001::/32")
_V4_BITS = 0xFFFF_FFFF
_MOST_PARTS = 4
_ANY_PORT = 9


def places(address: Address) -> frozenset[Place]:
    """Say where *address* leads, by itself and by the IPv4 address it may carry; empty for the public Internet.

    Addresses of this machine's own interfaces are not recognised here; see :func:`is_own`.
    """
    return frozenset(
        place for one in _judged(address) for place, networks in _BY_PLACE if within(one, networks)
    )


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Tell whether *address* is in one of *networks*, as it stands."""
    return any(address.version == network.version and address in network for network in networks)


def is_own(address: Address) -> bool:
    """Tell whether an interface of this machine has *address*, or the IPv4 address it carries.

    The system is asked which way it would take; nothing is sent.
    """
    return any(_leads_here(one) for one in _judged(address))


def literal(host: str) -> Address | None:
    """Give the address that *host* is written as, in any form that some resolver takes for one; None for a name.

    Args:
        host: Without brackets. ``127.0.0.1``, ``2130706433``, ``0x7f.1``, ``0177.0.0.1``, ``::1`` and ``fe80::1%eth0``
            are addresses; a dot at the end changes nothing.
    """
    host = host.removesuffix(".")
    if ":" in host:
        with contextlib.suppress(ValueError):
            return IPv6Address(host.partition("%")[0])
        return None
    return _any_v4(host)


def carried(address: Address) -> Iterator[IPv4Address]:
    """Give the IPv4 addresses that *address* carries."""
    if not isinstance(address, IPv6Address):
        return
    for network, shift in _CARRIERS:
        if address in network and int(address) > 1:  # :: and ::1 carry nothing
            yield IPv4Address((int(address) >> shift) & _V4_BITS)
    if address in _TEREDO:
        yield IPv4Address((int(address) >> 64) & _V4_BITS)
        yield IPv4Address((int(address) & _V4_BITS) ^ _V4_BITS)


def _judged(address: Address) -> tuple[Address, ...]:
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        address = IPv6Address(int(address))
    return (address, *carried(address))


def _leads_here(address: Address) -> bool:
    """Tell whether the system would reach *address* from the same address: it does so for its own only."""
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as found:
            found.connect((str(address), _ANY_PORT))
            source: str = found.getsockname()[0]
    except OSError:
        return False
    return ip_address(source.partition("%")[0]) == address


def _any_v4(host: str) -> IPv4Address | None:
    """Read IPv4 as the C library's inet_aton does: one to four numbers, decimal, octal or hexadecimal."""
    parts = host.split(".")
    if not 1 <= len(parts) <= _MOST_PARTS:
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers):
        return None
    *heads, tail = [number for number in numbers if number is not None]
    value = tail
    for place, head in enumerate(heads):
        value += head << (24 - 8 * place)
    is_possible = all(head <= 0xFF for head in heads) and tail < 256 ** (5 - len(parts))
    return IPv4Address(value) if is_possible else None


def _number(text: str) -> int | None:
    if not text.isascii() or not text.isalnum():
        return None
    is_octal = len(text) > 1 and text[0] == "0" and text[1:].isdigit()
    try:
        return int(text, 8) if is_octal else int(text, 0 if text[:2].lower() == "0x" else 10)
    except ValueError:
        return None
