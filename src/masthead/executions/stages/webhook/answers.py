"""From an answer to what the execution keeps of it, and to what it means.

Source: Spinnaker compatibility facts, sections 4.7.2 and 4.7.4 ("Output shape").
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from masthead.outbound import Reply

__all__ = ["body_of", "is_error", "phrase", "shown"]

#: Spring's names where Python's differ (org.springframework.http.HttpStatus).
_NAMES = {
    413: "PAYLOAD_TOO_LARGE",
    414: "URI_TOO_LONG",
    416: "REQUESTED_RANGE_NOT_SATISFIABLE",
    418: "I_AM_A_TEAPOT",
    422: "UNPROCESSABLE_ENTITY",
    509: "BANDWIDTH_LIMIT_EXCEEDED",
}
_FIRST_ERROR = 400
_FIRST_STATUS = 200


def is_error(status: int) -> bool:
    """Tell whether a status is neither 2xx nor 3xx."""
    return not _FIRST_STATUS <= status < _FIRST_ERROR


def shown(reply: Reply) -> dict[str, Any]:
    """Give ``statusCode``, ``statusCodeValue``, ``headers`` and, if there is one, ``body``."""
    found: dict[str, Any] = {
        "statusCode": _name(reply.status),
        "statusCodeValue": reply.status,
        "headers": dict(reply.headers),
    }
    body = body_of(reply)
    return found if body is None else found | {"body": body}


def body_of(reply: Reply) -> Any:
    """Give the body: parsed where it is JSON, else its text; None when it is empty."""
    if not reply.body:
        return None
    kind = next((value for name, value in reply.headers.items() if name.lower() == "content-type"), "")
    text = reply.text()
    if not (text.lstrip("\ufeff \t\r\n").startswith(("{", "[")) or "json" in kind.lower()):
        return text
    try:
        return msgspec.json.decode(text.lstrip("\ufeff").encode())
    except (ValueError, RecursionError):
        return text


def phrase(status: int) -> str:
    """Give a status with its reason: ``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _name(status: int) -> str:
    if status in _NAMES:
        return _NAMES[status]
    try:
        return HTTPStatus(status).name
    except ValueError:
        return str(status)  # upstream knows no others, and fails
