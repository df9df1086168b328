"""What pipelines want to be told when they start."""

from __future__ import annotations

import pytest

from masthead.pipelines.checks import Checks
from masthead.pipelines.parameters import missing_parameter

DECLARED = [
    {"name": "env", "required": True},
    {"name": "version", "required": True, "default": "1"},
    {"name": "note"},
]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "env"),
        ({"env": None}, "env"),
        ({"env": ""}, None),
        ({"env": False}, None),
        ({"env": "prod", "more": 1}, None),
        ({"version": "2"}, "env"),
    ],
)
def test_a_required_parameter_without_a_default_must_be_given(given, missing):
    """An empty text is a value, null is none."""
    assert missing_parameter({"parameterConfig": DECLARED}, given) == missing


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        (None, []),
        ([], []),
        (DECLARED, []),
        ({"name": "a"}, ["/parameterConfig"]),
        (["a", {"name": "b"}], ["/parameterConfig/0"]),
        ([{}, {"name": "a"}, {"name": "a"}], []),
        ([{"name": "a", "options": "b"}], ["/parameterConfig/0/options"]),
        ([{"name": "a", "options": [{"value": "x"}, "y"]}], ["/parameterConfig/0/options/1"]),
        (
            [{"name": "a", "default": "${1 +}"}, {"name": "b", "default": "${1}"}],
            ["/parameterConfig/0/default"],
        ),
    ],
)
def test_declarations_that_cannot_be_meant_are_refused(given, pointers):
    """Each with its pointer."""
    problems = Checks().problems({"parameterConfig": given, "stages": []})
    assert [one.pointer for one in problems] == pointers
