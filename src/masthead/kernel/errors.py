"""Every error that Masthead raises on purpose, as one tree.

A class exists only where a caller acts differently; its first line is the sentence an operator can act on
when an instance brings no better one. What can fail *outside* Masthead (PagerDuty, the database) carries
whether to try again.

    MastheadError
    ├── InvalidRequest            what was sent cannot be used; 400
    │   ├── ValidationFailed      an application broke Front50's rules; 400 with Front50's own body
    │   └── IncompletePipeline    a pipeline without name or application; 422
    ├── Unauthenticated           nobody showed who asks; 401
    ├── AccessDenied              403
    ├── TooManyAttempts           wrong passwords too often; 429
    ├── NotFound                  404
    ├── Conflict                  409
    ├── NotSupported              a part of Spinnaker that Masthead does not have; 501
    ├── Overloaded                try again later, nothing was stored; 503
    ├── StorageUnavailable        the database does not answer; 503
    ├── OutsideFailure            PagerDuty failed, refused or is not configured; 502
    └── ConfigurationInvalid      the files or the environment cannot be used; exit 78

The one table that turns a class into a status and Spinnaker's body is ``masthead.api.errors``.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "AccessDenied",
    "ConfigurationInvalid",
    "Conflict",
    "IncompletePipeline",
    "InvalidRequest",
    "MastheadError",
    "NotFound",
    "NotSupported",
    "OutsideFailure",
    "Overloaded",
    "Reason",
    "StorageUnavailable",
    "TooManyAttempts",
    "Unauthenticated",
    "ValidationFailed",
    "pointer_to",
]


class Reason(StrEnum):
    """Why an outside contact failed: the closed set that labels metrics, audit rows and log lines."""

    #: 401: the token is wrong, expired, or of another region.
    TOKEN = "token"  # noqa: S105 - a reason, not a token
    #: 402 or 403 of the REST API: the token or the plan does not allow this.
    SCOPE = "scope"
    #: 404 where something must be: most likely a wrong base URL or region.
    NOT_FOUND = "not-found"
    #: 429, or 403 of Events v1.
    THROTTLED = "throttled"
    #: No connection, name resolution, TLS, a reset, or half an answer.
    NETWORK = "network"
    #: No answer in time, or 408.
    TIMEOUT = "timeout"
    #: 5xx.
    SERVER = "server"
    #: PagerDuty does not know the key, or it belongs to the other Events protocol.
    KEY = "key"
    #: Any other 4xx: PagerDuty understood and said no.
    REJECTED = "rejected"
    #: An answer that is not what PagerDuty documents.
    ANSWER = "answer"
    #: Nothing was tried: this side is switched off or has no token.
    NOT_CONFIGURED = "not-configured"
    #: The deadline passed before an attempt succeeded.
    EXPIRED = "expired"


class MastheadError(Exception):
    """Masthead cannot do this."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])

    @property
    def message(self) -> str:
        """The sentence for the one who asked; never a secret in it."""
        return str(self.args[0])


def pointer_to(name: str) -> str:
    """Give the JSON pointer (RFC 6901) from an object to its field *name*."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


class InvalidRequest(MastheadError):
    """The request cannot be used as it is; correct the named field and send it again.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the field that is wrong; empty when it is the whole body, None when it is no
            part of the body.
        errors: Every message, when there is more than one.
        pointers: Where what each of *errors* says stands, where that is known.
    """

    def __init__(
        self,
        message: str = "",
        *,
        pointer: str | None = None,
        errors: tuple[str, ...] = (),
        pointers: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.errors = errors
        self.pointers = pointers


class ValidationFailed(InvalidRequest):
    """The application breaks a rule; each message names one."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("Validation Failed.", errors=errors)


class IncompletePipeline(InvalidRequest):
    """A pipeline requires name and application fields."""


class Unauthenticated(MastheadError):
    """Log in first: Masthead answers users only, by a session or by HTTP Basic."""


class TooManyAttempts(MastheadError):
    """Too many attempts to log in; wait and try again.

    Attributes:
        retry_after: Seconds after which one may be tried again.
    """

    def __init__(self, message: str = "", *, retry_after: float = 60.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AccessDenied(MastheadError):
    """Access is denied."""


class NotFound(MastheadError):
    """There is no such thing here."""


class Conflict(MastheadError):
    """The present state does not allow this."""


class NotSupported(MastheadError):
    """Masthead does not have this part of Spinnaker."""


class Overloaded(MastheadError):
    """Too much is waiting; nothing was stored, try again later."""

    def __init__(self, message: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageUnavailable(MastheadError):
    """The database does not answer; check that it runs, that its disk is not full, and the --database URL.

    Attributes:
        may_be_stored: Whether it may be stored all the same, because the connection broke during the commit itself.
        retry_after: Seconds after which one may try again: a database that is restarted is back within seconds.
    """

    retry_after = 5.0

    def __init__(self, message: str = "", *, may_be_stored: bool = False) -> None:
        super().__init__(message)
        self.may_be_stored = may_be_stored


class OutsideFailure(MastheadError):
    """PagerDuty did not do what was asked.

    Attributes:
        reason: Why, out of the closed set.
        retryable: Whether the same request may succeed later.
        retry_after: Seconds that the other side asked to wait, or None.
        status: HTTP status, or None when there was no answer.
    """

    def __init__(
        self,
        message: str = "",
        *,
        reason: Reason,
        retryable: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retryable = retryable
        self.retry_after = retry_after
        self.status = status


class ConfigurationInvalid(MastheadError):
    """The configuration cannot be used; each line says which file, line and key, and what to write instead."""
