"""Where the server listens, and whether it may listen there."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from masthead.access import is_loopback
from masthead.config import Settings
from masthead.kernel.errors import ConfigurationInvalid

__all__ = ["Place", "find_place", "listen", "warning_of"]

_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Place:
    """An address to listen on, as a number."""

    #: As it was given: a number or a name.
    host: str
    address: str

    @property
    def is_this_machine(self) -> bool:
        """Whether nobody else reaches it."""
        return is_loopback(self.address)


def find_place(settings: Settings) -> Place:
    """Give the address to listen on; all ports, also those of single doors, are opened there.

    Raises:
        ConfigurationInvalid: others reach it, there are no users, and nobody said that this is meant.
        OSError: the host has no address.
    """
    host = settings.server.host
    place = Place(host, _address_of(host))
    access = settings.access
    if not (place.is_this_machine or access.users_file or access.insecure):
        shown = host or place.address
        raise ConfigurationInvalid(
            f"{shown} is reached by other machines and there are no users, so everybody who reaches it could page: "
            "add a user with `masthead user add NAME` and name the file in access.usersFile (MASTHEAD_ACCESS_USERS_FILE), "
            "listen on 127.0.0.1, or say --insecure if that is meant."
        )
    return place


def warning_of(settings: Settings, place: Place) -> str | None:
    """Say what an administrator should know about *place*; None when nothing."""
    if place.is_this_machine:
        return None
    if not settings.access.users_file:
        return "INSECURE: there are no users and other machines reach this address: everybody there may page in any name."
    return "Others reach this address without TLS: passwords go in clear unless a proxy in front of it speaks https."


@contextlib.contextmanager
def listen(place: Place, port: int) -> Iterator[socket.socket]:
    """Take a port before anything else is started, so that a taken one costs nothing.

    Raises:
        OSError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((place.address, port))
        except OSError as error:
            raise OSError(
                error.errno, f"{place.host}:{port} cannot be listened on: {error.strerror}"
            ) from error
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        yield listener


def _address_of(host: str) -> str:
    """Give the number of *host*, an IPv4 one where it has both; for "" that of all interfaces."""
    if not host:
        return "0.0.0.0"  # noqa: S104 - what an empty host means; find_place decides whether it may be
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no name or address"
        raise OSError(0, f"{host} cannot be listened on: {reason}") from error
    addresses = [str(address[0]) for *_, address in sorted(found, key=lambda one: one[0] is socket.AF_INET6)]
    return addresses[0]
