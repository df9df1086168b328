"""The reference page says what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from masthead.simulator.control import build_control
from masthead.simulator.data import built_in, decode
from masthead.simulator.faults import FaultOrder
from masthead.simulator.organisation import Directory
from masthead.simulator.rest.operations import OPERATIONS
from masthead.simulator.settings import Settings
from masthead.simulator.world import World

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "simulator.md").read_text()


def _control_routes():
    for route in build_control(World(built_in())).routes:
        for method in route.methods - {"HEAD"}:
            yield f"{method} {route.path}"


@pytest.mark.parametrize("setting", Settings.__struct_fields__)
def test_every_setting_is_described(setting):
    """In the table of settings."""
    assert f"\n| `{setting}` |" in PAGE


@pytest.mark.parametrize("member", FaultOrder.__struct_fields__)
def test_every_member_of_a_fault_is_described(member):
    """In the table of faults."""
    assert f"\n| `{member}` |" in PAGE


@pytest.mark.parametrize("route", sorted(_control_routes()))
def test_every_control_route_is_named(route):
    """With its method."""
    assert f"`{route}`" in PAGE


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_rest_operation_is_named(operation):
    """With its method and the scope it needs, in one row."""
    rows = [row for row in PAGE.splitlines() if f"`{operation.method} {operation.path}`" in row]
    assert rows
    assert operation.scope in rows[0]


def test_every_built_in_key_is_named():
    """So that demonstrations can use them."""
    assert [key for key in Directory(built_in()).routes if f"`{key}`" not in PAGE] == []


def test_the_example_file_works_and_is_complete():
    """The data file on the page can be used, and shows every member."""
    text = re.search(r"```json data\n(.*?)```", PAGE, flags=re.DOTALL)[1]
    directory = Directory(decode(text.encode()))
    assert "0123456789abcdef0123456789abcdef" in directory.routes
    document = json.loads(text)
    shown = {"extends", "generate", *(name for name in type(built_in()).__struct_fields__)}
    assert set(document) == shown
    assert set(document["services"][0]) == set(built_in().services[0].__struct_fields__)
