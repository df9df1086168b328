"""Java's regular expressions, read strictly and written again for an engine that can be stopped.

Whatever is not Java's syntax is refused, so nothing that only the engine knows (recursion, fuzzy matching, verbs)
can be reached; counted repetitions are limited, because the engine writes them out.

Source: Java's documentation, ``java.util.regex.Pattern``, "Summary of regular-expression constructs".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import regex

from masthead.pipelines.expressions.errors import ExpressionError, shown

__all__ = ["compile_java", "is_literal", "why_no_pattern"]

_LENGTH_LIMIT = 1_000
_NESTING_LIMIT = 30
#: Most atoms of a pattern once its counted repetitions are written out.
_WEIGHT_LIMIT = 2_000
_META = frozenset("\\[](){}.*+?^$|")
#: A compiled pattern may take more than a megabyte.
_KEPT = 64

#: Sets as they stand between brackets. Java's are of ASCII unless they say otherwise.
_SETS = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": " \\t\\n\\x0b\\f\\r",
    "h": " \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000",
    "v": "\\n\\x0b\\f\\r\\x85\\u2028\\u2029",
}
_PROPERTIES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": "\\x00-\\x7f",
    "Alpha": "A-Za-z",
    "Digit": "0-9",
    "Alnum": "A-Za-z0-9",
    "Punct": "!-/:-@\\[-`{-\\~",
    "Graph": "!-\\~",
    "Print": " -\\~",
    "Blank": " \\t",
    "Cntrl": "\\x00-\\x1f\\x7f",
    "XDigit": "0-9A-Fa-f",
    "Space": _SETS["s"],
    "javaLowerCase": "\\p{Ll}",
    "javaUpperCase": "\\p{Lu}",
    "javaWhitespace": "\\p{White_Space}",
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_PLAIN = {"A": "\\A", "z": "\\Z", "Z": "(?=\\n?\\Z)", "b": "\\b", "B": "\\B"}
_LINE_BREAK = "(?:\\r\\n|[\\n\\x0b\\f\\r\\x85\\u2028\\u2029])"

_GROUP = re.compile(
    r"\(\?(?:(?P<plain>[:=!>]|<[=!])|<(?P<name>[A-Za-z][A-Za-z0-9]*)>|(?P<flags>[imsu]*(?:-[imsu]+)?)(?P<end>[:)]))"
)
_REPEAT = re.compile(r"(?:[*+?]|\{(\d{1,4})(?:(,)(\d{1,4})?)?\})([?+]?)")
_HEX = re.compile(r"x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})")
_OCTAL = re.compile(r"0([0-3]?[0-7]{1,2})")
_PROPERTY = re.compile(r"([pP])(?:\{\^?(?:Is|In|general_category=|gc=|script=|sc=)?(\w+)\}|([A-Z]))")


def is_literal(pattern: str) -> bool:
    """Tell whether *pattern* means nothing but itself."""
    return _META.isdisjoint(pattern)


class _NoPattern(ExpressionError):
    """Java refuses it too; everything else that is refused may only be more than is done here."""


def why_no_pattern(pattern: str) -> str | None:
    """Say why *pattern* is none for Java either; None when it is one, or may be."""
    if len(pattern) <= _LENGTH_LIMIT:
        try:
            _Translator(pattern).translate()
        except _NoPattern as error:
            return error.message
        except ExpressionError:
            return None
    return None


@lru_cache(maxsize=_KEPT)
def compile_java(pattern: str) -> regex.Pattern[str]:
    """Compile Java's *pattern*.

    Raises:
        ExpressionError: it is not a pattern, is too large, or uses what is not supported.
    """
    if len(pattern) > _LENGTH_LIMIT:
        raise ExpressionError(f"The pattern has more than {_LENGTH_LIMIT:,} characters.")
    written = _Translator(pattern).translate()
    try:
        return regex.compile(written, regex.VERSION1, cache_pattern=False)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise ExpressionError(f"The pattern cannot be used: {shown(pattern)}") from error


@dataclass(slots=True)
class _Group:
    """An open group: what it weighs so far, and the last thing in it that may be repeated."""

    weight: int = 0
    last: int = 0


class _Translator:
    """Goes through one pattern once."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._out: list[str] = []
        self._groups = [_Group()]
        self._captures = 0
        self._names: set[str] = set()

    def translate(self) -> str:
        """Give the pattern in the engine's words."""
        while self._at < len(self._pattern):
            self._next(self._pattern[self._at])
        if len(self._groups) > 1:
            raise self._never("Unclosed group")
        return "".join(self._out)

    def _next(self, mark: str) -> None:
        match mark:
            case "\\":
                self._escape()
            case "[":
                self._atom(self._set())
            case "(":
                self._open()
            case ")":
                self._close()
            case "*" | "+" | "?" | "{":
                self._repeat()
            case "|" | "^" | "$":
                self._out.append(mark)
                self._groups[-1].last = 0
                self._at += 1
            case ".":
                self._at += 1
                self._atom(".")
            case _:
                self._at += 1
                self._atom(_quoted(mark))

    def _atom(self, written: str) -> None:
        self._out.append(written)
        self._weigh(1)

    def _weigh(self, weight: int) -> None:
        group = self._groups[-1]
        group.last = weight
        group.weight += weight
        self._require_light(group.weight)

    def _require_light(self, weight: int) -> None:
        if weight > _WEIGHT_LIMIT:
            raise self._wrong("Too many repetitions")

    def _wrong(self, why: str) -> ExpressionError:
        return ExpressionError(self._place(why))

    def _never(self, why: str) -> ExpressionError:
        return _NoPattern(self._place(why))

    def _place(self, why: str) -> str:
        return f"{why} near index {self._at} of the pattern {shown(self._pattern)}"

    # -- groups and repetitions

    def _open(self) -> None:
        if not self._pattern.startswith("(?", self._at):
            self._captures += 1
            self._push("(", 1)
            return
        found = _GROUP.match(self._pattern, self._at)
        if found is None:
            raise self._wrong("Unknown or unsupported inline modifier")
        if found["end"] == ")":
            self._out.append(found[0])
            self._at = found.end()
            return
        if found["name"]:
            self._captures += 1
            self._names.add(found["name"])
        self._push(f"(?P<{found['name']}>" if found["name"] else found[0], len(found[0]))

    def _push(self, written: str, length: int) -> None:
        if len(self._groups) > _NESTING_LIMIT:
            raise self._wrong("Groups are nested too deeply")
        self._out.append(written)
        self._groups.append(_Group())
        self._at += length

    def _close(self) -> None:
        if len(self._groups) == 1:
            raise self._never("Unmatched closing ')'")
        group = self._groups.pop()
        self._out.append(")")
        self._at += 1
        self._weigh(max(group.weight, 1))

    def _repeat(self) -> None:
        group = self._groups[-1]
        found = _REPEAT.match(self._pattern, self._at)
        if found is None:
            raise self._wrong("Illegal repetition")
        if not group.last:
            why = f"Dangling meta character '{self._pattern[self._at]}'"
            # Behind \b and its like Java takes one.
            is_first = self._at == 0 or self._pattern[self._at - 1] in "(|"
            raise self._never(why) if is_first else self._wrong(why)
        count = max(int(found[1] or 1), int(found[3] or 1))
        group.weight += group.last * (count - 1)
        self._require_light(group.weight)
        group.last = 0
        self._out.append(found[0])
        self._at = found.end()

    # -- escapes

    def _escape(self) -> None:
        self._at += 1
        mark = self._pattern[self._at : self._at + 1]
        if mark == "Q":
            self._quotation()
        elif mark in _PLAIN and mark:
            self._at += 1
            self._out.append(_PLAIN[mark])
            self._groups[-1].last = 0
        elif mark == "R":
            self._at += 1
            self._atom(_LINE_BREAK)
        elif mark == "k" or (mark.isdigit() and mark != "0"):
            self._reference()
        else:
            inside, is_set = self._character()
            self._atom(f"[{inside}]" if is_set else inside)

    def _quotation(self) -> None:
        end = self._pattern.find("\\E", self._at)
        text = self._pattern[self._at + 1 : end if end >= 0 else None]
        self._at = end + 2 if end >= 0 else len(self._pattern)
        for mark in text:
            self._atom(_quoted(mark))

    def _reference(self) -> None:
        found = re.compile(r"k<([A-Za-z][A-Za-z0-9]*)>|([1-9])").match(self._pattern, self._at)
        if found is None or (found[1] or "") not in self._names | {""} or int(found[2] or 0) > self._captures:
            raise self._wrong("There is no such group")
        self._at = found.end()
        self._atom(f"\\g<{found[1] or found[2]}>")

    def _character(self) -> tuple[str, bool]:
        """Read what follows a backslash: a character, or the inside of a set (True)."""
        mark = self._pattern[self._at : self._at + 1]
        if mark.lower() in _SETS:
            self._at += 1
            inside = _SETS[mark.lower()]
            return (inside, True) if mark.islower() else (f"^{inside}", True)
        if mark in ("p", "P"):
            return self._property(), True
        if mark in _CONTROLS:
            self._at += 1
            return _quoted(_CONTROLS[mark]), False
        return self._coded(mark), False

    def _property(self) -> str:
        found = _PROPERTY.match(self._pattern, self._at)
        if found is None or "^" in found[0]:
            raise self._wrong("Unknown character property")
        self._at = found.end()
        name = found[2] or found[3]
        inside = _PROPERTIES.get(name, f"\\p{{{name}}}")
        return inside if found[1] == "p" else f"^{inside}"

    def _coded(self, mark: str) -> str:
        found = _HEX.match(self._pattern, self._at) or _OCTAL.match(self._pattern, self._at)
        if found is not None:
            self._at = found.end()
            code = int(found[1], 8) if found.re is _OCTAL else int(found[1] or found[2] or found[3], 16)
            if code > 0x10FFFF:
                raise self._wrong("Unknown character")
            return _quoted(chr(code))
        if not mark or (mark.isascii() and mark.isalnum()):
            raise self._wrong("Illegal/unsupported escape sequence")
        self._at += 1
        return _quoted(mark)

    # -- sets

    def _set(self, depth: int = 0) -> str:
        """Read a set in brackets, with sets inside it and intersections."""
        if depth > _NESTING_LIMIT:
            raise self._wrong("Sets are nested too deeply")
        self._at += 1
        out = ["["]
        if self._ahead("^"):
            out.append("^")
        is_empty = True
        while is_empty or not self._ahead("]"):
            if self._at >= len(self._pattern):
                raise self._never("Unclosed character class")
            if self._pattern[self._at] == "[":
                out.append(self._set(depth + 1))
            elif self._ahead("&&"):
                out.append("&&")
            else:
                out.append(self._range())
            is_empty = False
        return "".join(out) + "]"

    def _ahead(self, mark: str) -> bool:
        """Step over *mark* if it comes next."""
        is_next = self._pattern.startswith(mark, self._at)
        self._at += len(mark) if is_next else 0
        return is_next

    def _range(self) -> str:
        first, is_set = self._member()
        if is_set:
            return f"[{first}]"
        following = self._pattern[self._at + 1 : self._at + 2]
        if self._pattern[self._at : self._at + 1] != "-" or following in ("", "]", "["):
            return first
        self._at += 1
        last, is_set = self._member()
        return f"{first}\\-[{last}]" if is_set else f"{first}-{last}"

    def _member(self) -> tuple[str, bool]:
        mark = self._pattern[self._at]
        self._at += 1
        return self._character() if mark == "\\" else (_quoted(mark), False)


def _quoted(mark: str) -> str:
    """Write one character so that it means itself, inside a set and outside."""
    if mark.isalnum() or mark == "_" or not mark.isascii():
        return mark
    return f"\\x{ord(mark):02x}"
