"""What somebody asks to be sent, read out of a body: everything that is wrong is told at once, and no key is repeated.

Our own API is strict: a field that it does not know is refused, because a misspelt one that is passed over in silence
is a page that goes to nobody, or to somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret
from masthead.pagerduty import Link, Severity, key_trouble, parse_severity
from masthead.telemetry.logs import redact

__all__ = [
    "CHANGE",
    "PAGE",
    "ChangeBody",
    "Complaints",
    "Named",
    "PageBody",
    "Recipients",
    "read_change",
    "read_page",
    "shown",
]

#: PagerDuty facts, A.1 and A.2.
_DEDUP_KEY_LENGTH = 255
_SHOWN_LENGTH = 80
_RECIPIENTS = ("applications", "services", "keys")
#: The fields of a page and of a change event.
PAGE = (*_RECIPIENTS, "message", "severity", "details", "links", "dedupKey")
CHANGE = (*_RECIPIENTS, "summary", "details", "links", "timestamp")
_LINK = ("href", "text")


@dataclass(frozen=True, slots=True)
class Named:
    """Something that the body names, and where."""

    pointer: str
    text: str


@dataclass(frozen=True, slots=True)
class Recipients:
    """For whom it is, as named."""

    applications: tuple[Named, ...]
    services: tuple[Named, ...]
    keys: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class PageBody:
    """A page that somebody asks for."""

    recipients: Recipients
    message: str
    #: None when the body does not say.
    severity: Severity | None
    details: Mapping[str, Any]
    links: tuple[Link, ...]
    dedup_key: str | None


@dataclass(frozen=True, slots=True)
class ChangeBody:
    """A change event that somebody sends."""

    recipients: Recipients
    summary: str
    details: Mapping[str, Any]
    links: tuple[Link, ...]
    #: When it happened, if the body says.
    timestamp: datetime | None


class Complaints:
    """Everything that is wrong with a request."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    def add(self, pointer: str, sentence: str) -> None:
        """Note that what *pointer* leads to is wrong."""
        self._found.append((pointer, sentence))

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        """Refuse the request if anything is wrong with it.

        Raises:
            InvalidRequest: one sentence, with its pointer; several stand in ``errors``, each behind its pointer.
        """
        if not self._found:
            return
        pointer, sentence = self._found[0]
        if len(self._found) == 1:
            raise InvalidRequest(sentence, pointer=pointer)
        raise InvalidRequest(
            f"{len(self._found)} things are wrong with the request. The first: {sentence}",
            pointer=pointer,
            errors=tuple(f"{where}: {what}".removeprefix(": ") for where, what in self._found),
        )


def read_page(body: Mapping[str, Any], complaints: Complaints) -> PageBody:
    """Read the body of a page; where a field is wrong, *complaints* says so and something stands in its place."""
    _refuse_unknown(body, PAGE, "", complaints)
    return PageBody(
        recipients=_recipients(body, complaints),
        message=_line(body, "message", "the first line that the person on call reads", complaints),
        severity=_severity(body, complaints),
        details=_details(body, complaints),
        links=_links(body, complaints),
        dedup_key=_dedup_key(body, complaints),
    )


def read_change(body: Mapping[str, Any], complaints: Complaints) -> ChangeBody:
    """Read the body of a change event; as :func:`read_page`."""
    _refuse_unknown(body, CHANGE, "", complaints)
    return ChangeBody(
        recipients=_recipients(body, complaints),
        summary=_line(body, "summary", "what changed, in one line", complaints),
        details=_details(body, complaints),
        links=_links(body, complaints),
        timestamp=_timestamp(body, complaints),
    )


def shown(text: str) -> str:
    """Give what somebody wrote as an error may repeat it: quoted, not long, and no key in it."""
    hidden = redact(text)
    return repr(hidden if len(hidden) <= _SHOWN_LENGTH else f"{hidden[: _SHOWN_LENGTH - 1]}…")


def _refuse_unknown(
    body: Mapping[str, Any], known: Sequence[str], within: str, complaints: Complaints
) -> None:
    for name in body:
        if name not in known:
            pointer = f"{within}/{redact(name[:_SHOWN_LENGTH]).replace('~', '~0').replace('/', '~1')}"
            complaints.add(pointer, f"There is no field {shown(name)}; there are {', '.join(known)}.")


def _recipients(body: Mapping[str, Any], complaints: Complaints) -> Recipients:
    if not any(body.get(name) for name in _RECIPIENTS):
        complaints.add("", "Say whom to tell: applications, services or keys, each a list.")
    keys = _texts(body, "keys", "integration keys", complaints)
    for key in keys:
        if trouble := key_trouble(Secret(key.text)):
            complaints.add(key.pointer, trouble)
    return Recipients(
        _texts(body, "applications", "application names", complaints),
        _texts(body, "services", "PagerDuty services: ids or names", complaints),
        tuple(Secret(key.text) for key in keys),
    )


def _texts(body: Mapping[str, Any], name: str, what: str, complaints: Complaints) -> tuple[Named, ...]:
    value = body.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        complaints.add(f"/{name}", f"{name} must be a list of {what}.")
        return ()
    found = []
    for index, text in enumerate(value):
        if isinstance(text, str) and text.strip():
            found.append(Named(f"/{name}/{index}", text.strip()))
        else:
            complaints.add(f"/{name}/{index}", f"Each entry of {name} must be text that is not empty.")
    return tuple(found)


def _line(body: Mapping[str, Any], name: str, what: str, complaints: Complaints) -> str:
    value = body.get(name)
    if isinstance(value, str) and value.strip():
        return value
    is_missing = value is None or isinstance(value, str)
    complaints.add(
        f"/{name}", f"{name} is missing: {what}." if is_missing else f"{name} must be text: {what}."
    )
    return ""


def _severity(body: Mapping[str, Any], complaints: Complaints) -> Severity | None:
    value = body.get("severity")
    if value is None:
        return None
    try:
        return parse_severity(value)
    except InvalidRequest as error:
        complaints.add("/severity", redact(error.message))
        return None


def _details(body: Mapping[str, Any], complaints: Complaints) -> Mapping[str, Any]:
    value = body.get("details")
    if value is None:
        return {}
    if not isinstance(value, dict):
        complaints.add("/details", 'details must be an object, such as {"runbook": "https://…"}.')
        return {}
    return value


def _links(body: Mapping[str, Any], complaints: Complaints) -> tuple[Link, ...]:
    value = body.get("links")
    if value is None:
        return ()
    if not isinstance(value, list):
        complaints.add("/links", 'links must be a list, such as [{"href": "https://…", "text": "Runbook"}].')
        return ()
    found = (_link(one, f"/links/{index}", complaints) for index, one in enumerate(value))
    return tuple(link for link in found if link)


def _link(value: Any, pointer: str, complaints: Complaints) -> Link | None:
    if isinstance(value, str):
        value = {"href": value}
    if not isinstance(value, dict):
        complaints.add(pointer, "A link is an object with href and text, or an address alone.")
        return None
    _refuse_unknown(value, _LINK, pointer, complaints)
    href, text = value.get("href"), value.get("text")
    if not isinstance(href, str) or not href.strip().lower().startswith(("https://", "http://")):
        complaints.add(f"{pointer}/href", "A link's href is an address that begins with https:// or http://.")
        return None
    if text is not None and not isinstance(text, str):
        complaints.add(f"{pointer}/text", "A link's text must be text.")
        return None
    return Link(href.strip(), (text or "").strip())


def _dedup_key(body: Mapping[str, Any], complaints: Complaints) -> str | None:
    value = body.get("dedupKey")
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        complaints.add("/dedupKey", "dedupKey must be text that is not empty.")
        return None
    if len(value) > _DEDUP_KEY_LENGTH:
        complaints.add(
            "/dedupKey", f"dedupKey has {len(value)} characters; PagerDuty takes {_DEDUP_KEY_LENGTH} at most."
        )
    return value


def _timestamp(body: Mapping[str, Any], complaints: Complaints) -> datetime | None:
    value = body.get("timestamp")
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        complaints.add("/timestamp", "timestamp must be ISO 8601, such as 2026-11-24T03:04:05Z.")
        return None
