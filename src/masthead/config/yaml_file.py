"""Reading YAML with its lines, and explaining what YAML itself only calls an error.

PyYAML's nodes are read instead of its values: they know their lines, keep both of two equal keys, and nothing
is built from a tag. Merge keys (``<<``) and anchors work as everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from masthead.config.pasted import has_odd_spaces, repair
from masthead.config.tree import PLACEHOLDER, Mapped, Problems, Source, Value, placeholder_message

__all__ = ["EMPTY", "read_documents"]

EMPTY = "empty: write the PagerDuty blocks into it, or leave the file out"
_TWICE = (
    "the key stands twice, first in line {}; YAML silently forgets the first one. "
    "Merge what stands below the two into one"
)
#: A real manifest has about ten levels.
_DEEPEST = 100
_TOO_DEEP = f"nested more than {_DEEPEST} levels deep, as no configuration of Spinnaker is"
#: Keys that merging (``<<``) may copy: a few lines could otherwise make millions of them.
_MOST_MERGED = 100_000
_TOO_MANY_MERGED = f"<<: merges more than {_MOST_MERGED:,} keys in all, as no configuration of Spinnaker does"
_NO_MAPPING = "not a mapping: a configuration begins with keys such as `spec:`"
#: What stands before every key of a manifest's profiles, and is left out of messages.
_PROFILES = "spec.spinnakerConfig.profiles."
_STANDARD = "tag:yaml.org,2002:"
_MERGE = f"{_STANDARD}merge"
_BUILT = tuple(_STANDARD + kind for kind in ("null", "bool", "int", "float"))
#: What PyYAML was doing when it failed far below the line that is wrong.
_BEGINNINGS = {
    "while scanning a quoted scalar": "a quotation mark opens here and never closes; close it",
    "while scanning a simple key": "this line is no `key: value`; write a colon and a space after the key",
}
_KEY = re.compile(r"""\s*["']?([A-Za-z0-9_.-]+)["']?\s*:""")


def read_documents(text: str, file: str, problems: Problems) -> list[Mapped]:
    """Give every mapping document of *text*; what cannot be read becomes a problem with its remedy."""
    placeholders: set[int] = set()
    is_odd = has_odd_spaces(text)
    nodes = [] if is_odd else _compose(text)
    if is_odd or isinstance(nodes, yaml.YAMLError):
        before = len(problems.errors)
        repaired = repair(text, file, problems)
        text, placeholders = repaired.text, repaired.placeholders
        nodes = _compose(text)
        if isinstance(nodes, yaml.YAMLError):
            if len(problems.errors) == before and not placeholders:
                _explain(nodes, text, file, problems)
            _report_placeholders(text, file, placeholders, problems)
            return []
    documents = [one for node in nodes if not _is_nothing(node) for one in _listed(node)]
    if not documents:
        problems.error(file, EMPTY)
    reader = _Nodes(file, problems, placeholders)
    try:
        read = [reader.document(node) for node in documents if isinstance(node, MappingNode)]
    except RecursionError:  # aliases of aliases
        problems.error(file, _TOO_DEEP)
        return []
    for node in documents:
        if not isinstance(node, MappingNode):
            place = Source(file, node.start_mark.line + 1)
            if read:
                problems.warn(place, "this document is not a mapping, and is skipped")
            else:
                problems.error(place, _NO_MAPPING)
    return read


class _Loader(yaml.SafeLoader):
    """Refuses what is nested so deeply that reading it would exhaust the stack."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                raise yaml.MarkedYAMLError(_TOO_DEEP, mark)
            node: Node | None = super().compose_node(parent, index)
        finally:
            self._depth -= 1
        return node


def _compose(text: str) -> Sequence[Node] | yaml.YAMLError:
    try:
        return list(yaml.compose_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        return error


def _listed(node: Node) -> Sequence[Node]:
    """Give the items of a ``kind: List``, as ``kubectl get … -o yaml`` writes it; else *node* itself."""
    if isinstance(node, MappingNode):
        entries = {key.value: value for key, value in node.value if isinstance(key, ScalarNode)}
        items = entries.get("items")
        if getattr(entries.get("kind"), "value", None) == "List" and isinstance(items, SequenceNode):
            return list(items.value)
    return [node]


def _is_nothing(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == f"{_STANDARD}null"


def _explain(error: yaml.YAMLError, text: str, file: str, problems: Problems) -> None:
    if not isinstance(error, yaml.MarkedYAMLError):
        reason = getattr(error, "reason", None) or str(error).partition("\n")[0]
        problems.error(file, f"not YAML: {reason}; save it as plain UTF-8 text")
        return
    context = str(error.context or "")
    if context == _TOO_DEEP:
        problems.error(Source(file, error.context_mark.line + 1 if error.context_mark else 0), _TOO_DEEP)
        return
    begins = error.context_mark if context in _BEGINNINGS else None
    mark = begins or error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    if context in _BEGINNINGS:
        problems.error(Source(file, line), f"not YAML: {_BEGINNINGS[context]}")
        return
    problem = str(error.problem or context or "cannot be read")
    if "alias" in f"{problem}{context}":
        shown = text.split("\n")[line - 1] if line else ""
        key = found[1] if (found := _KEY.match(shown)) else "value"
        problems.error(
            Source(file, line),
            f"{key}: YAML takes what begins with * for an alias, and there is none of this name; put the value in quotes",
        )
        return
    problems.error(
        Source(file, line),
        f"not YAML: {problem}; look at the indentation, quotes and colons of this line and the one before",
    )


def _report_placeholders(text: str, file: str, lines: set[int], problems: Problems) -> None:
    shown = text.split("\n")
    for line in sorted(lines):
        key = found[1] if (found := _KEY.match(shown[line - 1])) else "value"
        problems.error(Source(file, line), placeholder_message(key))


class _Nodes:
    """Turns the nodes of one file into a tree; an anchor that is used often is read once."""

    def __init__(self, file: str, problems: Problems, placeholders: set[int]) -> None:
        self._file = file
        self._problems = problems
        self._placeholders = placeholders
        self._done: dict[int, Value | Mapped] = {}
        self._merged_keys = 0

    def document(self, node: MappingNode) -> Mapped:
        return self._mapped(node, "")

    def _mapped(self, node: MappingNode, path: str) -> Mapped:
        mapped = Mapped(self._source(node))
        self._done[id(node)] = mapped
        merged: list[Mapped] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged += self._merged(value_node, path)
            elif isinstance(key_node, ScalarNode):
                self._entry(mapped, key_node, value_node, path)
        for other in merged:
            if not self._may_merge(other, mapped.source):
                break
            for key, item in other:
                mapped.items.setdefault(key, item)
                mapped.key_sources.setdefault(key, other.key_sources[key])
        return mapped

    def _may_merge(self, other: Mapped, place: Source) -> bool:
        was_few = self._merged_keys <= _MOST_MERGED
        self._merged_keys += len(other.items) + 1
        if was_few and self._merged_keys > _MOST_MERGED:
            self._problems.error(place, _TOO_MANY_MERGED)
        return self._merged_keys <= _MOST_MERGED

    def _merged(self, node: Node, path: str) -> list[Mapped]:
        nodes = node.value if isinstance(node, SequenceNode) else [node]
        items = [self._item(one, path) for one in nodes if isinstance(one, MappingNode)]
        return [one for one in items if isinstance(one, Mapped)]

    def _entry(self, mapped: Mapped, key_node: ScalarNode, value_node: Node, path: str) -> None:
        key, place = str(key_node.value), self._source(key_node)
        full = f"{path}.{key}" if path else key
        item = self._item(value_node, full)
        if key in mapped.items:
            self._problems.error(place, f"{full}: {_TWICE.format(mapped.key_sources[key].line)}")
        else:
            mapped.key_sources[key] = place
            mapped.items[key] = item

    def _item(self, node: Node, path: str) -> Value | Mapped:
        if (done := self._done.get(id(node))) is not None:
            return done
        if isinstance(node, MappingNode):
            return self._mapped(node, path)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        value = self._done[id(node)] = Value([], self._source(node))
        value.parts.extend(self._item(one, path) for one in node.value)
        value.value.extend(one.value if isinstance(one, ScalarNode) else "…" for one in node.value)
        return value

    def _scalar(self, node: ScalarNode, path: str) -> Value:
        source = self._source(node)
        is_placeholder = source.line in self._placeholders and node.value == PLACEHOLDER
        if is_placeholder:
            self._problems.error(source, placeholder_message(path.removeprefix(_PROFILES)))
        is_foreign = not node.tag.startswith(_STANDARD)
        return Value(
            None if is_foreign else _plain(node),
            source,
            style=str(node.style or ""),
            text=str(node.value),
            raw=node.start_mark.buffer[node.start_mark.pointer : node.end_mark.pointer]
            if node.start_mark.buffer
            else "",
            is_reported=is_placeholder,
            tag=node.tag if is_foreign or node.tag.startswith(f"{_STANDARD}python") else "",
        )

    def _source(self, node: Node) -> Source:
        return Source(self._file, node.start_mark.line + 1)


def _plain(node: ScalarNode) -> object:
    if node.tag not in _BUILT:
        return node.value
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, yaml.YAMLError):
        return node.value
