"""What is looked at before a pipeline is stored: the one place where every part adds what it knows.

The graph and the expressions are looked at by pipelines themselves. A part further up adds its own look when the
server is put together, because nothing here may import it::

    pipelines.checks.add(problems_of_triggers)   # (pipeline) -> Iterable[Problem]

* Stage types: override :meth:`masthead.executions.stages.base.StageType.problems`; nothing is to be added here.
* Triggers (cron lines, time zones) and anything else: ``checks.add`` in ``server/wiring.py``.

A check is a pure function of the document as it is to be stored. It is quick (saving waits for it), it raises
nothing for any JSON, and it says only what is certainly wrong: what it names cannot be saved. Its pointers are
those of the pipeline, such as ``/triggers/0/cronExpression``; its sentences are for whoever edits the pipeline, and
the same sentence is what the run says where it gets that far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from masthead.pipelines.concurrency import problems_of_concurrency
from masthead.pipelines.expressions import Problem, too_many_expressions, unparsed
from masthead.pipelines.graph import too_many_stages, validate_graph
from masthead.pipelines.parameters import problems_of_parameters

__all__ = ["Check", "Checks", "Problem"]

#: Pipeline → what is wrong with it.
Check = Callable[[Mapping[str, Any]], Iterable[Problem]]
#: Problems that are told at once.
_MOST = 50


class Checks:
    """Every look at a pipeline that is to be saved."""

    def __init__(self) -> None:
        self._checks: list[Check] = [
            _graph,
            problems_of_parameters,
            _expressions,
            _notifications,
            problems_of_concurrency,
        ]

    def add(self, check: Check) -> None:
        """Have *check* look at every pipeline from now on."""
        self._checks.append(check)

    def problems(self, pipeline: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Give what is wrong with *pipeline*, at most fifty things; empty when it can be saved.

        Args:
            pipeline: Front50's JSON, whatever is in it.
        """
        found: list[Problem] = []
        for check in self._checks:
            for problem in check(pipeline):
                found.append(problem)
                if len(found) == _MOST:
                    return tuple(found)
        return tuple(found)


def _graph(pipeline: Mapping[str, Any]) -> Iterator[Problem]:
    stages = pipeline.get("stages")
    if isinstance(stages, list) and (too_many := too_many_stages(stages)):
        yield Problem("/stages", too_many)
        return
    for problem in validate_graph(stages):
        yield Problem(problem.pointer, problem.sentence)


def _expressions(pipeline: Mapping[str, Any]) -> Iterator[Problem]:
    if too_many := too_many_expressions(pipeline):
        yield Problem("", too_many)


def _notifications(pipeline: Mapping[str, Any]) -> Iterator[Problem]:
    yield from unparsed(pipeline.get("notifications"), "/notifications")
