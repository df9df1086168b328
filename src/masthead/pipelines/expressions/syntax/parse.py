"""From the text of one expression to its nodes, by the grammar in ``grammar.lark``.

The parser keeps its own stack, so that no text can exhaust Python's; what it gives is refused when it is
nested too deeply. Parsed forms are kept for the texts that were seen last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import LarkError

from masthead.pipelines.expressions.bounds import DEPTH_LIMIT, LENGTH_LIMIT
from masthead.pipelines.expressions.errors import ExpressionSyntaxError, shown
from masthead.pipelines.expressions.syntax import nodes
from masthead.pipelines.expressions.syntax.kept import keep
from masthead.pipelines.expressions.syntax.nodes import Node, Part, children

__all__ = ["Expression"]

#: Largest whole number there is: a Java ``long``.
_LONGEST = 2**63 - 1
#: What is not supported, by the character at which the parser notices.
_HINTS = {
    "=": "Expressions only read: nothing can be assigned",
    "@": "There are no beans to refer to",
    "$": "One ${…} cannot stand inside another",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, parsed.

    Attributes:
        text: As it was written, without ``${`` and ``}``.
        node: What it means.
    """

    text: str
    node: Node

    @staticmethod
    def parse(text: str, *, length_limit: int = LENGTH_LIMIT) -> Expression:
        """Parse *text*; a text seen lately costs nothing.

        Raises:
            ExpressionSyntaxError: it is not of the language; the sentence says where.
        """
        return _parse(text, length_limit)


@keep
def _parse(text: str, length_limit: int) -> Expression:
    if len(text) > length_limit:
        raise ExpressionSyntaxError(f"The expression has more than {length_limit:,} characters.")
    try:
        node: Node = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise ExpressionSyntaxError(_sentence(text, error)) from error
    except LarkError as error:
        cause = error.__context__
        if isinstance(cause, ExpressionSyntaxError):
            raise cause from error
        raise ExpressionSyntaxError(f"The expression cannot be parsed: {shown(text)}") from error
    _require_shallow(node)
    return Expression(text, node)


def _require_shallow(root: Node) -> None:
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEPTH_LIMIT:
            raise ExpressionSyntaxError(f"The expression is nested more than {DEPTH_LIMIT} levels deep.")
        waiting.extend((child, depth + 1) for child in children(node))


def _sentence(text: str, error: UnexpectedInput) -> str:
    token = getattr(error, "token", None)
    at = error.pos_in_stream
    if at is None or not 0 <= at < len(text) or getattr(token, "type", "") == "$END":
        return f"The expression ends too early: {shown(text)}"
    unexpected = text[at] if token is None else str(token)
    if unexpected in ("'", '"'):
        return f"The text that begins with {unexpected} at character {at + 1} has no end."
    hint = _HINTS.get(unexpected)
    reason = f"{hint}: " if hint else ""
    return f"{reason}'{shown(unexpected)}' is not expected at character {at + 1} of {shown(text)}"


@cache
def _parser() -> Lark:
    grammar = files("masthead.pipelines.expressions.syntax").joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=False, transformer=_Build())


def _literal_text(token: str) -> str:
    quote = token[0]
    return token[1:-1].replace(quote * 2, quote)


def _number(token: str) -> int | float:
    text = token.lower()
    if text.startswith("0x"):
        return _whole(int(text.rstrip("l"), 16), token)
    if text[-1] in "fd" or "." in text or "e" in text:
        return float(text.rstrip("fd"))
    digits = text.rstrip("l")
    return _whole(int(digits) if len(digits) <= 20 else _LONGEST + 1, token)


def _whole(number: int, token: str) -> int:
    if number > _LONGEST:
        raise ExpressionSyntaxError(
            f"The value '{shown(token)}' cannot be parsed as a whole number of 64 bits."
        )
    return number


@v_args(inline=True)
class _Build(Transformer[Token, Node]):
    """What each rule of the grammar makes."""

    def start(self, node: Node) -> Node:
        return node

    def ternary(self, test: Node, yes: Node, no: Node) -> Node:
        return nodes.Ternary(test, yes, no)

    def elvis(self, value: Node, otherwise: Node) -> Node:
        return nodes.Elvis(value, otherwise)

    def disjunction(self, *operands: Node) -> Node:
        return nodes.Logic(False, operands)

    def conjunction(self, *operands: Node) -> Node:
        return nodes.Logic(True, operands)

    def comparison(self, left: Node, operator: Token, right: Node) -> Node:
        return nodes.Comparison(_WORDS.get(operator.lower(), operator.lower()), left, right)

    def total(self, first: Node, *rest: Any) -> Node:
        return nodes.Arithmetic(first, _pairs(rest))

    product = total

    def raised(self, base: Node, exponent: Node) -> Node:
        return nodes.Power(base, exponent)

    def sign(self, operator: Token, operand: Node) -> Node:
        return nodes.Sign(str(operator), operand)

    def negation(self, operand: Node) -> Node:
        return nodes.Not(operand)

    def chained(self, first: Node, *steps: Part) -> Node:
        return nodes.Chain(first, steps)

    def safe(self, part: Part) -> Part:
        return replace(part, is_safe=True)

    def index(self, key: Node) -> Part:
        return nodes.Index(False, key)

    def property(self, name: Token) -> Part:
        return nodes.Property(False, str(name))

    def call(self, name: Token, arguments: tuple[Node, ...]) -> Part:
        return nodes.Call(False, str(name), arguments)

    def select(self, pick: Token, test: Node) -> Part:
        return nodes.Select(False, nodes.Pick(str(pick)), test)

    def project(self, item: Node) -> Part:
        return nodes.Project(False, item)

    def arguments(self, *arguments: Node) -> tuple[Node, ...]:
        return arguments

    def number(self, token: Token) -> Node:
        return nodes.Literal(_number(token))

    def text(self, token: Token) -> Node:
        return nodes.Literal(_literal_text(token))

    def null(self, _: Token) -> Node:
        return nodes.Literal(None)

    def true(self, _: Token) -> Node:
        return nodes.Literal(True)

    def false(self, _: Token) -> Node:
        return nodes.Literal(False)

    def variable(self, token: Token) -> Node:
        return nodes.Variable(token[1:].strip())

    def function(self, token: Token, arguments: tuple[Node, ...]) -> Node:
        return nodes.Function(token[1:].strip(), arguments)

    def type_name(self, token: Token) -> Node:
        name = token[token.index("(") + 1 : -1]
        return nodes.TypeName("".join(name.split()))

    def qualified(self, *names: Token) -> str:
        return ".".join(names)

    def new(self, name: str, arguments: tuple[Node, ...]) -> Node:
        return nodes.New(name, arguments)

    def inline_list(self, *items: Node) -> Node:
        return nodes.InlineList(items)

    def inline_map(self, *entries: tuple[Node, Node]) -> Node:
        return nodes.InlineMap(entries)

    def entry(self, key: Node, value: Node) -> tuple[Node, Node]:
        return key, value


#: Operators that are words.
_WORDS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ARITHMETIC_WORDS = {"div": "/", "mod": "%"}


def _pairs(rest: tuple[Any, ...]) -> tuple[tuple[str, Node], ...]:
    operators = (_ARITHMETIC_WORDS.get(token.lower(), str(token)) for token in rest[::2])
    return tuple(zip(operators, rest[1::2], strict=True))
