"""Finding applications by what their attributes contain, best matches first.

Source: Spinnaker compatibility facts, section 3.2 (attribute filters of ``GET /v2/applications``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

__all__ = ["search"]


def search(documents: Sequence[dict[str, Any]], filters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Give the *documents* that contain every filter's text in the attribute of its name.

    Letters' case does not matter. The more of an attribute the text covers, and the nearer to its
    beginning it stands, the earlier the document comes; equal ones keep the order they had.

    Args:
        documents: Applications, in the order wanted for equally good matches.
        filters: Attribute to text; an empty text asks nothing.
    """
    wanted = {key: text.lower() for key, text in filters.items() if text}
    if not wanted:
        return list(documents)
    scored = [(_score(document, wanted), document) for document in documents]
    found = [(score, document) for score, document in scored if score is not None]
    return [document for _, document in sorted(found, key=lambda pair: -pair[0])]


def _score(document: Mapping[str, Any], wanted: Mapping[str, str]) -> float | None:
    total = 0.0
    for key, text in wanted.items():
        value = _as_text(document.get(key)).lower()
        position = value.find(text)
        if position < 0:
            return None
        total += (len(text) / len(value)) * (2 - position / len(value))
    return total


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
