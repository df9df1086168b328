"""What pages show of documents that others made: as much as somebody reads. All of it is at the API.

A document of megabytes would take seconds to be made into a page, in which nobody else is answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from markupsafe import Markup

__all__ = ["MOST_FACTS", "first_facts", "json_excerpt"]

#: Names with values that are listed.
MOST_FACTS = 200
#: Characters of one piece of JSON.
_MOST_TEXT = 50_000
_CUT = "\n… cut here: the rest is longer than anybody reads"
#: As ``tojson`` writes them: they mean nothing to HTML, and quotes stay as short as they are.
_SAFE = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&'"}


def first_facts(given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Give the first of the names with their values, :data:`MOST_FACTS` at most."""
    return list(islice(given.items(), MOST_FACTS))


def json_excerpt(value: Any, indent: int | None = None) -> Markup:
    """Give *value* as JSON for a page, its keys in order; cut where it is long, and then it says so."""
    pieces: list[str] = []
    left = _MOST_TEXT
    for piece in _pieces(value, indent):
        if len(piece) > left:
            pieces += (piece[:left], _CUT)
            break
        pieces.append(piece)
        left -= len(piece)
    return Markup("".join(pieces).translate(_SAFE))  # noqa: S704 - made safe right here


def _pieces(value: Any, indent: int | None) -> Iterator[str]:
    return json.JSONEncoder(indent=indent, sort_keys=True).iterencode(value)
