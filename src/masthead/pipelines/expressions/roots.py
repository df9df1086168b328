"""The root object of an expression: what names without ``#`` are looked up in.

Source: Spinnaker compatibility facts, section 4.10.3.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from masthead.pipelines.expressions.context import Version

__all__ = ["scm_info", "stage_root", "start_root"]

Document = Mapping[str, Any]
#: Branches that say little about where a build came from.
_MAIN_BRANCHES = ("master", "develop")


def start_root(trigger: Document, template_variables: Document | None) -> Document:
    """Give the root for evaluating a pipeline as it starts."""
    root: dict[str, Any] = {"trigger": trigger} | _derived(trigger, {})
    if template_variables is not None:
        root["templateVariables"] = template_variables
    return root


def stage_root(
    context: Document,
    *,
    execution: Document | None,
    ancestors: Document | None = None,
    version: Version = Version.V3,
) -> Document:
    """Give the root for evaluating a stage.

    Args:
        context: The stage's own context.
        execution: The execution's JSON; None for tasks, which see nothing of it.
        ancestors: What the stages before it gave out, nearest first; used for keys that the context lacks.
        version: With v4 the template's variables can be read too.
    """
    layers: list[Any] = [context] if ancestors is None else [context, ancestors]
    if execution is None:
        return ChainMap({} if "parameters" in context else {"parameters": {}}, *layers)
    trigger = execution.get("trigger") or {}
    above: dict[str, Any] = {"execution": execution, "trigger": trigger} | _derived(trigger, context)
    variables = execution.get("templateVariables")
    if version is Version.V4 and variables:
        above["templateVariables"] = variables
    return ChainMap(above, *layers)


def _derived(trigger: Document, context: Document) -> dict[str, Any]:
    derived: dict[str, Any] = {"scmInfo": scm_info(trigger, context)}
    parameters = trigger.get("parameters")
    if parameters or "parameters" not in context:
        derived["parameters"] = parameters or {}
    return derived


def scm_info(trigger: Document, context: Document) -> Any:
    """Give the commit of a build: the first that is not of a main branch, else the first; None without a build."""
    for holder in (context.get("buildInfo"), trigger.get("buildInfo")):
        commits = holder.get("scm") if isinstance(holder, Mapping) else None
        if isinstance(commits, list) and commits:
            others = (
                each
                for each in commits
                if isinstance(each, Mapping) and each.get("branch") not in _MAIN_BRANCHES
            )
            return next(others, commits[0])
    return None
