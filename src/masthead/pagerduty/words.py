"""What people read about a failure: PagerDuty's own words without any secret, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret

__all__ = ["decode_object", "event_remedy", "remedy", "spoken", "without"]

_LONGEST_TEXT = 500
#: How deep an error body is looked into; PagerDuty's are three deep.
_DEEPEST = 4
_MOST_PARTS = 10
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_REMEDIES = {
    Reason.TOKEN: (
        "Check the token, and that the base URL is of the account's region "
        "(US: https://api.pagerduty.com, EU: https://api.eu.pagerduty.com)."
    ),
    Reason.SCOPE: (
        "Give the token read access to services, on-calls and incidents, or use an account-level read-only token."
    ),
    Reason.NOT_FOUND: (
        "Check the base URL (US: https://api.pagerduty.com, EU: https://api.eu.pagerduty.com)."
    ),
    Reason.THROTTLED: "PagerDuty limits the requests of this token; Masthead tries again by itself.",
    Reason.NETWORK: "Check the network, the proxy and the base URL; Masthead tries again by itself.",
    Reason.TIMEOUT: "PagerDuty was too slow; Masthead tries again by itself.",
    Reason.SERVER: "PagerDuty has a problem; see its status page. Masthead tries again by itself.",
    Reason.ANSWER: "Check that the base URL is PagerDuty's, and what stands in between, such as a proxy.",
    Reason.NOT_CONFIGURED: "Give a REST API token: pagerDuty.token in Gate's profile, or PAGERDUTY_TOKEN.",
}
_EVENT_REMEDIES = {
    Reason.KEY: (
        "Check that the integration still exists and that its type fits the protocol: "
        "a key of an Events API v1 integration need not work with v2, nor the other way round. "
        "For a key of no known service events.unknownKeyProtocol chooses."
    ),
    Reason.NOT_FOUND: (
        "Check the Events endpoint (US: https://events.pagerduty.com, EU: https://events.eu.pagerduty.com)."
    ),
    Reason.NETWORK: "Check the network, the proxy and the Events endpoint.",
    Reason.ANSWER: "Check that the Events endpoint is PagerDuty's, and what stands in between, such as a proxy.",
}


def remedy(reason: Reason) -> str:
    """Give the sentence that tells an operator what to do about a failure of the REST API."""
    return _REMEDIES.get(reason, "See PagerDuty's own words.")


def event_remedy(reason: Reason | None) -> str:
    """Give the sentence that tells an operator what to do about an event's failure; empty when nothing helps."""
    return _EVENT_REMEDIES.get(reason, "") if reason else ""


def spoken(body: bytes, *secrets: Secret | None) -> str:
    """Give PagerDuty's own words of an answer: its message and its errors, without *secrets*.

    An error body is an object by contract; its ``errors`` have been a text, the whole error a list, and what
    stands in between answers in HTML (facts A.5), so nothing is taken for granted. At most 500 characters.
    """
    try:
        document: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[: _LONGEST_TEXT * 20].decode(errors="replace")
        text = _TAG.sub(" ", text) if text.lstrip().startswith("<") else text
    else:
        text = _sentence(document)
    # Cut last: half a key is a key's half.
    return without(" ".join(text.split()), *secrets)[:_LONGEST_TEXT]


def without(text: str, *secrets: Secret | None) -> str:
    """Put a label in the place of each of *secrets* wherever *text* repeats it, in any case or as in a URL."""
    for secret in secrets:
        if not secret:
            continue
        value = secret.reveal()
        # Hardly any text repeats a key, and a pattern costs more than all the rest of an answer. Outside ASCII
        # letters may match that differ in lower case too, so that only the pattern can tell.
        if text.isascii() and value.isalnum() and value.isascii() and value.lower() not in text.lower():
            continue
        forms = {value, quote(value, safe="")}
        pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        # The label holds nothing that a replacement would take for an escape.
        text = re.sub(pattern, secret.label.replace("\\", ""), text, flags=re.IGNORECASE)
    return text


def decode_object(body: bytes) -> dict[str, Any] | None:
    """Read a JSON object, or None when *body* is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _sentence(document: Any) -> str:
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, Mapping):
        return ", ".join(_parts(document))
    inner = document.get("error")
    if isinstance(inner, (Mapping, list)) and inner:
        return _sentence(inner)
    message = ", ".join(_parts(document.get("message")) or _parts(inner))
    errors = ", ".join(_parts(document.get("errors")) or _parts(document.get("error_description")))
    return ": ".join(part for part in (message, errors) if part) or ", ".join(_parts(document.get("status")))


def _parts(value: Any, depth: int = 0) -> list[str]:
    if value is None or value == "" or depth > _DEEPEST:
        return []
    if isinstance(value, Mapping):
        value = [value[name] for name in ("message", "title", "detail") if name in value] or list(
            value.values()
        )
    if not isinstance(value, list):
        return [str(value)]
    return [part for one in value[:_MOST_PARTS] for part in _parts(one, depth + 1)]
