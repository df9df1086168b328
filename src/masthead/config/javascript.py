"""settings-local.js: parsed, never executed.

Assignments to ``window.spinnakerSettings…`` with values like JSON's are read; everything else is reported as
not understood and means nothing here. Names are taken as JavaScript takes them: case matters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import tree_sitter
import tree_sitter_javascript

from masthead.config.tree import Mapped, Problems, Source, Value

__all__ = ["has_swallowing_comment", "read_settings_local"]

_ROOTS = (["window", "spinnakerSettings"], ["spinnakerSettings"])
_PLAIN = {"true": True, "false": False, "null": None, "undefined": None}
_IGNORED = ("comment", ";", "empty_statement", "hash_bang_line")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
#: What may be shown of a statement: it ends before any value, which could be a secret.
_SHOWABLE = re.compile(r"""[^=({\["'`]*""")
_SHOWN = 60


class _NotUnderstood(Exception):
    """A part that is not like JSON."""


def read_settings_local(text: str, file: str, problems: Problems, *, first_line: int = 1) -> Mapped:
    """Give what *text* assigns, as a tree below ``spinnakerSettings``.

    Args:
        text: JavaScript.
        file: Its name, for messages.
        problems: Takes what is not understood.
        first_line: The line of *file* that the text begins at.
    """

    def place(node: tree_sitter.Node) -> Source:
        return Source(file, first_line + node.start_point.row)

    settings = Mapped(Source(file, first_line))
    for node in _parse(text).children:
        if node.type in _IGNORED or _is_directive(node):
            continue
        try:
            path, value = _assignment(node, place)
        except (_NotUnderstood, RecursionError):
            problems.warn(place(node), f"not understood and ignored{_shown(node)}")
            continue
        _put(settings, path, value, place(node))
    return settings


def has_swallowing_comment(text: str) -> int | None:
    """Give the line (from 0) of the first ``//`` comment of *text* that has more script below it, or None.

    Once YAML has folded the lines into one, such a comment swallows all that follows.
    """
    lines = text.split("\n")
    pending = [_parse(text)]
    found = []
    while pending:
        node = pending.pop()
        if node.type == "comment" and _text(node).startswith("//"):
            found.append(node.start_point.row)
        pending.extend(node.children)
    return next((row for row in sorted(found) if any(line.strip() for line in lines[row + 1 :])), None)


def _parse(text: str) -> tree_sitter.Node:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))
    return parser.parse(text.encode(errors="replace")).root_node


def _assignment(
    node: tree_sitter.Node, place: Callable[[tree_sitter.Node], Source]
) -> tuple[list[str], Value | Mapped]:
    inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
    if inner is None or inner.type != "assignment_expression" or node.has_error:
        raise _NotUnderstood
    left, right = inner.child_by_field_name("left"), inner.child_by_field_name("right")
    if left is None or right is None:
        raise _NotUnderstood
    path = _path(left)
    for root in _ROOTS:
        if path[: len(root)] == root:
            return path[len(root) :], _tree(right, place)
    raise _NotUnderstood


def _path(node: tree_sitter.Node) -> list[str]:
    if node.type == "identifier":
        return [_text(node)]
    target = node.child_by_field_name("object")
    if node.type == "member_expression" and target and (name := node.child_by_field_name("property")):
        return [*_path(target), _text(name)]
    index = node.child_by_field_name("index")
    if node.type == "subscript_expression" and target and index and index.type == "string":
        return [*_path(target), _string(index)]
    raise _NotUnderstood


def _tree(node: tree_sitter.Node, place: Callable[[tree_sitter.Node], Source]) -> Value | Mapped:
    if node.type == "object":
        mapped = Mapped(place(node))
        for part in node.named_children:
            if part.type != "comment":
                key, value = _pair(part)
                mapped.key_sources[key] = place(part)
                mapped.items[key] = _tree(value, place)
        return mapped
    return Value(_literal(node), place(node), is_script=True)


def _pair(node: tree_sitter.Node) -> tuple[str, tree_sitter.Node]:
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if node.type != "pair" or key is None or value is None or key.type == "computed_property_name":
        raise _NotUnderstood
    return (_string(key) if key.type == "string" else _text(key)), value


def _literal(node: tree_sitter.Node) -> Any:
    if node.type in _PLAIN:
        return _PLAIN[node.type]
    if node.type == "string" or (node.type == "template_string" and not _substitutes(node)):
        return _string(node)
    if node.type == "number":
        return _number(_text(node))
    if node.type == "array":
        return [_text(part) for part in node.named_children if part.type != "comment"]
    if node.type == "parenthesized_expression" and len(node.named_children) == 1:
        return _literal(node.named_children[0])
    if node.type == "unary_expression" and _text(node).startswith("-") and len(node.named_children) == 1:
        value = _literal(node.named_children[0])
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value
    raise _NotUnderstood


def _substitutes(node: tree_sitter.Node) -> bool:
    return any(part.type == "template_substitution" for part in node.named_children)


def _string(node: tree_sitter.Node) -> str:
    text = "".join(
        _escape(_text(part)[1:]) if part.type == "escape_sequence" else _text(part)
        for part in node.named_children
        if part.type in ("string_fragment", "escape_sequence")
    )
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins \\ud83d\\ude00


def _escape(code: str) -> str:
    if code[:1] in ("u", "x"):
        try:
            return chr(int(code[1:].strip("{}"), 16))
        except (ValueError, OverflowError):
            raise _NotUnderstood from None
    return _ESCAPES.get(code, code)


def _number(text: str) -> int | float:
    text = text.replace("_", "")
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise _NotUnderstood from None


def _put(settings: Mapped, path: list[str], value: Value | Mapped, source: Source) -> None:
    if not path:
        if isinstance(value, Mapped):
            settings.items, settings.key_sources = value.items, value.key_sources
        return
    here = settings
    for step in path[:-1]:
        found = here.items.get(step)
        if not isinstance(found, Mapped):
            found = here.items[step] = Mapped(source)
        here.key_sources.setdefault(step, source)
        here = found
    here.items[path[-1]] = value
    here.key_sources[path[-1]] = source


def _is_directive(node: tree_sitter.Node) -> bool:
    """Say whether it is ``"use strict";`` or its like, which sets nothing."""
    return node.type == "expression_statement" and [one.type for one in node.named_children] == ["string"]


def _shown(node: tree_sitter.Node) -> str:
    """Give the beginning of a statement, as far as it holds no value; empty when it begins with one."""
    found = _SHOWABLE.match(_text(node))
    shown = " ".join(found[0].split()) if found else ""
    return f": {shown[:_SHOWN]} …" if shown else ""


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode(errors="replace")
