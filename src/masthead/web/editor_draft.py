"""A pipeline while it is edited: what one operation makes of it. Pure functions over its JSON.

Nothing that is not understood is dropped: a draft is changed where an operation says so, and stays as it is elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from typing import Any

from masthead.kernel.errors import InvalidRequest
from masthead.pipelines import assign_ref_ids

__all__ = [
    "Draft",
    "add_stage",
    "duplicate_stage",
    "find_stage",
    "move_item",
    "pack",
    "remove_stage",
    "stages_of",
    "unpack",
]

Draft = dict[str, Any]

#: Drafts that can be gone back to.
_MOST_STEPS = 30
#: A draft is at most so large; what is packed may be anything.
_MOST_BYTES = 4_000_000


def stages_of(draft: Draft) -> list[dict[str, Any]]:
    """Give the stages that are objects, as they stand in the draft."""
    stages = draft.get("stages")
    return [one for one in stages if isinstance(one, dict)] if isinstance(stages, list) else []


def find_stage(draft: Draft, ref: str) -> dict[str, Any] | None:
    """Give the stage of that refId, as it stands in the draft."""
    return next((one for one in stages_of(draft) if str(one.get("refId")) == ref), None)


def with_refs(draft: Draft) -> Draft:
    """Give *draft* with refIds for its stages, if none has one: the order that they ran in is kept."""
    stages = stages_of(draft)
    if (
        not stages
        or len(stages) != len(draft["stages"])
        or any(one.get("refId") not in (None, "") for one in stages)
    ):
        return draft
    return {**draft, "stages": assign_ref_ids(stages)}


def add_stage(draft: Draft, kind: str, *, name: str, after: str | None) -> tuple[Draft, str]:
    """Add a stage of type *kind* behind the stage *after*, or as the first of its own; *name* is made its own.

    Returns:
        The draft, and the refId of the new stage.
    """
    draft = with_refs(draft)
    ref = _next_ref(draft)
    name = _free_name(draft, name)
    behind = [after] if after is not None and find_stage(draft, after) is not None else []
    stage = {"refId": ref, "requisiteStageRefIds": behind, "type": kind, "name": name}
    return {**draft, "stages": [*_all(draft), stage]}, ref


def duplicate_stage(draft: Draft, ref: str) -> tuple[Draft, str]:
    """Put a copy of a stage beside it: it waits for the same stages, and nothing waits for it."""
    stage = find_stage(draft, ref)
    if stage is None:
        raise InvalidRequest("There is no such stage in this pipeline.")
    copy = json.loads(json.dumps(stage))
    copy["refId"] = _next_ref(draft)
    copy["name"] = _free_name(draft, f"Copy of {stage.get('name') or stage.get('type')}")
    stages = _all(draft)
    stages.insert(stages.index(stage) + 1, copy)
    return {**draft, "stages": stages}, copy["refId"]


def remove_stage(draft: Draft, ref: str) -> tuple[Draft, str | None]:
    """Take a stage out: those that waited for it wait for what it waited for.

    Returns:
        The draft, and the refId of a stage that stood before or behind it.
    """
    stage = find_stage(draft, ref)
    if stage is None:
        raise InvalidRequest("There is no such stage in this pipeline.")
    before = [str(one) for one in stage.get("requisiteStageRefIds") or () if str(one) != ref]
    stages = []
    for each in _all(draft):
        if each is stage:
            continue
        waits = each.get("requisiteStageRefIds") if isinstance(each, dict) else None
        if isinstance(waits, list) and ref in map(str, waits):
            kept = [str(one) for one in waits if str(one) != ref]
            each = {**each, "requisiteStageRefIds": list(dict.fromkeys([*kept, *before]))}  # noqa: PLW2901 - the changed one
        stages.append(each)
    left = {**draft, "stages": stages}
    near = before[0] if before else next((str(one.get("refId")) for one in stages_of(left)), None)
    return left, near


def move_item(items: Sequence[Any], place: int, by: int) -> list[Any]:
    """Give *items* with one of them moved by so many places, as far as there are any."""
    moved = list(items)
    if 0 <= place < len(moved):
        moved.insert(min(max(place + by, 0), len(moved) - 1), moved.pop(place))
    return moved


def pack(steps: Sequence[str]) -> str:
    """Write earlier drafts, oldest first, so that they can travel in a form."""
    kept = list(steps)[-_MOST_STEPS:]
    packed = zlib.compress(json.dumps(kept).encode(), 6) if kept else b""
    return base64.b64encode(packed).decode()


def unpack(text: str) -> list[str]:
    """Read what :func:`pack` wrote; what cannot be read is no draft to go back to."""
    if not text:
        return []
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(base64.b64decode(text, validate=True), _MOST_BYTES * 4)
        found = json.loads(plain)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _all(draft: Draft) -> list[Any]:
    stages = draft.get("stages")
    return list(stages) if isinstance(stages, list) else []


def _next_ref(draft: Draft) -> str:
    """Give a refId that no stage has: one more than the greatest number."""
    refs = [str(one.get("refId")) for one in stages_of(draft)]
    return str(max((int(ref) for ref in refs if ref.isdecimal()), default=0) + 1)


def _free_name(draft: Draft, wanted: str) -> str:
    taken = {one.get("name") for one in stages_of(draft)}
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} {number}", number + 1
    return name
