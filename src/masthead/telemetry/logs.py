"""How Masthead logs: structured events to standard error, readable on a terminal, JSON elsewhere.

Secrets hide themselves (:class:`masthead.kernel.secret.Secret`); the redaction here is the second net, for
text that came from outside and may echo a key.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

__all__ = ["configure", "redact"]

#: An integration key is 32 letters and digits (PagerDuty facts, A.1 and A.2); hashes and ids of ours are not.
_KEY = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z]*[0-9])[0-9A-Za-z]{32}(?![0-9A-Za-z])")
_TOKEN = re.compile(r"(?i)(token=|bearer\s+)[^\s\"',;]+")


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
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def _redact_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event
