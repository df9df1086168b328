"""Spring Expression Language as pipelines use it: ``${…}`` in any text of a document.

A calculation over plain data: it knows nothing of executions, applications or the network, and imports only
``kernel``. What is needed from outside is asked through :class:`Outside`.
"""

from __future__ import annotations

from masthead.pipelines.expressions.bounds import Limits
from masthead.pipelines.expressions.check import (
    Look,
    Problem,
    check,
    check_document,
    too_many_expressions,
    unparsed,
)
from masthead.pipelines.expressions.conditions import check_expression, one_expression
from masthead.pipelines.expressions.context import (
    NO_ANSWERS,
    EvaluationContext,
    FakeOutside,
    Nothing,
    Outside,
    Version,
)
from masthead.pipelines.expressions.document import (
    SUMMARY,
    Evaluated,
    evaluate_all,
    evaluate_document,
    new_budget,
    resolve,
    resolve_all,
)
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.functions.listing import capabilities
from masthead.pipelines.expressions.roots import stage_root, start_root
from masthead.pipelines.expressions.syntax.parse import Expression
from masthead.pipelines.expressions.syntax.templates import holds_expression
from masthead.pipelines.expressions.variables import EvaluatedVariables, evaluate_variables

__all__ = [
    "NO_ANSWERS",
    "SUMMARY",
    "Evaluated",
    "EvaluatedVariables",
    "EvaluationContext",
    "Expression",
    "ExpressionError",
    "FakeOutside",
    "Limits",
    "Look",
    "Nothing",
    "Outside",
    "Problem",
    "Version",
    "capabilities",
    "check",
    "check_document",
    "check_expression",
    "evaluate_all",
    "evaluate_document",
    "evaluate_variables",
    "holds_expression",
    "new_budget",
    "one_expression",
    "resolve",
    "resolve_all",
    "stage_root",
    "start_root",
    "too_many_expressions",
    "unparsed",
]
