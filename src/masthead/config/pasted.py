"""What people paste into YAML by accident: found line by line, said in sentences, and repaired.

Only a text that YAML cannot read (or that holds spaces which are none to YAML) comes here. Repairing it lets the rest
be read, so that everything wrong is told in one go; a repaired text is never used.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from masthead.config.tree import PLACEHOLDER, Problems, Source

__all__ = ["Repaired", "has_odd_spaces", "repair"]

_KEY = re.compile(r"""\s*(?:-\s+)?["']?([A-Za-z0-9_.-]+)["']?\s*:(?:\s|$)""")
_BLOCK_SCALAR = re.compile(r"(?::|-)\s+[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_STARS = re.compile(r"(:\s+)(\*{2,}\S*)")
_UNQUOTED_TAB = re.compile(r"^\s*\t|:\s*\t")
#: Look like a space or like nothing, and are text to YAML: web pages and word processors put them.
_ODD = "\u00a0\u00ad\u1680\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff"
_ODD_SPACE = re.compile(f"[{_ODD}]")
_ODD_AROUND = f" \t{''.join(map(chr, (0xA0, 0xAD, 0x1680, *range(0x2000, 0x2010), 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)))}"
#: One of them where YAML needs a real space, or before what should begin or end: around a line, a key or its colon.
_WRONG_SPACE = re.compile(
    rf"""^\s*(?:-\s*)?[{_ODD}]|^\s*(?:-\s+)?["']?[\w.-]+["']?\s*[{_ODD}]\s*:|^\s*(?:-\s+)?["']?[\w.-]+["']?\s*:\s*[{_ODD}]|[{_ODD}]\s*$"""
)
_CODE = re.compile(r"[;={}\[\]]|://")
_PROSE_WORDS = 3


@dataclass
class Repaired:
    """A text that YAML can read further, and what was wrong with it."""

    text: str
    #: Lines whose value was the placeholder ``***``, now in quotes.
    placeholders: set[int] = field(default_factory=set)


@dataclass
class _Here:
    """Where the scan stands: within which key, and whether inside a block scalar."""

    indent: int = 0
    block_indent: int | None = None

    def is_inside_block(self, line: str) -> bool:
        if self.block_indent is None:
            return False
        if not line.strip() or _indent(line) > self.block_indent:
            return True
        self.block_indent = None
        return False


def has_odd_spaces(text: str) -> bool:
    """Whether *text* holds anything that only looks like a space, wherever it stands."""
    return _ODD_SPACE.search(text) is not None


def repair(text: str, file: str, problems: Problems) -> Repaired:
    """Say what was pasted along into *text*, and take it out."""
    here, placeholders, lines = _Here(), set[int](), []
    for number, line in enumerate(text.split("\n"), 1):
        if here.is_inside_block(line) or line.lstrip().startswith("#"):
            lines.append(line)
            continue
        place = Source(file, number)
        fixed = _without_prose(_spaced(line, place, problems), place, problems, here)
        quoted = _STARS.sub(rf'\1"{PLACEHOLDER}"', fixed)
        if quoted != fixed:
            placeholders.add(number)
        lines.append(quoted)
        if _KEY.match(quoted):
            here.indent = _indent(quoted)
        if _BLOCK_SCALAR.search(quoted):
            here.block_indent = _indent(quoted)
    return Repaired("\n".join(lines), placeholders)


def _spaced(line: str, place: Source, problems: Problems) -> str:
    bare = line.strip(_ODD_AROUND)
    if not bare or _is_prose(bare):
        return _ODD_SPACE.sub(" ", line).replace("\t", " ")
    if wrong := _WRONG_SPACE.search(line):
        problems.error(
            place,
            f"{_called(wrong[0])} was pasted along, which YAML takes for text; type a space instead, or nothing",
        )
        line = _ODD_SPACE.sub(_replaced, line)
    if _UNQUOTED_TAB.search(line):
        problems.error(place, "a tab indents this line or its value, which YAML does not allow; use spaces")
        line = line.replace("\t", "  ")
    return line


def _called(text: str) -> str:
    found = _ODD_SPACE.search(text)
    character = found[0] if found else text[-1]
    name = {"\u00a0": "non-breaking space"}.get(character) or unicodedata.name(character, "character").lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name} (U+{ord(character):04X})"


def _replaced(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else ""


def _without_prose(line: str, place: Source, problems: Problems, here: _Here) -> str:
    bare = line.strip()
    if bare.startswith("```"):
        problems.error(place, "a code fence (```) was pasted along; remove this line")
        return ""
    if _is_prose(bare) and _indent(line) <= here.indent:
        problems.error(place, "this is prose, pasted along with the example; remove this line")
        return ""
    return line


def _is_prose(bare: str) -> bool:
    if bare.startswith("* "):
        return True
    if bare.startswith(("-", "'", '"')) or _KEY.match(bare):
        return False
    before_colon = bare.partition(": ")[0].replace("```", "")
    return len(before_colon.split()) >= _PROSE_WORDS and not _CODE.search(before_colon)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
