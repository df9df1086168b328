"""Instants as people write them into a query: absolute, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from masthead.kernel.errors import InvalidRequest

__all__ = ["read_instant"]

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_YEARS = range(1970, 9000)


def read_instant(text: str, *, name: str, now: datetime) -> datetime | None:
    """Read ISO 8601, in UTC unless it says otherwise, or how long ago: 90m, 24h, 7d; None for nothing.

    Args:
        text: What was written.
        name: The query parameter, for the message.
        now: What "ago" counts from.

    Raises:
        InvalidRequest: it is neither.
    """
    if not text:
        return None
    try:
        instant = _ago(text, now) or _absolute(text)
    except (ValueError, OverflowError):
        instant = None
    if instant is None or instant.year not in _YEARS:
        raise InvalidRequest(
            f"The query parameter {name} must be ISO 8601, such as 2026-11-24T03:04:05Z, or how long ago: 90m, 24h, 7d."
        )
    return instant


def _ago(text: str, now: datetime) -> datetime | None:
    found = _AGO.fullmatch(text)
    return now - timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def _absolute(text: str) -> datetime:
    # A plus sign that was not escaped arrives as a space.
    instant = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
