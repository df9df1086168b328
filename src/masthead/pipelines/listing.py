"""Lists of pipelines: their order, their index, and the filters of Front50's routes. Pure functions.

Source: Spinnaker compatibility facts, section 3.5.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Wanted", "arrange", "is_enabled", "is_enabled_trigger", "is_triggered_by", "renumber"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pipelines are asked for; a filter that is None asks nothing.

    Attributes:
        enabled: Pipelines that are enabled, or those that are not.
        enabled_triggers: Pipelines with a trigger that is enabled, or with one that is not.
        trigger_types: Pipelines with a trigger of one of these types; the same trigger must satisfy both.
    """

    enabled: bool | None = None
    enabled_triggers: bool | None = None
    trigger_types: Collection[str] | None = None

    def matches(self, pipeline: Mapping[str, Any]) -> bool:
        """Whether *pipeline* satisfies every filter that is set."""
        if self.enabled is not None and is_enabled(pipeline) != self.enabled:
            return False
        if self.enabled_triggers is None and not self.trigger_types:
            return True
        return any(self._matches_trigger(trigger) for trigger in pipeline.get("triggers") or ())

    def _matches_trigger(self, trigger: Mapping[str, Any]) -> bool:
        if self.enabled_triggers is not None and is_enabled_trigger(trigger) != self.enabled_triggers:
            return False
        return not self.trigger_types or trigger.get("type") in self.trigger_types


def is_enabled(pipeline: Mapping[str, Any]) -> bool:
    """Whether *pipeline* may be started: everything is that does not say ``disabled``."""
    return not _is_true(pipeline.get("disabled"))


def is_enabled_trigger(trigger: Mapping[str, Any]) -> bool:
    """Whether *trigger* may start its pipeline: one that does not say ``enabled`` may not."""
    return _is_true(trigger.get("enabled"))


def is_triggered_by(pipeline: Mapping[str, Any], pipeline_id: str, *, status: str) -> bool:
    """Whether *pipeline* is to start when *pipeline_id* ended with *status* (successful, failed, canceled)."""
    return is_enabled(pipeline) and any(
        is_enabled_trigger(trigger)
        and trigger.get("type") == "pipeline"
        and trigger.get("pipeline") == pipeline_id
        and status.lower() in _statuses(trigger)
        for trigger in pipeline.get("triggers") or ()
    )


def arrange(pipelines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order the pipelines of one application: by index, those without one last, then by name in any case."""
    return sorted(pipelines, key=_rank)


def renumber(pipelines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the pipelines an index without gaps in the order they stand; Deck posts back what has gaps."""
    return [{**pipeline, "index": at} for at, pipeline in enumerate(pipelines)]


def _rank(pipeline: Mapping[str, Any]) -> tuple[bool, int, str]:
    index = pipeline.get("index")
    return (index is None, index or 0, str(pipeline["name"]).lower())


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _statuses(trigger: Mapping[str, Any]) -> list[str]:
    statuses = trigger.get("status")
    return [str(status).lower() for status in statuses] if isinstance(statuses, list) else []
