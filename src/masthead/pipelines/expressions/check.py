"""What can be said against an expression before it runs: that it does not parse, or names what is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from masthead.pipelines.expressions.errors import ExpressionError, shown
from masthead.pipelines.expressions.functions import FUNCTIONS, MISSING
from masthead.pipelines.expressions.methods.types import find_type
from masthead.pipelines.expressions.syntax.nodes import Function, New, Node, TypeName, walk
from masthead.pipelines.expressions.syntax.parse import Expression
from masthead.pipelines.expressions.syntax.templates import Template, count_expressions, has_expression

__all__ = ["Look", "Problem", "check", "check_document", "too_many_expressions", "unparsed"]

_NESTING = 100
#: Characters of all expressions that are looked at in one document: some thousand expressions, a second of parsing.
_CHARACTERS = 100_000
#: Texts with expressions in one document: many more than people write, few enough to say of each that it did not resolve.
_TEXTS = 5_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the text; empty when a single text was checked.
        sentence: What is wrong with it.
    """

    pointer: str
    sentence: str


class Look:
    """How much of one document, or of its parts one after the other, is still looked at; the rest is found when it runs."""

    def __init__(self, characters: int = _CHARACTERS) -> None:
        self._left = characters

    def takes(self, text: str) -> bool:
        """Tell whether *text* is looked at as well, if it holds an expression."""
        return not has_expression(text) or self.takes_all(text)

    def takes_all(self, text: str) -> bool:
        """Tell whether *text*, which is an expression whatever it holds, is looked at as well."""
        self._left -= len(text)
        return self._left >= 0


def check(text: str) -> list[Problem]:
    """Give what is wrong with the expressions in *text*; empty when nothing is, or when there are none."""
    return [Problem("", sentence) for sentence in _sentences(text)]


def check_document(value: Any) -> list[Problem]:
    """Give what is wrong with the expressions anywhere in the JSON *value*, in its order."""
    return list(_problems(value, "", 0, _within(Look(), _sentences)))


def too_many_expressions(value: Any) -> str | None:
    """Give the sentence for more expressions than a pipeline or task can have, or None."""
    found = count_expressions(value)
    if found <= _TEXTS:
        return None
    return f"There are {found:,} texts with expressions; {_TEXTS:,} are the most that one pipeline or task can have."


def unparsed(value: Any, pointer: str = "", look: Look | None = None) -> list[Problem]:
    """Give the expressions anywhere in the JSON *value* that do not parse; what they name is not looked at.

    Args:
        value: A document or a part of one.
        pointer: Where *value* stands.
        look: Shared with the other parts of the same document.
    """
    return list(_problems(value, pointer, 0, _within(look or Look(), _unparsed)))


def _within(look: Look, sentences: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    return lambda text: sentences(text) if look.takes(text) else []


def _problems(
    value: Any, pointer: str, depth: int, sentences: Callable[[str], list[str]]
) -> Iterator[Problem]:
    if isinstance(value, str):
        for sentence in sentences(value):
            yield Problem(pointer, sentence)
    elif depth > _NESTING:
        return
    elif isinstance(value, Mapping):
        for key, each in value.items():
            place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            for sentence in sentences(key):
                yield Problem(place, sentence)
            yield from _problems(each, place, depth + 1, sentences)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _problems(each, f"{pointer}/{number}", depth + 1, sentences)


def _unparsed(text: str) -> list[str]:
    if has_expression(text):
        try:
            Template.parse(text)
        except ExpressionError as error:
            return [error.message]
    return []


def _sentences(text: str) -> list[str]:
    if not has_expression(text):
        return []
    try:
        template = Template.parse(text)
    except ExpressionError as error:
        return [error.message]
    roots = [part.node for part in template.parts if isinstance(part, Expression)]
    return [sentence for root in roots for node in walk(root) if (sentence := _sentence(node)) is not None]


def _sentence(node: Node) -> str | None:
    if isinstance(node, Function) and node.name in MISSING:
        return f"#{node.name} is about a cloud, and Masthead deploys to none"
    if isinstance(node, Function) and node.name not in FUNCTIONS:
        return f"The function '{shown(node.name)}' could not be found"
    if isinstance(node, (TypeName, New)):
        try:
            find_type(node.name)
        except ExpressionError as error:
            return error.message
    return None
