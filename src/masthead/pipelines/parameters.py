"""``parameterConfig``: what a pipeline wants to be told when it starts, and what may be wrong with the declaration.

Orca gives every execution the supplied value where the key is present, even null or "", else the declared default; Gate
refuses a person's start without a required parameter that has none. Options and constraints are for the form that people
fill in: no server enforces them.

Source: Spinnaker compatibility facts, sections 2.3.2, 4.1 (step 2), 4.9.6 and 4.12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from masthead.pipelines.expressions import Look, Problem, unparsed

__all__ = ["declared_parameters", "missing_parameter", "problems_of_parameters", "too_many_parameters"]

#: Parameters of one pipeline; people declare some dozens.
_MOST = 1000


def declared_parameters(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the parameters that *config* declares, each name with its declaration; what is no declaration is left out."""
    given = config.get("parameterConfig")
    for declared in given if isinstance(given, list) else ():
        if isinstance(declared, Mapping) and isinstance(declared.get("name"), str):
            yield declared["name"], declared


def too_many_parameters(declared: Sequence[object]) -> str | None:
    """Give the sentence for more declarations than a pipeline can have, or None."""
    if len(declared) <= _MOST:
        return None
    return f"There are {len(declared):,} parameters; {_MOST:,} are the most that one pipeline can declare."


def missing_parameter(config: Mapping[str, Any], given: Mapping[str, Any]) -> str | None:
    """Give the first required parameter without a default that *given* has no value for, or None."""
    for name, declared in declared_parameters(config):
        if declared.get("required") and not declared.get("default") and given.get(name) is None:
            return name
    return None


def problems_of_parameters(pipeline: Mapping[str, Any]) -> Iterator[Problem]:
    """Give what is wrong with the declarations of a pipeline that is to be saved."""
    given = pipeline.get("parameterConfig")
    if given is None:
        return
    if not isinstance(given, list):
        yield Problem("/parameterConfig", "'parameterConfig' must be a list.")
        return
    if too_many := too_many_parameters(given):
        yield Problem("/parameterConfig", too_many)
        return
    look = Look()
    for at, declared in enumerate(given):
        pointer = f"/parameterConfig/{at}"
        if not isinstance(declared, Mapping):
            yield Problem(pointer, f"Parameter {at + 1} must be a JSON object.")
            continue
        yield from _problems_of_options(pointer, at, declared.get("options"))
        yield from unparsed(declared.get("default"), f"{pointer}/default", look)


def _problems_of_options(pointer: str, at: int, options: object) -> Iterator[Problem]:
    if options is None:
        return
    if not isinstance(options, list):
        yield Problem(f"{pointer}/options", f"The options of parameter {at + 1} must be a list.")
        return
    for place, option in enumerate(options):
        if not isinstance(option, Mapping):
            sentence = f'Option {place + 1} of parameter {at + 1} must be an object such as {{"value": "a"}}.'
            yield Problem(f"{pointer}/options/{place}", sentence)
