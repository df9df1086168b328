"""The page about expressions says what is there, and its examples give what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from masthead.pipelines.expressions import evaluate_document
from masthead.pipelines.expressions.functions import FUNCTIONS
from masthead.pipelines.expressions.methods import containers, date_formats, date_methods, numbers, texts
from masthead.pipelines.expressions.methods.types import TYPES
from support.expressing import context

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "expressions.md").read_text()
TABLES = {
    "String": texts.TEXT,
    "List, Set": containers.LIST,
    "Map": containers.MAP,
    "Map.Entry": containers.ENTRY,
    "numbers": numbers.NUMBER,
    "Boolean": numbers.BOOLEAN,
    "Random": numbers.RANDOM,
    "UUID": numbers.UUID_METHODS,
    "Date": date_methods.DATE,
    "SimpleDateFormat": date_formats.DATE_FORMAT,
    "Instant": date_methods.INSTANT,
    "LocalDate": date_methods.LOCAL_DATE,
    "LocalDateTime": date_methods.LOCAL_DATE_TIME,
    "DayOfWeek": date_methods.DAY,
    "ChronoUnit": date_methods.UNIT,
}


def section(heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def rows(heading):
    return [
        [cell.strip() for cell in line[1:].split("|")]
        for line in section(heading).splitlines()
        if line.startswith("| ") and not line.startswith("|--")
    ]


EXAMPLES = re.findall(r"^\|(?: [^`|]+ \|)? `(.*?\$\{.*?)` \| `(.*?)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("text", "value"), EXAMPLES)
def test_examples_give_what_the_page_says(text, value):
    """In the execution at its end."""
    assert evaluate_document(text, context()).value == json.loads(value)


def test_there_are_examples():
    """The pattern above finds them."""
    assert len(EXAMPLES) > 30


def test_every_function_stands_on_the_page():
    """And no other."""
    named = set(re.findall(r"`#(\w+)\(", "\n".join(row[0] for row in rows("Functions"))))
    assert named == set(FUNCTIONS)


@pytest.mark.parametrize("kind", TABLES)
def test_every_method_stands_on_the_page(kind):
    """In its row."""
    (row,) = (row for row in rows("Methods") if row[0] == kind)
    assert sorted(row[1].split("`")[1].split()) == sorted(TABLES[kind])


def test_every_type_stands_on_the_page_with_its_methods_and_constants():
    """And no other."""
    said = {}
    for row in rows("Types"):
        statics, new, constants = [*row[1:], "", ""][:3]
        for name in re.findall(r"`(java[\w.]+)`", row[0]):
            said[name] = (set(statics.strip("`").split()), new == "yes", set(constants.strip("`").split()))
    assert said == {
        each.full_name: (set(each.statics) - {"new"}, "new" in each.statics, set(each.constants))
        for each in TYPES.values()
    }
