"""One look at one dedup key: what PagerDuty shows, what it means for each delivery, and when to look again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from masthead.kernel.clock import Clock, from_ms, to_ms
from masthead.pagerduty import IncidentSeen, IncidentsReader
from masthead.paging.model import Incident, IncidentState
from masthead.paging.proof.absence import Absence, OnCallBook
from masthead.paging.proof.rate import Rate
from masthead.paging.proof.rows import Claim, Finding, Sought
from masthead.paging.proof.schedule import Timings
from masthead.paging.proof.verdict import already_open, can_tell, joined, own, told

__all__ = ["Claims", "Looker"]

#: Gives which of some incidents of a dedup key deliveries have led to, and of which deliveries that is not known yet, with when
#: their pages were asked for.
Claims = Callable[[str, Sequence[IncidentSeen]], Awaitable[tuple[list[Claim], dict[str, int]]]]
_UNKNOWN = Incident(IncidentState.UNKNOWN)
_LONGEST_MS = 300_000
_KEPT_S = 60.0
#: How soon to look again for what may be an earlier page's.
_DOUBT_S = 2.0
#: So long it is looked at soon again whether an acknowledge or a resolve shows.
_SHOWS_S = 30.0
#: What is known of an incident, and the age in seconds of the next look, or None.
_Judgement = tuple[Incident, float | None]


class Looker:
    """Looks through the eyes of one account's REST token."""

    def __init__(self, reader: IncidentsReader, catalog: OnCallBook, clock: Clock, timings: Timings) -> None:
        self._reader = reader
        self._clock = clock
        self._timings = timings
        self.rate = Rate(clock, timings)
        self._absence = Absence(reader, self.rate, catalog, clock)

    async def incidents(self, dedup_key: str) -> list[IncidentSeen]:
        """Give the incidents of a dedup key, newest first, when it is this account's turn.

        Raises:
            OutsideFailure: PagerDuty did not say.
        """
        await self.rate.turn()
        seen = await self._reader.by_key(dedup_key)
        self.rate.succeeded()
        return seen

    async def look(self, group: Sequence[Sought], claims: Claims) -> list[Finding]:
        """Look once for deliveries of one dedup key.

        Args:
            group: The deliveries, by acceptance.
            claims: Asked only where the key is one that somebody chose.

        Raises:
            OutsideFailure: PagerDuty did not say.
        """
        if not any(map(can_tell, group)):
            return [self._finding(sought, _UNKNOWN, None) for sought in group]
        seen = await self.incidents(group[0].dedup_key)
        taken: list[Claim] = []
        still: dict[str, int] = {}
        if seen and not _is_made_here(group):
            taken, still = await claims(group[0].dedup_key, seen)
        findings = []
        for sought in group:
            if _is_doubtful(sought, still):
                findings.append(self._finding(sought, sought.incident, self._age_s(sought) + _DOUBT_S))
                continue
            incident, next_age_s = await self._judge(sought, seen, taken)
            if incident.id is not None and incident.state is not IncidentState.NOT_OPENED:
                taken.append(Claim(incident.id, sought.delivery_id, sought.created_at))
            if incident.state is not IncidentState.UNKNOWN:
                still.pop(sought.delivery_id, None)
            findings.append(self._finding(sought, incident, next_age_s))
        return findings

    def postponed(self, group: Sequence[Sought]) -> list[Finding]:
        """Leave everything as it is, to be looked at again later: the look failed."""
        now_ms = to_ms(self._clock.now())
        return [
            Finding(
                sought=sought,
                incident=sought.incident,
                due_at=now_ms + int(1000 * self._timings.after_failure(self._age_s(sought))),
            )
            for sought in group
        ]

    async def _judge(
        self, sought: Sought, seen: Sequence[IncidentSeen], taken: Sequence[Claim]
    ) -> _Judgement:
        if mine := own(sought, seen, taken):
            return self._followed(told(mine, sought), sought)
        if sought.incident.id is not None:
            return self._followed(sought.incident, sought)  # it does not show any more: merged, or deleted
        older = joined(sought, seen, taken)
        if self._age_s(sought) < self._timings.wait_s:
            return await self._too_early_to_say(sought, older)
        if sought.incident.state is IncidentState.NOT_OPENED:
            return sought.incident, None
        return (already_open(older, sought) if older else await self._absence.why(sought)), None

    async def _too_early_to_say(self, sought: Sought, older: IncidentSeen | None) -> _Judgement:
        """While the incident may still appear, say only what is sure already."""
        age_s = self._age_s(sought)
        if older is not None and older.resolved_at is None:
            return already_open(older, sought), None
        incident: Incident | None = sought.incident
        if sought.incident.state is IncidentState.UNKNOWN and age_s >= self._timings.early_s:
            incident = await self._absence.early(sought)
        if incident is not None and incident.state is IncidentState.NOT_OPENED:
            return incident, self._timings.wait_s
        return sought.incident, self._timings.after_miss(age_s)

    def _followed(self, incident: Incident, sought: Sought) -> _Judgement:
        if incident.state is IncidentState.RESOLVED:
            # A chosen key may come again at once: for a while the row says whose the resolved incident was.
            is_news = sought.incident.state is not IncidentState.RESOLVED
            is_kept = is_news and not sought.is_key_made_here
            return incident, self._age_s(sought) + _KEPT_S if is_kept else None
        if (next_age_s := self._age_after_follow_up(sought)) is not None:
            return incident, next_age_s
        is_acknowledged = incident.state is IncidentState.ACKNOWLEDGED
        return incident, self._timings.after_seen(self._age_s(sought), is_acknowledged=is_acknowledged)

    def _age_after_follow_up(self, sought: Sought) -> float | None:
        """Give the age of the next look where PagerDuty took an acknowledge or a resolve that may show any moment."""
        if sought.followed_up_at is None:
            return None
        since_s = max((to_ms(self._clock.now()) - sought.followed_up_at) / 1000, self._timings.first_s)
        return self._age_s(sought) + since_s if since_s < _SHOWS_S else None

    def _finding(self, sought: Sought, incident: Incident, next_age_s: float | None) -> Finding:
        now_ms = to_ms(self._clock.now())
        due_at = None
        if next_age_s is not None:  # never far ahead, also where the clock was set back since the acceptance
            due_at = min(max(sought.accepted_at + int(1000 * next_age_s), now_ms), now_ms + _LONGEST_MS)
        return Finding(sought, replace(incident, checked_at=from_ms(now_ms)), due_at)

    def _age_s(self, sought: Sought) -> float:
        return (to_ms(self._clock.now()) - sought.accepted_at) / 1000


def _is_doubtful(sought: Sought, still: Mapping[str, int]) -> bool:
    """Tell whether what is seen may be the incident of a page that was asked for earlier, and that was not found yet."""
    is_known = sought.incident.state is not IncidentState.UNKNOWN
    return not is_known and any(
        asked < sought.created_at for delivery_id, asked in still.items() if delivery_id != sought.delivery_id
    )


def _is_made_here(group: Sequence[Sought]) -> bool:
    return all(sought.is_key_made_here for sought in group)
