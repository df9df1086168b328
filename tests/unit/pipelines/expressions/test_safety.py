"""Nobody gets out: no Python object, no reflection, no memory, no time, no change."""

from __future__ import annotations

import copy
import json

import pytest

from masthead.kernel.clock import ManualClock
from masthead.pipelines.expressions import FakeOutside, evaluate_document, resolve
from masthead.pipelines.expressions.bounds import Limits
from masthead.pipelines.expressions.methods.types import TYPES
from support.expressing import EXECUTION, attempt, context, refusal, worth

VALUES = ["''", "1", "1.5", "true", "{1}", "{a: 1}", "T(String)", "T(Math)", "#root", "#this", "new java.util.Date()",
          "new Random(1)", "T(java.time.LocalDate).now()", "{a: 1}.entrySet()[0]", "#doNotEval(1)", "T(UUID).randomUUID()"]  # fmt: skip
NAMES = ["__class__", "__globals__", "__init__", "__dict__", "__subclasses__", "class", "getClass", "mro", "format_map",
         "encode", "text", "rank", "statics", "java", "at", "holds", "maketrans", "wait", "notify", "finalize",
         "getDeclaringClass", "newInstance", "forName", "metaClass", "getMetaClass", "new"]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", NAMES)
def test_no_attribute_of_python_or_of_javas_reflection_is_there(value, name):
    """Neither as a property nor as a method; of maps, an unknown key is null."""
    for expression in (f"{value}.{name}", f"{value}.{name}()", f"{value}['{name}']"):
        evaluated = attempt(expression)
        assert evaluated.summary, expression
        assert evaluated.value["test"] == "${" + expression + "}"


def test_every_type_is_of_the_allow_list():
    """The list of compatibility facts, section 4.10.2."""
    assert {name for name in TYPES if "." not in name} == {
        "String",
        "Date",
        "Integer",
        "Long",
        "Double",
        "Byte",
        "SimpleDateFormat",
        "Math",
        "Random",
        "UUID",
        "Boolean",
        "LocalDate",
        "LocalDateTime",
        "DayOfWeek",
        "Instant",
        "ChronoUnit",
        "URLEncoder",
        "TemporalAdjusters",
    }


@pytest.mark.parametrize(
    "expression",
    [
        "'a' * 999999999999",
        "'ab'.repeat(999999999)",
        "'a'.repeat(999999).repeat(999999)",
        "T(String).format('%999999999s', 'a')",
        "'aaaa'.replace('a', 'b'.repeat(500000))",
        "text.replace('', text)",
        "text.replaceAll('', text)",
        "T(String).join(text, list)",
        "list.![text + #this].![#this + #root.text]",
        "list.![#root.list.![#root.list]]",
        "list.![#root.list.![#root.list.![#root.list.![#this]]]]",
        "2 ^ 9223372036854775807",
        "9223372036854775807 * 9223372036854775807",
        "'" + "9" * 5000 + "'.length() + #toInt('" + "9" * 4900 + "')",
        "T(Double).parseDouble('1e" + "9" * 300 + "')",
        "text.split('').![#root.text.split('')]",
        "#toJson(list.![#root.list.![#root.list]])",
        (
            "#readYaml('a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
            "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]')"
        ),
        "#readYaml('a: &a [*a]')",
        "#readYaml('" + "[" * 9000 + "')",
        "#readYaml('" + "{a: " * 2000 + "')",
        "#readYaml('a0: &a0 {k: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))
        + "')",
        "#readYaml('" + "- a\n" * 60 + "'.replace('a', text.repeat(20)))",
        "#readYaml('a: !!binary aGk=')",
        "#readJson('[" + "9" * 9000 + "]')",
        "'x' + huge",
        "huge + 1",
        "huge",
        "text.repeat(300).toCharArray()",
        "#readJson('" + "[" * 4000 + "]" * 4000 + "')",
        "(" * 3000 + "1" + ")" * 2990,
        "!" * 5000 + "true",
        "{" * 200 + "}" * 200,
        "a" + "[0]" * 3000,
        "true ? " * 1000 + "1" + ": 2" * 1000,
        "list.![#root.map.^[true]]",
        "list.![#root.map.![1].size()]",
        "#readJson('[' + '1e308,'.repeat(100000) + '1]')",
        "#toJson(" * 100 + "1" + ")" * 100,
    ],
)
def test_what_would_grow_without_end_is_refused(expression):
    """Before it does; texts, lists, numbers, aliases of YAML, nesting."""
    root = {
        "text": "x" * 3000,
        "list": list(range(400)),
        "map": dict.fromkeys(map(str, range(1000)), 1),
        "a": None,
        "huge": 10**9000,
    }
    assert refusal(expression, root)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("text.lastIndexOf('ab' + 'a'.repeat(200000))", -1),
        ("text.lastIndexOf('ab' + 'a'.repeat(200000), 390000)", -1),
        ("new SimpleDateFormat('" + "dM" * 40 + "').parse('" + "1" * 80 + "').time", 0),
    ],
)
def test_what_would_try_every_way_takes_one(expression, value):
    """Looking from the end, and reading numbers that stand side by side."""
    assert worth(expression, {"text": "a" * 400_000}) == value


def test_a_date_that_cannot_be_read_is_refused_at_once():
    """However many ways there are to share its digits out."""
    pattern = "dM" * 40 + "''!''"
    assert "Unparseable date" in refusal(f"new SimpleDateFormat('{pattern}').parse('{'1' * 160}')", {})


async def test_properties_of_many_joined_lines_are_read_once():
    """Also half a million of them."""
    outside = FakeOutside(urls={"u": "a\\\n" * 30_000, "v": "a\\\n" * 300_000})
    evaluated = await resolve(
        ["${#propertiesFromUrl('u').size()}", "${#propertiesFromUrl('v').size()}"], context(), outside
    )
    assert evaluated.value == [1, "${#propertiesFromUrl('v').size()}"]


async def test_half_a_character_never_gets_out():
    """No database and no message could hold it; two halves are one character."""
    half = "${T(String).format('%c', 55296)}"
    outside = FakeOutside(urls={"u": "a=\\ud83d\\ude00\nb=\\ud83d"})
    source = {
        half: half,
        "mixed": f"a {half}",
        "map": "${ {(T(String).format('%c', 55296)): T(String).format('%c', 56320)} }",
        "error": "${new SimpleDateFormat('y').parse(T(String).format('%c', 55296))}",
        "asked": "${#fromUrl(T(String).format('%c', 55296))}",
        "read": "${#propertiesFromUrl('u')}",
    }
    evaluated = await resolve(source, context(), outside)
    assert evaluated.value["mixed"] == "a ?"
    assert evaluated.value["?"] == "?"
    assert evaluated.value["map"] == {"?": "?"}
    assert evaluated.value["read"] == {"a": "😀", "b": "\ufffd"}
    assert json.loads(json.dumps(evaluated.summary, ensure_ascii=False).encode())


def test_a_key_that_becomes_too_long_a_text_stays():
    """And is reported."""
    evaluated = evaluate_document({"${ {t, t} }": 1, "a": "${1 + 1}"}, context({"t": "x" * 600_000}))
    assert evaluated.value == {"${ {t, t} }": 1, "a": 2}
    assert "more than 1,000,000 characters" in evaluated.summary["{t, t}"][0]["description"]


def test_time_is_limited_for_one_expression_and_for_a_document():
    """By a clock of which a test can say how fast it goes."""

    class Hurried(ManualClock):
        def monotonic(self):
            self._elapsed += 0.1
            return self._elapsed

    sentence = refusal("list.![#root.list.![#this]]", {"list": list(range(40))}, clock=Hurried())
    assert "longer than 0.25 seconds" in sentence
    evaluated = evaluate_document(["${1}"] * 20, context({}, clock=Hurried()))
    assert "together take too long" in evaluated.summary["1"][-1]["description"]


def test_many_expressions_in_one_text_are_limited_by_time():
    """They are parsed one by one, and the clock is looked at in between."""

    class Hurried(ManualClock):
        def monotonic(self):
            self._elapsed += 0.01
            return self._elapsed

    text = "".join(f"${{{number}}}" for number in range(3000))
    evaluated = evaluate_document([text], context({}, clock=Hurried()))
    assert evaluated.value == [text]
    assert "longer than" in next(iter(evaluated.summary.values()))[0]["description"]


def test_what_all_expressions_give_together_is_limited():
    """A document cannot be blown up piece by piece."""
    limits = Limits(given=10_000)
    evaluated = evaluate_document(["${text}"] * 20, context({"text": "x" * 1000}, limits=limits))
    assert evaluated.value[:10] == ["x" * 1000] * 10
    assert evaluated.value[-1] == "${text}"


@pytest.mark.parametrize(
    "expression",
    [
        "stages.add('x')", "stages.clear()", "stages.remove(0)", "stages.set(0, 1)", "stages.sort(null)", "trigger.put('a', 1)",
        "trigger.remove('type')", "trigger.clear()", "trigger.parameters.putAll({a: 1})", "trigger.type = 'x'",
        "trigger.replaceAll(null)", "#root.merge('a', 1, null)", "trigger.entrySet()[0].setValue(1)", "application++",
    ],
)  # fmt: skip
def test_nothing_can_be_changed(expression):
    """Expressions only read."""
    before = copy.deepcopy(EXECUTION)
    refusal(expression, EXECUTION)
    assert before == EXECUTION


def test_a_report_is_plain_json():
    """Whatever was tried."""
    evaluated = evaluate_document(
        {"a": "${T(x.Y)}", "b": "${new java.util.Date()}", "c": "${T(String)}", "d": "${{1}.![#this]}"},
        context(),
    )
    assert json.loads(json.dumps([evaluated.value, evaluated.summary])) == [
        evaluated.value,
        evaluated.summary,
    ]
