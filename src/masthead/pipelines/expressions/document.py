"""Evaluating a whole document: every text in it, keys included, and the report of what did not resolve.

What an expression gives is data: a result that looks like an expression is never evaluated. What does not resolve
stays as the text it was.

Source: Spinnaker compatibility facts, sections 4.10.1 and 4.10.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

from masthead.kernel.clock import to_ms
from masthead.kernel.errors import MastheadError
from masthead.pipelines.expressions.bounds import Budget
from masthead.pipelines.expressions.context import (
    Answer,
    EvaluationContext,
    Lookup,
    Outside,
    Running,
    Source,
    Wanted,
)
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.evaluate import evaluate
from masthead.pipelines.expressions.syntax.parse import Expression
from masthead.pipelines.expressions.syntax.templates import PREFIX, Template, has_expression, summary_key
from masthead.pipelines.expressions.values import Value, joined_text, plain, sound

__all__ = [
    "SUMMARY",
    "Evaluated",
    "evaluate_all",
    "evaluate_document",
    "new_budget",
    "resolve",
    "resolve_all",
]

#: Where a document's report stands in it.
SUMMARY = "expressionEvaluationSummary"
#: Most questions to the outside for one document.
_LOOKUPS = 20
#: Seconds after which an evaluation was a long one.
_LONG_S = 0.01
_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A document with its expressions evaluated.

    Attributes:
        value: The document; parts without expressions are shared with the one that was given.
        summary: Expression without ``${}`` → what went wrong with it; empty when all resolved.
        attempted: How many texts held an expression.
        wanted: What must be asked of the outside before the value can be used; empty for a finished one.
        given: How many characters its expressions gave; an item of a list or a map counts as eight.
    """

    value: Any
    summary: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    attempted: int = 0
    wanted: frozenset[Lookup] = frozenset()
    given: int = 0

    @property
    def is_resolved(self) -> bool:
        """Tell whether every expression has its value."""
        return not self.summary and not self.wanted


def evaluate_document(value: Any, context: EvaluationContext) -> Evaluated:
    """Evaluate every text in *value*, as deep as it goes.

    Args:
        value: JSON; left as it is.
        context: What the expressions read.
    """
    return evaluate_all([value], context)[0]


def evaluate_all(
    values: Sequence[Any], context: EvaluationContext, budget: Budget | None = None
) -> list[Evaluated]:
    """Evaluate several documents that together have the limits of one; one result each, in their order.

    Args:
        values: JSON; left as it is.
        context: What the expressions read.
        budget: What is left of the limits, if something else has used some of them.
    """
    budget = new_budget(context) if budget is None else budget
    budget.resume()
    try:
        return [_Walk(context, budget).document(value) for value in values]
    finally:
        budget.pause()


def new_budget(context: EvaluationContext) -> Budget:
    """Give all that one document may use."""
    return Budget(context.limits, context.clock.monotonic)


async def resolve(
    value: Any, context: EvaluationContext, outside: Outside, budget: Budget | None = None
) -> Evaluated:
    """Evaluate *value* as :func:`evaluate_document` does, asking *outside* what it needs to know.

    Everything is evaluated again once the answers are there, so random numbers are drawn again too. At most 20
    questions are asked for one document.
    """
    return (await resolve_all([value], context, outside, budget))[0]


async def resolve_all(
    values: Sequence[Any], context: EvaluationContext, outside: Outside, budget: Budget | None = None
) -> list[Evaluated]:
    """Evaluate several documents as :func:`evaluate_all` does, asking *outside* as :func:`resolve` does."""
    budget = new_budget(context) if budget is None else budget
    given = budget.given
    answers = dict(context.answers)
    while True:
        budget.given = given
        evaluated = await _in_turn(values, replace(context, answers=answers), budget)
        wanted = sorted(
            {lookup for each in evaluated for lookup in each.wanted},
            key=lambda lookup: (lookup.source, lookup.arguments),
        )
        if not wanted:
            return evaluated
        allowed = wanted[: max(_LOOKUPS - len(answers), 0)]
        found = await asyncio.gather(*(_ask(outside, lookup) for lookup in allowed))
        refused = Answer(refusal=f"The expressions of one document may ask the outside {_LOOKUPS} times.")
        answers |= dict(zip(allowed, found, strict=True)) | dict.fromkeys(wanted[len(allowed) :], refused)


async def _in_turn(values: Sequence[Any], context: EvaluationContext, budget: Budget) -> list[Evaluated]:
    """Evaluate while no other document is evaluated; after a long one everything else has its turn first.

    Else many that take long, of one execution or of many, would together hold up the whole process.
    """
    lock = _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with lock:
        began = context.clock.monotonic()
        evaluated = evaluate_all(values, context, budget)
        if context.clock.monotonic() - began > _LONG_S:
            await asyncio.sleep(0)
    return evaluated


async def _ask(outside: Outside, lookup: Lookup) -> Answer:
    try:
        match lookup.source:
            case Source.URL:
                return Answer(await outside.text_of_url(*lookup.arguments))
            case Source.APPLICATION:
                return Answer(await outside.application(*lookup.arguments))
            case Source.PIPELINE_ID:
                return Answer(await outside.pipeline_id(*lookup.arguments))
    except MastheadError as error:
        return Answer(refusal=error.message)


class _Walk:
    """One way through a document."""

    def __init__(self, context: EvaluationContext, budget: Budget) -> None:
        self.summary: dict[str, list[dict[str, Any]]] = {}
        self.attempted = 0
        self.wanted: set[Lookup] = set()
        self._context = context
        self._running = Running(context, budget)

    def document(self, value: Any) -> Evaluated:
        """Give *value* evaluated, with the report."""
        budget = self._running.budget
        before = budget.given
        result = self.value(value, None, 0)
        given = budget.given - before
        return Evaluated(result, self.summary, self.attempted, frozenset(self.wanted), given)

    def value(self, value: Any, key: str | None, depth: int) -> Any:
        """Give *value* evaluated; *key* is the nearest one it stands under."""
        if has_expression(value):
            return self._text(value, key)
        if depth > self._context.limits.nesting:
            return value
        if isinstance(value, Mapping):
            return self._map(value, depth)
        if isinstance(value, list):
            items = [self.value(each, key, depth + 1) for each in value]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        return value

    def _map(self, source: Mapping[str, Any], depth: int) -> Any:
        result: dict[str, Any] = {}
        is_changed = False
        for key, value in source.items():
            new_key = self._key(key) if has_expression(key) else key
            new = result[new_key] = self.value(value, key, depth + 1)
            is_changed = is_changed or new is not value or new_key is not key
        return result if is_changed else source

    def _key(self, key: str) -> str:
        value = self._text(key, None)
        try:
            return joined_text(value, self._running.budget)
        except ExpressionError as error:
            return self._failed(key, None, summary_key(key), error)

    def _text(self, text: str, key: str | None) -> Any:
        self.attempted += 1
        budget = self._running.budget
        try:
            budget.begin()
            template = Template.parse(text, length_limit=self._context.limits.length, look=budget.look)
        except ExpressionError as error:
            return self._failed(text, key, summary_key(text), error)
        try:
            return self._worth(template, text, key)
        except Wanted as wanted:
            self.wanted.add(wanted.lookup)
            return text
        except ExpressionError as error:
            return self._failed(text, key, template.key, error)
        except Exception as error:  # noqa: BLE001 - a value that nobody thought of; the text stays, as for any error
            kind = type(error).__name__
            return self._failed(text, key, template.key, ExpressionError(f"It cannot be evaluated ({kind})."))

    def _worth(self, template: Template, text: str, key: str | None) -> Any:
        only = template.only
        if only is not None:
            value = plain(evaluate(only.node, self._running), self._running.budget)
            if value is None:
                self._missing(template, key)
            return text if value is None else value
        pieces = [self._piece(part) for part in template.parts]
        if any(piece is None for piece in pieces):
            self._missing(template, key)
        mixed = "".join(
            _kept(part) if piece is None else piece
            for part, piece in zip(template.parts, pieces, strict=True)
        )
        self._running.budget.text(len(mixed))
        self._running.budget.give(len(mixed))
        return sound(mixed)

    def _piece(self, part: str | Expression) -> str | None:
        if isinstance(part, str):
            return part
        value: Value = evaluate(part.node, self._running)
        return None if value is None else joined_text(value, self._running.budget)

    def _missing(self, template: Template, key: str | None) -> None:
        name = template.key
        self._note(name, "INFO", f"Failed to evaluate {_place(key, name)} : {name} not found", None)

    def _failed(self, text: str, key: str | None, name: str, error: ExpressionError) -> str:
        sentence = f"Failed to evaluate {_place(key, text)} {error.message}"
        self._note(name, "ERROR", sentence, error.exception_type)
        return text

    def _note(self, name: str, level: str, description: str, exception_type: str | None) -> None:
        note = {
            "level": level,
            "timestamp": to_ms(self._context.clock.now()),
            "description": sound(description.replace("$", "")),
        }
        if exception_type is not None:
            note["exceptionType"] = exception_type
        self.summary.setdefault(name, []).append(note)


def _place(key: str | None, otherwise: str) -> str:
    return f"[{key}]" if key is not None else otherwise


def _kept(part: str | Expression) -> str:
    return part if isinstance(part, str) else f"{PREFIX}{part.text}}}"
