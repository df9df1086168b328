"""Reading bodies: how large and how deep they may be, and what is said about those that cannot be used.

Nothing of a body is used before all of it was read and checked, so a request that is refused here has stored and
sent nothing.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from masthead.api.errors import Refused
from masthead.api.headers import header
from masthead.kernel.errors import InvalidRequest

__all__ = ["Limits", "check_media_type", "decode", "read_body", "refuse_repeated"]

_UNREADABLE = "org.springframework.http.converter.HttpMessageNotReadableException"
_MEDIA_TYPE = "org.springframework.web.HttpMediaTypeNotSupportedException"

#: Characters of a number. Source: Jackson, which Spinnaker reads with, StreamReadConstraints: 1,000 since 2.15.
_MOST_DIGITS = 1000
#: Bytes of a body whose numbers take no time to speak of.
_SHORT = 16_000
#: A body of so many times the limit is taken to its end before it is refused.
_HEARD_OUT = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may bring."""

    #: Largest body in bytes.
    body_bytes: int
    #: Most levels of objects and lists inside each other.
    body_depth: int


def check_media_type(given: str) -> None:
    """Refuse by its ``Content-Type`` a body that does not say it is JSON; one that says nothing passes.

    Raises:
        Refused: 415, naming what to send.
    """
    if given == "application/json":
        return
    kind = given.partition(";")[0].strip().lower()
    if kind in ("", "application/json") or kind.endswith("+json"):
        return
    message = "The body must be JSON: send it with Content-Type: application/json."
    raise Refused(415, message, exception=_MEDIA_TYPE)


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """Give the whole body.

    Raises:
        Refused: 400, the body is larger than the limit.
        ClientDisconnect: the client went away.
    """
    length = header(scope, b"content-length")
    if length.isdigit() and int(length) > limits.body_bytes:
        if int(length) <= _HEARD_OUT * limits.body_bytes:
            await _hear_out(receive)
        raise _too_large(limits)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > limits.body_bytes:
            raise _too_large(limits)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def _hear_out(receive: Receive) -> None:
    """Take the rest and drop it: who still sends when the connection closes hears of a reset, and not why."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return


def decode(body: bytes, limits: Limits) -> Any:
    """Give the JSON document in *body*.

    Raises:
        InvalidRequest: it is empty, not JSON, not UTF-8, too deep, holds a NUL character or a number of very many digits; with
            the JSON pointer where there is one.
    """
    if not body.strip():
        raise InvalidRequest("The request needs a body: a JSON document.", pointer="")
    if len(body) > _SHORT and _may_hold_long_number(body):
        _check_numbers(body)
    document = _parse(body)
    if body.count(b"[") + body.count(b"{") > limits.body_depth:
        _check_depth(document, limits)
    if b"\\u0000" in body:
        _check_characters(document)
    return document


def refuse_repeated(body: bytes, names: Iterable[str]) -> None:
    """Refuse an object that says one of *names* twice: of two lists of recipients the readers of JSON take one, silently.

    Args:
        body: The text of an object that can be read.
        names: Words of ASCII letters; looked for as they stand, so that bodies that are well cost nothing.

    Raises:
        InvalidRequest: with the field's pointer.

    Source: RFC 8259, section 4: names should be unique, what software does where they are not is unpredictable.
    """
    seldom = [name for name in names if body.count(b'"%b"' % name.encode()) > 1]
    if not seldom:
        return
    given = [name for name, _ in json.loads(body, object_pairs_hook=list)]
    for name in seldom:
        if given.count(name) > 1:
            raise InvalidRequest(f"{name} stands in the body {given.count(name)} times.", pointer=f"/{name}")


def _parse(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except UnicodeDecodeError as error:
        raise InvalidRequest("The body is not UTF-8; JSON has to be (RFC 8259).", pointer="") from error
    except RecursionError as error:
        raise InvalidRequest(
            "The body's objects and lists are too deep inside each other.", pointer=""
        ) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {_place(str(error), body)}.", pointer="") from error


def _place(text: str, body: bytes) -> str:
    """Turn msgspec's byte number into line and column."""
    what, found, rest = text.removeprefix("JSON is malformed: ").rpartition(" (byte ")
    if not found:
        return text[:1].lower() + text[1:]
    before = body[: int(rest.rstrip(")"))]
    line = before.count(b"\n") + 1
    column = len(before) - (before.rfind(b"\n") + 1) + 1
    return f"{what} at line {line}, column {column}"


def _may_hold_long_number(body: bytes) -> bool:
    """Tell whether so many digits stand in a row, also within a text: every thousand hold five hundred that begin at a multiple of that."""
    step = _MOST_DIGITS // 2
    return any(body[at : at + step].isdigit() for at in range(0, len(body), step))


def _check_numbers(body: bytes) -> None:
    """Refuse numbers that nobody means: they take quadratic time to read, to write and to show, thousands of them seconds."""

    def check(text: str) -> None:
        if len(text) > _MOST_DIGITS:
            raise InvalidRequest(
                f"A number in the body has more than {_MOST_DIGITS:,} characters.", pointer=""
            )

    # What is not JSON is told by who reads it.
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body, parse_int=check, parse_float=check)


def _check_depth(document: Any, limits: Limits) -> None:
    if not _is_deeper(document, limits.body_depth):
        return
    level: list[tuple[str, Any]] = [("", document)]
    for _ in range(limits.body_depth):
        children = [child for pointer, value in level for child in _children(pointer, value)]
        level = [(pointer, value) for pointer, value in children if isinstance(value, (dict, list))]
    if level:
        message = f"The body's objects and lists are more than {limits.body_depth} levels deep."
        raise InvalidRequest(message, pointer=level[0][0])


def _is_deeper(document: Any, depth: int) -> bool:
    """Tell whether objects and lists are more than *depth* levels deep; quick, because a large body is looked at by the loop."""
    level = [document] if isinstance(document, (dict, list)) else []
    for _ in range(depth):
        parts = [value.values() if isinstance(value, dict) else value for value in level]
        level = [child for part in parts for child in part if isinstance(child, (dict, list))]
    return bool(level)


def _check_characters(document: Any) -> None:
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, str) and "\x00" in value:
            raise InvalidRequest("The text holds a NUL character, which cannot be stored.", pointer=pointer)
        if isinstance(value, dict) and any("\x00" in name for name in value):
            raise InvalidRequest("A name in this object holds a NUL character.", pointer=pointer)
        waiting.extend(_children(pointer, value))


def _children(pointer: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", child
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield f"{pointer}/{index}", child


def _too_large(limits: Limits) -> Refused:
    message = f"The body is larger than {limits.body_bytes} bytes, the most that Masthead takes."
    return Refused(400, message, exception="masthead.BodyTooLarge")
