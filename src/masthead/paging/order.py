"""Pages in time: newest first is by descending id, because ids are ULIDs; where a reader goes on is a cursor."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from ulid import ULID

from masthead.kernel.clock import to_ms
from masthead.kernel.errors import InvalidRequest

__all__ = ["cursor_after", "first_id", "id_before"]

#: A ULID is 48 bits of milliseconds and 80 bits of chance.
_CHANCE_BITS = 80
_LAST_MS = 2**48 - 1
_LENGTH = 16


def first_id(at: datetime) -> str:
    """Give the smallest id that can have been given at *at* or later."""
    milliseconds = min(max(to_ms(at), 0), _LAST_MS)
    return str(ULID.from_int(milliseconds << _CHANCE_BITS))


def cursor_after(page_id: str) -> str:
    """Give the cursor that goes on behind *page_id*: 22 characters that stand in a URL as they are."""
    return base64.urlsafe_b64encode(bytes(ULID.from_str(page_id))).decode().rstrip("=")


def id_before(cursor: str) -> str:
    """Give the id behind which *cursor* goes on.

    Raises:
        InvalidRequest: no answer of ours has given this cursor.
    """
    try:
        raw = base64.b64decode(cursor + "==", altchars=b"-_", validate=True)
        if len(raw) == _LENGTH:
            return str(ULID.from_bytes(raw))
    except (ValueError, binascii.Error):
        pass  # said below
    raise InvalidRequest("This cursor is none; take nextCursor of the answer before, as it stands.")
