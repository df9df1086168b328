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
    """What a run has still to send.

    Attributes:
        folds: What stood in it at first.
        place: Whose turn it is, who left the line; None when it is empty.
        is_owed: Whether it is the turn of the one that was tried least, because the last attempt failed.
    """

    def __init__(self, folds: Sequence[Fold], *, is_owed: bool = False) -> None:
        """Begin.

        Args:
            folds: Most severe first, then oldest.
            is_owed: Whether the run before ended when it was the turn of the one that was tried least.
        """
        self.folds = folds
        self._left = list(enumerate(folds))
        self._take(is_owed=is_owed)

    def move_on(self, *, has_failed: bool) -> None:
        """Let the next have its turn; of two attempts that follow each other, one at most is of the one that was tried least.

        Args:
            has_failed: Whether the last attempt failed.
        """
        self._take(is_owed=has_failed and not self.is_owed)

    def _take(self, *, is_owed: bool) -> None:
        self.is_owed = is_owed
        self.place: Place | None = None
        if self._left:
            place = min(range(len(self._left)), key=self._tried) if is_owed else 0
            number, fold = self._left.pop(place)
            self.place = Place(number, fold, is_out_of_turn=place > 0)

    def _tried(self, place: int) -> int:
        return self._left[place][1].speaker.attempts
