"""A text with ``${…}`` in it, cut into what is text and what is an expression.

The end of an expression is found as Spring finds it: texts in quotes are skipped, brackets are counted.

Source: Spinnaker compatibility facts, section 4.10.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from masthead.pipelines.expressions.bounds import LENGTH_LIMIT
from masthead.pipelines.expressions.errors import ExpressionSyntaxError
from masthead.pipelines.expressions.syntax.kept import keep
from masthead.pipelines.expressions.syntax.parse import Expression

__all__ = ["PREFIX", "Template", "count_expressions", "has_expression", "holds_expression", "summary_key"]

PREFIX = "${"
#: Texts longer than this are not kept parsed.
_LONG = 4_000
_NOTABLE = re.compile("['\"()\\[\\]{}]")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_WHOLE = re.compile(r"\$\{(.*)\}", re.DOTALL)


class TemplateError(ExpressionSyntaxError):
    """A ``${`` does not find its end."""

    exception_type = "org.springframework.expression.ParseException"


@dataclass(frozen=True, slots=True)
class Template:
    """A text, cut.

    Attributes:
        parts: What stands between, in order: a text, or an expression.
    """

    parts: tuple[str | Expression, ...]

    @property
    def only(self) -> Expression | None:
        """Give the expression that is the whole text, whose value keeps its type; None for mixed text."""
        first = self.parts[0]
        return first if len(self.parts) == 1 and isinstance(first, Expression) else None

    @property
    def key(self) -> str:
        """Give what a summary calls the text: itself without ``${`` and ``}``."""
        return "".join(part.text if isinstance(part, Expression) else part for part in self.parts)

    @staticmethod
    def parse(
        text: str, *, length_limit: int = LENGTH_LIMIT, look: Callable[[], None] = lambda: None
    ) -> Template:
        """Cut *text* and parse its expressions.

        Args:
            text: May be long.
            length_limit: Most characters of one expression.
            look: Called before each expression of a long text; may raise when parsing takes too long.

        Raises:
            ExpressionSyntaxError: an expression has no end, is empty, or does not parse.
        """
        return _kept(text, length_limit) if len(text) <= _LONG else _cut(text, length_limit, look)


def has_expression(value: object) -> bool:
    """Tell whether *value* is a text with an expression in it."""
    return isinstance(value, str) and PREFIX in value


def holds_expression(value: Any) -> bool:
    """Tell whether there is an expression anywhere in the JSON *value*, keys included."""
    return any(True for _ in _with_expressions(value))


def count_expressions(value: Any) -> int:
    """Give how many texts anywhere in the JSON *value*, keys included, hold expressions."""
    return sum(1 for _ in _with_expressions(value))


#: Holds nothing; asked first, because a document of megabytes has hundreds of thousands of them.
_PLAIN = frozenset({int, float, bool, type(None)})


def _with_expressions(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        present = waiting.pop()
        if isinstance(present, str):
            if PREFIX in present:
                yield present
        elif type(present) in _PLAIN:
            continue
        elif isinstance(present, Mapping):
            waiting.extend(present)
            waiting.extend(present.values())
        elif isinstance(present, list):
            waiting.extend(present)


def summary_key(text: str) -> str:
    """Give what a summary calls a *text* that cannot be cut."""
    whole = _WHOLE.fullmatch(text)
    return whole[1].strip() if whole else text.replace("$", "")


def _cut(text: str, length_limit: int, look: Callable[[], None] = lambda: None) -> Template:
    parts: list[str | Expression] = []
    at = 0
    while (begin := text.find(PREFIX, at)) >= 0:
        look()
        if begin > at:
            parts.append(text[at:begin])
        end = _end(text, begin, length_limit)
        written = text[begin + len(PREFIX) : end].strip()
        if not written:
            raise TemplateError(f"No expression defined within delimiter '${{}}' at character {begin}")
        parts.append(Expression.parse(written, length_limit=length_limit))
        at = end + 1
    if at < len(text):
        parts.append(text[at:])
    return Template(tuple(parts))


_kept = keep(_cut)


def _end(text: str, begin: int, length_limit: int) -> int:
    """Give where the ``}`` stands that ends the expression which begins at *begin*."""
    open_brackets: list[str] = []
    at = begin + len(PREFIX)
    latest = at + length_limit + 1
    while (found := _NOTABLE.search(text, at, latest)) is not None:
        mark, at = found[0], found.end()
        if mark in "'\"":
            at = _after_text(text, found.start(), latest)
        elif mark not in _PAIRS:
            open_brackets.append(mark)
        elif mark == "}" and not open_brackets:
            return found.start()
        elif not open_brackets or open_brackets[-1] != _PAIRS[mark]:
            last = (
                f"but the last bracket opened is '{open_brackets[-1]}'"
                if open_brackets
                else "without an opening one"
            )
            raise TemplateError(f"Found closing '{mark}' at position {found.start()} {last}")
        else:
            open_brackets.pop()
    if len(text) > latest:
        raise ExpressionSyntaxError(f"The expression has more than {length_limit:,} characters.")
    raise TemplateError(
        f"No ending suffix '}}' for expression starting at character {begin}: {_near(text, begin)}"
    )


def _after_text(text: str, begin: int, latest: int) -> int:
    end = text.find(text[begin], begin + 1, latest)
    if end < 0:
        raise TemplateError(f"Found non terminating string literal starting at position {begin}")
    return end + 1


def _near(text: str, begin: int) -> str:
    return text[begin : begin + 60]
