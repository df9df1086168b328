"""What an expression may fail with; each class stands for the Java class that Orca names in its summary.

Source: Spinnaker compatibility facts, section 4.10.5 (``exceptionType``).
"""

from __future__ import annotations

from typing import ClassVar

from masthead.kernel.errors import InvalidRequest

__all__ = ["ExpressionError", "ExpressionSyntaxError", "HelperFailed", "TooMuch", "shown"]

_SHOWN = 120


class ExpressionError(InvalidRequest):
    """The expression cannot be evaluated; its sentence says what is wrong with it."""

    exception_type: ClassVar[str] = "org.springframework.expression.spel.SpelEvaluationException"


class ExpressionSyntaxError(ExpressionError):
    """The expression is not written as the language wants it."""

    exception_type = "org.springframework.expression.spel.SpelParseException"


class HelperFailed(ExpressionError):
    """One of the functions written with ``#`` could not do its work."""

    exception_type = "com.netflix.spinnaker.kork.expressions.SpelHelperFunctionException"


class TooMuch(ExpressionError):
    """The expression wants more time, steps or memory than expressions are given."""


def shown(text: str) -> str:
    """Shorten *text*, which may be a whole document, for a sentence."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
