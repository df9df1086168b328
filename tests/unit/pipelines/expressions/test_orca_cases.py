"""The cases of Orca's own table (compatibility facts, section 6.5), written from what section 4.10 says."""

from __future__ import annotations

import pytest

from masthead.pipelines.expressions import (
    EvaluationContext,
    FakeOutside,
    evaluate_document,
    resolve,
    stage_root,
    start_root,
)
from support.expressing import EXECUTION, attempt, context, refusal, worth

ROOT = {
    "letters": ["a", ["b", "c"], [{"d": "e"}], {"f": "g"}],
    "word": "blue",
    "one": {"two": "deep", "three": {"four": "deeper"}},
    "dashed": "a-b-c",
    "mixed": "BlueGreen",
}


def evaluated(text, root=ROOT, **more):
    return evaluate_document({"test": text}, context(root, **more))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("only text", "only text"),
        ("${word}", "blue"),
        ("${one.two}", "deep"),
        ("${word}, then ${word}", "blue, then blue"),
        ("${one.three.four}", "deeper"),
        ("${missing}", "${missing}"),
        ("${letters[0]}", "a"),
        ("${letters[3].f}", "g"),
        ("${letters[2][0].d}", "e"),
        ("${letters[1][1]}", "c"),
        ('${ one.two == "deep" }', True),
        ("${ one.nothing  ?: 60 }", 60),
        ("${ mixed.toLowerCase() }", "bluegreen"),
        ('${ dashed.replaceAll("-","") }', "abc"),
        ("${ #alphanumerical(dashed) }", "abc"),
        ("""${#readJson('{ "blue":"sky" }')[#root.word]}""", "sky"),
        ("x.${word}.y.${word}", "x.blue.y.blue"),
        ("x.${A}.y.${B}", "x.${A}.y.${B}"),
        ("x.${A}.y.${word}", "x.${A}.y.blue"),
        (r'${ "ab! c".replaceAll("\W", "") }', "abc"),
    ],
)
def test_texts_become_what_their_expressions_say(text, value):
    """Plain texts stay, types are kept, unresolved parts stay as they were."""
    assert evaluated(text).value == {"test": value}


@pytest.mark.parametrize(
    ("text", "value", "errors"),
    [
        ("x.${A}.y.${B}", "x.${A}.y.${B}", 1),
        ("x.${A}.y.${word}", "x.${A}.y.blue", 1),
        ("x.${word}.y.${word}", "x.blue.y.blue", 0),
        ("x.${'${LITERAL}'}.y.${word}", "x.${LITERAL}.y.blue", 0),
    ],
)
def test_a_mixed_text_has_one_entry_however_many_parts_are_missing(text, value, errors):
    """And an expression inside quotes is text."""
    result = evaluated(text)
    assert result.value["test"] == value
    assert sum(map(len, result.summary.values())) == errors


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://169.254.169.254/", "http://127.0.0.1/", "http://localhost/"]
)
async def test_from_url_reports_what_the_outside_refuses(url):
    """The text stays and one ERROR is recorded; whether an address may be read is decided outside."""
    result = await resolve({"test": f"${{ #fromUrl('{url}')}}"}, context(ROOT), FakeOutside())
    assert result.value == {"test": f"${{ #fromUrl('{url}')}}"}
    (note,) = result.summary[f"#fromUrl('{url}')"]
    assert note["level"] == "ERROR"
    assert note["timestamp"] > 0
    assert note["description"].endswith(f"#from({url}) failed")


def test_base64_goes_both_ways():
    """In UTF-8."""
    assert worth("#toBase64('Grüße')") == "R3LDvMOfZQ=="
    assert worth("#fromBase64('R3LDvMOfZQ==')") == "Grüße"


@pytest.mark.parametrize(
    "expression",
    [
        "T(java.lang.System).exit(1)",
        "T(java.lang.Runtime).runtime.exit(1)",
        "new java.net.URL('http://example.com').openConnection()",
        "T(java.lang.Boolean).forName('java.net.URI').getSimpleName()",
        "new java.lang.Integer(1).wait(100000)",
        "new java.lang.Integer(1).getClass().getSimpleName()",
        "new java.util.concurrent.ForkJoinPool().getFactory().toString()",
    ],
)
def test_types_and_methods_that_reach_out_are_errors(expression):
    """Neither the machine, nor reflection, nor a class loader."""
    refusal(expression)
    ((note,),) = attempt(expression).summary.values()
    assert note["exceptionType"] == "org.springframework.expression.spel.SpelEvaluationException"


@pytest.mark.parametrize(
    "expression", ["s.getMetaClass()", "s.metaClass", "n.s.metaClass", "n.s.getMetaClass()"]
)
def test_groovys_meta_class_is_not_there(expression):
    """Neither as a method nor as a property."""
    refusal(expression, {"s": "PAUSED", "n": {"s": "RUNNING"}})


@pytest.mark.parametrize(
    ("text", "value", "allowed"),
    [
        ("${nothing}-x", "${nothing}-x", False),
        ('${nothing ?: "b"}', "b", True),
        ('${nothing ?: "b"}', '${nothing ?: "b"}', False),
        ('${empty ?: "b"}', "b", True),
        ('${empty ?: "b"}', "b", False),
        ('${null_ ?: "b"}', "b", True),
        ('${null_ ?: "b"}', "b", False),
    ],
)
def test_unknown_keys_are_null_or_an_error_as_the_context_says(text, value, allowed):
    """A key that is there with null or an empty text is known."""
    root = {"there": 1, "empty": "", "null_": None}
    assert evaluated(text, root, allow_unknown_keys=allowed).value["test"] == value


def test_keys_of_maps_are_evaluated():
    """Also in the middle of a text."""
    result = evaluate_document({"${word}": 1, "${word}s": {"a": "b"}}, context(ROOT))
    assert result.value == {"blue": 1, "blues": {"a": "b"}}


def test_results_keep_their_type():
    """A number stays one, a map stays one."""
    root = {"number": 17, "map": {"a": "b"}}
    result = evaluate_document({"test": {"x": "${number}", "y": "${map}"}}, context(root))
    assert result.value == {"test": {"x": 17, "y": {"a": "b"}}}


def test_nested_lists_and_maps_are_walked():
    """However deep; what holds no expression is left as it is."""
    source = {"a": "${h}", "b": {"c": ["${h}", ["${h}"]]}, "d": 4, "e": [{"f": "${h}"}]}
    assert evaluate_document(source, context({"h": "v"})).value == {
        "a": "v",
        "b": {"c": ["v", ["v"]]},
        "d": 4,
        "e": [{"f": "v"}],
    }


@pytest.mark.parametrize(
    ("branches", "value"),
    [
        ([], "${scmInfo.branch}"),
        (["b1"], "b1"),
        (["b1", "master"], "b1"),
        (["develop", "master"], "develop"),
        (["b1", "b2"], "b1"),
    ],
)
def test_scm_info_is_the_first_commit_that_is_not_of_a_main_branch(branches, value):
    """Of Jenkins' build; the first one when there is no other."""
    trigger = {"type": "jenkins", "buildInfo": {"scm": [{"branch": branch} for branch in branches]}}
    assert evaluated("${scmInfo.branch}", start_root(trigger, None)).value["test"] == value


def test_build_info_of_a_webhook_breaks_nothing():
    """It may be any text."""
    root = stage_root({"buildInfo": "<html>"}, execution={"trigger": {"correlationId": "id"}})
    assert worth("trigger.correlationId", root) == "id"


def test_deployed_server_groups_are_not_there():
    """The name stays as it is; the function says that Masthead deploys to no cloud."""
    assert evaluated("${deployedServerGroups}").value["test"] == "${deployedServerGroups}"
    assert "deploys to none" in refusal("#deployedServerGroups()")
    assert "deploys to none" in refusal("#deployedServerGroups('Deploy')")
    assert "deploys to none" in refusal("#manifestLabelValue('s', 'Deployment', 'app')")


def test_a_stage_sees_its_context_the_execution_and_the_trigger():
    """And nothing else by that name; its context is hidden by the two."""
    execution = {**EXECUTION, "trigger": {"type": "jenkins", "parameters": {}}}
    root = stage_root({"waitTime": 10, "trigger": "mine"}, execution=execution)
    assert worth("waitTime", root) == 10
    assert worth("trigger.type", root) == "jenkins"
    assert worth("execution.name", root) == "release"


def test_to_json_writes_compact_json():
    """As Jackson does."""
    assert (
        worth("#toJson( list )", {"list": [{"a": 1}, {"b": [True, None]}]}) == '[{"a":1},{"b":[true,null]}]'
    )


@pytest.mark.parametrize(
    ("regions", "value"), [("us", True), ("eu", False), ("eu,us", True), ("eu,ap", False)]
)
def test_a_list_made_of_text_can_be_written_as_json_and_searched(regions, value):
    """Methods can be called on what functions give."""
    assert (
        worth('#toJson(list["regions"].split(",")).contains("us")', {"list": {"regions": regions}}) is value
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("#toInt( s )", 17),
        ("#toFloat('7')", 7.0),
        ("#toFloat('7.5')", 7.5),
        ("#toBoolean('TRUE')", True),
        ("#toBoolean('no')", False),
        ("#toBoolean(nothing)", False),
    ],
)
def test_texts_are_turned_into_numbers_and_booleans(expression, value):
    """As Java parses them."""
    result = worth(expression, {"s": "17"})
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(("text", "kind"), [('[ "a" ]', list), ('{ "a":"b" }', dict)])
def test_read_json_gives_a_list_or_a_map(text, kind):
    """By how the text begins."""
    assert isinstance(worth(f"#readJson('{text}')"), kind)


def test_a_stage_is_found_by_name_and_tells_how_it_ended():
    """By dot, by bracket, and as hasSucceeded and hasFailed."""
    assert worth('"succeeded: " + (#stage("deploy")["status"] == "SUCCEEDED")') == "succeeded: false"
    assert worth('#stage("deploy").hasFailed') is True
    assert worth('#stage("deploy").hasSucceeded') is False
    assert worth('#stage("go on?").hasSucceeded') is True


def test_to_json_refuses_what_holds_expressions():
    """Lest they be evaluated by somebody else."""
    stage = {"name": "s", "context": {"comments": "${#toJson(execution)}"}}
    execution = {"id": "E", "trigger": {}, "stages": [stage]}
    result = evaluate_document(
        stage["context"], context(stage_root({}, execution=execution), execution=execution)
    )
    (note,) = result.summary["#toJson(execution)"]
    assert note["level"] == "ERROR"
    assert (
        "Failed to evaluate [comments] result for toJson cannot contain an expression" in note["description"]
    )


def test_the_authenticated_user_can_be_read():
    """From the execution."""
    assert worth('execution["authentication"]["user"].split("@")[0]') == "ann"


def test_a_judgment_is_found_by_name_among_manual_judgments_only():
    """A stage of another type with the same name is passed over."""
    other = {"type": "bake", "name": "mine", "context": {"judgmentInput": "wrong"}}
    judged = {"type": "manualJudgment", "name": "mine", "context": {"judgmentInput": "right"}}
    execution = {"id": "E", "trigger": {}, "stages": [other, judged]}
    assert worth("#judgment('mine')", {}, execution=execution) == "right"
    assert worth("#judgement('mine')", {}, execution=execution) == "right"


@pytest.mark.parametrize("left", ["#stage('go on?').status", "#stage('go on?')['status']"])
def test_a_status_is_its_text(left):
    """It equals it, is rendered as it, and has the methods of a text."""
    assert worth(left) == "SUCCEEDED"
    assert worth(f"{left} == 'SUCCEEDED'") is True
    assert worth(f"'SUCCEEDED' == {left}") is True
    assert worth(f"{left} == 'TERMINAL'") is False
    assert worth(f"{left}.toString() != 'TERMINAL'") is True


@pytest.mark.parametrize(
    ("parameters", "value"), [({}, "none"), ({"other": "x"}, "none"), ({"branch": "main"}, "main")]
)
def test_parameters_are_those_of_the_trigger(parameters, value):
    """Known at the top as well."""
    root = start_root({"parameters": parameters}, None)
    assert worth('parameters["branch"] ?: "none"', root) == value
    assert worth('trigger.parameters["branch"] ?: "none"', root) == value


def test_outputs_of_earlier_stages_stand_in_for_missing_keys():
    """The stage's own key comes first, and nothing is changed by looking."""
    ancestors = {"keyA": "a", "keyB": "b"}
    own = {"keyB": "mine", "manifests": [{"name": "${keyA}", "namespace": "${keyB}"}]}
    root = stage_root(own, execution=EXECUTION, ancestors=ancestors)
    result = evaluate_document(own, context(root))
    assert result.value["manifests"] == [{"name": "a", "namespace": "mine"}]
    assert ancestors == {"keyA": "a", "keyB": "b"}


@pytest.mark.parametrize("name", ["stage", "stageExists", "stageByRefId", "judgment", "judgement"])
def test_functions_that_read_the_execution_need_one(name):
    """A space before the parenthesis does not matter; without an execution (tasks) the sentence says so."""
    assert "Unable to locate" in refusal(f"#{name} ('x')") if name != "stageExists" else True
    assert "execution context is required" in refusal(f"#{name}('x')", {})


def test_a_map_is_written_as_java_writes_it():
    """Also one made in the expression."""
    assert worth("{'foo': 'bar'}.toString()") == "{foo=bar}"


def test_the_length_of_an_expression_is_limited_as_configured():
    """Of one expression, not of the text around it."""
    limits = type(EvaluationContext(root={}).limits)(length=10)
    assert worth("1 + 2", {}, limits=limits) == 3
    assert "more than 10 characters" in refusal("1 + 2 + 3 + 4", {}, limits=limits)
    assert "more than 10,000 characters" in refusal("1" + " + 1" * 2500, {})
