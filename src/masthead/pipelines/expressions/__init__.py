"""Spring Expression Language as pipelines use it: ``${…}`` in any text of a document.

A calculation over plain data: it knows nothing of executions, applications or the network, and imports only
``kernel``. What is needed from outside is asked through :class:`Outside`.
"""

from __future__ import annotations

from masthead.pipelines.expressions.check import Problem, check, check_document
from masthead.pipelines.expressions.context import EvaluationContext, FakeOutside, Nothing, Outside, Version
from masthead.pipelines.expressions.document import SUMMARY, Evaluated, evaluate_document, resolve
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.roots import stage_root, start_root
from masthead.pipelines.expressions.syntax.parse import Expression
from masthead.pipelines.expressions.variables import evaluate_variables

__all__ = [
    "SUMMARY",
    "Evaluated",
    "EvaluationContext",
    "Expression",
    "ExpressionError",
    "FakeOutside",
    "Nothing",
    "Outside",
    "Problem",
    "Version",
    "check",
    "check_document",
    "evaluate_document",
    "evaluate_variables",
    "resolve",
    "stage_root",
    "start_root",
]
