"""Conditions: expressions that pipelines write without ``${}`` around them, and sometimes with ``${…}`` inside.

Upstream evaluates the inner ones and then the outcome, so that text which a caller sent is evaluated too. Here the inner
ones become part of the one expression, which comes to the same and evaluates only what the owner wrote.

Source: Spinnaker compatibility facts, sections 4.9.3 and 7.5 (52).
"""

from __future__ import annotations

from collections.abc import Iterator

from masthead.pipelines.expressions.check import Look, check
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.syntax.parse import Expression
from masthead.pipelines.expressions.syntax.templates import PREFIX, Template, has_expression

__all__ = ["check_expression", "one_expression"]


def one_expression(text: str) -> str:
    """Give the condition *text* as one ``${expression}``; what cannot be cut stays as it is, and fails.

    An inner expression in quotes is put together with the text around it; one outside of quotes stands in brackets:
    ``"${a}-x" == b`` becomes ``${("" + (a) + "-x") == b}``.
    """
    if not has_expression(text):
        return f"{PREFIX}{text}}}"
    try:
        template = Template.parse(text)
    except ExpressionError:
        return text
    if template.only is not None:
        return text
    return f"{PREFIX}{''.join(_joined(template))}}}"


def check_expression(text: str, look: Look | None = None) -> str | None:
    """Give why the condition *text* cannot be evaluated, or None; also when *look* has seen enough of its document."""
    if look is not None and not look.takes_all(text):
        return None
    problems = check(text) or check(one_expression(text))
    return problems[0].sentence if problems else None


def _joined(template: Template) -> Iterator[str]:
    quote = ""
    for part in template.parts:
        if isinstance(part, Expression):
            yield f"{quote} + ({part.text}) + {quote}" if quote else f"({part.text})"
            continue
        at = 0
        while at < len(part):
            mark = part[at]
            if quote and part[at : at + 2] == quote * 2:
                yield quote * 2
                at += 2
                continue
            at += 1
            if quote and mark == quote:
                quote = ""
                yield f"{mark})"
            elif not quote and mark in "'\"":
                quote = mark
                yield f"({mark}"
            else:
                yield mark
