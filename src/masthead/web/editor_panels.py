"""What each panel of the editor changes in the draft: the stage's form, its JSON, parameters, triggers, the rest, all as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from masthead.executions import StageTypes
from masthead.kernel.errors import InvalidRequest
from masthead.web.editor_draft import Draft, find_stage, move_item
from masthead.web.editor_fields import ON_FAILURE, apply_controls, failure_of
from masthead.web.editor_json import read_object
from masthead.web.forms import Errors, Form

__all__ = [
    "LISTS",
    "PANELS",
    "SERVERS",
    "TRIGGER_FIELDS",
    "apply_panel",
    "change_list",
    "edited",
    "minutes_of",
    "options_of",
]

#: What only the server says of a pipeline, and what makes it this pipeline: not edited.
SERVERS = ("id", "application", "updateTs", "createTs", "lastModifiedBy", "index")

#: Panel → words of its tab.
PANELS = {
    "stage": "Stage",
    "stage-json": "Stage as JSON",
    "parameters": "Parameters",
    "triggers": "Triggers",
    "pipeline": "Pipeline",
    "json": "Pipeline as JSON",
}
#: Panels that show a list → its key in the pipeline, and a new item of it.
LISTS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "parameters": ("parameterConfig", lambda _kind: {"name": "", "required": False, "hasOptions": False}),
    "triggers": ("triggers", lambda kind: {"type": kind or "cron", "enabled": True}),
}


def apply_panel(draft: Draft, at: tuple[str, str], form: Form, errors: Errors, types: StageTypes) -> Draft:
    """Give *draft* as the panel has it.

    Args:
        draft: As the form was made from.
        at: The panel, one of :data:`PANELS` (any other changes nothing), and the refId of the stage that it shows.
        form: What came back.
        errors: Is told what cannot be read; that stays as it was.
        types: Those that run here.
    """
    panel, ref = at
    if panel in ("stage", "stage-json"):
        return (
            _stage_json(draft, ref, form, errors)
            if panel == "stage-json"
            else _stage(draft, ref, form, errors, types)
        )
    if panel == "parameters":
        return _list(draft, "parameterConfig", form, errors, _parameter)
    if panel == "triggers":
        return _list(draft, "triggers", form, errors, _trigger)
    if panel == "pipeline":
        return _pipeline(draft, form, errors)
    if panel == "json" and "json" in form:
        return _whole(draft, form, errors)
    return draft


def change_list(draft: Draft, panel: str, deed: str, argument: str) -> Draft:
    """Add an item to the panel's list (``add``), or take one out or move it (``remove``, ``up``, ``down``)."""
    key, new = LISTS[panel]
    items = list(draft[key]) if isinstance(draft.get(key), list) else []
    if deed == "add":
        items.append(new(argument))
    elif argument.isdecimal() and int(argument) < len(items):
        place = int(argument)
        if deed == "remove":
            del items[place]
        else:
            items = move_item(items, place, -1 if deed == "up" else 1)
    return {**draft, key: items}


# -- a stage ----------------------------------------------------------------------------------------


def _stage_json(draft: Draft, ref: str, form: Form, errors: Errors) -> Draft:
    stage = find_stage(draft, ref)
    if stage is None or "json" not in form:
        return draft
    try:
        return _with(draft, stage, read_object(form.raw("json"), what="The stage"))
    except InvalidRequest as error:
        errors.add("json", error.message)
        return draft


def _stage(draft: Draft, ref: str, form: Form, errors: Errors, types: StageTypes) -> Draft:
    stage = find_stage(draft, ref)
    if stage is None:
        return draft
    known = types.find(str(stage.get("type")))
    return _with(draft, stage, _common(apply_controls(stage, known, form, errors), form, errors))


def _with(draft: Draft, stage: dict[str, Any], changed: dict[str, Any]) -> Draft:
    return {**draft, "stages": [changed if one is stage else one for one in draft["stages"]]}


def _common(stage: dict[str, Any], form: Form, errors: Errors) -> dict[str, Any]:
    """Give the stage with what every stage has."""
    if "common.name" in form:
        stage["name"] = form.text("common.name") or stage.get("name", "")
    if "common.shown" in form:
        waits = form.all("common.waits")
        if waits != [str(one) for one in stage.get("requisiteStageRefIds") or ()]:
            stage["requisiteStageRefIds"] = waits
    chosen = form.text("common.failure")
    if chosen in ON_FAILURE and chosen != failure_of(stage):
        stage |= ON_FAILURE[chosen][1]
    if "common.enabled" in form:
        _condition(stage, form.text("common.enabled"))
    if "common.timeout" in form:
        _timeout(stage, form.text("common.timeout"), errors)
    return stage


def _condition(stage: dict[str, Any], expression: str) -> None:
    present = stage.get("stageEnabled")
    written = present.get("expression") if isinstance(present, dict) else None
    if expression == (written or ""):
        return
    if expression:
        stage["stageEnabled"] = {"type": "expression", "expression": expression}
    else:
        stage.pop("stageEnabled", None)


def _timeout(stage: dict[str, Any], minutes: str, errors: Errors) -> None:
    present = stage.get("stageTimeoutMs")
    if minutes == minutes_of(present):
        return
    if not minutes:
        stage.pop("stageTimeoutMs", None)
        return
    try:
        milliseconds = round(float(minutes) * 60_000)
    except (ValueError, OverflowError):
        milliseconds = 0
    if milliseconds <= 0:
        errors.add("common.timeout", "The time-out must be a number of minutes.")
        return
    stage["stageTimeoutMs"] = milliseconds


def minutes_of(milliseconds: Any) -> str:
    """Give a time-out as the form shows it; "" for none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return ""
    return f"{milliseconds / 60_000:g}"


# -- lists ------------------------------------------------------------------------------------------

_Item = Callable[[dict[str, Any], str, Form, Errors], dict[str, Any]]


def _list(draft: Draft, key: str, form: Form, errors: Errors, read: _Item) -> Draft:
    given = draft.get(key)
    if not isinstance(given, list) or "list.shown" not in form:
        return draft
    items = [
        read(dict(one), f"{at}.", form, errors) if isinstance(one, Mapping) else one
        for at, one in enumerate(given)
    ]
    return draft if items == given else {**draft, key: items}


def _parameter(item: dict[str, Any], at: str, form: Form, errors: Errors) -> dict[str, Any]:
    name = form.text(f"{at}name")
    if not name:
        errors.add(f"{at}name", "A parameter needs a name.")
    item["name"] = name or item.get("name", "")
    for field in ("label", "description", "default"):
        _put(item, field, form.raw(f"{at}{field}"))
    _flag(item, "required", is_on=form.is_on(f"{at}required"))
    values = [line.strip() for line in form.raw(f"{at}options").splitlines() if line.strip()]
    before = options_of(item)
    if values != before:
        item["options"] = [{"value": one} for one in values]
    if values != before or (values and item.get("hasOptions") is not True):
        item["hasOptions"] = bool(values)
    return item


def edited(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give what people edit of a pipeline: differences between two show nothing else."""
    return {key: value for key, value in document.items() if key not in SERVERS}


def options_of(parameter: Mapping[str, Any]) -> list[str]:
    """Give the values that a parameter offers."""
    given = parameter.get("options")
    if parameter.get("hasOptions") is not True or not isinstance(given, list):
        return []
    values = (one.get("value") if isinstance(one, Mapping) else one for one in given)
    return [str(one).strip() for one in values if one not in (None, "")]


def _trigger(item: dict[str, Any], at: str, form: Form, errors: Errors) -> dict[str, Any]:
    _flag(item, "enabled", is_on=form.is_on(f"{at}enabled"))
    kind = item.get("type")
    if kind == "cron":
        _put(item, "cronExpression", form.text(f"{at}cronExpression"))
    elif kind == "webhook":
        _put(item, "source", form.text(f"{at}source"))
    elif kind == "pipeline":
        _put(item, "application", form.text(f"{at}application"))
        _put(item, "pipeline", form.text(f"{at}pipeline"))
        statuses = form.all(f"{at}status")
        if statuses != [str(one) for one in item.get("status") or ()]:
            item["status"] = statuses
    if f"{at}more" in form:
        return _more(item, form.raw(f"{at}more"), f"{at}more", errors)
    return item


def _more(item: dict[str, Any], text: str, field: str, errors: Errors) -> dict[str, Any]:
    """Lay the rest of an item over it, which is written as JSON."""
    known = TRIGGER_FIELDS.get(str(item.get("type")), ("type", "enabled"))
    try:
        rest = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        errors.add(field, f"The rest of the trigger is no JSON: line {error.lineno}: {error.msg}.")
        return item
    if not isinstance(rest, dict):
        errors.add(field, "The rest of the trigger must be a JSON object, in {}.")
        return item
    kept = {key: value for key, value in item.items() if key in known}
    return kept | {key: value for key, value in rest.items() if key not in known}


#: Type of trigger → the keys that have fields of their own.
TRIGGER_FIELDS: dict[str, tuple[str, ...]] = {
    "cron": ("type", "enabled", "id", "cronExpression"),
    "webhook": ("type", "enabled", "source"),
    "pipeline": ("type", "enabled", "application", "pipeline", "status"),
}


# -- the rest ---------------------------------------------------------------------------------------


def _pipeline(draft: Draft, form: Form, errors: Errors) -> Draft:
    if "pipeline.name" not in form:
        return draft
    changed = dict(draft)
    if name := form.text("pipeline.name"):
        changed["name"] = name
    else:
        errors.add("pipeline.name", "A pipeline needs a name.")
    _put(changed, "description", form.raw("pipeline.description"))
    for field in ("disabled", "limitConcurrent", "keepWaitingPipelines"):
        _flag(changed, field, is_on=form.is_on(f"pipeline.{field}"))
    most = form.text("pipeline.maxConcurrentExecutions")
    if most != str(draft.get("maxConcurrentExecutions") or ""):
        if most and not most.isdecimal():
            errors.add("pipeline.maxConcurrentExecutions", "It must be a whole number.")
        elif most:
            changed["maxConcurrentExecutions"] = int(most)
        else:
            changed.pop("maxConcurrentExecutions", None)
    return changed


def _whole(draft: Draft, form: Form, errors: Errors) -> Draft:
    try:
        changed = read_object(form.raw("json"), what="The pipeline")
    except InvalidRequest as error:
        errors.add("json", error.message)
        return draft
    for key in SERVERS:
        changed.pop(key, None)
        if key in draft:
            changed[key] = draft[key]
    return changed


def _put(item: dict[str, Any], key: str, text: str) -> None:
    """Set a text that differs; an empty one is left out, unless it was there."""
    present = item.get(key)
    if text == ("" if present is None else str(present)):
        return
    if text:
        item[key] = text
    else:
        item.pop(key, None)


def _flag(item: dict[str, Any], key: str, *, is_on: bool) -> None:
    """Set a flag that differs; one that is not there is off."""
    if is_on != (item.get(key) is True or str(item.get(key)).lower() == "true"):
        item[key] = is_on
