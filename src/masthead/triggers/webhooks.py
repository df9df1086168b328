"""Triggers of type ``webhook``: a pipeline starts when somebody posts what it waits for.

Everything that is posted is data: it goes into the execution's trigger, where expressions may read it, and is never
evaluated itself.

Source: Spinnaker compatibility facts, section 4.12.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from masthead.executions import Executions
from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.clock import Clock, to_ms
from masthead.pipelines import Pipelines
from masthead.pipelines.listing import is_enabled, is_enabled_trigger
from masthead.triggers.constraints import holds
from masthead.triggers.ids import id_of_run
from masthead.triggers.starting import start

__all__ = ["Webhooks"]

log = structlog.get_logger(__name__)
_TYPE = "webhook"
#: For the constraints of all triggers of one pipeline: whoever posts waits for the answer.
_PATIENCE_S = 1.0


class Webhooks:
    """Starts what waits for a source's payloads."""

    def __init__(self, clock: Clock, *, pipelines: Pipelines, executions: Executions) -> None:
        self._clock = clock
        self._pipelines = pipelines
        self._executions = executions

    async def take(
        self, kind: str, source: str, body: Mapping[str, Any], *, caller: Caller, has_payload: bool = True
    ) -> str:
        """Start every pipeline that waits for this, and give the event's id once all of them are stored.

        Args:
            kind: What stands in the URL; only ``webhook``, in any case, is what triggers wait for.
            source: As triggers spell it.
            body: What was posted.
            caller: Who posted it; the executions run in the triggers' names and keep only the address and the request.
            has_payload: Whether the executions get *body* as ``trigger.payload``.

        Raises:
            StorageUnavailable: the database failed; some executions may be stored.
        """
        event_id = str(uuid.uuid4())
        if kind.lower() != _TYPE:
            return event_id
        pipelines = await self._pipelines.waiting_for(_TYPE, source)
        wanted = await asyncio.to_thread(self._wanted, pipelines, source, body) if pipelines else []
        log.info(
            "webhook.taken", source=source, event_id=event_id, waiting=len(pipelines), starting=len(wanted)
        )
        more = {"eventId": event_id, "parameters": _object(body.get("parameters"))}
        if has_payload:
            more["payload"] = dict(body)
        now_ms = to_ms(self._clock.now())
        starts = (
            self._start(pipeline, trigger | more | _artifacts(body), caller, now_ms)
            for pipeline, trigger in wanted
        )
        await asyncio.gather(*starts)
        return event_id

    async def _start(
        self, pipeline: dict[str, Any], trigger: dict[str, Any], caller: Caller, now_ms: int
    ) -> None:
        user = trigger.get("runAsUser")
        runs_as = Caller(
            user=user if isinstance(user, str) and user else ANONYMOUS.user,
            origin=caller.origin,
            address=caller.address,
            request_id=caller.request_id,
        )
        execution_id = id_of_run(now_ms, trigger["eventId"], pipeline["id"])
        given = {**trigger, "user": runs_as.user}
        await start(self._executions, pipeline, given, runs_as, execution_id=execution_id)

    def _wanted(
        self, pipelines: list[dict[str, Any]], source: str, body: Mapping[str, Any]
    ) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Give the pipelines to start, each with the first of its triggers that is satisfied."""
        found = []
        for pipeline in pipelines:
            about = {"application": pipeline["application"], "pipeline": pipeline["name"], "type": _TYPE}
            try:
                trigger = self._first_satisfied(pipeline, source, body)
            except TimeoutError:
                log.warning("trigger.refused", **about, error="Its payloadConstraints take too long.")
                continue
            if trigger is None:
                continue
            if trigger.get("expectedArtifactIds"):
                error = "It expects artifacts, which are not matched here."
                log.warning("trigger.refused", **about, error=error)
                continue
            found.append((pipeline, dict(trigger)))
        return found

    def _first_satisfied(
        self, pipeline: dict[str, Any], source: str, body: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        ends = self._clock.monotonic() + _PATIENCE_S

        def look() -> None:
            if self._clock.monotonic() > ends:
                raise TimeoutError

        triggers = (pipeline.get("triggers") or ()) if is_enabled(pipeline) else ()
        return next((one for one in triggers if _is_satisfied(one, source, body, look)), None)


def _is_satisfied(
    trigger: Mapping[str, Any], source: str, body: Mapping[str, Any], look: Callable[[], None]
) -> bool:
    return (
        is_enabled_trigger(trigger)
        and trigger.get("type") == _TYPE
        and trigger.get("source") == source
        and holds(trigger.get("payloadConstraints"), body, look)
    )


def _artifacts(body: Mapping[str, Any]) -> dict[str, Any]:
    given = body.get("artifacts")
    if not isinstance(given, list):
        return {}
    return {"artifacts": [one for one in given if isinstance(one, dict)]}


def _object(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
