"""Which answer means what: the one table of statuses.

Events (PagerDuty facts A.1, A.2, A.10):

    2xx with status "success"           accepted
    2xx whose body cannot be read       retry, it may have arrived
    2xx with another status             rejected, as Echo does (compatibility facts 1.3)
    1xx, 3xx                            retry: not PagerDuty's answer, something stands in between
    403 (v1), 429 (v1, v2, change)      retry, throttled
    408                                 retry
    every other 4xx                     rejected
    5xx                                 retry
    no answer, half an answer           retry, it may have arrived unless no connection came about

REST (facts A.5): 408, 429 and 5xx may succeed later, nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from masthead.kernel.errors import Reason
from masthead.pagerduty.model import Outcome, Protocol

__all__ = ["classify_event", "classify_rest", "clock_lead", "retry_after"]

_REQUEST_TIMEOUT = 408
_TOO_MANY = 429
_CLIENT_ERROR = 400
_SERVER_ERROR = 500
#: v1 is documented with 403 alone; 429 is what HTTP itself says.
_THROTTLED = {Protocol.V1: (403, _TOO_MANY), Protocol.V2: (_TOO_MANY,)}
#: "Service key is the wrong length", "Invalid routing key", "'routing_key' cannot contain …"; not "dedup_key".
_ABOUT_THE_KEY = re.compile(r"\b(routing|service|integration)[ _]key\b", re.IGNORECASE)
_REST = {
    401: (Reason.TOKEN, False),
    402: (Reason.SCOPE, False),
    403: (Reason.SCOPE, False),
    404: (Reason.NOT_FOUND, False),
    408: (Reason.TIMEOUT, True),
    429: (Reason.THROTTLED, True),
}
#: Whatever the other side asks, nobody is kept waiting for longer than this at a time.
_LONGEST_WAIT_S = 900.0


def classify_event(protocol: Protocol, status: int, text: str = "") -> tuple[Outcome, Reason | None]:
    """Say what the status of an answer to an event means, by the table above.

    Args:
        protocol: The Events API that answered; change events are as v2.
        status: The HTTP status.
        text: PagerDuty's words: they tell a wrong key from other bad requests.
    """
    if 200 <= status < 300:
        return Outcome.ACCEPTED, None
    if status in _THROTTLED[protocol]:
        return Outcome.RETRY, Reason.THROTTLED
    if status == _REQUEST_TIMEOUT or not _CLIENT_ERROR <= status < _SERVER_ERROR:
        return Outcome.RETRY, _passing(status)
    if _ABOUT_THE_KEY.search(text):
        return Outcome.REJECTED, Reason.KEY
    return Outcome.REJECTED, Reason.NOT_FOUND if status == 404 else Reason.REJECTED


def _passing(status: int) -> Reason:
    if status == _REQUEST_TIMEOUT:
        return Reason.TIMEOUT
    return Reason.SERVER if status >= _SERVER_ERROR else Reason.ANSWER


def classify_rest(status: int) -> tuple[Reason, bool]:
    """Say why the REST API refused, and whether the same request may succeed later."""
    if status >= _SERVER_ERROR:
        return Reason.SERVER, True
    if status < _CLIENT_ERROR:
        return Reason.ANSWER, False
    return _REST.get(status, (Reason.REJECTED, False))


def retry_after(status: int, headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Read how many seconds the other side asks to wait, or None when it does not say.

    ``Retry-After`` counts with every status, ``ratelimit-reset`` only with one that throttles: PagerDuty sends
    it along with good answers too. A date is measured by the answer's own ``Date``, so that a clock of ours
    that is wrong does no harm.

    Args:
        status: The HTTP status.
        headers: The answer's headers, looked up without regard to case.
        now: What stands in for a missing ``Date``.
    """
    value = headers.get("Retry-After")
    if not value and status in (403, _TOO_MANY):
        value = headers.get("ratelimit-reset")
    if not value:
        return None
    seconds = _seconds(value, _date(headers.get("Date", "")) or now)
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_WAIT_S)


def clock_lead(headers: Mapping[str, str], *, now: datetime) -> float:
    """Give by how many seconds our clock goes ahead of the other side's, as its ``Date`` has it; 0 without one.

    Whole seconds and the way of the answer make it too large by up to about two.
    """
    theirs = _date(headers.get("Date", ""))
    return 0.0 if theirs is None else (now - theirs).total_seconds()


def _seconds(value: str, now: datetime) -> float | None:
    try:
        number = float(value)
    except ValueError:
        then = _date(value)
        return None if then is None else (then - now).total_seconds()
    return number if math.isfinite(number) else None


def _date(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
