"""settings-local.js: parsed, never executed.

Assignments to ``window.spinnakerSettings…`` with values like JSON's are read; everything else is reported as
not understood and means nothing here.
"""

from __future__ import annotations

from typing import Any

import tree_sitter
import tree_sitter_javascript

from masthead.config.tree import Mapped, Problems, Source, Value

__all__ = ["read_settings_local"]

_ROOTS = ("window.spinnakerSettings", "spinnakerSettings")


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
    settings = Mapped(Source(file, first_line))
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))
    for node in parser.parse(text.encode()).root_node.children:
        if node.type in ("comment", ";", "empty_statement", "hash_bang_line"):
            continue
        source = Source(file, first_line + node.start_point.row)
        try:
            path, value = _assignment(node)
        except _NotUnderstood:
            shown = _text(node).partition("\n")[0][:60]
            problems.warn(source, f"not understood and ignored: {shown}")
            continue
        _put(settings, path, value, source)
    return settings


def _assignment(node: tree_sitter.Node) -> tuple[list[str], Any]:
    inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
    if inner is None or inner.type != "assignment_expression" or node.has_error:
        raise _NotUnderstood
    left, right = inner.child_by_field_name("left"), inner.child_by_field_name("right")
    if left is None or right is None:
        raise _NotUnderstood
    path = _path(left)
    for root in _ROOTS:
        parts = root.split(".")
        if path[: len(parts)] == parts and len(path) > len(parts):
            return path[len(parts) :], _literal(right)
    raise _NotUnderstood


def _path(node: tree_sitter.Node) -> list[str]:
    if node.type == "identifier":
        return [_text(node)]
    target = node.child_by_field_name("object")
    if node.type == "member_expression" and target and (name := node.child_by_field_name("property")):
        return [*_path(target), _text(name)]
    index = node.child_by_field_name("index")
    if node.type == "subscript_expression" and target and index and index.type == "string":
        return [*_path(target), str(_literal(index))]
    raise _NotUnderstood


def _literal(node: tree_sitter.Node) -> Any:
    plain = {"true": True, "false": False, "null": None, "undefined": None}
    if node.type in plain:
        return plain[node.type]
    if node.type == "string":
        return "".join(_text(part) for part in node.named_children if part.type == "string_fragment")
    if node.type == "number":
        return float(_text(node)) if "." in _text(node) else int(_text(node), 0)
    if node.type == "array":
        return [_literal(part) for part in node.named_children if part.type != "comment"]
    if node.type == "object":
        return dict(_pair(part) for part in node.named_children if part.type != "comment")
    raise _NotUnderstood


def _pair(node: tree_sitter.Node) -> tuple[str, Any]:
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if node.type != "pair" or key is None or value is None:
        raise _NotUnderstood
    return (str(_literal(key)) if key.type == "string" else _text(key)), _literal(value)


def _put(settings: Mapped, path: list[str], value: Any, source: Source) -> None:
    here = settings
    for step in path[:-1]:
        found = here.items.get(step)
        if not isinstance(found, Mapped):
            found = here.items[step] = Mapped(source)
        here = found
    here.items[path[-1]] = _tree(value, source)


def _tree(value: Any, source: Source) -> Value | Mapped:
    if isinstance(value, dict):
        return Mapped(source, {key: _tree(item, source) for key, item in value.items()})
    return Value(value, source)


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode(errors="replace")
