"""Ids of executions that a trigger starts: the same cause gives the same id, on every machine, however often."""

from __future__ import annotations

from hashlib import blake2b

from ulid import ULID

__all__ = ["id_of_run"]

#: Bytes of time and of the rest in a ULID.
_TIME, _REST = 6, 10


def id_of_run(at_ms: int, *cause: str) -> str:
    """Give the ULID of the run that *cause* leads to: its time is *at_ms*, the rest a hash of the cause.

    Args:
        at_ms: Milliseconds since 1970, so that the id sorts among others.
        cause: Names what starts and what is started; all of it counts.
    """
    digest = blake2b(digest_size=_REST)
    for part in cause:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "big") + data)
    return str(ULID.from_bytes(at_ms.to_bytes(_TIME, "big") + digest.digest()))
