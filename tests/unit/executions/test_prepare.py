"""From what was posted to an execution."""

from __future__ import annotations

import pytest

from masthead.executions.model import to_document
from masthead.executions.prepare import refusal, tasks_to_run, to_run
from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.ids import SequentialIds

ANN = Caller(user="ann@example.com", origin="deck", address="10.0.0.1", request_id="r1")


def prepared(config: dict, caller: Caller = ANN):
    return to_run(config, caller, ids=SequentialIds(), now_ms=1000)


def tasks(body, caller: Caller = ANN):
    return tasks_to_run(body, caller, ids=SequentialIds(), now_ms=1000)


def test_a_pipeline_becomes_an_execution():
    """The fields that Orca copies, the trigger's defaults, and a stage's rest as its context."""
    execution = prepared(
        {
            "id": "p1",
            "application": "demo",
            "name": "release",
            "limitConcurrent": True,
            "maxConcurrentExecutions": 3,
            "keepWaitingPipelines": True,
            "notifications": [{"type": "slack"}],
            "spelEvaluator": "v4",
            "trigger": {"eventId": "e1", "parameters": {"a": 1}},
            "stages": [{"refId": "1", "type": "wait", "name": "hold", "waitTime": 3, "comments": "x"}],
        }
    )
    document = to_document(execution)
    assert document["rootId"] == document["id"]
    assert document["pipelineConfigId"] == "p1"
    assert document["authentication"] == {"user": "ann@example.com"}
    assert document["origin"] == "deck"
    assert document["buildTime"] == 1000
    assert (document["limitConcurrent"], document["maxConcurrentExecutions"]) == (True, 3)
    assert document["keepWaitingPipelines"] is True
    assert document["trigger"] == {
        "type": "manual",
        "user": "ann@example.com",
        "eventId": "e1",
        "parameters": {"a": 1},
        "artifacts": [],
        "notifications": [],
        "rebake": False,
        "dryRun": False,
        "strategy": False,
        "resolvedExpectedArtifacts": [],
    }
    (stage,) = document["stages"]
    assert stage["name"] == "hold"
    assert stage["context"] == {"waitTime": 3, "comments": "x"}
    assert document["masthead"] == {"address": "10.0.0.1", "requestId": "r1"}


def test_an_anonymous_caller_is_written_as_orca_does():
    """The execution's user is anonymous, the trigger's is [anonymous]."""
    execution = prepared({"stages": [{"type": "wait"}]}, ANONYMOUS)
    assert (execution.user, execution.trigger["user"]) == ("anonymous", "[anonymous]")
    assert execution.application == "spinnaker"


def test_parameters_take_their_defaults_only_when_they_are_not_named():
    """A supplied null or empty text counts as supplied; parameters that nobody declared stay."""
    config = {
        "parameterConfig": [{"name": n, "default": "d"} for n in ("a", "b", "c")] + [{"name": "e"}],
        "trigger": {"parameters": {"a": None, "b": "", "x": 1}},
        "stages": [{"type": "wait"}],
    }
    assert prepared(config).trigger["parameters"] == {"a": None, "b": "", "x": 1, "c": "d", "e": None}


def test_stages_without_any_ref_id_run_one_after_the_other():
    """0, 1, … each after the one before; when one has a refId, nothing is assigned."""
    plain = prepared({"stages": [{"type": "wait"}, {"type": "wait"}]}).stages
    mixed = prepared({"stages": [{"type": "wait", "refId": 7}, {"type": "wait"}]}).stages
    assert [(s.ref_id, s.requisite_stage_ref_ids) for s in plain] == [("0", []), ("1", ["0"])]
    assert [(s.ref_id, s.requisite_stage_ref_ids) for s in mixed] == [("7", []), (None, [])]


@pytest.mark.parametrize(
    ("config", "message", "pointer"),
    [
        (
            {"name": "n", "application": "a", "stages": [{"name": "s"}]},
            "type missing from pipeline 'n' in application 'a', stage name: 's'",
            "/stages/0/type",
        ),
        ({"stages": {}}, "`stages` must be a list.", "/stages"),
        ({"stages": ["x"]}, "Stage 1 must be a JSON object.", "/stages/0"),
        (
            {"stages": [{"type": "wait", "requisiteStageRefIds": [None]}]},
            "requisiteStageRefIds of stage 'wait' must be a list of refIds.",
            "/stages/0/requisiteStageRefIds",
        ),
        (
            {"trigger": {"parameters": []}},
            "The trigger's parameters must be an object.",
            "/trigger/parameters",
        ),
        (
            {"stages": [{"type": "wait", "requisiteStageRefIds": "1"}]},
            "requisiteStageRefIds of stage 'wait' must be a list of refIds.",
            "/stages/0/requisiteStageRefIds",
        ),
    ],
)
def test_a_pipeline_that_cannot_be_understood_is_refused(config, message, pointer):
    """With the sentence, and the pointer to the field."""
    with pytest.raises(InvalidRequest) as caught:
        prepared(config)
    assert (caught.value.message, caught.value.pointer) == (message, pointer)


def test_disabled_pipelines_and_those_with_errors_are_refused():
    """Orca's sentence for disabled ones, the templates' errors for the others."""
    assert refusal({"disabled": True}) == "Pipeline is disabled and cannot be started."
    assert refusal({"errors": [{"message": "no such template"}]}) == "no such template"
    assert refusal({"disabled": False, "errors": []}) is None


def test_jobs_become_a_task():
    """A job's type is the stage's type and name; the rest is its context; jobs run in their order."""
    execution = tasks(
        {
            "application": "demo",
            "description": "Send Page",
            "job": [{"type": "wait", "user": "ann"}, {"type": "wait", "name": "ignored"}],
            "trigger": {"notifications": [{"type": "slack"}]},
        }
    )
    document = to_document(execution)
    assert document["type"] == "ORCHESTRATION"
    assert document["description"] == "Send Page"
    assert "rootId" not in document
    assert document["notifications"] == [{"type": "slack"}]
    assert [stage["name"] for stage in document["stages"]] == ["wait", "wait"]
    assert document["stages"][0]["context"] == {"user": "ann"}
    assert document["stages"][1]["requisiteStageRefIds"] == ["0"]


@pytest.mark.parametrize(
    ("body", "application"),
    [
        ([{"type": "createApplication", "application": {"name": "billing"}}], "billing"),
        ({"job": [{"type": "pageApplicationOwner", "applications": ["demo"]}]}, "demo"),
        ({"job": [{"type": "pageApplicationOwner", "applications": ["a", "b"]}]}, "spinnaker"),
        ({"application": "given", "job": [{"type": "wait"}]}, "given"),
    ],
)
def test_application_and_description_are_optional(body, application):
    """What is missing is taken from the first job, else from the application spinnaker."""
    execution = tasks(body)
    assert execution.application == application
    assert execution.description == execution.stages[0].type


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("text", ""),
        ({}, "/job"),
        ([], "/job"),
        ({"job": "x"}, "/job"),
        ({"job": [{"type": "wait"}, {"x": 1}]}, "/job/1/type"),
    ],
)
def test_tasks_that_cannot_be_understood_are_refused(body, pointer):
    """No job, something that is no list, and a job without type."""
    with pytest.raises(InvalidRequest) as caught:
        tasks(body)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("digits", ["9" * 16, "9" * 5000])
def test_an_expiry_beyond_all_calendars_never_comes(digits):
    """Of the execution and of a stage; a number beyond Java's is the largest."""
    stage = {"type": "noop", "startTimeExpiry": digits}
    execution = prepared({"startTimeExpiry": digits, "maxConcurrentExecutions": 10**25, "stages": [stage]})
    assert (execution.start_time_expiry, execution.stages[0].start_time_expiry) == (None, None)
    assert execution.max_concurrent_executions == 2**31 - 1


@pytest.mark.parametrize(
    ("given", "expected"), [("5", 5), (2.0, 2), ("-1", 0), (-1, 0), (True, 0), ("many", 0), (None, 0)]
)
def test_how_many_may_run_at_once_is_read_as_front50_reads_it(given, expected):
    """Digits in a text are a number; without one there is no limit."""
    execution = prepared({"maxConcurrentExecutions": given, "stages": [{"type": "noop"}]})
    assert execution.max_concurrent_executions == expected


@pytest.mark.parametrize("execution_id", ["a/b", "..", "x" * 101, "x y", "é"])
def test_an_execution_id_that_no_path_can_hold_is_refused(execution_id):
    """With the field's name; an upper-case ULID, a UUID and a word are ids."""
    for make in (prepared, lambda body: tasks({"job": [{"type": "wait"}], **body})):
        with pytest.raises(InvalidRequest, match="`executionId` must be") as error:
            make({"executionId": execution_id})
        assert error.value.pointer == "/executionId"
    assert prepared({"executionId": "6F9619FF-8B86-D011-B42D-00CF4FC964FF"}).id.startswith("6F96")
