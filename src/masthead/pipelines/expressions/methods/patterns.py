"""Matching, splitting and replacing with Java's patterns, inside the budget."""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

from masthead.pipelines.expressions.bounds import Budget
from masthead.pipelines.expressions.errors import ExpressionError, TooMuch
from masthead.pipelines.expressions.methods.java_patterns import compile_java, is_literal

__all__ = ["matches", "replace", "replace_text", "split"]

_REFERENCE = re.compile(
    r"\\(?P<escaped>.?)|\$(?:\{(?P<name>[A-Za-z][A-Za-z0-9]*)\}|(?P<number>\d))?", re.DOTALL
)


def matches(pattern: str, text: str, budget: Budget) -> bool:
    """Tell whether the whole *text* is what *pattern* describes.

    Raises:
        TooMuch: the pattern takes too long over this text.
    """
    budget.text(len(text))
    compiled = compile_java(pattern)
    try:
        return compiled.fullmatch(text, timeout=budget.pattern_seconds()) is not None
    except (TimeoutError, MemoryError) as error:
        raise _slow() from error


def replace(pattern: str, text: str, replacement: str, budget: Budget, *, only_first: bool = False) -> str:
    """Give *text* with what *pattern* finds replaced; ``$1`` and ``${name}`` stand for groups.

    Raises:
        ExpressionError: the replacement names a group that is not there.
    """
    out: list[str] = []
    length = at = 0
    for found in _find(compile_java(pattern), text, budget):
        pieces = (text[at : found.start()], _expand(replacement, found))
        out.extend(pieces)
        length += sum(map(len, pieces))
        budget.text(length)
        at = found.end()
        if only_first:
            break
    out.append(text[at:])
    return "".join(out)


def replace_text(text: str, old: str, new: str, budget: Budget) -> str:
    """Give *text* with every *old* replaced by *new*, which are both plain text."""
    budget.text(len(text) + text.count(old) * max(len(new) - len(old), 0))
    return text.replace(old, new)


def split(pattern: str, text: str, limit: int, budget: Budget) -> list[str]:
    """Split *text* around what *pattern* finds, as Java's ``split`` does.

    A *limit* above 0 gives at most so many pieces, 0 all of them but the empty ones at the end, below 0 all.
    """
    pieces = _pieces(pattern, text, limit, budget)
    if limit == 0:
        while len(pieces) > 1 and not pieces[-1]:
            pieces.pop()
        if pieces == [""] and text:
            return []
    return pieces


def _pieces(pattern: str, text: str, limit: int, budget: Budget) -> list[str]:
    if pattern and is_literal(pattern):
        budget.items(text.count(pattern))
        return text.split(pattern, limit - 1 if limit > 0 else -1)
    pieces: list[str] = []
    at = 0
    for found in _find(compile_java(pattern), text, budget):
        if 0 < limit <= len(pieces) + 1:
            break
        if found.end() == 0 or (found.start() == found.end() == len(text)):
            continue
        pieces.append(text[at : found.start()])
        at = found.end()
    return [*pieces, text[at:]]


def _find(compiled: regex.Pattern[str], text: str, budget: Budget) -> Iterator[regex.Match[str]]:
    budget.text(len(text))
    at = 0
    while at <= len(text):
        budget.spend()
        try:
            found = compiled.search(text, at, timeout=budget.pattern_seconds())
        except (TimeoutError, MemoryError) as error:
            raise _slow() from error
        if found is None:
            return
        yield found
        at = found.end() + (found.end() == found.start())


def _expand(replacement: str, found: regex.Match[str]) -> str:
    if "$" not in replacement and "\\" not in replacement:
        return replacement
    out: list[str] = []
    at = 0
    while (reference := _REFERENCE.search(replacement, at)) is not None:
        out.append(replacement[at : reference.start()])
        text, at = _referred(reference, found)
        out.append(text)
    return "".join((*out, replacement[at:]))


def _referred(reference: re.Match[str], found: regex.Match[str]) -> tuple[str, int]:
    """Give the text that a reference stands for, and where it ends."""
    if reference["escaped"]:
        return reference["escaped"], reference.end()
    name = reference["name"]
    if name is not None and name in found.re.groupindex:
        return found[name] or "", reference.end()
    if reference["number"] is None:
        raise ExpressionError(
            "Illegal group reference in the replacement; write \\ before $ to mean the character."
        )
    number, at = int(reference["number"]), reference.end()
    if number > found.re.groups:
        raise ExpressionError(f"No group {number} in the pattern.")
    text = reference.string
    while at < len(text) and text[at].isdecimal() and number * 10 + int(text[at]) <= found.re.groups:
        number, at = number * 10 + int(text[at]), at + 1
    return found[number] or "", at


def _slow() -> TooMuch:
    return TooMuch("The pattern takes too long over this text; write it so that it has fewer ways to match.")
