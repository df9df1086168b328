"""Webhooks that an operator has set up as stage types of their own.

What is set overwrites what the stage says; expressions in it are the operator's and are evaluated like the owner's, with the
stage's ``parameterValues`` in reach. Headers that are not to be seen never come near the execution.

Source: Spinnaker compatibility facts, section 4.7.6.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from masthead.config.webhooks import PROPERTY_NAMES, PreconfiguredWebhook
from masthead.executions.failure import TaskFailed
from masthead.executions.model import Document, Stage
from masthead.executions.stages.base import Field, Kind, TaskType
from masthead.executions.stages.webhook.problems import webhook_problems
from masthead.executions.stages.webhook.stage import WebhookStage
from masthead.executions.webhooks import ALIAS
from masthead.kernel.caller import Caller
from masthead.kernel.errors import AccessDenied
from masthead.pipelines import Problem
from masthead.pipelines.expressions import holds_expression

__all__ = ["ALIAS", "PreconfiguredWebhookStage", "listing", "preconfigured_types"]


class PreconfiguredWebhookStage(WebhookStage):
    """A webhook with fields that are set already."""

    def __init__(self, hooks: Mapping[str, PreconfiguredWebhook], name: str) -> None:
        """Args: hooks: all of them; name: the type that this one answers to, or the alias for all."""
        self._hooks = hooks
        self.type = name  # type: ignore[misc]
        hook = hooks.get(name)
        self.label = hook.label if hook else "Preconfigured webhook"  # type: ignore[misc]
        if hook is not None:
            self.fields = _open_fields(hook)  # type: ignore[misc]
        self.doc = (hook.description if hook else "") or "A webhook that the operator has set up."  # type: ignore[misc]

    def plan(self, stage: Stage) -> tuple[TaskType, ...]:
        """Put the operator's values over the stage's, and plan as a webhook does."""
        hook = self._hooks.get(stage.type)
        if hook is None:
            raise TaskFailed(f"Could not find a stage named '{stage.type}'")
        given = stage.context.get("parameterValues")
        values = {**_defaults(hook), **(given if isinstance(given, dict) else {})}
        if values:
            stage.context["parameterValues"] = values
        _fill(stage, hook)
        return super().plan(stage)

    def check_change(
        self, stage: Stage, changes: Mapping[str, Any], caller: Caller, *, asks_roles: bool
    ) -> None:
        """Leave what the operator has set, and where the answer led, as they are."""
        super().check_change(stage, changes, caller, asks_roles=asks_roles)
        hook = self._hooks.get(stage.type)
        own = () if hook is None else (*hook.properties, "statusEndpoint")
        taken = next((name for name in changes if name in own), None)
        if taken is not None:
            raise AccessDenied(f"`{taken}` is the operator's (webhook.preconfigured), and cannot be changed.")

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Look at what the stage says itself, where the operator's values do not stand over it."""
        hook = self._hooks.get(str(stage.get("type")))
        if hook is None:
            yield Problem("/type", f"Could not find a stage named '{stage.get('type')}'")
        else:
            own = {name: value for name, value in stage.items() if name not in hook.properties}
            yield from webhook_problems(own, needs_url="url" not in hook.properties)


def preconfigured_types(hooks: Iterable[PreconfiguredWebhook]) -> tuple[PreconfiguredWebhookStage, ...]:
    """Give the stage types for *hooks* that are enabled, and the one that Deck's alias names."""
    by_type = {hook.type: hook for hook in hooks if hook.enabled}
    return tuple(PreconfiguredWebhookStage(by_type, name) for name in (*by_type, ALIAS)) if by_type else ()


def listing(hooks: Iterable[PreconfiguredWebhook], roles: Iterable[str] | None = None) -> list[Document]:
    """Give what ``GET /webhooks/preconfigured`` tells of *hooks* that are enabled.

    Args:
        hooks: All of them.
        roles: Of the one who asks; None where nobody has roles, and everybody sees all.
    """
    return [_listed(hook) for hook in hooks if hook.enabled and (roles is None or hook.lets("READ", roles))]


def _open_fields(hook: PreconfiguredWebhook) -> tuple[Field, ...]:
    """Give the fields that are left for the stage, the parameters first."""
    names = ", ".join(each["name"] for each in hook.parameters)
    values = Field(
        "parameterValues", Kind.OBJECT, f"Values by name: {names}." if names else "Values by name."
    )
    left = (each for each in WebhookStage.fields if each.name not in hook.properties)
    return (values, *(each for each in left if each.name != values.name))


def _defaults(hook: PreconfiguredWebhook) -> Document:
    """Give what a parameter is worth when the stage does not say."""
    defaults = {
        each["name"]: each["defaultValue"] for each in hook.parameters if each.get("defaultValue") is not None
    }
    return {**defaults, **(hook.parameter_values or {})}


def _fill(stage: Stage, hook: PreconfiguredWebhook) -> None:
    for name, value in hook.properties.items():
        stage.context[name] = copy.deepcopy(value)
        if stage.unevaluated is None:
            continue  # what nobody has looked at yet is looked at as a whole
        stage.unevaluated.pop(name, None)
        if holds_expression({name: value}):
            stage.unevaluated[name] = {"shown": stage.context[name]}


def _listed(hook: PreconfiguredWebhook) -> Document:
    found: Document = {
        "label": hook.label,
        "description": hook.description,
        "type": hook.type,
        "waitForCompletion": hook.properties.get("waitForCompletion"),
        "preconfiguredProperties": [name for name in PROPERTY_NAMES if name in hook.properties],
        "noUserConfigurableFields": _is_closed(hook),
        "parameters": [dict(each) for each in hook.parameters],
        "parameterData": hook.parameter_data,
        "permissions": None
        if hook.permissions is None
        else {name: list(roles) for name, roles in hook.permissions.items()},
    }
    return {key: value for key, value in found.items() if value is not None}


def _is_closed(hook: PreconfiguredWebhook) -> bool:
    """Tell whether nothing is left for the one who uses it (WebhookProperties.noUserConfigurableFields)."""
    is_waiting = hook.properties.get("waitForCompletion")
    if is_waiting is None:
        return False
    if not is_waiting:
        return all(name in hook.properties for name in ("url", "customHeaders", "method", "payload"))
    counted = [name for name in PROPERTY_NAMES if name not in ("waitBeforeMonitor", "retryStatusCodes")]
    spare = 0 if hook.properties.get("statusUrlResolution") == "webhookResponse" else 1
    return sum(name in hook.properties for name in counted) >= len(counted) - spare
