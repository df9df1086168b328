"""When an accepted page is looked at again: soon while it is new, ever more seldom, and not for ever.

Every pause follows from the page's age alone, so that nothing but the row itself has to survive a restart.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Timings"]

#: Longest pause between two looks for an incident that has not appeared yet.
_LONGEST_MISS_S = 15.0
#: An incident nobody has taken is looked at every five seconds at first, more seldom from one minute of age on, once a
#: minute from twelve on, and every five minutes when an hour has passed; one that is acknowledged once a minute at most.
_POLL_S = 5.0
_POLL_SLOWER_S = 60.0
_POLL_SLOWEST_S = 300.0
_AGE_PER_PAUSE = 12.0
_OLD_S = 3600.0
#: Pauses after failures of the REST API: of one page by its age, of the account by how many failed in a row.
_RETRY_S = 5.0
_RETRY_LONGEST_S = 300.0


@dataclass(frozen=True, slots=True)
class Timings:
    """How long and how often is looked; seconds, counted from acceptance."""

    #: PagerDuty takes an event first and opens the incident a moment later (facts A.2).
    first_s: float = 1.0
    #: After so long without an incident, none was opened.
    wait_s: float = 60.0
    #: From this age on, "disabled" and "in maintenance" are said before ``wait_s`` has passed.
    early_s: float = 3.0
    #: An incident is followed for so long.
    follow_s: float = 86_400.0
    #: Half of the 960 requests a minute that PagerDuty gives a token (facts A.5); the rest is the catalog's.
    looks_per_s: float = 8.0
    #: A page that is to be sent again does not wait longer than this for the answer whether it had arrived.
    answer_s: float = 10.0

    def after_miss(self, age_s: float) -> float:
        """Give the age of the next look when no incident was there at *age_s*, below :attr:`wait_s`."""
        pause = min(max(age_s, self.first_s), _LONGEST_MISS_S)
        return min(max(age_s, 0.0) + pause, self.wait_s)

    def after_seen(self, age_s: float, *, is_acknowledged: bool) -> float | None:
        """Give the age of the next look at an open incident, or None when nobody may care any more."""
        if age_s >= self.follow_s:
            return None
        pause = min(max(age_s / _AGE_PER_PAUSE, _POLL_S), _POLL_SLOWER_S)
        if age_s >= _OLD_S:
            pause = _POLL_SLOWEST_S
        elif is_acknowledged:
            pause = _POLL_SLOWER_S
        return min(max(age_s, 0.0) + pause, self.follow_s)

    @staticmethod
    def after_failure(age_s: float) -> float:
        """Give the pause before a page is looked at again whose look failed."""
        return min(max(age_s / _AGE_PER_PAUSE, _RETRY_S), _RETRY_LONGEST_S)

    @staticmethod
    def after_failures(count: int) -> float:
        """Give the pause of a whole account after *count* failures in a row, 1 or more."""
        return min(_RETRY_S * 2.0 ** min(count - 1, 10), _RETRY_LONGEST_S)
