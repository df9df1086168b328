"""Two settings that are lists of mappings: ``webhook.preconfigured`` and ``webhook.allowedRequests``.

Names are upstream's, in any spelling. Texts may hold expressions, which are for the stage: a ``${NAME}`` is replaced only where
the environment has that name.

Source: Spinnaker compatibility facts, sections 4.7.5 and 4.7.6.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from masthead.config.tree import Mapped, Value, fold
from masthead.kernel.secret import Secret

__all__ = [
    "PROPERTY_NAMES",
    "AllowedRequest",
    "Misread",
    "PreconfiguredWebhook",
    "allowed_requests",
    "plain",
    "preconfigured",
]

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_STRATEGIES = ("STARTS_WITH", "PATTERN_MATCHES")
_RESOLUTIONS = ("getMethod", "locationHeader", "webhookResponse")


class Misread(Exception):
    """An entry cannot be used; the text says which and what to write."""


@dataclass(frozen=True)
class AllowedRequest:
    """One entry of the list of requests that webhook stages may make."""

    methods: frozenset[str]
    prefix: str | None = None
    pattern: re.Pattern[str] | None = None
    safe_to_retry: bool = False

    def matches(self, method: str, url: str) -> bool:
        """Tell whether this entry allows *method* on *url*."""
        if method.upper() not in self.methods:
            return False
        if self.pattern is not None:
            return self.pattern.fullmatch(url) is not None
        return self.prefix is not None and url.startswith(self.prefix)


@dataclass(frozen=True)
class PreconfiguredWebhook:
    """A stage type of the operator's own.

    Attributes:
        type: The stage type's name.
        properties: The fields of the stage that are set for every user, by their names.
        sensitive_headers: Sent and never shown.
        permissions: READ and WRITE, each the roles that may see it, or run it.
    """

    type: str
    label: str = ""
    description: str = ""
    enabled: bool = True
    parameters: tuple[Mapping[str, Any], ...] = ()
    parameter_values: Mapping[str, Any] | None = None
    parameter_data: Mapping[str, Any] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    sensitive_headers: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)
    permissions: Mapping[str, tuple[str, ...]] | None = None

    def lets(self, what: str, roles: Iterable[str]) -> bool:
        """Tell whether somebody with *roles* may READ or WRITE it (*what*); where no role is named, everybody may."""
        wanted = {role.lower() for role in (self.permissions or {}).get(what, ())}
        return not wanted or not wanted.isdisjoint(role.lower() for role in roles)


def preconfigured(raw: Any, warn: Callable[[str], None]) -> tuple[PreconfiguredWebhook, ...]:
    """Give the webhooks that *raw* lists.

    Args:
        raw: What the file says, as plain data, or JSON in a text.
        warn: Told what is ignored.

    Raises:
        Misread: an entry cannot be used.
    """
    found = [_webhook(entry, f"[{place}]", warn) for place, entry in enumerate(_entries(raw))]
    types = [one.type for one in found]
    if twice := next((one for one in types if types.count(one) > 1), None):
        raise Misread(f"the type {twice} stands twice; each stage type needs its own")
    return tuple(found)


def allowed_requests(raw: Any, warn: Callable[[str], None]) -> tuple[AllowedRequest, ...]:
    """Give the entries that *raw* lists; as :func:`preconfigured`."""
    return tuple(_allowed(entry, f"[{place}]", warn) for place, entry in enumerate(_entries(raw)))


def plain(item: Value | Mapped, expand: Callable[[str], str]) -> Any:
    """Give *item* as plain data, *expand* applied to its texts."""
    if isinstance(item, Mapped):
        return {name: plain(part, expand) for name, part in item}
    if item.parts:
        return [plain(part, expand) for part in item.parts]
    return expand(item.value) if isinstance(item.value, str) else item.value


def _entries(raw: Any) -> list[dict[str, Any]]:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw) if raw.strip() else []
        except ValueError:
            raise Misread("must be a list of mappings, in the environment as JSON") from None
    if raw is None:
        return []
    if isinstance(raw, dict) and all(str(key).isdecimal() for key in raw):
        raw = list(raw.values())  # Spring's other way to write a list
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        raise Misread("must be a list of mappings")
    return raw


def _webhook(entry: dict[str, Any], place: str, warn: Callable[[str], None]) -> PreconfiguredWebhook:
    values = _known(entry, (*_OWN, *_PROPERTIES), place, warn)
    kind = values.get("type")
    if not isinstance(kind, str) or not kind.strip():
        raise Misread(f"{place}.type: must be the name of the stage type")
    properties = {
        name: _PROPERTIES[name](values[name], f"{place}.{name}")
        for name in _PROPERTIES
        if values.get(name) is not None
    }
    enabled = values.get("enabled")
    permissions = values.get("permissions")
    return PreconfiguredWebhook(
        type=kind.strip(),
        label=_optional_text(values, "label", place) or kind,
        description=_optional_text(values, "description", place),
        enabled=True if enabled is None else _boolean(enabled, f"{place}.enabled"),
        parameters=_parameters(values.get("parameters"), f"{place}.parameters"),
        parameter_values=_optional_mapping(values, "parameterValues", place),
        parameter_data=_optional_mapping(values, "parameterData", place),
        properties=MappingProxyType(properties),
        sensitive_headers=_sensitive(values.get("sensitiveHeaders"), f"{place}.sensitiveHeaders"),
        permissions=None
        if permissions is None
        else {
            str(name).upper(): tuple(_texts(each, f"{place}.permissions.{name}"))
            for name, each in _mapping(permissions, f"{place}.permissions").items()
        },
    )


def _allowed(entry: dict[str, Any], place: str, warn: Callable[[str], None]) -> AllowedRequest:
    names = ("httpMethods", "matchStrategy", "urlPrefix", "urlPattern", "safeToRetry")
    values = _known(entry, names, place, warn)
    strategy = str(values.get("matchStrategy") or _STRATEGIES[0]).upper().replace("-", "_")
    if strategy not in _STRATEGIES:
        raise Misread(f"{place}.matchStrategy: must be one of {', '.join(_STRATEGIES)}")
    methods = _texts(values.get("httpMethods"), f"{place}.httpMethods")
    if not methods:
        raise Misread(f"{place}.httpMethods: must list at least one method, such as [GET, POST]")
    key = "urlPrefix" if strategy == _STRATEGIES[0] else "urlPattern"
    text = values.get(key)
    if not isinstance(text, str) or not text:
        raise Misread(f"{place}: {key} must not be null with {strategy} strategy")
    safe = _boolean(values.get("safeToRetry") or False, f"{place}.safeToRetry")
    kinds = frozenset(_method(each, f"{place}.httpMethods") for each in methods)
    if key == "urlPrefix":
        return AllowedRequest(kinds, prefix=text, safe_to_retry=safe)
    try:
        return AllowedRequest(kinds, pattern=re.compile(text), safe_to_retry=safe)
    except re.error as error:
        raise Misread(f"{place}.urlPattern: must be a regular expression: {error}") from error


def _known(
    entry: dict[str, Any], names: tuple[str, ...], place: str, warn: Callable[[str], None]
) -> dict[str, Any]:
    folded = {fold(name): name for name in names}
    found: dict[str, Any] = {}
    for key, value in entry.items():
        name = folded.get(fold(str(key)))
        if name is None:
            warn(f"{place}.{key}: unknown and ignored; known are {', '.join(names)}")
        else:
            found[name] = value
    return found


def _text(value: Any, place: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Misread(f"{place}: must be text")
    return str(value)


def _optional_text(values: Mapping[str, Any], name: str, place: str) -> str:
    value = values.get(name)
    return "" if value is None else _text(value, f"{place}.{name}")


def _boolean(value: Any, place: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Misread(f"{place}: must be true or false")


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misread(f"{place}: must be a mapping")
    return value


def _optional_mapping(values: Mapping[str, Any], name: str, place: str) -> dict[str, Any] | None:
    value = values.get(name)
    return None if value is None else _mapping(value, f"{place}.{name}")


def _texts(value: Any, place: str) -> list[str]:
    if value is None:
        return []
    items = [each.strip() for each in value.split(",")] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise Misread(f"{place}: must be a list of texts")
    return [_text(each, place) for each in items]


def _headers(value: Any, place: str) -> dict[str, list[str]]:
    """Give name → values; a single text counts as a list of one."""
    found = _mapping(value, place)
    return {
        str(name): [_text(each, f"{place}.{name}")]
        if not isinstance(each, list)
        else _texts(each, f"{place}.{name}")
        for name, each in found.items()
        if each is not None
    }


def _sensitive(value: Any, place: str) -> dict[str, tuple[Secret, ...]]:
    headers = {} if value is None else _headers(value, place)
    return {name: tuple(map(Secret, values)) for name, values in headers.items()}


def _method(value: Any, place: str) -> str:
    text = _text(value, place).upper()
    if text not in _METHODS:
        raise Misread(f"{place}: must be one of {', '.join(_METHODS)}")
    return text


def _codes(value: Any, place: str) -> list[int]:
    items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    codes = [int(each) for each in items if str(each).strip().isdecimal()]
    if len(codes) != len(items) or not all(100 <= code <= 599 for code in codes):
        raise Misread(f"{place}: must be a list of HTTP statuses, such as [429, 503]")
    return codes


def _seconds(value: Any, place: str) -> int:
    if isinstance(value, bool) or not str(value).isdecimal():
        raise Misread(f"{place}: must be a whole number of seconds")
    return int(value)


def _resolution(value: Any, place: str) -> str:
    if value not in _RESOLUTIONS:
        raise Misread(f"{place}: must be one of {', '.join(_RESOLUTIONS)}")
    return str(value)


def _parameters(value: Any, place: str) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in value
    ):
        raise Misread(f"{place}: must be a list of parameters, each with a name")
    names = {fold(name): name for name in ("name", "label", "defaultValue", "description", "type", "order")}
    return tuple(
        {names.get(fold(str(key)), str(key)): each for key, each in parameter.items() if each is not None}
        for parameter in value
    )


_OWN = ("enabled", "label", "description", "type", "parameters", "parameterValues", "parameterData",
        "sensitiveHeaders", "permissions")  # fmt: skip
#: The fields of the stage that can be preconfigured, each with its reader, in upstream's order.
_PROPERTIES: Mapping[str, Callable[[Any, str], Any]] = {
    "url": _text,
    "customHeaders": _headers,
    "method": _method,
    "payload": _text,
    "failFastStatusCodes": _codes,
    "waitForCompletion": _boolean,
    "statusUrlResolution": _resolution,
    "statusUrlJsonPath": _text,
    "statusJsonPath": _text,
    "progressJsonPath": _text,
    "successStatuses": _text,
    "canceledStatuses": _text,
    "terminalStatuses": _text,
    "signalCancellation": _boolean,
    "cancelEndpoint": _text,
    "cancelMethod": _method,
    "cancelPayload": _text,
    "waitBeforeMonitor": _seconds,
    "retryStatusCodes": _codes,
}
#: Their names, in that order.
PROPERTY_NAMES = tuple(_PROPERTIES)
