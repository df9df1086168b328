"""YAML from strangers: looked through before it is loaded, so that nothing in it can grow or nest without end.

The fast loader calls itself for what is nested, in C, and would exhaust the stack; merge keys and aliases can multiply; numbers
in base 60 take time with the square of their length.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml

from masthead.pipelines.expressions.bounds import Budget
from masthead.pipelines.expressions.values import LONG_LIMIT, java_text

__all__ = ["load_documents"]

#: Most characters, nodes and aliases of a text, and pairs that merge keys give one map.
_CHARACTERS = 200_000
_NODES = 20_000
_ALIASES = 200
_PAIRS = 2_000
#: Most maps that one merge key names.
_MERGED = 20
#: Longest text that is read as a number.
_NUMBER = 40


class _Loader(yaml.CSafeLoader):
    """The safe loader, with limits where it has none."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Take in what merge keys name."""
        for key, value in node.value:
            is_merge = key.tag == "tag:yaml.org,2002:merge"
            if is_merge and isinstance(value, yaml.SequenceNode) and len(value.value) > _MERGED:
                raise ValueError(f"a merge key names more than {_MERGED} maps")
        super().flatten_mapping(node)
        if len(node.value) > _PAIRS:
            raise ValueError(f"a map with merge keys has more than {_PAIRS:,} pairs")


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    if len(node.value) > _NUMBER:
        return node.value
    if node.tag.endswith(":float"):
        return loader.construct_yaml_float(node)
    number = loader.construct_yaml_int(node)
    return number if -LONG_LIMIT <= number < LONG_LIMIT else node.value


_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def load_documents(text: str, budget: Budget) -> list[Any]:
    """Give the documents in *text* as plain JSON.

    Raises:
        ValueError: it is larger, or nested more deeply, than expressions may read, or is no YAML at all.
    """
    if len(text) > _CHARACTERS:
        raise ValueError(f"the text has more than {_CHARACTERS:,} characters")
    budget.spend(len(text) // 8)
    try:
        _look_through(text, budget)
        return [_plain(each, budget) for each in yaml.load_all(text, _Loader)]
    except (yaml.YAMLError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(str(getattr(error, "problem", None) or "it cannot be read")) from error


def _look_through(text: str, budget: Budget) -> None:
    depth = nodes = aliases = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > budget.limits.nesting:
            raise ValueError(f"it is nested more than {budget.limits.nesting} levels deep")
        if nodes > _NODES or aliases > _ALIASES:
            raise ValueError(f"it has more than {_NODES:,} values or {_ALIASES} aliases")


def _plain(value: Any, budget: Budget, depth: int = 0) -> Any:
    """Give *value* with only what JSON has; what repeats by an alias counts every time."""
    if depth > budget.limits.nesting:
        raise ValueError("it refers to itself")
    if isinstance(value, Mapping):
        budget.items(len(value))
        return {_key(key): _plain(each, budget, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, set, tuple)):
        budget.items(len(value))
        return [_plain(each, budget, depth + 1) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise ValueError("it has a value that JSON does not have")


def _key(key: Any) -> str:
    """Give the text of a key, which in YAML may be a number, a date or a boolean."""
    return java_text(key) if key is None or isinstance(key, (str, bool, int, float)) else str(key)
