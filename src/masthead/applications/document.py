"""The application's JSON: what is taken from a request, what is kept, and how two versions are merged.

A document is a plain dict in Front50's spelling. What is declared has a shape; every other key is kept as it
came and written back, with these exceptions: ``permissions`` (a resource of its own, only shown on read),
``providerSettings`` (Deck sends a copy of its own settings with every save), and what the server alone says
(``createTs``, ``updateTs``, ``lastModifiedBy``, ``createdAt``, ``lastModified``).

Source: Spinnaker compatibility facts, sections 3.1 and 3.2; Deck's payloads, sections 3 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret

__all__ = ["accept", "application_id", "merge", "pd_api_key", "shown_name", "stamp"]

_IGNORED = frozenset(
    {
        "createTs",
        "createdAt",
        "lastModified",
        "lastModifiedBy",
        "permissions",
        "providerSettings",
        "updateTs",
    }
)
#: Declared attributes: in a merge, null means the same as absent. Any other attribute can be blanked by null.
_DECLARED = ("description", "email", "cloudProviders", "trafficGuards")


def shown_name(name: str) -> str:
    """Give *name* as Front50 shows it: trimmed and in upper case."""
    return name.strip().upper()


def application_id(name: str) -> str:
    """Give what *name* is stored under: the shown name in lower case, so that every spelling finds it."""
    return shown_name(name).lower()


def pd_api_key(document: Mapping[str, Any]) -> Secret | None:
    """Give the integration key that pages the owners of this application, or None when there is none."""
    value = document.get("pdApiKey")
    if not isinstance(value, str) or not value.strip():
        return None
    return Secret(value.strip())


def accept(document: object) -> dict[str, Any]:
    """Bring what was sent into the shape that is stored; nothing is validated beyond types.

    Args:
        document: The decoded body; left as it is.

    Returns:
        A new dict: name trimmed and in upper case, ``cloudProviders`` as comma-joined text.

    Raises:
        InvalidRequest: it is no object, or a declared attribute has the wrong type.
    """
    if not isinstance(document, Mapping):
        raise InvalidRequest("An application is a JSON object.", pointer="")
    accepted = {key: value for key, value in document.items() if key not in _IGNORED}
    for key in ("name", "email", "description"):
        if key in accepted:
            accepted[key] = _text(accepted[key], key)
    accepted["name"] = shown_name(accepted.get("name") or "")
    if "cloudProviders" in accepted:
        accepted["cloudProviders"] = _comma_text(accepted["cloudProviders"])
    if "trafficGuards" in accepted:
        accepted["trafficGuards"] = _guards(accepted["trafficGuards"])
    return accepted


def merge(accepted: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Lay *accepted* over *stored*: what was not sent stays, so that no attribute is ever removed by silence."""
    silent = {key for key in _DECLARED if accepted.get(key) is None}
    return {**stored, **{key: value for key, value in accepted.items() if key not in silent}}


def stamp(document: Mapping[str, Any], *, created_at: int, updated_at: int, by: str) -> dict[str, Any]:
    """Give *document* whole: declared nulls left out, guards present, and who changed it when.

    Args:
        document: As from :func:`accept` or :func:`merge`.
        created_at: Milliseconds since 1970, of the first version.
        updated_at: Milliseconds since 1970, of this version.
        by: The user's name.
    """
    kept = {key: value for key, value in document.items() if value is not None or key not in _DECLARED}
    kept.setdefault("trafficGuards", [])
    return {**kept, "createTs": str(created_at), "updateTs": str(updated_at), "lastModifiedBy": by}


def _text(value: Any, key: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InvalidRequest(f"'{key}' must be text.", pointer=f"/{key}")


def _comma_text(value: Any) -> str | None:
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            raise InvalidRequest(
                "'cloudProviders' must be text or a list of texts.", pointer="/cloudProviders"
            )
        return ",".join(value)
    return _text(value, "cloudProviders")


def _guards(value: Any) -> list[Any] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise InvalidRequest("'trafficGuards' must be a list.", pointer="/trafficGuards")
    return [{"enabled": True, **guard} if isinstance(guard, Mapping) else guard for guard in value]
