"""From what was written to what a setting takes; the message says what to write instead."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from masthead.config.settings import Setting

__all__ = ["Unusable", "convert"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_HIGHEST_PORT = 65535


class Unusable(Exception):
    """The value cannot be used; the text says why and what to write."""


def convert(setting: Setting, raw: Any) -> Any:
    """Give *raw* as *setting* takes it.

    Raises:
        Unusable: it is of another kind.
    """
    return _BY_KIND[setting.kind](setting, raw)


def _text(_setting: Setting, raw: Any) -> str | None:
    if raw is None or isinstance(raw, str):
        return raw
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return str(raw)
    raise Unusable(f"must be text, is {raw!r}")


def _boolean(_setting: Setting, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in ("true", "false"):
        return raw.strip().lower() == "true"
    raise Unusable(f"must be true or false, is {raw!r}")


def _number(_setting: Setting, raw: Any) -> float:
    try:
        return float("" if isinstance(raw, bool) else raw)
    except (TypeError, ValueError):
        raise Unusable(f"must be a number, is {raw!r}") from None


def _integer(setting: Setting, raw: Any) -> int:
    number = _number(setting, raw)
    if number != int(number) or number < 0 or (setting.name == "port" and number > _HIGHEST_PORT):
        raise Unusable(
            f"must be a whole number{' up to 65535' if setting.name == 'port' else ''}, is {raw!r}"
        )
    return int(number)


def _seconds(_setting: Setting, raw: Any) -> float:
    found = _DURATION.fullmatch(str(raw).strip()) if not isinstance(raw, bool) else None
    if found is None:
        raise Unusable(f"must be seconds or a duration such as 10s, 5m or 1h, is {raw!r}")
    return float(found[1]) * _SECONDS[found[2]]


def _url(_setting: Setting, raw: Any) -> str:
    parts = urlsplit(raw) if isinstance(raw, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unusable(f"must be an address such as https://api.pagerduty.com, is {raw!r}")
    return str(raw).rstrip("/")


def _choice(setting: Setting, raw: Any) -> str:
    for choice in setting.choices:
        if str(raw).casefold() == choice.casefold():
            return choice
    raise Unusable(f"must be one of {', '.join(setting.choices)}, is {raw!r}")


def _ports(setting: Setting, raw: Any) -> dict[str, int]:
    if isinstance(raw, str):
        raw = dict(part.split("=", 1) for part in raw.split(",") if "=" in part)
    if not isinstance(raw, dict):
        raise Unusable(f"must map services to ports, for example {{echo: 8089}}, is {raw!r}")
    return {str(name): _integer(setting, port) for name, port in raw.items()}


_BY_KIND = {
    "text": _text,
    "boolean": _boolean,
    "number": _number,
    "integer": _integer,
    "seconds": _seconds,
    "url": _url,
    "choice": _choice,
    "ports": _ports,
}
