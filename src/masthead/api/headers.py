"""The request's headers, put into a dictionary once: every layer looks some up, and most are not there."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Scope

__all__ = ["header", "headers_of"]

_KEPT = "masthead.headers"


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """Give the headers by their names in lower case; of several of one name the first."""
    kept: dict[bytes, bytes] | None = scope.get(_KEPT)
    if kept is None:
        kept = scope[_KEPT] = dict(list(scope["headers"])[::-1])
    return kept


def header(scope: Scope, name: bytes) -> str:
    """Give a header as text; empty when it is absent."""
    return headers_of(scope).get(name, b"").decode("latin-1")
