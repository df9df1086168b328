"""The pipeline's JSON: what is taken from a request and what is stored.

A document is a plain dict in Front50's spelling. Nulls at its top level are left out, every unknown key is
kept and written back, and what the server alone says (``createTs``, ``updateTs``, ``lastModified``,
``lastModifiedBy``) is not believed; ``updateTs`` is only compared.

Source: Spinnaker compatibility facts, section 3.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from masthead.kernel.errors import IncompletePipeline, InvalidRequest
from masthead.kernel.ids import Ids

__all__ = [
    "Submitted",
    "accept",
    "application_id",
    "folded",
    "is_storable",
    "name_taken",
    "stamp",
    "tombstone",
    "whole_index",
]

_SERVERS_OWN = frozenset(
    {"createTs", "lastModified", "lastModifiedBy", "regenerateCronTriggerIds", "updateTs"}
)

_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
#: Front50's index is a Java Integer.
_INDEX_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Submitted:
    """A pipeline that somebody wants stored.

    Attributes:
        document: Ready but for index, instants and user; has id, name and application.
        update_ts: The version it was made from, as it says itself; None when it does not.
    """

    document: dict[str, Any]
    update_ts: str | None

    @property
    def id(self) -> str:
        """The pipeline's id, given or new."""
        return str(self.document["id"])

    @property
    def application(self) -> str:
        """The application's id."""
        return application_id(self.document["application"])

    @property
    def folded_name(self) -> str:
        """The name as it is unique within the application."""
        return folded(self.document["name"])


def application_id(name: str) -> str:
    """Give what an application of that *name* is stored under."""
    return name.strip().upper().lower()


def folded(name: str) -> str:
    """Give a pipeline's *name* so that names which differ only in case are equal."""
    return name.strip().lower()


def is_storable(text: str) -> bool:
    """Whether *text* can be a key in both databases: no control characters, no half surrogates."""
    return _UNSTORABLE.search(text) is None


def whole_index(value: object, *, pointer: str = "/index") -> int:
    """Read a place in the list, which may be digits in a text.

    Raises:
        InvalidRequest: it is no whole number, or none that Front50 could hold; names *pointer*.
    """
    try:
        index = int(str(value))
    except ValueError:
        index = _INDEX_LIMIT
    if not -_INDEX_LIMIT <= index < _INDEX_LIMIT:
        raise InvalidRequest("An index must be a whole number of 32 bits.", pointer=pointer)
    return index


def name_taken(document: Mapping[str, Any]) -> InvalidRequest:
    """Give Front50's error for a name that another pipeline of the application has."""
    return InvalidRequest(
        f"A pipeline with name {document['name']} already exists in application {document['application']}",
        pointer="/name",
    )


def accept(document: object, ids: Ids) -> Submitted:
    """Bring what was sent into the shape that is stored.

    Cron triggers without id get one; all of them get a new one when the pipeline is new (has no id), or when
    it asks for that by ``regenerateCronTriggerIds``.

    Args:
        document: The decoded body; left as it is.
        ids: Where a new pipeline's and its cron triggers' ids come from.

    Raises:
        IncompletePipeline: no name or no application.
        InvalidRequest: it is no object, or a field has the wrong type.
    """
    if not isinstance(document, Mapping):
        raise InvalidRequest("A pipeline is a JSON object.", pointer="")
    given = {key: value for key, value in document.items() if value is not None}
    name, application = _text(given, "name").strip(), _text(given, "application").strip()
    if not name or not application:
        raise IncompletePipeline("A pipeline requires name and application fields")
    pipeline_id = _text(given, "id").strip()
    renew = not pipeline_id or given.get("regenerateCronTriggerIds") is True
    accepted = {key: value for key, value in given.items() if key not in _SERVERS_OWN}
    accepted |= {"id": pipeline_id or ids.new(), "name": name, "application": application}
    accepted["schema"] = accepted.get("schema") or "1"
    accepted["triggers"] = _with_cron_ids(_list(given, "triggers"), ids, renew=renew)
    accepted["stages"] = given.get("stages", [])
    if "index" in accepted:
        accepted["index"] = whole_index(accepted["index"])
    update_ts = given.get("updateTs")
    return Submitted(accepted, None if update_ts in (None, "") else str(update_ts))


def stamp(
    document: Mapping[str, Any], stored: Mapping[str, Any] | None, *, now: int, by: str
) -> dict[str, Any]:
    """Give the next version of *stored* (None: the first one), strictly later than the one before.

    Args:
        document: The submitted document; keeps the stored index unless it has one of its own.
        stored: The present version.
        now: Milliseconds since 1970.
        by: The user's name.
    """
    before = stored or {}
    later = max(now, int(before["updateTs"]) + 1) if before else now
    kept = {"index": before["index"]} if "index" in before else {}
    instants = {"createTs": before.get("createTs", str(later)), "updateTs": str(later)}
    return {**kept, **document, **instants, "lastModifiedBy": by}


def tombstone(stored: Mapping[str, Any], *, now: int, by: str) -> dict[str, Any]:
    """Give the version that stands for a deletion: who did it and when, and nothing of the definition."""
    kept = {key: stored[key] for key in ("id", "name", "application")}
    return {
        **kept,
        "deleted": True,
        "updateTs": str(max(now, int(stored["updateTs"]) + 1)),
        "lastModifiedBy": by,
    }


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key, "")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidRequest(f"'{key}' must be text.", pointer=f"/{key}")
    if not is_storable(text := str(value)):
        raise InvalidRequest(f"'{key}' must not contain control characters.", pointer=f"/{key}")
    return text


def _list(document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise InvalidRequest(f"'{key}' must be a list.", pointer=f"/{key}")
    return value


def _with_cron_ids(triggers: list[Any], ids: Ids, *, renew: bool) -> list[dict[str, Any]]:
    named = []
    for at, trigger in enumerate(triggers):
        if not isinstance(trigger, Mapping):
            raise InvalidRequest(f"Trigger {at + 1} must be a JSON object.", pointer=f"/triggers/{at}")
        needs_id = trigger.get("type") == "cron" and (renew or not trigger.get("id"))
        named.append({**trigger, "id": ids.new()} if needs_id else dict(trigger))
    return named
