"""How much an expression may use, and the counting of it.

Every part of the evaluator counts here before it makes something: steps, characters, items. Nothing is
made first and measured afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from masthead.pipelines.expressions.errors import TooMuch

__all__ = ["DEPTH_LIMIT", "LENGTH_LIMIT", "Budget", "Limits"]

#: Most characters of one expression. Source: compatibility facts, section 4.10.1 (Spring's own limit).
LENGTH_LIMIT = 10_000
#: Deepest nesting of one expression; people write less than ten.
DEPTH_LIMIT = 50
#: Steps between two looks at the clock.
_LOOK = 256
#: Characters that cost as much as one step.
_STEP_CHARACTERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Most of everything, for one expression unless it says that it is for a whole document."""

    steps: int = 50_000
    seconds: float = 0.25
    #: Of one pattern run over one text.
    pattern_seconds: float = 0.1
    document_steps: int = 1_000_000
    document_seconds: float = 0.5
    #: Characters of any text made.
    characters: int = 1_000_000
    #: Items, nested ones included, of any list or map made or given back.
    items: int = 100_000
    #: Characters of everything that the expressions of a document give back.
    given: int = 10_000_000
    #: Nesting of any value given back.
    nesting: int = 100
    #: Characters of one expression.
    length: int = LENGTH_LIMIT


class Budget:
    """What is left while one document is evaluated; time counts only between ``resume`` and ``pause``."""

    __slots__ = (
        "_document_ends",
        "_document_left",
        "_ends",
        "_left",
        "_look",
        "_monotonic",
        "_seconds_left",
        "given",
        "limits",
    )

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        """Args: monotonic: gives seconds that never run backwards."""
        self.limits = limits
        self._monotonic = monotonic
        self._document_left = limits.document_steps
        self._seconds_left = limits.document_seconds
        #: Characters given back so far.
        self.given = 0
        self.resume()
        self._renew()

    def resume(self) -> None:
        """Let time count again."""
        self._document_ends = self._monotonic() + self._seconds_left

    def pause(self) -> None:
        """Let no time count until :meth:`resume`."""
        self._seconds_left = self._document_ends - self._monotonic()

    def begin(self) -> None:
        """Begin the next expression.

        Raises:
            TooMuch: the document has used up what it has.
        """
        now = self._renew()
        if self._left <= 0 or now > self._document_ends:
            raise TooMuch("The expressions of this document together take too long to evaluate.")

    def _renew(self) -> float:
        now = self._monotonic()
        self._left = min(self.limits.steps, self._document_left)
        self._ends = min(now + self.limits.seconds, self._document_ends)
        self._look = self._left - _LOOK
        return now

    def spend(self, steps: int = 1) -> None:
        """Count *steps*.

        Raises:
            TooMuch: there are none left, or the time is over.
        """
        self._left -= steps
        self._document_left -= steps
        if self._left < self._look:
            self._check()

    def text(self, characters: int) -> None:
        """Count a text of so many *characters* that is about to be made."""
        if characters > self.limits.characters:
            raise TooMuch(f"The expression makes a text of more than {self.limits.characters:,} characters.")
        if characters > _STEP_CHARACTERS:
            self.spend(characters // _STEP_CHARACTERS)

    def items(self, count: int) -> None:
        """Count a list or map of *count* items that is about to be made."""
        if count > self.limits.items:
            raise TooMuch(f"The expression makes a list or map of more than {self.limits.items:,} items.")
        self.spend(count)

    def give(self, characters: int) -> None:
        """Count *characters* of a value that is given back."""
        if self.given + characters > self.limits.given:
            raise TooMuch(f"The expressions give more than {self.limits.given:,} characters.")
        self.given += characters

    def look(self) -> None:
        """Look at the clock.

        Raises:
            TooMuch: the time is over.
        """
        self._check()

    def pattern_seconds(self) -> float:
        """Give how long a pattern may still run."""
        self._check()
        return max(min(self.limits.pattern_seconds, self._ends - self._monotonic()), 0.001)

    def _check(self) -> None:
        if self._left < 0:
            raise TooMuch(f"The expression takes more than {self.limits.steps:,} steps to evaluate.")
        if self._monotonic() > self._ends:
            raise TooMuch(f"The expression takes longer than {self.limits.seconds:g} seconds to evaluate.")
        self._look = self._left - _LOOK
