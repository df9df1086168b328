"""Event bodies within PagerDuty's limits: a page is shortened, never refused for being long.

Limits (facts A.1, A.2; none of them is in PagerDuty's OpenAPI): summary and description 1,024 characters,
dedup and incident key 255, the encoded body 512 KB, for which 512,000 bytes is the safe reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from masthead.pagerduty.model import Event, Protocol

__all__ = ["BODY_LIMIT", "DEDUP_KEY_LIMIT", "FULL_TEXT", "SUMMARY_LIMIT", "encode_event", "shorten"]

SUMMARY_LIMIT = 1024
DEDUP_KEY_LIMIT = 255
BODY_LIMIT = 512_000
#: Under this name the details carry the message that was too long for the summary.
FULL_TEXT = "full message"
_LEFT_OUT = "details left out"
_SMALLEST = 2


def shorten(text: str, *, limit: int = SUMMARY_LIMIT) -> str:
    """Cut *text* so that PagerDuty accepts it as a summary, without losing that it was cut.

    Args:
        text: Any text; may be empty.
        limit: Most characters of the result, ellipsis included; 2 or more.

    Returns:
        *text* itself when it fits, else its beginning and "…", exactly *limit* characters.

    Raises:
        ValueError: *limit* is below 2.

    Source: PagerDuty facts A.2: payload.summary at most 1,024 characters.
    """
    if limit < _SMALLEST:
        raise ValueError(f"a limit of {limit} leaves no room for a character and an ellipsis")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def encode_event(event: Event) -> bytes:
    """Give the body of *event* for its protocol, shortened where it must be.

    A message over the limit ends in "…" and stands in full in the details; details that make the body too
    large are left out, with a sentence in their place.

    Raises:
        TypeError: the details hold what JSON cannot.
    """
    details = dict(event.details)
    if len(event.summary) > SUMMARY_LIMIT:
        details.setdefault(FULL_TEXT, event.summary)
    body = _encode(event, details)
    if len(body) <= BODY_LIMIT:
        return body
    note = f"{len(body):,} bytes were more than PagerDuty's {BODY_LIMIT:,}; see Masthead's audit for the full page"
    return _encode(event, {_LEFT_OUT: note})


def _encode(event: Event, details: Mapping[str, Any]) -> bytes:
    make = _v1 if event.protocol is Protocol.V1 else _v2
    return msgspec.json.encode(make(event, details))


def _v1(event: Event, details: Mapping[str, Any]) -> dict[str, Any]:
    """Echo's body (compatibility facts 1.3) with an incident key; v1 knows no severity."""
    body: dict[str, Any] = {
        "service_key": event.routing_key.reveal(),
        "event_type": event.action,
        "incident_key": _dedup_key(event.dedup_key),
    }
    if event.action != "trigger":
        return body
    body |= {"description": shorten(event.summary), "details": details, "client": event.client}
    if event.client_url:
        body["client_url"] = event.client_url
    if event.links:
        body["contexts"] = [
            {"type": "link", "href": link.href, "text": link.text or link.href} for link in event.links
        ]
    return body


def _v2(event: Event, details: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "routing_key": event.routing_key.reveal(),
        "event_action": event.action,
        "dedup_key": _dedup_key(event.dedup_key),
    }
    if event.action != "trigger":
        return body
    payload: dict[str, Any] = {
        "summary": shorten(event.summary),
        "source": event.source,
        "severity": event.severity,
        "custom_details": details,
    }
    if event.timestamp:
        payload["timestamp"] = event.timestamp.isoformat()
    body |= {"payload": payload, "client": event.client}
    if event.client_url:
        body["client_url"] = event.client_url
    if event.links:
        body["links"] = [{"href": link.href, "text": link.text or link.href} for link in event.links]
    return body


def _dedup_key(text: str) -> str:
    """Keep *text*, or its beginning and a hash when it is too long, so that long keys stay different."""
    if len(text) <= DEDUP_KEY_LIMIT:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{text[: DEDUP_KEY_LIMIT - len(digest) - 1]}-{digest}"
