"""The one table that turns an error into a status and Spinnaker's body.

Every door answers errors with the body that Spring's services give: ``timestamp``, ``status``, ``error``,
``exception``, ``message`` and, where there are several, ``errors``. Masthead adds ``pointer``, the JSON pointer
of the field that is wrong. An application that breaks Front50's rules has a body of its own. What looks like an
integration key, or is one that the catalog knows, is shown as ``key …1234``: somebody may have put it into a wrong field.

Source: Spinnaker compatibility facts, sections 0.1, 0.2 and 3.1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from masthead.api.answers import json_answer
from masthead.kernel import errors as kernel
from masthead.kernel.clock import to_ms
from masthead.kernel.secret import KEY_LIKE, Secret

__all__ = ["TABLE", "Entry", "Refused", "answer_error", "error_body"]

log = structlog.get_logger(__name__)

_KEY_LENGTH = 32
_KORK = "com.netflix.spinnaker.kork.web.exceptions"


@dataclass(frozen=True, slots=True)
class Entry:
    """How one class of error looks on the wire."""

    status: int
    #: The class that Spinnaker's services name, where they have one of the same meaning.
    exception: str


#: Class → answer; the nearest class in an error's ancestry counts. docs/reference/errors.md explains each.
TABLE: dict[type[kernel.MastheadError], Entry] = {
    kernel.MastheadError: Entry(500, "masthead.MastheadError"),
    kernel.InvalidRequest: Entry(400, f"{_KORK}.InvalidRequestException"),
    kernel.ValidationFailed: Entry(400, "com.netflix.spinnaker.front50.exceptions.ValidationException"),
    kernel.IncompletePipeline: Entry(422, "com.netflix.spinnaker.front50.exceptions.InvalidEntityException"),
    kernel.Unauthenticated: Entry(401, "org.springframework.security.core.AuthenticationException"),
    kernel.TooManyAttempts: Entry(429, "masthead.TooManyAttempts"),
    kernel.AccessDenied: Entry(403, "org.springframework.security.access.AccessDeniedException"),
    kernel.NotFound: Entry(404, f"{_KORK}.NotFoundException"),
    kernel.Conflict: Entry(409, "masthead.Conflict"),
    kernel.NotSupported: Entry(501, "masthead.NotSupported"),
    kernel.Overloaded: Entry(503, "masthead.Overloaded"),
    kernel.StorageUnavailable: Entry(503, "masthead.StorageUnavailable"),
    kernel.OutsideFailure: Entry(502, "masthead.OutsideFailure"),
    kernel.ConfigurationInvalid: Entry(500, "masthead.ConfigurationInvalid"),
}

#: Spring's reason phrases where Python's change with its version.
_PHRASES = {413: "Payload Too Large", 422: "Unprocessable Entity"}
#: Said for what the router itself refuses; none repeats the path, which may hold anything.
_ROUTER_TEXTS = {
    404: "Masthead has no such route. GET /v1/openapi.json lists every route there is.",
    405: "This route does not take this method; the Allow header lists those it takes.",
}


class Refused(Exception):
    """An answer that only the wire knows: a body too large, a media type, a failure in Echo's own words.

    Attributes:
        status: The HTTP status.
        exception: The class that Spinnaker's services name.
        message: The sentence for the one who asked; never a secret in it.
        headers: More headers of the answer.
    """

    def __init__(
        self, status: int, message: str, *, exception: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.exception = exception
        self.message = message
        self.headers = headers or {}


def error_body(
    status: int, message: str, *, at: datetime, exception: str = "", as_ms: bool = False, **more: Any
) -> dict[str, Any]:
    """Give Spinnaker's error body.

    Args:
        status: The HTTP status, of which ``error`` is the reason phrase.
        message: The sentence for the one who asked.
        at: When it happened.
        exception: The class's name; left out when empty.
        as_ms: Write the timestamp as Orca does, in milliseconds; else as ISO 8601 with offset.
        more: Further fields; empty ones are left out.
    """
    body: dict[str, Any] = {
        "timestamp": to_ms(at) if as_ms else at.isoformat(timespec="milliseconds"),
        "status": status,
        "error": _PHRASES.get(status) or HTTPStatus(status).phrase,
    }
    if exception:
        body["exception"] = exception
    body["message"] = message
    body.update({name: value for name, value in more.items() if value})
    return body


def answer_error(error: Exception, scope: Scope, *, at: datetime) -> Response:
    """Give the answer for *error*; what nobody foresaw is logged here, once, with its traceback.

    Args:
        error: What was raised while the request was answered.
        scope: The request, as the boundary prepared it.
        at: When it happened.
    """
    as_ms = scope.get("masthead.door") == "orca"
    mask = _Mask(scope.get("masthead.is_key"))
    if isinstance(error, kernel.ValidationFailed):
        errors = [mask(text) for text in error.errors]
        return json_answer(
            {"error": "Validation Failed.", "errors": errors, "status": "BAD_REQUEST"}, status=400
        )
    if isinstance(error, kernel.MastheadError):
        return _answer_known(error, mask, at=at, as_ms=as_ms)
    if isinstance(error, Refused):
        body = error_body(error.status, mask(error.message), at=at, exception=error.exception, as_ms=as_ms)
        return json_answer(body, status=error.status, headers=error.headers)
    if isinstance(error, HTTPException):
        message = _ROUTER_TEXTS.get(error.status_code, error.detail)
        body = error_body(error.status_code, message, at=at, as_ms=as_ms)
        return json_answer(body, status=error.status_code, headers=dict(error.headers or {}))
    return _answer_unforeseen(error, scope, at=at, as_ms=as_ms)


def entry_of(error: kernel.MastheadError) -> Entry:
    """Give the table's entry for the nearest ancestor of *error*'s class."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


class _Mask:
    """Puts ``key …1234`` where a text holds an integration key.

    Longer words are hidden too, as a key may stand in one; words of letters alone are not: no key of PagerDuty's is.
    """

    def __init__(self, is_known: Callable[[Secret], bool] | None) -> None:
        self._is_known = is_known or (lambda _: False)

    def __call__(self, text: str) -> str:
        return KEY_LIKE.sub(self._shown, text)

    def _shown(self, found: re.Match[str]) -> str:
        word, key = found[0], Secret(found[0])
        looks_like_one = len(word) >= _KEY_LENGTH and any(map(str.isdigit, word))
        return key.label if looks_like_one or self._is_known(key) else word


def _answer_known(error: kernel.MastheadError, mask: _Mask, *, at: datetime, as_ms: bool) -> Response:
    entry, message = entry_of(error), mask(error.message)
    more: dict[str, Any] = {
        "errors": [mask(text) for text in getattr(error, "errors", ())],
        "pointers": [mask(text) for text in getattr(error, "pointers", ())],
    }
    if isinstance(error, kernel.OutsideFailure):
        more["reason"] = str(error.reason)
    body = error_body(entry.status, message, at=at, exception=entry.exception, as_ms=as_ms, **more)
    if isinstance(error, kernel.InvalidRequest) and error.pointer is not None:
        body["pointer"] = mask(error.pointer)
    if entry.status >= HTTPStatus.INTERNAL_SERVER_ERROR and entry.status != HTTPStatus.NOT_IMPLEMENTED:
        log.warning("request.failed", status=entry.status, kind=type(error).__name__, error=message)
    return json_answer(body, status=entry.status, headers=_retry_after(error))


def _retry_after(error: kernel.MastheadError) -> dict[str, str]:
    seconds = getattr(error, "retry_after", None)
    return {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}


def _answer_unforeseen(error: Exception, scope: Scope, *, at: datetime, as_ms: bool) -> Response:
    caller = scope.get("masthead.caller")
    request_id = caller.request_id if caller else "unknown"
    log.error(
        "request.crashed",
        request=request_id,
        method=scope.get("method"),
        route=getattr(scope.get("masthead.operation"), "path", None),
        exc_info=error,
    )
    message = f"Masthead failed on request {request_id}; its log says more under this id."
    body = error_body(500, message, at=at, exception=type(error).__name__, as_ms=as_ms)
    return json_answer(body, status=500)
