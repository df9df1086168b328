"""Which of the deliveries that wait for one key are told by one event.

In a storm a hundred pages say the same to the same people. Those that are still waiting are folded: one of them,
the most severe and then the oldest, speaks for all, with the count and the first and last time in its details, and
all share what becomes of its event. Nothing is folded into a less severe one. What may have arrived already (its answer
was lost) is told by itself: it may have an incident of its own, and that was opened before the others were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from masthead.paging.model import Delivery, Kind

__all__ = ["Fold", "fold"]


@dataclass(frozen=True, slots=True)
class Fold:
    """A delivery that is sent, and those that it newly speaks for."""

    speaker: Delivery
    members: tuple[Delivery, ...] = ()


def fold(waiting: Sequence[Delivery]) -> list[Fold]:
    """Give what is to be sent of *waiting*, in its order.

    Args:
        waiting: Deliveries of one key, most severe first, then oldest; none of them folded already.
    """
    speakers: dict[tuple[str, Kind], Delivery] = {}
    members: dict[str, list[Delivery]] = {}
    for delivery in waiting:
        speaker = speakers.get((delivery.says, delivery.action))
        if speaker is None or not _may_be_spoken_for(delivery):
            members[delivery.id] = []
            if not delivery.is_uncertain:
                speakers.setdefault((delivery.says, delivery.action), delivery)
        else:
            members[speaker.id].append(delivery)
    return [_told_by(one, members[one.id]) for one in waiting if one.id in members]


def _told_by(speaker: Delivery, members: Sequence[Delivery]) -> Fold:
    if members and not speaker.speaks_for_others:
        speaker = replace(speaker, speaks_for_others=True)
    return Fold(speaker, tuple(members))


def _may_be_spoken_for(delivery: Delivery) -> bool:
    is_page = delivery.action is Kind.TRIGGER and bool(delivery.says)
    return is_page and not delivery.is_uncertain and not delivery.speaks_for_others
