"""JSONPath by Jayway's rules, and within bounds."""

from __future__ import annotations

import time

import pytest

from masthead.pipelines.json_path import JsonPathInvalid, PathNotFound, parse_json_path

DOCUMENT = {
    "status": "OK", "null": None, "a": {"b": 1, "foo-bar": 2, "x y": 3, "d.e": 4}, "0": 5, "$ref": 6,
    "list": [{"s": "OK", "n": 1}, {"s": "NO", "n": 2.5}], "numbers": [3, 1, 2], "flag": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.status", "OK"), ("status", "OK"), ("@.status", "OK"), (" $.status ", "OK"), ("$['status']", "OK"),
        ('$["a"]["b"]', 1), ("$.a.foo-bar", 2), ("$['a']['x y']", 3), ("$.a['d.e']", 4), ("$.0", 5), ("$.$ref", 6),
        ("$.null", None), ("$.flag", True), ("$.list[0].s", "OK"), ("$.list.[0].s", "OK"), ("$.list[-1].n", 2.5),
        ("['status']", "OK"), ("$.list[1]['s']", "NO"),
        ("$..s", ["OK", "NO"]), ("$.list[*].n", [1, 2.5]), ("$.list[0,1].n", [1, 2.5]), ("$.list[-1:].n", [2.5]),
        ("$.list[?(@.s == 'OK')].n", [1]), ("$.list[?(@.n > 1 && @.s != 'OK')].s", ["NO"]), ("$.list[?(!@.z)].n", [1, 2.5]),
        ("$.list[?(@.s =~ /o./i)].n", [1]), ("$.list[?(@.s =~ /O/)].n", []), ("$.list[?(@.s in ['NO'])].n", [2.5]),
        ("$.list[?(@.z)]", []), ("$..gone", []), ("$.gone[*]", []),
        ("$.list.length()", 2), ("$.status.length()", 2), ("$.a.size()", 4), ("$.numbers.min()", 1), ("$.numbers.max()", 3),
        ("$.numbers.sum()", 6), ("$.numbers.avg()", 2), ("$.a.keys()", ["b", "foo-bar", "x y", "d.e"]),
        ("$.numbers.first()", 3), ("$.numbers.last()", 2), ("$.numbers.index(1)", 1), ("$.list[*].n.max()", 2.5),
        ("$.length()", 8),
    ],
)  # fmt: skip
def test_a_path_gives_what_jayway_gives(path, value):
    """Definite paths a value, indefinite ones a list."""
    assert parse_json_path(path).read(DOCUMENT) == value


def test_the_whole_document_may_be_anything():
    """Also a text, as a page of HTML is."""
    assert parse_json_path("$").read("<html>") == "<html>"
    assert parse_json_path("$[0]").read(["a"]) == "a"
    with pytest.raises(PathNotFound):
        parse_json_path("$.status").read("<html>")


@pytest.mark.parametrize(
    "path", ["$.gone", "$.a.b.c", "$.list[7]", "$.status.min()", "$.numbers.index(9)", "$.a.first()"]
)
def test_a_definite_path_that_leads_nowhere_is_an_error(path):
    """In Jayway's words; so is a function of something it does not take."""
    with pytest.raises(PathNotFound, match="No results for path"):
        parse_json_path(path).read(DOCUMENT)


@pytest.mark.parametrize(
    "path",
    ["", "$.", "a b", "$.list[?(@.s=='OK'].n", "$.l[(@.length-1)]", "$.a | $.b", "$.a.stddev()", "$.a.index()", "$.x[?(@.s nin ['a'])]",
     "$.x[?match(@.s, 'a')]", "$[", "x" * 1001, "$" + "[?(@" * 300, "$.x[?(@.a =~ /(/)]"],
)  # fmt: skip
def test_what_does_not_parse_says_so(path):
    """When it is saved, not when it is too late."""
    with pytest.raises(JsonPathInvalid, match="The JSON path"):
        parse_json_path(path)


@pytest.mark.parametrize("path", ["$..*..*..*..*", "$..[?(@..n)]..[?(@..n)]", "$..[?(@..n && @..m)]"])
def test_no_path_takes_long(path):
    """Nested descents multiply; they are stopped after a number of steps, not after a time."""
    wide = {f"k{n}": {f"k{m}": {"n": m} for m in range(150)} for n in range(150)}
    began = time.monotonic()
    with pytest.raises(PathNotFound, match="within its bounds"):
        parse_json_path(path).read(wide)
    assert time.monotonic() - began < 20  # a guard for the suite; minutes without the bound


def test_no_pattern_takes_long():
    """A pattern that would try for ever is given up."""
    with pytest.raises(PathNotFound):
        parse_json_path("$[?(@ =~ /(a|aa)+/)]").read(["a" * 60 + "b"])
