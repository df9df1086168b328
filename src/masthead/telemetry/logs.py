"""How Masthead logs: structured events to standard error, readable on a terminal, JSON elsewhere.

Secrets hide themselves (:class:`masthead.kernel.secret.Secret`); the redaction here is the second net, for
text that came from outside and may echo a key.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

__all__ = ["RedactingFormatter", "configure", "redact"]

#: An integration key is 32 letters and digits (PagerDuty facts, A.1 and A.2); hashes and ids of ours are not.
_KEY = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z]*[0-9])[0-9A-Za-z]{32}(?![0-9A-Za-z])")
_TOKEN = re.compile(r"(?i)(token=|bearer\s+)[^\s\"',;]+")
_KEY_LENGTH = 32
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def redact(text: str) -> str:
    """Put ``…`` where *text* holds what looks like an integration key or an authorization token."""
    return _TOKEN.sub(r"\1…", _KEY.sub(lambda found: f"…{found[0][-4:]}", text))


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
        logger_factory=_bytes_logger if as_json else _text_logger,
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


def _bytes_logger(*_: Any) -> structlog.BytesLogger:
    return structlog.BytesLogger(_Undaunted(sys.stderr.buffer))  # type: ignore[arg-type]


def _write_line(logger: Any, name: str, event: MutableMapping[str, Any]) -> bytes:
    """Give an event as one line of JSON: all in one place, because it happens for every page.

    A value that JSON has no form for is written as Python shows it, which for a secret is a mask.
    """
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(logger, name, event)
    event["level"] = name
    event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    try:
        return _encode(_redact_event(logger, name, event))
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
        # Ids and words, which most values are, need no search.
        if isinstance(value, str) and (len(value) >= _KEY_LENGTH or not value.isalnum()):
            event[key] = redact(value)
    return event
