"""Event bodies within PagerDuty's limits: a page is shortened, never refused for being long.

Limits (facts A.1, A.2, A.4; none of them is in PagerDuty's OpenAPI): summary and description 1,024 characters,
dedup and incident key 255, the encoded body 512 KB, for which 512,000 bytes is the safe reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from masthead.kernel.errors import InvalidRequest
from masthead.pagerduty.model import Event, Protocol

__all__ = [
    "BODY_LIMIT",
    "DEDUP_KEY_LIMIT",
    "DETAILS_LEFT_OUT",
    "FULL_TEXT",
    "SUMMARY_LIMIT",
    "encode_event",
    "sent_dedup_key",
    "shorten",
]

SUMMARY_LIMIT = 1024
DEDUP_KEY_LIMIT = 255
BODY_LIMIT = 512_000
#: Under this name the details carry the message that was too long for the summary.
FULL_TEXT = "full message"
#: Under this name the details say which of them are missing, because all together were too large.
DETAILS_LEFT_OUT = "details left out"
_SMALLEST = 2
#: No character takes more than six bytes of JSON, so that this much of a message always leaves room for the rest.
_LONGEST_FULL_TEXT = 60_000
_LONGEST_URL = 2_048
_LONGEST_NAMES = 200
#: Bytes that the names of what is missing may take: six for a character, quotes and commas.
_NAMES_ROOM = 6 * _LONGEST_NAMES + 100


def shorten(text: str, *, limit: int = SUMMARY_LIMIT) -> str:
    """Cut *text* so that PagerDuty accepts it as a summary, without losing that it was cut.

    Cuts between characters (code points), never inside one, and ends with an ellipsis; the full text belongs
    in the event's details.

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
    """Give the body of *event* for its protocol, shortened where it must be; at most 512,000 bytes.

    A message over the limit ends in "…" and stands in full in the details. Where the body is too large, the
    largest of the details are left out first, with a sentence in their place, and only then links and the end of the message.

    Raises:
        InvalidRequest: the details hold what JSON cannot, or are nested too deeply.
    """
    is_long = len(event.summary) > SUMMARY_LIMIT
    body = _encode(event, _with_full_text(event.details, event.summary) if is_long else event.details)
    if len(body) <= BODY_LIMIT:
        return body
    why = f"{len(body):,} bytes were more than PagerDuty's {BODY_LIMIT:,}; Masthead keeps the whole page."
    for smaller, text in _ever_smaller(event):
        always = {DETAILS_LEFT_OUT: why} | ({FULL_TEXT: text} if is_long else {})
        room = BODY_LIMIT - len(_encode(smaller, always)) - _NAMES_ROOM
        if room >= 0:
            break
    kept = _smallest(event.details, room)
    names = ", ".join(str(name) for name in event.details if name not in kept)
    kept[DETAILS_LEFT_OUT] = f"{shorten(names, limit=_LONGEST_NAMES)}: {why}" if names else why
    return _encode(smaller, _with_full_text(kept, text) if is_long else kept)


def _smallest(details: Mapping[str, Any], room: int) -> dict[str, Any]:
    """Give those of *details* that fit into *room* bytes, the smallest first, in their own order."""
    sizes = {name: len(_json({name: value})) for name, value in details.items()}
    kept = set()
    for name in sorted(sizes, key=sizes.__getitem__):
        room -= sizes[name]
        if room < 0:
            break
        kept.add(name)
    return {name: value for name, value in details.items() if name in kept}


def _ever_smaller(event: Event) -> Iterator[tuple[Event, str]]:
    """Give *event* and its full message, then both reduced to what always fits."""
    yield event, event.summary
    yield _bare(event), shorten(event.summary, limit=_LONGEST_FULL_TEXT)


def _with_full_text(details: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    name, number = FULL_TEXT, 1
    while name in details:
        number += 1
        name = f"{FULL_TEXT} ({number})"
    return {**details, name: text}


def _bare(event: Event) -> Event:
    url = event.client_url
    return replace(
        event,
        links=(),
        client_url=url if url and len(url) <= _LONGEST_URL else None,
        client=shorten(event.client),
        source=shorten(event.source),
        component=shorten(event.component or "") or None,
        group=shorten(event.group or "") or None,
        class_=shorten(event.class_ or "") or None,
    )


def sent_dedup_key(text: str) -> str:
    """Give the dedup key *text* as it goes out: itself, or its beginning and a hash when it is too long.

    So long keys stay different, and what was sent under one is found again under it.
    """
    text = text if text.isascii() else _whole(text)
    if len(text) <= DEDUP_KEY_LIMIT:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[: DEDUP_KEY_LIMIT - len(digest) - 1]}-{digest}"


def _encode(event: Event, details: Mapping[str, Any]) -> bytes:
    body = _body(event, details)
    try:
        return _json(body)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidRequest(
            f"The details cannot be written as JSON: {error}.", pointer="/details"
        ) from error


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # half a surrogate pair, which no JSON text can carry
        return msgspec.json.encode(_whole(value))


def _body(event: Event, details: Mapping[str, Any]) -> dict[str, Any]:
    if event.action == "change":
        return _change(event, details)
    return (_v1 if event.protocol is Protocol.V1 else _v2)(event, details)


def _v1(event: Event, details: Mapping[str, Any]) -> dict[str, Any]:
    """Echo's body (compatibility facts 1.3) with an incident key; v1 knows no severity."""
    body: dict[str, Any] = {
        "service_key": event.routing_key.reveal(),
        "event_type": event.action,
        "incident_key": sent_dedup_key(event.dedup_key),
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
        "dedup_key": sent_dedup_key(event.dedup_key),
    }
    if event.action != "trigger":
        return body
    body |= {"payload": _payload(event, details), "client": event.client}
    if event.client_url:
        body["client_url"] = event.client_url
    return body | _links(event)


def _change(event: Event, details: Mapping[str, Any]) -> dict[str, Any]:
    """A change event (facts A.4): no severity, no dedup key, no client; of links and images, links alone."""
    return {"routing_key": event.routing_key.reveal(), "payload": _what(event, details)} | _links(event)


def _links(event: Event) -> dict[str, Any]:
    links = [{"href": link.href, "text": link.text or link.href} for link in event.links]
    return {"links": links} if links else {}


def _what(event: Event, details: Mapping[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "summary": shorten(event.summary),
        # Required and never empty (facts A.2).
        "source": event.source or "spinnaker",
        "custom_details": details,
    }
    return payload | ({"timestamp": event.timestamp.isoformat()} if event.timestamp else {})


def _payload(event: Event, details: Mapping[str, Any]) -> dict[str, Any]:
    payload = _what(event, details) | {"severity": event.severity}
    named = {"component": event.component, "group": event.group, "class": event.class_}
    return payload | {name: text for name, text in named.items() if text}


def _whole(value: Any) -> Any:
    """Give *value* with U+FFFD for every half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_whole(key): _whole(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(one) for one in value]
    return value
