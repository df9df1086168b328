"""What the editor shows of a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masthead.executions import StageTypes
from masthead.pipelines import Pipelines
from masthead.pipelines.expressions import Evaluated
from masthead.web.editor_draft import Draft, find_stage, stages_of
from masthead.web.editor_fields import ON_FAILURE, controls_of, failure_of
from masthead.web.editor_json import written
from masthead.web.editor_panels import PANELS, SERVERS, TRIGGER_FIELDS, minutes_of, options_of
from masthead.web.editor_problems import EditorProblem, located, problems_of
from masthead.web.forms import Errors, Form
from masthead.web.graph import Drawn, draw
from masthead.web.wakes import PAGE, Wake

__all__ = ["Previewed", "Shown", "values_of"]

#: Types that a new trigger may have.
_TRIGGERS = (("cron", "Schedule (cron)"), ("webhook", "Webhook"), ("pipeline", "End of another pipeline"))
_STATUSES = ("successful", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Previewed:
    """What the expressions of a stage came to in an execution."""

    run: str
    #: Field, value as JSON, and what did not resolve.
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, run: str, values: Mapping[str, Any], found: Mapping[str, Evaluated]) -> Previewed:
        """Make it of the values, without keys, and what the evaluation reported."""
        rows = []
        for key, evaluated in found.items():
            value = values[key]
            shown = next(iter(value.values())) if isinstance(value, Mapping) and len(value) == 1 else value
            notes = [str(note.get("description")) for each in evaluated.summary.values() for note in each]
            text = shown if isinstance(shown, str) else written(shown)
            rows.append((key, text, tuple(notes)))
        return cls(run, tuple(rows))


@dataclass(frozen=True, slots=True)
class Shown:
    """The draft and where somebody stands in it."""

    draft: Draft
    #: With its keys, for what is judged by them; never shown.
    plain: Draft
    panel: str
    ref: str
    errors: Errors
    typed: Form | None


def values_of(
    shown: Shown, wakes: Sequence[Wake], *, pipelines: Pipelines, types: StageTypes
) -> dict[str, Any]:
    """Give what the template needs of the draft."""
    draft = shown.draft
    stage = find_stage(draft, shown.ref)
    known = types.find(str((stage or {}).get("type")))
    edited = {key: value for key, value in draft.items() if key not in SERVERS}
    whole = written(edited)
    problems = located(problems_of(draft, shown.plain, wakes, pipelines=pipelines, types=types), whole)
    at = f"/stages/{draft['stages'].index(stage)}" if stage is not None else ""
    pages = [one for one in stages_of(draft) if one.get("type") == PAGE]
    text, own = _json(shown, stage, whole, problems, at)
    return {
        "draft": draft,
        "panel": shown.panel if shown.panel in PANELS else "stage",
        "panels": PANELS,
        "ref": shown.ref,
        "stage": stage,
        "stage_document": stage or {},
        "graph": draw(
            [_drawn(one, shown.ref, problems, types) for one in stages_of(draft)],
            label="Stages of the pipeline",
        ),
        "others": [one for one in stages_of(draft) if one is not stage],
        "waits": {str(one) for one in (stage or {}).get("requisiteStageRefIds") or ()},
        "known": known,
        "controls": controls_of(stage, known, shown.typed) if stage is not None else (),
        "failures": [(key, words) for key, (words, _) in ON_FAILURE.items()],
        "failure": failure_of(stage or {}),
        "condition": _condition(stage or {}),
        "minutes": minutes_of((stage or {}).get("stageTimeoutMs")),
        "types": [(one.type, one.label) for one in types.all()],
        "parameters": _parameters(draft),
        "triggers": _triggers(draft),
        "trigger_types": _TRIGGERS,
        "statuses": _STATUSES,
        "json_text": text,
        "marks": [{"line": one.line, "text": one.sentence, "isError": one.is_error} for one in own],
        "errors": shown.errors,
        "typed": shown.typed,
        "problems": problems,
        "wake": wakes[pages.index(stage)] if stage is not None and stage in pages else None,
    }


def _json(
    shown: Shown, stage: Mapping[str, Any] | None, whole: str, problems: Sequence[EditorProblem], at: str
) -> tuple[str, Sequence[EditorProblem]]:
    """Give the text of the JSON panel, and the problems with their lines in it."""
    if shown.panel == "stage-json" and stage is not None:
        text = written(stage)
        inside = [
            EditorProblem(one.pointer.removeprefix(at), one.sentence, one.is_error, one.ref)
            for one in problems
            if one.pointer == at or one.pointer.startswith(f"{at}/")
        ]
        return _typed(shown, text), located(inside, text)
    return _typed(shown, whole), problems


def _typed(shown: Shown, text: str) -> str:
    return shown.typed.raw("json") if shown.typed is not None and "json" in shown.typed else text


def _condition(stage: Mapping[str, Any]) -> str:
    option = stage.get("stageEnabled")
    return str(option.get("expression") or "") if isinstance(option, Mapping) else ""


def _parameters(draft: Draft) -> list[dict[str, Any]]:
    given = draft.get("parameterConfig")
    return [
        {
            "at": at,
            "name": str(one.get("name") or ""),
            "label": str(one.get("label") or ""),
            "description": str(one.get("description") or ""),
            "default": _text(one.get("default")),
            "required": one.get("required") is True,
            "options": "\n".join(options_of(one)),
        }
        for at, one in enumerate(given if isinstance(given, list) else ())
        if isinstance(one, Mapping)
    ]


def _triggers(draft: Draft) -> list[dict[str, Any]]:
    given = draft.get("triggers")
    return [
        {
            "at": at,
            "type": str(one.get("type") or ""),
            "enabled": one.get("enabled") is True or str(one.get("enabled")).lower() == "true",
            "given": one,
            "statuses": [str(status) for status in one.get("status") or ()],
            "more": _rest(one),
        }
        for at, one in enumerate(given if isinstance(given, list) else ())
        if isinstance(one, Mapping)
    ]


def _rest(trigger: Mapping[str, Any]) -> str:
    known = TRIGGER_FIELDS.get(str(trigger.get("type")), ("type", "enabled"))
    rest = {key: value for key, value in trigger.items() if key not in known}
    return written(rest) if rest else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _drawn(
    stage: Mapping[str, Any], chosen: str, problems: Sequence[EditorProblem], types: StageTypes
) -> Drawn:
    ref = str(stage.get("refId") or "")
    kind = str(stage.get("type") or "")
    known = types.find(kind)
    name = str(stage.get("name") or kind or ref)
    own = [one for one in problems if one.ref == ref]
    style = "failed" if any(one.is_error for one in own) else "warning" if own else "neutral"
    label = known.label if known else kind or "no type"
    trouble = f", {len(own)} {'problem' if len(own) == 1 else 'problems'}" if own else ""
    waits = stage.get("requisiteStageRefIds")
    return Drawn(
        ref=ref,
        name=name,
        waits_for=tuple(map(str, waits)) if isinstance(waits, list) else (),
        href="",
        icon=style,
        style=style,
        word=label,
        says=f"{name}, {label}{trouble}",
        is_chosen=ref == chosen,
        button=f"choose:{ref}",
    )
