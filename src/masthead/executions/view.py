"""What others see of an execution: Orca's JSON without our private fields and without integration keys.

Source: Spinnaker compatibility facts, sections 4.2.1 (OrchestrationViewModel), 4.2.3 (``expand=false``).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

import msgspec

from masthead.executions.model import (
    PRIVATE_EXECUTION_KEY,
    PRIVATE_STAGE_KEY,
    PRIVATE_TASK_KEYS,
    Document,
)
from masthead.kernel.secret import Secret

__all__ = ["KeyLabel", "hide_keys", "hide_private", "pipeline_view", "task_view", "without_private"]

#: Where integration keys stand: an application's attribute, and the fields of events that webhooks send.
_KEYS = frozenset({"pdApiKey", "routing_key", "service_key"})
#: Values that hold no other.
_PLAIN = frozenset({str, int, float, bool, type(None)})
#: Headers that carry credentials, by what people call them.
_SENSITIVE = re.compile(
    r"auth|cookie|token|secret|password|passwd|signature|credential|(^|-|api)key($|-)", re.IGNORECASE
)

KeyLabel = Callable[[Secret], str]

_PAGE = "pageApplicationOwner"
#: What application tasks wrote with labels already in the keys' place.
_LABELLED = frozenset({"previousState", "newState"})
#: Stage types whose pipeline comes as base64.
_ENCODED = frozenset({"savePipeline", "updatePipeline", "deletePipeline"})


def pipeline_view(stored: Document, label: KeyLabel, *, expand: bool = True) -> Document:
    """Give Orca's execution of the *stored* document, which is used up.

    Args:
        stored: As the store gave it.
        label: Gives what people see in a key's place.
        expand: False leaves out what lists do not need (Orca's ``expand=false``).
    """
    hide_private(stored)
    if not expand:
        _reduce(stored)
    for stage in stored.get("stages", ()):
        if stage.get("type") in _ENCODED:
            _hide_encoded_in(stage.get("context", {}), label)
    shown: Document = hide_keys(stored, label)
    return shown


def without_private(stored: Document, label: KeyLabel) -> Document:
    """Give a copy of an execution as others may see it, whoever made it."""
    shown: Document = hide_keys(stored, label)
    hide_private(shown)
    return shown


def hide_private(stored: Document) -> None:
    """Take out our own fields, also of the executions that started this one, which callers may have made up."""
    present: Any = stored
    while isinstance(present, dict):
        present.pop(PRIVATE_EXECUTION_KEY, None)
        for stage in _objects(present.get("stages")):
            stage.pop(PRIVATE_STAGE_KEY, None)
            for task in _objects(stage.get("tasks")):
                for key in PRIVATE_TASK_KEYS:
                    task.pop(key, None)
        trigger = present.get("trigger")
        present = trigger.get("parentExecution") if isinstance(trigger, dict) else None


def _objects(value: Any) -> list[Document]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def task_view(stored: Document, label: KeyLabel) -> Document:
    """Give Orca's OrchestrationViewModel of the *stored* document, which is used up."""
    execution = pipeline_view(stored, label)
    view = {
        "id": execution["id"],
        "name": execution.get("description") or execution.get("name"),
        "application": execution["application"],
        "status": execution["status"],
        "variables": [{"key": key, "value": value} for key, value in _variables(execution).items()],
        "steps": [task for stage in execution.get("stages", ()) for task in stage.get("tasks", ())],
        "buildTime": execution.get("buildTime"),
        "startTime": execution.get("startTime"),
        "endTime": execution.get("endTime"),
        "execution": execution,
    }
    return {key: value for key, value in view.items() if value is not None}


def hide_keys(value: Any, label: KeyLabel) -> Any:
    """Give *value* with every integration key that Spinnaker's JSON may hold replaced by its label.

    Keys stand in ``pdApiKey`` of applications, in events that webhooks send and in ``keys`` of ``pageApplicationOwner`` stages; the states
    before and after, which application tasks write, hold labels already. Headers of webhooks that carry credentials
    by their names are hidden too.
    """
    if isinstance(value, dict):
        hidden = {
            key: each if type(each) in _PLAIN and key not in _KEYS else _hidden_at(key, each, label)
            for key, each in value.items()
        }
        if _is_page(hidden):
            _hide_page(hidden, label)
        return hidden
    if isinstance(value, list):
        return [each if type(each) in _PLAIN else hide_keys(each, label) for each in value]
    return value


def _hidden_at(key: str, value: Any, label: KeyLabel) -> Any:
    if key in _KEYS:
        return _hidden(value, label)
    if key == "customHeaders" and isinstance(value, dict):
        return {name: str(Secret("")) if _SENSITIVE.search(name) else each for name, each in value.items()}
    return value if key in _LABELLED else hide_keys(value, label)


def _is_page(document: Document) -> bool:
    """Tell whether this is a page stage, as pipelines write it or running, by its type or its alias."""
    if "type" not in document:
        return False
    context = document.get("context")
    aliases = (document.get("alias"), context.get("alias") if isinstance(context, dict) else None)
    return document["type"] == _PAGE or _PAGE in aliases


def _hide_page(stage: Document, label: KeyLabel) -> None:
    """Hide the keys of a stage as pipelines write it, and of one that runs."""
    for holder in (stage, stage.get("context")):
        if isinstance(holder, dict) and "keys" in holder:
            holder["keys"] = _hidden(holder["keys"], label)


def _hide_encoded_in(context: Document, label: KeyLabel) -> None:
    for name in ("pipeline", "pipelines"):
        if isinstance(context.get(name), str):
            context[name] = _hide_encoded(context[name], label)


def _hide_encoded(text: str, label: KeyLabel) -> str:
    """Hide keys inside the base64 text that Gate makes of a pipeline."""
    try:
        document = msgspec.json.decode(base64.b64decode(text, validate=True))
        hidden = hide_keys(document, label)
    except (binascii.Error, ValueError, RecursionError):
        return text
    return text if hidden == document else base64.b64encode(msgspec.json.encode(hidden)).decode()


def _hidden(value: Any, label: KeyLabel) -> Any:
    if isinstance(value, str) and value:
        return label(Secret(value))
    return [_hidden(each, label) for each in value] if isinstance(value, list) else value


def _variables(execution: Document) -> Document:
    """Merge the contexts of all stages; a later empty value does not replace an earlier full one."""
    merged: Document = {}
    for stage in execution.get("stages", ()):
        for key, value in stage.get("context", {}).items():
            if key not in merged or value not in (None, "", [], {}):
                merged[key] = value
    return merged


def _reduce(execution: Document) -> None:
    for stage in execution.get("stages", ()):
        group = stage.get("context", {}).get("group")
        stage["context"] = {} if group is None else {"group": group}
        stage["outputs"] = {}
        stage["tasks"] = []
    parent = execution.get("trigger", {}).get("parentExecution")
    while isinstance(parent, dict):
        parent["stages"] = []
        parent = parent.get("trigger", {}).get("parentExecution")
