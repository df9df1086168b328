"""Who is on call for one escalation policy over the next hours, and when nobody is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from masthead.catalog.model import OnCall

__all__ = ["Gap", "Outlook", "Span"]

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A time between two instants, the end not in it."""

    start: datetime
    end: datetime

    def within(self, other: Span) -> Span | None:
        """Give the part of it that lies in *other*, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody is on call at the first level."""

    span: Span
    #: The next level at which somebody is on call at some time of the gap; None: nobody is, at any level.
    next_level: int | None
    #: Who that is.
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of one escalation policy's next hours."""

    window: Span
    #: All shifts that touch the window, of every level.
    shifts: tuple[OnCall, ...]
    #: When PagerDuty gave them; None when it did not yet.
    fetched_at: datetime | None
    #: Why they are missing, old or not whole, and what to do; None when all is well.
    trouble: str | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether PagerDuty is being asked and has not answered yet."""
        return self.fetched_at is None and self.trouble is None

    @property
    def is_known(self) -> bool:
        """Whether a missing shift means that nobody is on call, not that it was not read."""
        return self.fetched_at is not None and self.trouble is None

    def gaps(self, now: datetime) -> list[Gap]:
        """Give when nobody is at the first level from *now* on, earliest first; none when not enough is known."""
        if not self.is_known:
            return []
        window = Span(now, self.window.end)
        first = [span for shift in self._of(1) if (span := _span(shift).within(window))]
        return [self._gap(span) for span in _uncovered(first, window)]

    def turns(self, level: int) -> list[tuple[Span, OnCall]]:
        """Give the parts of the window in which somebody is on call at *level*, earliest first."""
        parts = [(_span(one).within(self.window), one) for one in self._of(level)]
        return sorted(
            ((span, one) for span, one in parts if span), key=lambda turn: (turn[0].start, turn[1].user_name)
        )

    def _of(self, level: int) -> list[OnCall]:
        return [one for one in self.shifts if one.level == level and one.user_id is not None]

    def _gap(self, span: Span) -> Gap:
        for level in sorted({one.level for one in self.shifts if one.level > 1}):
            people = [one.user_name for one in self._of(level) if _span(one).within(span)]
            if people:
                return Gap(span, level, tuple(dict.fromkeys(people)))
        return Gap(span, None, ())


def _span(shift: OnCall) -> Span:
    return Span(_instant(shift.start) or _ALWAYS, _instant(shift.end) or _FOR_EVER)


def _instant(text: str | None) -> datetime | None:
    """Read PagerDuty's ISO 8601; None for None, and for what cannot be read."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _uncovered(spans: Iterable[Span], window: Span) -> Iterator[Span]:
    reached = window.start
    for span in sorted(spans, key=lambda one: one.start):
        if span.start > reached:
            yield Span(reached, span.start)
        reached = max(reached, span.end)
    if reached < window.end:
        yield Span(reached, window.end)
