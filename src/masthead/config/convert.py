"""From what was written to what a setting takes; the message says what to write instead.

A message shows a value only when it is too short to be a key or token, and never one that came from the
environment or a placeholder: somebody may have put a token under the wrong key.
"""

from __future__ import annotations

import math
import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from masthead.config.settings import Setting
from masthead.kernel.secret import Secret

__all__ = ["Unusable", "allowed", "convert", "described"]

_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
#: Spring's spellings, which YAML 1.1 shares (compat 1.12: the files are Spinnaker's).
_SPOKEN = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
#: PagerDuty's tokens have 20 characters, its integration keys 32; a shorter value is neither.
_LONGEST_SHOWN = 16
#: From here on a number is shown with an exponent.
_LONGEST_PLAIN = 1e15

_WORD = re.compile(r"[\w.:-]+")
_BARE_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?/?")
_DATABASES = ("sqlite", "postgresql", "postgres")
_DATABASE_FORMS = (
    "must be a file for SQLite, sqlite:////absolute/path or postgresql://user:password@host/name"
)
#: PostgreSQL's other way to write an address, which would be taken for the name of a file.
_KEYWORDS = re.compile(r"\b(?:host|hostaddr|dbname|password|user)\s*=")


class Unusable(Exception):
    """The value cannot be used; the text says why and what to write."""


def convert(setting: Setting, raw: Any) -> Any:
    """Give *raw* as *setting* takes it.

    Raises:
        Unusable: it is of another kind, or out of range.
    """
    return _BY_KIND[setting.kind](setting, raw)


def described(raw: Any) -> str:
    """Say what *raw* is, showing it only when it cannot be a secret."""
    if raw is None:
        return "empty"
    if isinstance(raw, dict):
        return "a mapping"
    if isinstance(raw, list):
        return "a list"
    if isinstance(raw, bool):
        return str(raw).lower()
    shown = repr(raw)
    return shown if len(shown) <= _LONGEST_SHOWN else f"text of {len(str(raw))} characters"


def _text(setting: Setting, raw: Any) -> str | None:
    if raw is None:
        return None if setting.default is None else str(setting.default)
    if isinstance(raw, str):
        return raw
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return str(raw)
    raise Unusable(f"must be text, is {described(raw)}")


def _boolean(_setting: Setting, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in _SPOKEN:
        return _SPOKEN[raw.strip().lower()]
    raise Unusable(f"must be true or false, is {described(raw)}")


def _number(setting: Setting, raw: Any) -> float:
    try:
        number = float("" if isinstance(raw, bool) else raw)
    except (TypeError, ValueError, OverflowError):
        raise Unusable(f"must be a number, is {described(raw)}") from None
    return _in_range(setting, number)


def _in_range(setting: Setting, number: float) -> float:
    if not math.isfinite(number):
        raise Unusable("must be a finite number")
    least, most = setting.least, setting.most
    if (least is not None and number < least) or (most is not None and number > most):
        raise Unusable(f"must be {allowed(setting)}, is {_plain(number)}")
    return number


def allowed(setting: Setting) -> str:
    """Say which numbers *setting* takes: ``from 1 to 100``; empty when it takes any."""
    unit = " seconds" if setting.kind == "seconds" else ""
    if setting.least is not None and setting.most is not None:
        return f"from {_plain(setting.least)} to {_plain(setting.most)}{unit}"
    return f"at least {_plain(setting.least)}{unit}" if setting.least is not None else ""


def _plain(number: float) -> str:
    return f"{number:.0f}" if number == int(number) and abs(number) < _LONGEST_PLAIN else f"{number:g}"


def _integer(setting: Setting, raw: Any) -> int:
    number = _number(setting, raw)
    if number != int(number):
        raise Unusable(f"must be a whole number, is {described(raw)}")
    return int(number)


def _seconds(setting: Setting, raw: Any) -> float:
    found = _DURATION.fullmatch(str(raw).strip()) if not isinstance(raw, bool) else None
    if found is None:
        raise Unusable(f"must be seconds or a duration such as 10s, 5m or 1h, is {described(raw)}")
    return _in_range(setting, float(found[1]) * _SECONDS[found[2]])


def _url(_setting: Setting, raw: Any) -> str:
    text = raw.strip() if isinstance(raw, str) else ""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if "://" not in text and _BARE_HOST.fullmatch(text):
        raise Unusable("must begin with https:// (or http://), such as https://api.pagerduty.com")
    if not is_address or re.search(r"\s", text):
        raise Unusable(f"must be an address such as https://api.pagerduty.com, is {described(raw)}")
    if parts.username is not None or parts.query or parts.fragment:
        raise Unusable("must be an address without user, password, ? or #, such as https://api.pagerduty.com")
    return text.rstrip("/")


def _database(setting: Setting, raw: Any) -> str | None:
    text = _text(setting, raw)
    if text is None or not text.strip():
        return None
    scheme, separator, _ = text.partition("://")
    if separator and scheme.partition("+")[0] not in _DATABASES:
        raise Unusable(_DATABASE_FORMS)
    if not separator and _KEYWORDS.search(text):
        raise Unusable(f"is a list of keywords; {_DATABASE_FORMS}")
    return text.strip()


def _file(setting: Setting, raw: Any) -> str | None:
    text = _text(setting, raw)
    if text is None:
        return None
    if not text.strip() or not text.isprintable():
        raise Unusable("must be the path of a file")
    return text.strip()


def _regex(setting: Setting, raw: Any) -> str:
    text = _text(setting, raw) or ""
    try:
        re.compile(text)
    except re.error as error:
        raise Unusable(f"must be a regular expression: {error}") from error
    return text


def _words(_setting: Setting, raw: Any) -> tuple[str, ...]:
    words = raw.replace(",", " ").split() if isinstance(raw, str) else raw
    if not isinstance(words, list) or not all(isinstance(one, str) and _WORD.fullmatch(one) for one in words):
        raise Unusable("must be a list of words, such as [services.read, oncalls.read]")
    return tuple(dict.fromkeys(words))


def _listed(raw: Any, what: str) -> tuple[Any, ...]:
    items = [each.strip() for each in raw.split(",") if each.strip()] if isinstance(raw, str) else raw
    if items is None:
        return ()
    if not isinstance(items, list):
        items = [items]
    if any(isinstance(one, bool) or not isinstance(one, str | int) for one in items):
        raise Unusable(f"must be a list of {what}")
    return tuple(dict.fromkeys(items))


def _networks(_setting: Setting, raw: Any) -> tuple[str, ...]:
    networks = tuple(str(one) for one in _listed(raw, "networks, such as [10.1.0.0/16]"))
    for one in networks:
        try:
            ip_network(one, strict=False)
        except ValueError:
            raise Unusable(
                f"must be a list of addresses or networks, such as [10.1.0.0/16], holds {described(one)}"
            ) from None
    return networks


def _patterns(setting: Setting, raw: Any) -> tuple[str, ...]:
    items = [raw] if isinstance(raw, str) and raw else raw
    return tuple(_regex(setting, one) for one in _listed(items, "regular expressions"))


def _codes(_setting: Setting, raw: Any) -> tuple[int, ...]:
    codes = _listed(raw, "HTTP statuses, such as [429, 503]")
    if not all(str(one).isdecimal() and 100 <= int(one) <= 599 for one in codes):
        raise Unusable("must be a list of HTTP statuses, such as [429, 503]")
    return tuple(int(one) for one in codes)


def _pem(_setting: Setting, raw: Any) -> Secret | None:
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise Unusable("must be PEM, or the path of a file that holds it")
    return Secret(raw.strip())


def _choice(setting: Setting, raw: Any) -> str:
    for choice in setting.choices:
        if str(raw).casefold() == choice.casefold():
            return choice
    raise Unusable(f"must be one of {', '.join(setting.choices)}, is {described(raw)}")


def _ports(setting: Setting, raw: Any) -> dict[str, int]:
    if isinstance(raw, str):
        raw = dict((part.strip() + "=").split("=")[:2] for part in raw.split(",") if part.strip())
    if not isinstance(raw, dict):
        raise Unusable(f"must map services to ports, for example {{echo: 8089}}, is {described(raw)}")
    if unknown := [described(name) for name in raw if name not in setting.choices]:
        raise Unusable(f"must name services out of {', '.join(setting.choices)}, is {', '.join(unknown)}")
    return {str(name): _integer(setting, port) for name, port in raw.items()}


def _zone(setting: Setting, raw: Any) -> str:
    name = (_text(setting, raw) or "").strip()
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise Unusable(f"must be a time zone such as Europe/Berlin, is {described(raw)}") from None
    return name


_BY_KIND = {
    "text": _text,
    "file": _file,
    "regex": _regex,
    "boolean": _boolean,
    "number": _number,
    "integer": _integer,
    "seconds": _seconds,
    "url": _url,
    "choice": _choice,
    "words": _words,
    "database": _database,
    "ports": _ports,
    "networks": _networks,
    "patterns": _patterns,
    "codes": _codes,
    "pem": _pem,
    "zone": _zone,
}
