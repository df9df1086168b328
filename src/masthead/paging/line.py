"""In which order a run sends: most severe first, then oldest; but after a failure the one that was tried least goes next.

Ten deliveries that PagerDuty always fails on would otherwise be the first of every run, and nothing less severe would be
tried before their deadlines. This way every second attempt is for what had the fewest, so all that waits is tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from masthead.paging.folding import Fold

__all__ = ["Line", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose turn it is."""

    #: Of what stood in the line at first, from 0.
    number: int
    fold: Fold
    #: Whether others stand before it.
    is_out_of_turn: bool


class Line:
    """What a run has still to send."""

    def __init__(self, folds: Sequence[Fold]) -> None:
        """Args: folds: most severe first, then oldest."""
        self._left = list(enumerate(folds))

    def take(self, *, has_failed: bool = False) -> Place | None:
        """Give whose turn is next, who leaves the line; None when it is empty.

        Args:
            has_failed: Whether the last attempt of this run failed.
        """
        if not self._left:
            return None
        place = min(range(len(self._left)), key=self._tried) if has_failed else 0
        number, fold = self._left.pop(place)
        return Place(number, fold, is_out_of_turn=place > 0)

    def _tried(self, place: int) -> int:
        return self._left[place][1].speaker.attempts
