"""From what a stage type declares to the controls of a form, and from what was typed back to JSON.

A field that nobody touched stays exactly as it is, whatever it holds; an empty one is left out. Where a field may hold
an expression, any text with ``${`` in it is taken as it is typed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masthead.executions.stages.base import Field, Kind, StageType
from masthead.web.editor_json import written
from masthead.web.forms import Errors, Form

__all__ = ["ON_FAILURE", "Control", "apply_controls", "controls_of", "failure_of"]

#: What a failure means: value of the form → words, and what it writes.
ON_FAILURE: dict[str, tuple[str, dict[str, bool]]] = {
    "halt": (
        "the whole pipeline fails",
        {"failPipeline": True, "continuePipeline": False, "completeOtherBranchesThenFail": False},
    ),
    "branch": (
        "its branch stops; the others go on",
        {"failPipeline": False, "continuePipeline": False, "completeOtherBranchesThenFail": False},
    ),
    "later": (
        "its branch stops; the others go on, then the pipeline fails",
        {"failPipeline": False, "continuePipeline": False, "completeOtherBranchesThenFail": True},
    ),
    "ignore": (
        "it goes on as if nothing had happened",
        {"failPipeline": False, "continuePipeline": True, "completeOtherBranchesThenFail": False},
    ),
}
_LONG = 60
_TRUTHS = (("", "not set"), ("true", "yes"), ("false", "no"))


@dataclass(frozen=True, slots=True)
class Control:
    """One control of the form.

    Attributes:
        widget: line, area, json or select.
        value: What stands in it.
        shown: What stood in it when the form was made, so that what nobody touched can be told.
    """

    name: str
    label: str
    widget: str
    value: str
    hint: str
    is_required: bool
    options: tuple[tuple[str, str], ...] = ()
    rows: int = 3

    @property
    def field(self) -> str:
        """The name in the form."""
        return f"stage.{self.name}"


def controls_of(
    stage: Mapping[str, Any], known: StageType | None, typed: Form | None = None
) -> list[Control]:
    """Give the controls for what the stage's type declares; none for a type that nothing here runs.

    Args:
        stage: Its JSON, with stand-ins for keys.
        known: Its type; None for one that nothing here runs.
        typed: What was typed, where the form is shown again because something in it was wrong.
    """
    found = [_control(field, stage.get(field.name)) for field in known.fields] if known else []
    if typed is None:
        return found
    return [_with(one, typed.raw(one.field)) if one.field in typed else one for one in found]


def apply_controls(
    stage: Mapping[str, Any], known: StageType | None, form: Form, errors: Errors
) -> dict[str, Any]:
    """Give the stage as the form has it.

    Args:
        stage: As it was when the form was made.
        known: Its type.
        form: What came back.
        errors: Is told what cannot be read; such a field stays as it was.
    """
    changed = dict(stage)
    for field in known.fields if known else ():
        control = _control(field, stage.get(field.name))
        if control.field not in form or form.raw(control.field) == control.value:
            continue
        text = form.raw(control.field)
        if not text.strip():
            changed.pop(field.name, None)
            continue
        try:
            changed[field.name] = _read(field, text)
        except ValueError as error:
            errors.add(control.field, f"{control.label}: {error}")
    return changed


def failure_of(stage: Mapping[str, Any]) -> str:
    """Give which of :data:`ON_FAILURE` the stage has."""
    if stage.get("continuePipeline") is True:
        return "ignore"
    if stage.get("failPipeline") in (None, True):
        return "halt"
    return "later" if stage.get("completeOtherBranchesThenFail") is True else "branch"


def _with(control: Control, text: str) -> Control:
    return Control(
        control.name, control.label, control.widget, text, control.hint, control.is_required,
        control.options, control.rows,
    )  # fmt: skip


def _control(field: Field, value: Any) -> Control:
    widget, text, options, hint = _shown(field, value)
    rows = min(max(text.count("\n") + 2, 3), 16)
    return Control(field.name, _label(field.name), widget, text, hint, field.is_required, options, rows)


def _shown(  # noqa: PLR0911 - one for each kind
    field: Field, value: Any
) -> tuple[str, str, tuple[tuple[str, str], ...], str]:
    """Give widget, text, options and hint."""
    doc = field.doc.replace("`", "")
    if field.kind in (Kind.OBJECT, Kind.OBJECTS):
        if _are_values(field, value):
            return "area", "\n".join(one["value"] for one in value or ()), (), "One answer a line."
        return "json", "" if value is None else written(value), (), doc
    if field.kind is Kind.TEXTS:
        if value is None or isinstance(value, str) or (isinstance(value, list) and _are_texts(value)):
            lines = value if isinstance(value, str) else "\n".join(value or ())
            return "area", lines, (), f"{doc} One a line."
        return "json", written(value), (), doc
    text = _plain(value)
    if field.kind is Kind.BOOLEAN or field.kind is Kind.CHOICE:
        choices = (
            _TRUTHS
            if field.kind is Kind.BOOLEAN
            else (("", "not set"), *((one, one) for one in field.choices))
        )
        if text not in dict(choices):
            choices = (*choices, (text, text))
        return "select", text, tuple(choices), doc
    if isinstance(value, (dict, list)):
        return "json", written(value), (), doc
    is_long = field.kind is Kind.TEXT and (len(text) > _LONG or "\n" in text or field.name in _LONG_TEXTS)
    return "area" if is_long else "line", text, (), doc


#: Texts that people write sentences in.
_LONG_TEXTS = frozenset({"message", "instructions"})


def _are_values(field: Field, value: Any) -> bool:
    """Tell whether it is a list of answers, each with a text and nothing else."""
    if field.name != "judgmentInputs":
        return False
    return value is None or (
        isinstance(value, list)
        and all(
            isinstance(one, dict)
            and set(one) == {"value"}
            and isinstance(one["value"], str)
            and _is_line(one["value"])
            for one in value
        )
    )


def _are_texts(value: Sequence[Any]) -> bool:
    return all(isinstance(one, str) and _is_line(one) for one in value)


def _is_line(text: str) -> bool:
    return bool(text.strip()) and text == text.strip() and "\n" not in text


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _read(field: Field, text: str) -> Any:  # noqa: PLR0911 - one for each kind
    """Read what was typed.

    Raises:
        ValueError: with the sentence what is wrong.
    """
    if field.kind is Kind.TEXT or (field.kind is Kind.CHOICE):
        return text
    if field.kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text, text)
    if field.kind is Kind.TEXTS and not text.lstrip().startswith(("[", "{")):
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field.name == "judgmentInputs" and not text.lstrip().startswith(("[", "{")):
        return [{"value": line.strip()} for line in text.splitlines() if line.strip()]
    if field.kind is Kind.NUMBER:
        return _number(text.strip())
    if "${" in text and not text.lstrip().startswith(("[", "{")):
        return text.strip()
    return _json(field, text)


def _number(text: str) -> Any:
    if "${" in text:
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        raise ValueError("it must be a number, or an expression.") from None
    if not math.isfinite(value):
        raise ValueError("it must be a number, or an expression.")
    return value


def _json(field: Field, text: str) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}.") from None
    wanted = dict if field.kind is Kind.OBJECT else list
    if not isinstance(value, wanted):
        raise ValueError(  # noqa: TRY004 - what was typed is of the wrong kind
            "it must be an object, in {}." if wanted is dict else "it must be a list, in []."
        )
    return value


#: What is written in capitals wherever people read it.
_NAMES = {"url": "URL", "json": "JSON"}


def _label(name: str) -> str:
    """Make words of a field's name: judgmentInputs → Judgment inputs."""
    spaced = "".join(f" {one.lower()}" if one.isupper() else one for one in name.replace(".", " "))
    words = " ".join(_NAMES.get(word, word) for word in spaced.split())
    return words[0].upper() + words[1:]
