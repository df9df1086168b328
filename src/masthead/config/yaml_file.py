"""Reading YAML with its lines, and explaining what people paste into it by accident."""

from __future__ import annotations

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from masthead.config.tree import Mapped, Problems, Source, Value

__all__ = ["read_documents"]

_PLACEHOLDER = "*** is a placeholder: put the real token in its place, in quotes"
_TWICE = "the key stands twice, first in line {}; YAML silently forgets the first one. Merge what stands below the two into one"


def read_documents(text: str, file: str, problems: Problems) -> list[Mapped]:
    """Give every mapping document of *text*; what cannot be read becomes a problem with its remedy."""
    if _explain_pasted(text, file, problems):
        return []
    text = text.replace("\u00a0", " ")
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        _explain(error, text, file, problems)
        return []
    except yaml.YAMLError as error:
        problems.error(file, f"not YAML: {error}; save it as UTF-8 text")
        return []
    documents = []
    for node in nodes:
        if isinstance(node, MappingNode):
            documents.append(_mapped(node, file, problems, ""))
        else:
            problems.error(
                _source(node, file), "not a mapping: a configuration begins with keys such as `spec:`"
            )
    if not nodes:
        problems.error(file, "empty: write the PagerDuty blocks into it, or leave the file out")
    return documents


def _explain_pasted(text: str, file: str, problems: Problems) -> bool:
    """Find what came along from a document: code fences, ``***``, tabs."""
    before = len(problems.errors)
    first_spec = 0
    for number, line in enumerate(text.split("\n"), 1):
        place = Source(file, number)
        stripped = line.strip().strip("\u00a0")
        if line.startswith("---"):
            first_spec = 0
        elif line.startswith("spec:") and first_spec:
            problems.error(place, f"spec: {_TWICE.format(first_spec)}")
        elif line.startswith("spec:"):
            first_spec = number
        elif stripped.startswith("```"):
            problems.error(place, "a code fence (```) was pasted along; remove this line")
        elif stripped.partition("#")[0].rstrip().endswith("***"):
            key = stripped.partition(":")[0].strip()
            problems.error(place, f"{key}: {_PLACEHOLDER}")
        elif line[: len(line) - len(line.lstrip())].count("\t"):
            problems.error(place, "a tab indents this line, which YAML does not allow; use spaces")
        elif stripped.startswith("Administrators ") or (
            stripped.endswith(".")
            and ":" not in stripped
            and len(stripped.split()) > 5
            and not stripped.startswith(("#", "-", "//"))
        ):
            problems.error(place, "this is prose, pasted along with the example; remove this line")
    return len(problems.errors) > before


def _explain(error: yaml.MarkedYAMLError, text: str, file: str, problems: Problems) -> None:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    problem = str(error.problem or error.context or "cannot be read")
    lines = text.split("\n")
    shown = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    if "alias" in problem or "alias" in str(error.context):
        problems.error(Source(file, line), f"{shown.partition(':')[0]}: {_PLACEHOLDER}")
        return
    problems.error(
        Source(file, line),
        f"not YAML: {problem}; look at the indentation and colons of this line and the one before",
    )


def _mapped(node: MappingNode, file: str, problems: Problems, path: str) -> Mapped:
    mapped = Mapped(_source(node, file))
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
        place, full = _source(key_node, file), f"{path}.{key}" if path else key
        if key in mapped.items:
            first = mapped.key_sources[key]
            problems.error(
                place,
                f"{full}: {_TWICE.format(first.line)}",
            )
            continue
        mapped.key_sources[key] = place
        mapped.items[key] = _item(value_node, file, problems, full)
    return mapped


def _item(node: Node, file: str, problems: Problems, path: str) -> Value | Mapped:
    if isinstance(node, MappingNode):
        return _mapped(node, file, problems, path)
    source = _source(node, file)
    if isinstance(node, SequenceNode):
        return Value([_plain(one) for one in node.value], source)
    return Value(_plain(node), source, style=str(getattr(node, "style", "") or ""))


def _plain(node: Node) -> object:
    return yaml.SafeLoader("").construct_object(node, deep=True)


def _source(node: Node, file: str) -> Source:
    return Source(file, node.start_mark.line + 1)
