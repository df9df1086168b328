"""Why a stage or task failed, in the words Orca writes into ``context.exception``.

Source: Spinnaker compatibility facts, section 4.8.
"""

from __future__ import annotations

from typing import Any

from masthead.kernel.errors import (
    AccessDenied,
    Conflict,
    InvalidRequest,
    MastheadError,
    NotFound,
    OutsideFailure,
    Overloaded,
    StorageUnavailable,
)
from masthead.telemetry.logs import redact

__all__ = ["TaskFailed", "TaskTimedOut", "describe", "exception_document", "is_retryable"]

_UNEXPECTED = "Unexpected Task Failure"
_PHRASES: tuple[tuple[type[MastheadError], str], ...] = (
    (NotFound, "Not Found"),
    (Conflict, "Conflict"),
    (AccessDenied, "Forbidden"),
    (InvalidRequest, "Bad Request"),
)


class TaskFailed(MastheadError):
    """The stage cannot do what it was asked.

    Attributes:
        errors: The sentences that Deck shows, the most important first.
        error: The heading above them.
        exception_type: The class name that Orca would have written.
        details: More fields of ``exception.details``.
        context: Merged into the stage's context, as a result's would be.
    """

    def __init__(
        self,
        *errors: str,
        error: str = _UNEXPECTED,
        exception_type: str = "IllegalArgumentException",
        details: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(errors[0] if errors else "")
        self.errors = errors or (self.message,)
        self.error = error
        self.exception_type = exception_type
        self.details = details or {}
        self.context = context or {}


class TaskTimedOut(TaskFailed):
    """The stage or task took longer than it may."""

    def __init__(self, *errors: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(*errors, exception_type="TimeoutException", context=context)


def is_retryable(error: Exception) -> bool:
    """Tell whether the same task may succeed if it is run again after its back-off."""
    if isinstance(error, OutsideFailure):
        return error.retryable
    return isinstance(error, (Overloaded, StorageUnavailable))


def describe(error: Exception, *, operation: str, now_ms: int) -> dict[str, Any]:
    """Give the ``exception`` object for what *operation* raised; no stranger's text and no key is repeated in it."""
    if isinstance(error, TaskFailed):
        details = {"error": error.error, "errors": list(map(redact, error.errors)), **error.details}
        return exception_document(error.exception_type, details, operation=operation, now_ms=now_ms)
    if isinstance(error, MastheadError):
        errors = list(getattr(error, "errors", ())) or [error.message]
        details = {"error": _phrase(error), "errors": list(map(redact, errors))}
        if isinstance(error, InvalidRequest) and error.pointer:
            details["pointer"] = redact(error.pointer)
        if isinstance(error, InvalidRequest) and error.pointers:
            details["pointers"] = list(map(redact, error.pointers))
        return exception_document(type(error).__name__, details, operation=operation, now_ms=now_ms)
    sentence = f"Masthead failed inside {operation} ({type(error).__name__}); its log says more."
    details = {"error": _UNEXPECTED, "errors": [sentence]}
    return exception_document(type(error).__name__, details, operation=operation, now_ms=now_ms)


def exception_document(
    exception_type: str, details: dict[str, Any], *, operation: str, now_ms: int
) -> dict[str, Any]:
    """Give the object that Orca keeps under ``exception``."""
    return {
        "timestamp": now_ms,
        "exceptionType": exception_type,
        "operation": operation,
        "details": details,
        "shouldRetry": False,
    }


def _phrase(error: MastheadError) -> str:
    return next((phrase for kind, phrase in _PHRASES if isinstance(error, kind)), _UNEXPECTED)
