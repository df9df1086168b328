"""HTTP Basic, without argon2's cost for every request.

What was verified is remembered for some minutes by a keyed hash of the header, under a key that lives as long as the
process: neither the memory nor a dump of it gives a password away more cheaply than argon2's own hash does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from masthead.access.users import User

__all__ = ["Remembered", "Verified", "credentials"]

#: How long a verified header is taken without verifying it again.
_LIFE_S = 300.0
_MOST_REMEMBERED = 10_000
#: A longer header holds no name and password of ours.
_LONGEST = 2048
_DIGEST_BYTES = 32


def credentials(header: bytes) -> tuple[str, str] | None:
    """Give user and password out of an Authorization header; None when it is no Basic that can be read.

    Source: RFC 7617, section 2, with charset UTF-8 as section 2.1 lets a server ask for.
    """
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic" or len(header) > _LONGEST:
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


@dataclass(frozen=True, slots=True)
class Verified:
    """Whose header it was, and with which password, until when that may be taken for granted."""

    user: str
    password_hash: str
    until: float


class Remembered:
    """Headers that were verified a short while ago."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(_DIGEST_BYTES)
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()

    def digest(self, header: bytes) -> bytes:
        """Give what stands for *header*."""
        return hashlib.blake2b(header, key=self._key, digest_size=_DIGEST_BYTES).digest()

    def verified(self, digest: bytes, now: float) -> Verified | None:
        """Give who was verified by the header of *digest*, unless that was too long ago."""
        found = self._verified.get(digest)
        if found is None or found.until > now:
            return found
        del self._verified[digest]
        return None

    def keep(self, digest: bytes, user: User, now: float) -> None:
        """Remember that the header of *digest* was right for *user*."""
        self._verified[digest] = Verified(user.name, user.password_hash, now + _LIFE_S)
        if len(self._verified) > _MOST_REMEMBERED:
            self._verified.popitem(last=False)
