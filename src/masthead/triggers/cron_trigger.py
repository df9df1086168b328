"""One cron trigger of a pipeline, read from its document, and what may be wrong with one.

Source: Spinnaker compatibility facts, section 4.12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from masthead.kernel.clock import from_ms, to_ms
from masthead.pipelines import Problem
from masthead.pipelines.listing import is_enabled, is_enabled_trigger
from masthead.pipelines.trigger_rows import cron_subject
from masthead.triggers.quartz import BadCronLine, CronLine, read_line, spread

__all__ = ["CronTrigger", "cron_triggers", "problems_of_cron", "read_zone"]


@dataclass(frozen=True, slots=True)
class CronTrigger:
    """A trigger that can fire.

    Attributes:
        subject: Its name, in rows and bursts.
        pipeline: Its pipeline's JSON.
        document: Its own.
        expression: The line as it is written.
        line: What the line means.
        zone: Where its clock hangs.
    """

    subject: str
    pipeline: Mapping[str, Any]
    document: Mapping[str, Any]
    expression: str
    line: CronLine
    zone: ZoneInfo

    @property
    def line_and_zone(self) -> str:
        """Give what its firings depend on."""
        return f"{self.expression} {self.zone.key}"

    def next_ms(self, after_ms: int) -> int | None:
        """Give the first firing after *after_ms*, in ms; None when there is none any more."""
        found = self.line.next_after(from_ms(after_ms), self.zone)
        return None if found is None else to_ms(found)

    def last_ms(self, now_ms: int, *, since_ms: int) -> int | None:
        """Give the last firing until *now_ms* that is not before *since_ms*."""
        found = self.line.last_before(from_ms(now_ms), self.zone, since=from_ms(since_ms))
        return None if found is None else to_ms(found)


def cron_triggers(pipeline: Mapping[str, Any] | None, default_zone: str) -> dict[str, CronTrigger]:
    """Give the enabled cron triggers of an enabled *pipeline* by their subjects; those that cannot fire are left out."""
    if pipeline is None or not is_enabled(pipeline):
        return {}
    found = (_trigger(pipeline, trigger, default_zone) for trigger in pipeline.get("triggers") or ())
    return {one.subject: one for one in found if one is not None}


def problems_of_cron(triggers: Sequence[Any]) -> Iterator[Problem]:
    """Give what is wrong with those of the *triggers* of a pipeline that is to be saved which are of type ``cron``."""
    seen: dict[str, int] = {}
    for at, trigger in enumerate(triggers):
        if not isinstance(trigger, Mapping) or trigger.get("type") != "cron":
            continue
        yield from _problems(f"/triggers/{at}", trigger)
        first = seen.setdefault(str(trigger.get("id")), at)
        if first != at:
            sentence = (
                f"Trigger {at + 1} has the id of trigger {first + 1}; leave the id out to get a new one."
            )
            yield Problem(f"/triggers/{at}/id", sentence)


def read_zone(name: str) -> ZoneInfo | None:
    """Give the time zone of the IANA's *name*, or None."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return None


def _trigger(
    pipeline: Mapping[str, Any], trigger: Mapping[str, Any], default_zone: str
) -> CronTrigger | None:
    if trigger.get("type") != "cron" or not is_enabled_trigger(trigger):
        return None
    expression, trigger_id = trigger.get("cronExpression"), str(trigger.get("id"))
    zone = read_zone(str(trigger.get("timeZone") or default_zone))
    if not isinstance(expression, str) or zone is None:
        return None
    try:
        line = read_line(spread(expression, trigger_id))
    except BadCronLine:
        return None
    subject = cron_subject(pipeline["id"], trigger_id)
    return CronTrigger(subject, pipeline, trigger, expression, line, zone)


def _problems(pointer: str, trigger: Mapping[str, Any]) -> Iterator[Problem]:
    expression = trigger.get("cronExpression")
    if not isinstance(expression, str):
        if expression is not None or is_enabled_trigger(trigger):
            sentence = "A cron trigger needs a cronExpression such as 0 0 10 ? * MON-FRI."
            yield Problem(f"{pointer}/cronExpression", sentence)
    else:
        try:
            read_line(spread(expression, ""))
        except BadCronLine as error:
            yield Problem(f"{pointer}/cronExpression", f"The cron line cannot be used: {error}.")
    zone = trigger.get("timeZone")
    if zone and (not isinstance(zone, str) or read_zone(zone) is None):
        sentence = "timeZone must be a time zone of the IANA such as Europe/Berlin."
        yield Problem(f"{pointer}/timeZone", sentence)
