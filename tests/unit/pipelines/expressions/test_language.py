"""The language: literals, names, operators, selections, projections, and what is wrong with what is none."""

from __future__ import annotations

import pytest

from support.expressing import refusal, worth

ROOT = {
    "a": {"b": [1, 2, 3], "n": None, "s": "text", "key": "inner"},
    "list": [{"name": "x", "v": 1}, {"name": "y", "v": 2}, {"name": "z", "v": 2}],
    "key": "s",
    "flag": True,
    "words": ["one", "two", "three"],
    "odd-key": 1,
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'it''s'", "it's"),
        ('"say ""hi"""', 'say "hi"'),
        ("12", 12),
        ("12L", 12),
        ("0xFF", 255),
        ("1.5", 1.5),
        ("1.5e2", 150.0),
        ("2f", 2.0),
        ("true", True),
        ("FALSE", False),
        ("{1, 'a', {2}}", [1, "a", [2]]),
        ("{}", []),
        ("{:}", {}),
        ("{a: 1, 'b c': 2, key + '': 3}", {"a": 1, "b c": 2, "s": 3}),
    ],
)
def test_literals(expression, value):
    """Texts double their quote, numbers know hexadecimal and exponents, lists and maps stand in braces."""
    result = worth(expression, ROOT)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a.b[0]", 1),
        ("a['s']", "text"),
        ("a[s]", "text"),
        ("a[#root.key]", "text"),
        ("#root['odd-key']", 1),
        ("['odd-key']", 1),
        ("words[0][1]", "n"),
        ("a?.b?.size()", 3),
        ("missing?.b?.c ?: 'none'", "none"),
        ("missing?.b()?.![c]?.?[d]?.^[e]?.$[f]?.g ?: 'none'", "none"),
        ("words[1.7] + words['2']", "twothree"),
        ("words.size + key.length - a.b.size", 1),
        ("key.toUpperCase + words.empty + words.isEmpty", "Sfalsefalse"),
        ("size()", 6),
        ("get('key')", "s"),
        ("a.or ?: a.and ?: 'words are names'", "words are names"),
        ("#unknown == null", True),
        ("#this.flag", True),
    ],
)
def test_names_and_indexes(expression, value):
    """A bare name in brackets behind a map is the key itself."""
    assert worth(expression, ROOT) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7 div 2 + 7 mod 2", 4),
        ("7 / 2.0", 3.5),
        ("1.0 / 0", "Infinity"),
        ("2 ^ 10", 1024),
        ("2 ^ 0.5 > 1.41", True),
        ("- 3 - -3", 0),
        ("'a' + 1 + 2.0 + null + true", "a12.0nulltrue"),
        ("1 + 2 + 'a'", "3a"),
        ("'ab' * 3", "ababab"),
        ("'5' - 1", "4"),
        ("'list ' + words", "list one,two,three"),
        ("'list ' + {1, {'a', {null}}, {}, null}", "list 1,a,null,,null"),
        ("words matches 'one,.*'", True),
        ("{1} == {1.0} or {a: 1} == {a: 1.0}", False),
        ("'map ' + {k: 1}", "map {k=1}"),
        ("1 == 1.0", True),
        ("1 == '1'", False),
        ("true == 1", False),
        ("{1, {2}} == {1, {2}}", True),
        ("{a: 1} != {a: 2}", True),
        ("null < 1", True),
        ("'a' < 'b' and 2 ge 2 and 1 le 2 and 1 lt 2 and 2 gt 1 and 1 ne 2 and 1 eq 1", True),
        ("not flag or !flag", False),
        ("flag AND TRUE", True),
        ("'yes' and 'on'", True),
        ("false and missing.boom", False),
        ("true or missing.boom", True),
        ("flag ? 'y' : 'n'", "y"),
        ("missing ? 'y' : 'n'", None),
        ("'' ?: 'empty'", "empty"),
        ("0 ?: 'zero stays'", 0),
        ("5 between {1, 5}", True),
        ("'v1.2' matches 'v\\d+\\.\\d+'", True),
        ("'dev' matches '^(?!main).*$'", True),
        ("12 matches '\\d+'", True),
        ("'x' instanceof T(String)", True),
        ("1 instanceof T(Integer)", True),
        ("3000000000 instanceof T(Long)", True),
        ("1.0 instanceof T(java.lang.Double)", True),
        ("flag instanceof T(Boolean)", True),
        ("null instanceof T(String)", False),
    ],
)
def test_operators(expression, value):
    """As Java and Spring calculate; both ways of writing them."""
    if value is None:
        assert "cannot convert from null to boolean" in refusal(expression, ROOT)
        return
    result = worth(expression, ROOT)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("list.?[v == 2].![name]", ["y", "z"]),
        ("list.^[v == 2].name", "y"),
        ("list.$[v == 2].name", "z"),
        ("list.^[v == 9] == null", True),
        ("list.?[v == 9]", []),
        ("a.b.?[#this > 1]", [2, 3]),
        ("words.![length()]", [3, 3, 5]),
        ("words.?[startsWith('t')]", ["two", "three"]),
        ("words.![#root.key + #this]", ["sone", "stwo", "sthree"]),
        ("a.?[key == 's']", {"s": "text"}),
        ("a.?[value == null].keySet()", ["n"]),
        ("a.^[value == 'text']", {"s": "text"}),
        ("a.^[value == 9] == null and a.$[value == 9] == null and a.?[value == 9] != null", True),
        ("{{1, 2}, {3}}.![![#this * 2]]", [[2, 4], [6]]),
        ("{{1, 2}, {3}}.![?[#this > 1]]", [[2], [3]]),
        ("{x: 1, y: 2}.![key + value]", ["x1", "y2"]),
        ("{x: 1, y: 2}.entrySet()", [{"x": 1}, {"y": 2}]),
        ("missing?.?[true] ?: 'none'", "none"),
        ("missing?.![name] ?: 'none'", "none"),
        ("list.![{name: name, twice: v * 2}][0]", {"name": "x", "twice": 2}),
    ],
)
def test_selections_and_projections(expression, value):
    """Names inside are those of the item; of a map, the entry's key and value."""
    assert worth(expression, ROOT) == value


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("a.", "ends too early"),
        ("(a", "but the last bracket opened is '('"),
        ("a..b", "'.' is not expected at character 3"),
        ("a b", "'b' is not expected at character 3"),
        ("a = 1", "nothing can be assigned"),
        ("@bean", "There are no beans"),
        ("a++", "'+' is not expected at character 2"),
        ("'abc", "non terminating string literal"),
        ("new int[3]", "is not expected"),
        ("1 == 1 == 1", "is not expected"),
        ("99999999999999999999", "64 bits"),
        ("9223372036854775807 + 1", "64 bits"),
        ("2 ^ 64", "64 bits"),
        ("2 ^ 999999999999", "64 bits"),
        ("1 / 0", "/ by zero"),
        ("1 + null", "The operator 'ADD' is not supported"),
        ("-'a'", "not supported"),
        ("'55' - 1", "The operator 'SUBTRACT' is not supported"),
        ("'5' - 1.0", "The operator 'SUBTRACT' is not supported"),
        ("!'maybe'", "cannot convert from java.lang.String to boolean"),
        ("1 < 'a'", "Cannot compare"),
        ("a.b.c", "Property or field 'c' cannot be found"),
        ("missing.b", "cannot be found on null"),
        ("missing.b()", "on null context object"),
        ("missing[0]", "Cannot index into a null value"),
        ("words[9]", "The collection has '3' elements, index '9' is invalid"),
        ("words[-1]", "is invalid"),
        ("words['x']", "For input string"),
        ("flag[0]", "Indexing into type 'java.lang.Boolean' is not supported"),
        ("flag.?[true]", "Cannot perform selection"),
        ("flag.![true]", "Projection is not supported"),
        ("#nothing()", "The function 'nothing' could not be found"),
        ("#toInt()", "does not take these arguments"),
        ("words.add('x')", "Expressions only read"),
        ("words.nothing()", "cannot be found on type java.util.ArrayList"),
        ("1 between 2", "two-element list"),
        ("1 instanceof 'x'", "needs a type"),
        ("a matches 'x'", "First operand"),
        ("missing?.b.c", "Property or field 'c' cannot be found on null"),
        ("a?.n?.x.y", "Property or field 'y' cannot be found on null"),
        ("missing?.b()[0]", "Cannot index into a null value"),
        ("missing?.?[true].size()", "on null context object"),
        ("key matches 1", "Second operand"),
        ("key matches '['", "Unclosed character class"),
        ("T(java.io.File)", "expressions may not use it"),
        ("T(Math).max(1)", "does not take these arguments"),
        ("T(Math).TAU", "cannot be found on type 'java.lang.Math'"),
        ("new Math()", "construct"),
        ("", "No expression defined"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(expression, sentence):
    """And the text stays."""
    assert sentence in refusal(expression, ROOT)
