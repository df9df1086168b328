"""``Idempotency-Key``: a request that is sent again because its answer was lost is the same request.

The key alone says so, whoever sends it; under it, another body is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from masthead.api.ask import Ask
from masthead.api.sorting import sorted_json
from masthead.kernel.errors import InvalidRequest
from masthead.paging import Page

__all__ = ["HEADER", "REPLAYED", "Idempotency", "asked_before", "read_idempotency"]

HEADER = "Idempotency-Key"
#: Says in an answer that nothing was asked anew.
REPLAYED = "Idempotency-Replayed"
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What a request is known by."""

    #: None without the header.
    identity: str | None
    fingerprint: str | None


def read_idempotency(ask: Ask, body: Mapping[str, Any]) -> Idempotency:
    """Give what this request is known by on its route.

    Raises:
        InvalidRequest: the header is empty or too long, or there are several.
    """
    given = ask.headers.getlist(HEADER)
    if not given:
        return Idempotency(None, None)
    if len(given) > 1:
        raise InvalidRequest(f"{HEADER} is given {len(given)} times; a request has one.")
    key = given[0].strip()
    if not key or len(key) > _LONGEST:
        raise InvalidRequest(f"{HEADER} must have 1 to {_LONGEST} characters; a random UUID is a good one.")
    path = ask.url.path.rstrip("/")
    return Idempotency(f"{path}/{_hash(key.encode())}", _hash(sorted_json(body)))


async def asked_before(ask: Ask, known: Idempotency) -> Page | None:
    """Give the page that was asked for by the same request before, or None when it is new.

    Raises:
        Conflict: another request had the same key.
    """
    if known.identity is None or known.fingerprint is None:
        return None
    return await ask.services.audit.asked_before(known.identity, known.fingerprint)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
