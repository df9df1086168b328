"""How two pipelines differ, line by line, in a time that a person waits for however long they are.

What both begin and end with is set aside first. Between that, up to some thousand lines are compared; of more, all that was
there went and all that is there came, which is true if not clever: comparing them would take minutes.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from masthead.web.editor_json import written

__all__ = ["DiffLine", "count_changes", "diff"]

#: Lines of unchanged text that are shown around a change.
_AROUND = 3
#: Lines of either that are compared with each other.
_COMPARED = 2_000
#: Lines of which every one is looked at as closely as any; of more, those that come again and again say less.
_CLOSELY = 500
#: Lines that are shown.
_SHOWN = 2_000


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a difference: ``sign`` is "+", "-", " ", or "…" where lines are left out."""

    sign: str
    text: str


def diff(before: Any, after: Any) -> list[DiffLine]:
    """Give the lines in which two JSON values differ, with a few around each; empty when they are the same.

    Of very many the first are given, and how many there are beside.
    """
    one, other = written(before).splitlines(), written(after).splitlines()
    if one == other:
        return []
    groups = _Compared(one, other).get_grouped_opcodes(_AROUND)
    lines = _lines(groups, one, other)
    shown = list(islice(lines, _SHOWN))
    left = sum(1 for _ in lines)
    return [*shown, DiffLine("…", f"and {left:,} more lines")] if left else shown


def count_changes(before: Any, after: Any) -> tuple[int, int]:
    """Give how many lines came and how many went, by what they say: a line that only moved is neither."""
    one, other = Counter(written(before).splitlines()), Counter(written(after).splitlines())
    return (other - one).total(), (one - other).total()


class _Compared(difflib.SequenceMatcher[str]):
    """Finds what two texts have in common, within bounds."""

    def __init__(self, one: Sequence[str], other: Sequence[str]) -> None:
        self._begin = _common(one, other)
        self._end = _common(one[self._begin :][::-1], other[self._begin :][::-1])
        self._sizes = len(one), len(other)
        middle = [each[self._begin : len(each) - self._end] for each in (one, other)]
        longest = max(map(len, middle))
        self._is_compared = longest <= _COMPARED
        super().__init__(
            a=middle[0] if self._is_compared else (),
            b=middle[1] if self._is_compared else (),
            autojunk=longest > _CLOSELY,
        )

    def get_matching_blocks(self) -> list[difflib.Match]:
        begin, (size, other) = self._begin, self._sizes
        inner = [
            difflib.Match(block.a + begin, block.b + begin, block.size)
            for block in super().get_matching_blocks()
            if block.size
        ]
        tail = difflib.Match(size - self._end, other - self._end, self._end)
        whole = [difflib.Match(0, 0, begin), *inner, tail]
        return [*(block for block in whole if block.size), difflib.Match(size, other, 0)]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Give with how many equal lines both begin."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _lines(groups: Any, one: Sequence[str], other: Sequence[str]) -> Iterator[DiffLine]:
    for group in groups:
        if group[0][1] > 0:
            yield DiffLine("…", "")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (DiffLine(" ", text) for text in one[i1:i2])
                continue
            yield from (DiffLine("-", text) for text in one[i1:i2])
            yield from (DiffLine("+", text) for text in other[j1:j2])
