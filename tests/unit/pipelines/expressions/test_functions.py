"""The functions written with ``#`` (compatibility facts, 4.10.4), also those that ask the outside."""

from __future__ import annotations

import pytest

from masthead.kernel.errors import MastheadError
from masthead.pipelines.expressions import FakeOutside, Nothing, capabilities, resolve
from masthead.pipelines.expressions.functions import FUNCTIONS, MISSING
from support.expressing import EXECUTION, attempt, context, refusal, worth


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("#toJson({a: 1.5, b: {true, null}})", '{"a":1.5,"b":[true,null]}'),
        ("#toJson('x')", '"x"'),
        ("#toJson(#doNotEval({a: '${b}'}))", '{"a":"${b}"}'),
        ("#doNotEval('${b}')", "${b}"),
        ("#fetchReference('ref://x')", "ref://x"),
        ("#toInt(' 1'.trim())", 1),
        ("#alphanumerical('Feature/ABC-1_ü')", "FeatureABC1"),
        ("#readJson('[1, {\"a\": null}]')[1].containsKey('a')", True),
        ("#readYaml('a: [1, yes, 2020-01-02, {2: x}]')", {"a": [1, True, "2020-01-02", {"2": "x"}]}),
        ("#readAllYaml('---\na: 1\n---\nb: 2\n')", [{"a": 1}, {"b": 2}]),
        ("#stageExists('deploy') and #stageExists('01DEPLOY') and !#stageExists('x')", True),
        ("#stage('01DEPLOY').context.webhook.monitor.error", "no room"),
        ("#stage('deploy').outputs.version", "1.2.3"),
        ("#stageByRefId('2').name", "go on?"),
        ("#currentStage().name", "page"),
        ("#currentUser()", "ann@example.com"),
        ("#judgment('go on?')", "roll back"),
        ("#triggerResolvedArtifact('web').reference", "web:1.2.3"),
        ("#triggerResolvedArtifactByType('helm/chart').name", "chart"),
        ("#resolvedArtifacts().![name]", ["web", "chart"]),
    ],
)
def test_functions_that_need_nothing_from_outside(expression, value):
    """What they give."""
    assert worth(expression) == value


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("#toJson({a: '${b}'})", "result for toJson cannot contain an expression"),
        ("#readJson('nonsense')", "#readJson(nonsense) failed"),
        ("#readJson('1')", "neither a list nor a map"),
        ("#readYaml('---\na: 1\n---\nb: 2\n')", "expected a single document"),
        ("#readYaml('!!python/object/apply:os.system [ls]')", "could not determine a constructor"),
        ("#readYaml('!!javax.script.ScriptEngineManager [x]')", "could not determine a constructor"),
        ("#readYaml('a: [')", "failed"),
        ("#stage('x')", "Unable to locate [x] using #stage(x) in execution 01EXECUTION"),
        ("#stageByRefId('9')", "Unable to locate [9] using #stageByRefId(9) in execution 01EXECUTION"),
        ("#judgment('deploy')", "Unable to locate manual Judgment stage [deploy]"),
        ("#triggerResolvedArtifact('x')", "No artifact with name x found in trigger"),
        ("#triggerResolvedArtifactByType('x')", "No artifact with type x found in trigger"),
        ("#cfServiceKey('x')", "Masthead deploys to none"),
        ("#canaryConfigNameToId('x')", "Masthead deploys to none"),
    ],
)
def test_functions_that_fail_say_why(expression, sentence):
    """As a helper's failure."""
    ((note,),) = attempt(expression).summary.values()
    assert sentence.replace("$", "") in note["description"]
    assert note["exceptionType"] == "com.netflix.spinnaker.kork.expressions.SpelHelperFunctionException"


def test_the_current_stage_must_be_known():
    """When a pipeline starts, or in a task, there is none."""
    assert "execution context is required" in refusal("#currentStage()", {}, execution=EXECUTION)
    assert "No stage found with id 'x'" in refusal("#currentStage()", {}, execution=EXECUTION, stage_id="x")
    assert worth("#currentUser()", {}) == "anonymous"


async def told(expression, outside):
    return await resolve({"test": "${" + expression + "}"}, context(), outside)


OUTSIDE = FakeOutside(
    urls={
        "https://a.example/text": "hello",
        "https://a.example/json": '{"tag": "v1"}',
        "https://a.example/yaml": "tag: v2",
        "https://a.example/properties": "# c\na=1\nb : two \\\n  lines\nc\\ d=\\u00fc\n! no\nempty\n",
        "https://a.example/refused": MastheadError("Host not allowed: a.example"),
    },
    applications={"checkout": {"name": "CHECKOUT", "email": "team@example.com"}},
    pipeline_ids={("checkout", "release"): "id-1", ("other", "nightly"): "id-2"},
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("#fromUrl('https://a.example/text')", "hello"),
        ("#jsonFromUrl('https://a.example/json').tag", "v1"),
        ("#yamlFromUrl('https://a.example/yaml').tag", "v2"),
        (
            "#propertiesFromUrl('https://a.example/properties')",
            {"a": "1", "b": "two lines", "c d": "ü", "empty": ""},
        ),
        ("#pipelineId('release')", "id-1"),
        ("#pipelineIdOrNull('release')", "id-1"),
        ("#pipelineIdOrNull('nightly') ?: 'none'", "none"),
        ("#pipelineIdInApplication('nightly', 'other')", "id-2"),
        ("#pipelineIdInApplication('nightly', 'unknown') == null", True),
        ("#applicationMetadata('checkout').email", "team@example.com"),
        (
            "#fromUrl('https://a.example/' + #jsonFromUrl('https://a.example/json').tag.replace('v1', 'text'))",
            "hello",
        ),
    ],
)
async def test_the_outside_is_asked_and_the_expression_goes_on_with_the_answer(expression, value):
    """Also when one answer leads to the next question."""
    evaluated = await told(expression, OUTSIDE)
    assert evaluated.summary == {}
    assert evaluated.value == {"test": value}


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (
            "#fromUrl('https://a.example/refused')",
            "Host not allowed: a.example - #from(https://a.example/refused) failed",
        ),
        ("#jsonFromUrl('https://a.example/text')", "#readJson(hello) failed"),
        (
            "#propertiesFromUrl('https://a.example/refused')",
            "#propertiesFromUrl(https://a.example/refused) failed",
        ),
        ("#pipelineId('x')", "Pipeline with name 'x' could not be found on application checkout"),
        ("#applicationMetadata('x')", "Application metadata for application 'x' could not be retrieved"),
    ],
)
async def test_what_the_outside_refuses_is_an_error(expression, sentence):
    """With Orca's sentence."""
    evaluated = await told(expression, OUTSIDE)
    ((note,),) = evaluated.summary.values()
    assert sentence in note["description"]


@pytest.mark.parametrize("expression", ["#fromUrl('u')", "#pipelineId('p')", "#applicationMetadata('a')"])
async def test_without_an_outside_every_question_is_refused(expression):
    """As when a pipeline is only checked."""
    ((note,),) = (await told(expression, Nothing())).summary.values()
    assert "Expressions here cannot" in note["description"]


async def test_equal_questions_are_asked_once():
    """However often they stand in a document."""
    outside = FakeOutside(urls={"u": "x"})
    evaluated = await resolve({"a": "${#fromUrl('u')}", "b": ["${#fromUrl('u')} again"]}, context(), outside)
    assert evaluated.value == {"a": "x", "b": ["x again"]}
    assert outside.asked == [("url", "u")]


async def test_the_number_of_questions_is_limited():
    """Twenty for one document; the others are refused, and the rest of the document resolves."""
    outside = FakeOutside(urls={f"u{number}": "x" for number in range(30)})
    source = {f"k{number}": f"${{#fromUrl('u{number}')}}" for number in range(30)}
    evaluated = await resolve(source, context(), outside)
    assert len(outside.asked) == 20
    assert len(evaluated.summary) == 10
    assert sum(value == "x" for value in evaluated.value.values()) == 20


def test_every_function_is_known():
    """The list of section 4.10.4."""
    names = (
        "toJson doNotEval fetchReference toInt toFloat toBoolean toBase64 fromBase64 alphanumerical readJson readYaml "
        "readAllYaml fromUrl jsonFromUrl yamlFromUrl propertiesFromUrl stage stageExists stageByRefId currentStage "
        "currentUser judgment judgement pipelineId pipelineIdOrNull pipelineIdInApplication applicationMetadata "
        "triggerResolvedArtifact triggerResolvedArtifactByType resolvedArtifacts deployedServerGroups "
        "manifestLabelValue cfServiceKey canaryConfigNameToId"
    )
    assert set(FUNCTIONS) == set(names.split())


def test_the_functions_are_listed_with_what_they_take():
    """All that can be called, each with a sentence; those about clouds cannot."""
    listed = {each["name"]: each for each in capabilities()["functions"]}
    assert set(listed) == set(FUNCTIONS) - set(MISSING)
    assert all(each["description"].endswith(".") for each in listed.values())
    assert listed["pipelineIdInApplication"]["parameters"] == [
        {"name": "name", "type": "String"},
        {"name": "application", "type": "String"},
    ]
    assert listed["toJson"]["parameters"] == [{"name": "value", "type": "Object"}]
    assert capabilities()["spelEvaluators"] == [{"versionKey": "v3"}, {"versionKey": "v4"}]
