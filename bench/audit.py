"""An audit as it stands after years: pages with a delivery and an attempt each, written straight into the tables."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from masthead.kernel.secret import Secret
from masthead.paging.hashing import KeyHasher
from masthead.storage.schema import attempt, delivery, page

__all__ = ["fill"]

_KEYS = 10_000
_BATCH = 10_000
_YEAR_MS = 365 * 24 * 3600 * 1000
#: Nothing is younger than this, so that no budget and no recognition concerns it.
_YOUNGEST_MS = 3600 * 1000
#: Crockford's alphabet, in which ULIDs are written.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def fill(database: Path, *, pages: int) -> None:
    """Write *pages* accepted pages of the past year into a migrated SQLite file that nobody has open."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        hashes = _hashes(connection)
        for first in range(0, pages, _BATCH):
            connection.execute("BEGIN")
            for table, rows in _rows(range(first, min(first + _BATCH, pages)), pages, hashes).items():
                names = list(rows[0])
                marks = ", ".join("?" * len(names))
                quoted = ", ".join(f'"{name}"' for name in names)
                connection.executemany(
                    f"INSERT INTO {table} ({quoted}) VALUES ({marks})",
                    [tuple(row.values()) for row in rows],
                )
            connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA optimize")


def _hashes(connection: sqlite3.Connection) -> list[str]:
    """Give the hash of each key that the load is put on, as this installation makes it."""
    secret = connection.execute("SELECT value FROM installation WHERE name = 'dedup-secret'").fetchone()[0]
    hasher = KeyHasher(Secret(secret))
    return [hasher.key_hash(Secret(f"beef{number:028d}")) for number in range(_KEYS)]


def _rows(numbers: range, pages: int, hashes: list[str]) -> Mapping[str, list[dict[str, Any]]]:
    began = int(time.time() * 1000) - _YEAR_MS
    found: dict[str, list[dict[str, Any]]] = {page.name: [], delivery.name: [], attempt.name: []}
    for number in numbers:
        at = began + number * (_YEAR_MS - _YOUNGEST_MS) // pages
        page_id, delivery_id = _ulid(at, number), _ulid(at, pages + number)
        found[page.name].append(_page(page_id, number, at))
        found[delivery.name].append(_delivery(delivery_id, page_id, number, at, hashes[number % _KEYS]))
        found[attempt.name].append(_attempt(delivery_id, at, hashes[number % _KEYS]))
    return found


def _page(page_id: str, number: int, at: int) -> dict[str, Any]:
    return {
        "id": page_id,
        "fingerprint": f"{number:032x}",
        "message": f"Deploy of orders to prod failed, run {number}",
        "details": f'{{"region":"eu-central-1","run":{number}}}',
        "links": "[]",
        "severity": "critical",
        "user": "bench",
        "address": "127.0.0.1",
        "client": "Spinnaker (bench)",
        "door": "echo",
        "application": f"application-{number % 500}",
        "created_at": at,
    }


def _delivery(delivery_id: str, page_id: str, number: int, at: int, key_hash: str) -> dict[str, Any]:
    return {
        "id": delivery_id,
        "page_id": page_id,
        "routing_key": f"beef{number % _KEYS:028d}",
        "key_hash": key_hash,
        "dedup_key": f"masthead-{number:032x}",
        "protocol": "v2",
        "label": "key …0000",
        "state": "accepted",
        "severity_rank": 0,
        "says": f"{number:032x}",
        "text": "Event processed",
        "attempts": 1,
        "deadline_at": at + 3_600_000,
        "created_at": at,
        "decided_at": at + 80,
        "position": 0,
    }


def _attempt(delivery_id: str, at: int, key_hash: str) -> dict[str, Any]:
    return {
        "delivery_id": delivery_id,
        "number": 1,
        "at": at,
        "protocol": "v2",
        "status": 202,
        "outcome": "accepted",
        "text": "Event processed",
        "duration_ms": 80,
        "key_hash": key_hash,
    }


def _ulid(at_ms: int, number: int) -> str:
    """Give a ULID of that instant, different for every number."""
    time_part = "".join(_DIGITS[(at_ms >> shift) & 31] for shift in range(45, -1, -5))
    return f"{time_part}{number:016d}"
