"""Answers: JSON as each door writes it, and the empty body that several routes of Spinnaker give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from masthead.api.sorting import sorted_json

__all__ = ["empty", "json_answer"]

_JSON = "application/json"
_plain = msgspec.json.Encoder()


class _Json(Response):
    """Starlette's response whose headers are known: written down, not looked through."""

    media_type = _JSON

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str] | None) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        if headers:
            self.raw_headers += [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ]


def json_answer(
    document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, is_sorted: bool = False
) -> Response:
    """Give *document* as JSON.

    Args:
        document: Anything that JSON has a word for.
        status: The HTTP status.
        headers: More headers.
        is_sorted: Write the keys of every object in alphabetical order, as Gate does (compatibility facts, section 2).
    """
    return _Json(sorted_json(document) if is_sorted else _plain.encode(document), status, headers)


def empty(*, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Give an answer without a body, as Spring does for a method that returns nothing."""
    return Response(b"", status_code=status, headers=headers)
