"""Requests and replies of Spinnaker's services, word by word, as JSON files.

Each file of ``golden/`` is a conversation: steps with a ``request`` and the ``answer`` it must get. In an answer
``"<id>"`` stands for a ULID, ``"<ms>"`` for milliseconds, ``"<text ms>"`` for them as text, ``"<iso>"`` for an ISO
timestamp with offset, ``"<any>"`` for anything; a key ``"..."`` in an object allows more keys. ``keep`` names a part
of the answer's body that later steps may use as ``{name}``; ``until_ended`` waits for the execution of a reference.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"
PATTERNS = {
    "<id>": re.compile(r"[0-9A-HJKMNP-TV-Z]{26}"),
    "<uuid>": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "<text ms>": re.compile(r"\d{13}"),
    "<iso>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"),
}


def differences(expected: Any, found: Any, at: str = "") -> list[str]:
    """Say where *found* is not what *expected* allows."""
    if isinstance(expected, dict) and isinstance(found, dict):
        more = set(found) - set(expected)
        wrong = [f"{at}/{name}: unexpected" for name in sorted(more)] if "..." not in expected else []
        for name, value in expected.items():
            if name == "...":
                continue
            wrong += (
                differences(value, found[name], f"{at}/{name}")
                if name in found
                else [f"{at}/{name}: missing"]
            )
        return wrong
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            line
            for i, (e, f) in enumerate(zip(expected, found, strict=True))
            for line in differences(e, f, f"{at}/{i}")
        ]
    return [] if _is_allowed(expected, found) else [f"{at}: {found!r} instead of {expected!r}"]


def _is_allowed(expected: Any, found: Any) -> bool:
    if expected == "<any>":
        return True
    if expected == "<ms>":
        return isinstance(found, int) and found > 10**12
    if isinstance(expected, str) and (parts := re.split(r"(<[a-z ]+>)", expected))[1:]:
        pattern = "".join(PATTERNS[p].pattern if p in PATTERNS else re.escape(p) for p in parts)
        return isinstance(found, str) and re.fullmatch(pattern, found) is not None
    return type(expected) is type(found) and expected == found


def filled(value: Any, kept: dict[str, str]) -> Any:
    """Put what earlier steps kept in the place of ``{name}``."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda m: kept.get(m[1], m[0]), value)
    if isinstance(value, dict):
        return {name: filled(each, kept) for name, each in value.items()}
    return [filled(each, kept) for each in value] if isinstance(value, list) else value


def part(body: Any, pointer: str) -> str:
    for name in pointer.split("/")[1:]:
        body = body[int(name)] if isinstance(body, list) else body[name]
    return body.rpartition("/")[2]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
async def test_conversation(house, path):
    """What is sent gets exactly the answer that Spinnaker's clients expect."""
    kept: dict[str, str] = {}
    for number, step in enumerate(json.loads(path.read_text())["steps"]):
        request = filled(step["request"], kept)
        if "until_ended" in step:
            await house.services.executions.wait(kept[step["until_ended"]], 20)
        answer = await house.client.request(
            request["method"], request["path"], json=request.get("body"), headers=request.get("headers")
        )
        expected = filled(step["answer"], kept)
        where = f"{path.name}, step {number}: {request['method']} {request['path']}"
        assert answer.status_code == expected["status"], f"{where}\n{answer.text}"
        for name, value in expected.get("headers", {}).items():
            assert not differences(value, answer.headers.get(name)), where
        if "body" in expected:
            body = answer.json() if answer.content else None
            assert not (wrong := differences(expected["body"], body)), "\n".join([where, *wrong])
        for name, pointer in step.get("keep", {}).items():
            kept[name] = part(answer.json(), pointer)


def test_the_comparison_sees_what_is_wrong():
    """A golden test that cannot fail would be worth nothing."""
    assert differences({"a": "<id>"}, {"a": "01J5Z3N8W6Y0V4C7Q2R9T1XABC"}) == []
    assert differences({"a": 1}, {"a": 1, "b": 2}) == ["/b: unexpected"]
    assert differences({"a": 1, "...": ""}, {"a": 1, "b": 2}) == []
    assert differences({"a": [1, 2]}, {"a": [1, 3]}) == ["/a/1: 3 instead of 2"]
    assert differences({"a": True}, {"a": 1}) == ["/a: 1 instead of True"]
    assert differences({"a": 1}, {}) == ["/a: missing"]
    assert differences("ref <id>.", "ref x.") == ["/: 'ref x.' instead of 'ref <id>.'".replace("/:", ":")]
