"""What is wrong with the triggers of a pipeline that is to be saved.

Only what can never start it is refused: a trigger of a type that nothing here starts by is kept, for Spinnaker's Echo
knows many more, and so is one that is switched off and not finished.

Source: Spinnaker compatibility facts, section 4.12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from masthead.kernel.errors import pointer_to
from masthead.pipelines import Problem
from masthead.pipelines.expressions.methods.java_patterns import why_no_pattern
from masthead.pipelines.listing import is_enabled_trigger
from masthead.triggers.cron_trigger import problems_of_cron

__all__ = ["problems_of_triggers"]

#: Triggers of one pipeline; people write a handful.
_MOST = 1000
#: Characters of all patterns of one pipeline that are looked at; the rest is found when something is posted.
_CHARACTERS = 100_000


def problems_of_triggers(pipeline: Mapping[str, Any]) -> Iterator[Problem]:
    """Give what is wrong, each with its pointer; this is a check for ``masthead.pipelines.Checks``."""
    given = pipeline.get("triggers")
    triggers = given if isinstance(given, list) else []
    if len(triggers) > _MOST:
        sentence = f"There are {len(triggers):,} triggers; {_MOST:,} are the most that one pipeline can have."
        yield Problem("/triggers", sentence)
        return
    yield from problems_of_cron(triggers)
    left = _CHARACTERS
    for at, trigger in enumerate(triggers):
        if not isinstance(trigger, Mapping) or trigger.get("type") != "webhook":
            continue
        if is_enabled_trigger(trigger):
            left -= _length(trigger.get("payloadConstraints"))
            yield from _of_webhook(trigger, f"/triggers/{at}", looks_at_patterns=left >= 0)


def _of_webhook(trigger: Mapping[str, Any], pointer: str, *, looks_at_patterns: bool) -> Iterator[Problem]:
    source = trigger.get("source")
    if source in (None, "") or isinstance(source, (bool, list, dict)):
        sentence = "A webhook trigger needs a source: the last part of the address that is posted to, such as ci for /webhooks/webhook/ci."
        yield Problem(f"{pointer}/source", sentence)
    constraints = trigger.get("payloadConstraints")
    if constraints and not isinstance(constraints, Mapping):
        sentence = 'payloadConstraints must be an object of patterns, such as {"$.ref": "refs/heads/main"}.'
        yield Problem(f"{pointer}/payloadConstraints", sentence)
    elif constraints and looks_at_patterns:
        yield from _of_patterns(constraints, f"{pointer}/payloadConstraints")


def _of_patterns(constraints: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    for key, wanted in constraints.items():
        why = why_no_pattern(wanted) if isinstance(wanted, str) else None
        if why is not None:
            sentence = f"It is no regular expression, so nothing can match it: {why}."
            yield Problem(pointer + pointer_to(str(key)), sentence)


def _length(constraints: object) -> int:
    if not isinstance(constraints, Mapping):
        return 0
    return sum(len(one) for one in constraints.values() if isinstance(one, str))
