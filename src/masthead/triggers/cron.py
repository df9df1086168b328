"""Triggers of type ``cron``: a pipeline starts when its line fires, once for each firing, on any number of machines.

Beside each enabled trigger stands a row that says when it fires next, and a burst that is due then. Both are written in the
transaction that stores the pipeline, so that a trigger that is changed, disabled or deleted stops at once. The run that a
firing leads to has an id made of the trigger and the firing: a burst that is cut and run again starts it no second time.

A firing that comes up to a minute late is run, each of them; of those that are older, because nobody was there, the
last one is made up if it is not older than a setting.

Source: Spinnaker compatibility facts, section 4.12; the minute is Quartz's ``misfireThreshold``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import Connection

from masthead.executions import Executions
from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.clock import Clock
from masthead.pipelines import Pipelines
from masthead.storage.bursts import Bursts, Turn
from masthead.storage.database import Database
from masthead.triggers import cron_rows
from masthead.triggers.cron_trigger import CronTrigger, cron_triggers, read_zone
from masthead.triggers.ids import id_of_run
from masthead.triggers.quartz import read_line, spread
from masthead.triggers.starting import start

__all__ = ["BURST", "Cron", "Schedule"]

log = structlog.get_logger(__name__)
BURST = "cron"
#: Firings that are no later than this are all run.
_LATE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """The settings of cron triggers."""

    time_zone: str = "America/Los_Angeles"
    make_up_s: float = 1800.0


class Cron:
    """Starts pipelines when it is time."""

    def __init__(
        self,
        database: Database,
        bursts: Bursts,
        *,
        pipelines: Pipelines,
        executions: Executions,
        clock: Clock,
        schedule: Schedule,
    ) -> None:
        """Register with *bursts* and *pipelines*."""
        self._database = database
        self._bursts = bursts
        self._pipelines = pipelines
        self._executions = executions
        self._clock = clock
        self._schedule = schedule
        bursts.register(BURST, self._run, rests_long=True)
        pipelines.on_changed(self._changed)

    async def start(self) -> None:
        """Reckon anew what was stored without a row, or for another time zone; a row that is right stays."""
        wrong = await self._database.read(self._find_wrong)
        if wrong:
            await self._database.write(lambda connection: self._schedule_all(connection, wrong))

    # -- for people ---------------------------------------------------------------------------------

    def describe(self, expression: str) -> str:
        """Say when a line fires next, in the time zone of the settings.

        Raises:
            BadCronLine: it cannot be used.
        """
        zone = read_zone(self._schedule.time_zone) or UTC
        line = read_line(spread(expression, ""))
        firings = list(islice(line.firings(self._clock.now(), zone), 3))
        if not firings:
            return "Does not fire any more"
        shown = ", ".join(f"{one.astimezone(zone):%a %d %b %Y %H:%M:%S}" for one in firings)
        return f"Fires next on {shown} ({self._schedule.time_zone})"

    def upcoming(self, pipeline: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
        """Give the cron triggers of a pipeline that can fire, each with its next *count* firings."""
        now = self._clock.now()
        return [
            {
                "id": trigger.document.get("id"),
                "cronExpression": trigger.expression,
                "timeZone": trigger.zone.key,
                "next": [
                    one.astimezone(trigger.zone).isoformat()
                    for one in islice(trigger.line.firings(now, trigger.zone), count)
                ],
            }
            for trigger in cron_triggers(pipeline, self._schedule.time_zone).values()
        ]

    # -- when pipelines change ----------------------------------------------------------------------

    def _changed(
        self, connection: Connection, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        old, new = self._triggers(before), self._triggers(after)
        gone = [subject for subject in old if subject not in new]
        cron_rows.forget(connection, gone)
        for subject in gone:
            self._bursts.request(connection, BURST, subject)
        for subject, trigger in new.items():
            known = cron_rows.find(connection, subject)
            if known is None or known[0] != trigger.line_and_zone:
                self._schedule_one(connection, trigger)

    def _find_wrong(self, connection: Connection) -> list[str]:
        """Give the subjects whose rows are missing, of another line, or of nobody."""
        known = cron_rows.lines(connection)
        wanted = {
            subject: trigger.line_and_zone
            for pipeline in self._pipelines.triggered(connection, "cron")
            for subject, trigger in self._triggers(pipeline).items()
        }
        return [subject for subject in known | wanted if known.get(subject) != wanted.get(subject)]

    def _schedule_all(self, connection: Connection, subjects: list[str]) -> None:
        for subject in subjects:
            trigger = self._find(connection, subject)
            if trigger is None:
                cron_rows.forget(connection, [subject])
            else:
                self._schedule_one(connection, trigger)

    def _schedule_one(self, connection: Connection, trigger: CronTrigger) -> int | None:
        next_at = trigger.next_ms(self._database.now_ms(connection))
        cron_rows.put(connection, trigger, next_at)
        if next_at is not None:
            self._bursts.request(connection, BURST, trigger.subject, due_at_ms=next_at)
        return next_at

    # -- when it is time ----------------------------------------------------------------------------

    async def _run(self, turn: Turn) -> None:
        trigger, next_at, now = await self._database.read(lambda connection: self._look(connection, turn))
        if trigger is not None and next_at is not None and next_at <= now:
            for firing in self._due(trigger, next_at, now):
                await self._fire(trigger, firing)
            next_at = trigger.next_ms(now)
        await self._database.write(lambda connection: self._rest(connection, turn, trigger, next_at))

    def _look(self, connection: Connection, turn: Turn) -> tuple[CronTrigger | None, int | None, int]:
        """Give the trigger as it is stored now, its next firing and the present time."""
        now = self._database.now_ms(connection)
        known = cron_rows.find(connection, turn.subject)
        trigger = None if known is None else self._find(connection, turn.subject)
        return trigger, known[1] if known else None, now

    def _rest(
        self, connection: Connection, turn: Turn, trigger: CronTrigger | None, next_at: int | None
    ) -> None:
        turn.hold(connection)
        if trigger is None or next_at is None:
            turn.finish(connection)
        if trigger is None:
            cron_rows.forget(connection, [turn.subject])
            return
        cron_rows.put(connection, trigger, next_at)
        if next_at is not None:
            turn.rest(connection, next_at)

    def _due(self, trigger: CronTrigger, first_ms: int, now_ms: int) -> list[int]:
        """Give the firings to run, from the one that was to be next to the present."""
        fresh: list[int] = []
        firing = trigger.next_ms(max(first_ms, now_ms - _LATE_MS) - 1)
        while firing is not None and firing <= now_ms:
            fresh.append(firing)
            firing = trigger.next_ms(firing)
        if fresh:
            return fresh
        since = max(first_ms, now_ms - int(self._schedule.make_up_s * 1000))
        last = trigger.last_ms(now_ms, since_ms=since)
        about = {"pipeline": trigger.pipeline["name"], "application": trigger.pipeline["application"]}
        log.warning("cron.missed", **about, first=first_ms, made_up=last)
        return [] if last is None else [last]

    async def _fire(self, trigger: CronTrigger, firing_ms: int) -> None:
        pipeline, document = trigger.pipeline, trigger.document
        execution_id = id_of_run(firing_ms, trigger.subject)
        caller = Caller(user=_text(document.get("runAsUser")) or ANONYMOUS.user, origin="echo")
        event_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{trigger.subject} {firing_ms}"))
        given = {**document, "user": caller.user, "eventId": event_id}
        await start(self._executions, dict(pipeline), given, caller, execution_id=execution_id)

    def _find(self, connection: Connection, subject: str) -> CronTrigger | None:
        for pipeline in self._pipelines.named_by(connection, "cron", subject):
            if (found := self._triggers(pipeline).get(subject)) is not None:
                return found
        return None

    def _triggers(self, pipeline: dict[str, Any] | None) -> dict[str, CronTrigger]:
        return cron_triggers(pipeline, self._schedule.time_zone)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
