"""Which answer means what: the one table of statuses, and the sentences that tell people what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.model import Outcome, Protocol

__all__ = ["classify_event", "classify_rest", "error_text", "remedy", "retry_after", "without"]

_LONGEST_TEXT = 500
_REQUEST_TIMEOUT = 408
_SERVER_ERROR = 500


def classify_event(protocol: Protocol, status: int, text: str) -> tuple[Outcome, Reason | None]:
    """Say what the status of an event's answer means.

    v1 says 403 where v2 says 429; both may fail with 408 and 5xx; everything else below 500 is final (facts
    A.1, A.2, A.10). A 2xx whose body does not say "success" is final as well, as in Echo (compat 1.3).
    """
    throttled = 403 if protocol is Protocol.V1 else 429
    if 200 <= status < 300:
        return Outcome.ACCEPTED, None
    if status == throttled or status == 429:  # noqa: PLR1714 - v1 is documented with 403, 429 is HTTP's own
        return Outcome.RETRY, Reason.THROTTLED
    if status == _REQUEST_TIMEOUT:
        return Outcome.RETRY, Reason.TIMEOUT
    if status >= _SERVER_ERROR:
        return Outcome.RETRY, Reason.SERVER
    is_key = "key" in text.lower()
    return Outcome.REJECTED, Reason.KEY if is_key else Reason.REJECTED


def classify_rest(status: int) -> tuple[Reason, bool]:
    """Say why the REST API refused, and whether the same request may succeed later (facts A.5)."""
    table = {
        401: (Reason.TOKEN, False),
        402: (Reason.SCOPE, False),
        403: (Reason.SCOPE, False),
        404: (Reason.NOT_FOUND, False),
        408: (Reason.TIMEOUT, True),
        429: (Reason.THROTTLED, True),
    }
    if status >= _SERVER_ERROR:
        return Reason.SERVER, True
    return table.get(status, (Reason.REJECTED, False))


def remedy(reason: Reason) -> str:
    """Give the sentence that tells an operator what to do about *reason*."""
    sentences = {
        Reason.TOKEN: "Check the token, and that the base URL is of the account's region (EU: https://api.eu.pagerduty.com).",
        Reason.SCOPE: "Give the token read access to services and on-calls, or use an account-level read-only token.",
        Reason.NOT_FOUND: "Check the base URL (US: https://api.pagerduty.com, EU: https://api.eu.pagerduty.com).",
        Reason.THROTTLED: "PagerDuty limits the requests of this token; Masthead tries again by itself.",
        Reason.NETWORK: "Check the network, the proxy and the base URL; Masthead tries again by itself.",
        Reason.TIMEOUT: "PagerDuty was too slow; Masthead tries again by itself.",
        Reason.SERVER: "PagerDuty has a problem; see its status page. Masthead tries again by itself.",
        Reason.KEY: "Check that the integration still exists and that its type fits the Events protocol (v1 or v2).",
        Reason.NOT_CONFIGURED: "Give a REST API token: pagerDuty.token in Gate's profile, or PAGERDUTY_TOKEN.",
    }
    return sentences.get(reason, "See PagerDuty's own words.")


def error_text(body: bytes) -> str:
    """Give PagerDuty's own words of an error body: message and errors, however oddly shaped (facts A.5)."""
    try:
        document: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode(errors="replace").strip()[:_LONGEST_TEXT]
    if isinstance(document, list):
        document = document[0] if document else {}
    if isinstance(document, Mapping) and isinstance(document.get("error"), Mapping):
        document = document["error"]
    if not isinstance(document, Mapping):
        return str(document)[:_LONGEST_TEXT]
    message, errors = document.get("message"), document.get("errors")
    details = errors if isinstance(errors, list) else [errors] if errors else []
    parts = ([str(message)] if message else []) + ([", ".join(map(str, details))] if details else [])
    return ": ".join(parts)[:_LONGEST_TEXT] or str(document.get("status", ""))


def without(text: str, secret: Secret | None) -> str:
    """Put the label in the place of *secret* wherever *text* repeats it."""
    return text.replace(secret.reveal(), secret.label) if secret else text


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds the other side asks to wait: ``Retry-After`` or ``ratelimit-reset``, or None."""
    value = headers.get("Retry-After") or headers.get("ratelimit-reset")
    if not value:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((then - datetime.now(UTC)).total_seconds(), 0.0)
