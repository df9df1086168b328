"""How Masthead logs: structured events to standard error, readable on a terminal, JSON elsewhere.

Secrets hide themselves (:class:`masthead.kernel.secret.Secret`); the redaction here is the second net, for
text that came from outside and may echo a key.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

__all__ = ["RedactingFormatter", "configure", "redact"]

#: An integration key is 32 letters and digits (PagerDuty facts, A.1 and A.2). Ours are not: ids have 26, hashes 64, and
#: a dedup key is ``masthead-`` with 32 digits of a hash, which an operator needs to find the incident.
_KEY = re.compile(
    r"(?<![0-9A-Za-z])(?=[0-9A-Za-z]*[0-9])(?!(?<=\bmasthead-)[0-9a-f]{32}\b)[0-9A-Za-z]{32}(?![0-9A-Za-z])"
)
_TOKEN = re.compile(r"(?i)(token=|bearer\s+)[^\s\"',;]+")
_KEY_LENGTH = 32
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def redact(text: str) -> str:
    """Put ``…`` where *text* holds what looks like an integration key or an authorization token."""
    # Most texts are short words, and a search costs more than to see that there is nothing to look for.
    if len(text) >= _KEY_LENGTH:
        text = _KEY.sub(lambda found: f"…{found[0][-4:]}", text)
    if "=" in text or "earer" in text.lower():
        text = _TOKEN.sub(r"\1…", text)
    return text


def configure(*, level: str = "INFO", as_json: bool | None = None) -> None:
    """Set logging up for a process.

    Args:
        level: Least level that is written: DEBUG, INFO, WARNING or ERROR.
        as_json: One JSON object a line; by default when standard error is not a terminal.
    """
    if as_json is None:
        as_json = not sys.stderr.isatty()
    structlog.configure(
        processors=[_write_line] if as_json else _for_people(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_json_logger() if as_json else _text_logger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class RedactingFormatter(logging.Formatter):
    """What libraries log, tracebacks included, without what looks like a key."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as text."""
        return redact(super().format(record))


class _Undaunted:
    """A stream that drops what cannot be written: no page waits because the log's disk is full or its pipe closed."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: Any) -> int:
        try:
            return int(self._stream.write(text))
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _for_people() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_event,
        structlog.dev.ConsoleRenderer(),
    ]


def _text_logger(*_: Any) -> structlog.WriteLogger:
    return structlog.WriteLogger(_Undaunted(sys.stderr))  # type: ignore[arg-type]


def _json_logger() -> Callable[..., _Lines]:
    """Give a factory of one and the same logger: structlog asks it for every line."""
    lines = _Lines(_Undaunted(sys.stderr.buffer))
    atexit.register(lines.write)
    return lambda *_: lines


class _Lines:
    """Writes what is logged within one turn of the event loop at once, and warnings without delay.

    A page logs two lines, and pages come in groups: one write for all of them saves more than making the lines costs.
    What was not written yet when the process is killed is lost, as it would be a moment earlier.
    """

    def __init__(self, stream: _Undaunted) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self._lock = threading.Lock()
        #: Whose next turn writes what waits.
        self._loop: asyncio.AbstractEventLoop | None = None

    def debug(self, line: bytes) -> None:
        """Write *line* at the end of this turn; at once outside an event loop."""
        self._waiting.append(line)
        if self._loop is not None and not self._loop.is_closed():
            return
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self.write()
        else:
            self._loop.call_soon(self.write)

    info = debug

    def warning(self, line: bytes) -> None:
        """Write *line* at once, behind those that wait."""
        self._waiting.append(line)
        self.write()

    error = critical = warning

    def write(self) -> None:
        """Write what waits."""
        with self._lock:
            self._loop = None
            lines, self._waiting = self._waiting, []
            if lines:
                self._stream.write(b"\n".join(lines) + b"\n")
                self._stream.flush()


def _write_line(logger: Any, name: str, event: MutableMapping[str, Any]) -> bytes:
    """Give an event as one line of JSON: all in one place, because it happens for every page.

    A value that JSON has no form for is written as Python shows it, which for a secret is a mask.
    """
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(logger, name, event)
    _redact_event(logger, name, event)
    event["level"] = name
    event["timestamp"] = f"{datetime.now(UTC).replace(tzinfo=None).isoformat()}Z"
    try:
        return _encode(event)
    except (
        TypeError,
        ValueError,
        OverflowError,
        RecursionError,
    ):  # half a character, a number too large, a key of ours
        shown = {str(key): value if type(value) is int else repr(value) for key, value in event.items()}
        return json.dumps(shown).encode()


def _redact_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event
