"""Searching executions, finding what failed in them, and evaluating expressions in them, through Gate and Orca."""

from __future__ import annotations

import base64

import pytest
from msgspec.json import encode

from masthead.executions.matching import is_like
from masthead.kernel.clock import ManualClock

RUN = {"application": "demo", "name": "release", "stages": [{"type": "noop"}]}


async def start(demo, **changes) -> str:
    answer = await demo.client.post("/orca/orchestrate", json={**RUN, **changes})
    ref = answer.json()["ref"]
    await demo.ended(ref)
    return ref.rpartition("/")[2]


async def found(demo, query: str = "", path: str = "/applications/demo/executions/search") -> list[str]:
    answer = await demo.client.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()]


def encoded(trigger: object) -> str:
    return base64.b64encode(encode(trigger)).decode()


async def test_executions_are_found_by_what_started_them(demo):
    """By type, event, name, status, time and trigger; at Gate and at Orca."""
    webhook = await start(
        demo, trigger={"type": "webhook", "eventId": "e1", "payload": {"branch": "Main", "tags": ["a", "b"]}}
    )
    manual = await start(demo, name="other", trigger={"type": "manual"})
    everything = [manual, webhook]
    assert await found(demo) == everything
    assert await found(demo, path="/orca/applications/demo/pipelines/search") == everything
    assert await found(demo, path="/applications/*/executions/search") == everything
    assert await found(demo, path="/applications/nope/executions/search") == []
    assert await found(demo, "reverse=true") == [webhook, manual]
    assert await found(demo, "triggerTypes=webhook,git") == [webhook]
    assert await found(demo, "triggerTypes=*") == everything
    assert await found(demo, "eventId=e1") == [webhook]
    assert await found(demo, "pipelineName=other") == [manual]
    assert await found(demo, "statuses=TERMINAL") == []
    assert await found(demo, "triggerTimeStartBoundary=99999999999999") == []
    assert await found(demo, "triggerTimeEndBoundary=1") == []
    trigger = encoded({"payload": {"branch": "Ma.*", "tags": ["b"]}})
    assert await found(demo, f"trigger={trigger}") == [webhook]


async def test_the_second_page_is_what_comes_after_the_first(demo):
    """Where Orca counts what it passes over among what it gives."""
    ids = [await start(demo, name=f"p{number}") for number in range(3)]
    assert await found(demo, "size=1") == [ids[2]]
    assert await found(demo, "size=1&startIndex=2") == [ids[0]]
    assert await found(demo, "size=5&startIndex=3") == []


async def test_a_search_gives_little_unless_it_is_asked_for_all(demo):
    """expand=false is the default."""
    await start(demo)
    path = "/applications/demo/executions/search"
    reduced = (await demo.client.get(path)).json()[0]["stages"][0]
    assert (reduced["tasks"], reduced["context"]) == ([], {})
    assert (await demo.client.get(f"{path}?expand=true")).json()[0]["stages"][0]["tasks"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("triggerTimeStartBoundary=-1", "triggerTimeStartBoundary must be >= 0: triggerTimeStartBoundary=-1"),
        ("triggerTimeEndBoundary=x", "triggerTimeEndBoundary must be >= 0: triggerTimeEndBoundary=x"),
        ("startIndex=-5", "startIndex must be >= 0: startIndex=-5"),
        ("size=0", "size must be > 0: size=0"),
        ("trigger=%25", "trigger must be the base64 of a JSON object."),
        (f"trigger={encoded([1])}", "trigger must be the base64 of a JSON object."),
    ],
)
async def test_a_search_that_cannot_be_meant_is_refused_in_orcas_words(demo, query, message):
    """400 with the parameter's name."""
    answer = await demo.client.get(f"/applications/demo/executions/search?{query}")
    assert (answer.status_code, answer.json()["message"]) == (400, message)


@pytest.mark.parametrize(
    ("wanted", "value", "result"),
    [
        ({}, {"a": 1}, True),
        ({"a": "MAIN"}, {"a": "main", "b": 1}, True),
        ({"a": "m.*n"}, {"a": "main"}, True),
        ({"a": "ai"}, {"a": "main"}, False),
        ({"a": "("}, {"a": "main"}, False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": {"b": 1}}, {"a": 1}, False),
        ({"b": 1}, {"a": 1}, False),
        (["a.*", "ab"], ["ab", "ac"], True),
        (["a", "a"], ["a", "b"], False),
        ([1], 1, False),
        ({"a": "(x+x+)+y"}, {"a": "x" * 60}, False),
    ],
)
def test_what_is_like_what(wanted, value, result):
    """A subset: texts as patterns, other values equal, each element of a list by one of its own."""
    assert is_like(wanted, value) is result


async def test_executions_are_found_by_their_correlation_id(demo):
    """One cause may have led to several, one after the other."""
    ids = [await start(demo, trigger={"correlationId": "c1"}) for _ in range(2)]
    assert await found(demo, path="/orca/executions/correlated/c1") == ids[::-1]
    assert await found(demo, path="/orca/executions/correlated/c2") == []


async def test_the_stage_that_failed_is_found_in_the_child_that_failed(demo):
    """With the names of parent and child and links into Deck."""
    child = await demo.pipeline(
        "child", stages=[{"type": "checkPreconditions", "refId": "1", "preconditions": [{"type": "moon"}]}]
    )
    parent_id = await start(demo, stages=[{"type": "pipeline", "pipeline": child["id"], "name": "call"}])
    query = f"executionId={parent_id}&deckOrigin=https://deck.example.com"
    for path in ("/executions/failedStages", "/orca/pipelines/failedStages"):
        (failure,) = (await demo.client.get(f"{path}?{query}")).json()
        assert failure["stageName"] == "Check precondition (moon)"
        assert failure["pipelineExecutionName"] == "child"
        assert failure["parentPipelineExecutionId"] == parent_id
        assert failure["parentPipelineExecutionUrl"] == (
            f"https://deck.example.com/#/applications/demo/executions/details/{parent_id}"
        )
        errors = failure["stageException"]["details"]["errors"]
        assert errors == ["no Precondition implementation for type moon"]
    assert (await demo.client.get("/executions/failedStages?executionId=nope")).status_code == 404


async def test_expressions_are_evaluated_in_an_execution(demo):
    """By query, as text and as JSON; at a stage; what does not resolve is told in detail."""
    execution_id = await start(demo, trigger={"type": "manual", "parameters": {"env": "prod"}})
    stage = (await demo.client.get(f"/pipelines/{execution_id}")).json()["stages"][0]["id"]
    for door in ("", "/orca"):
        path = f"{door}/pipelines/{execution_id}"
        params = {"expression": "${trigger.parameters.env + '!'}"}
        answer = await demo.client.get(f"{path}/evaluateExpression", params=params)
        assert answer.json() == {"result": "prod!", "detail": None}
        answer = await demo.client.post(f"{path}/evaluateExpression", json={"expression": "${1 + 1}"})
        assert answer.json()["result"] == 2
        answer = await demo.client.post(
            f"{path}/evaluateExpression", content="${execution.name}", headers={"Content-Type": "text/plain"}
        )
        assert answer.json()["result"] == "release"
        answer = await demo.client.get(f"{path}/{stage}/evaluateExpression", params={"expression": "${1 +}"})
        assert answer.json()["result"] == "${1 +}"
        assert answer.json()["detail"]
        answer = await demo.client.get(f"{path}/nope/evaluateExpression", params=params)
        assert answer.status_code == 404
        assert answer.json()["message"] == f"Stage nope not found in execution {execution_id}"
        assert (await demo.client.get(f"{path}/evaluateExpression")).status_code == 400


async def test_variables_are_evaluated_in_an_execution(demo):
    """Those before are seen with v4; another version than there is is refused in Orca's words."""
    execution_id = await start(demo)
    path = f"/pipelines/{execution_id}/evaluateVariables"
    body = [{"key": "a", "value": "${1 + 1}"}, {"key": "b", "value": "${a + 1}"}]
    answer = await demo.client.post(f"{path}?spelVersion=v4", json=body)
    assert [each["value"] for each in answer.json()["result"]] == [2, 3]
    answer = await demo.client.post(f"{path}?spelVersion=v9", json=body)
    assert answer.json()["message"] == "SpEL evaluator version v9 is not supported"
    answer = await demo.client.post(f"/pipelines/x/evaluateVariables?executionId={execution_id}", json=body)
    assert answer.status_code == 200


async def test_a_pipeline_that_could_not_be_started_is_recorded(demo):
    """Echo tells Orca so: TERMINAL, never begun, with the reason."""
    answer = await demo.client.post("/orca/fail", json={**RUN, "errorMessage": "no artifact"})
    assert (answer.status_code, answer.content) == (200, b"")
    (execution_id,) = await found(demo)
    failed = (await demo.client.get(f"/pipelines/{execution_id}")).json()
    assert (failed["status"], failed["cancellationReason"]) == (
        "TERMINAL",
        "Failed on startup: no artifact",
    )


class Hurried(ManualClock):
    """A clock that goes on by 20 ms whenever somebody looks."""

    def monotonic(self):
        self._elapsed += 0.02
        return self._elapsed


async def test_a_search_that_compares_for_too_long_is_refused(demo):
    """With what to do; a short one at the same pace is not."""
    made = await start(demo, trigger={"payload": {"many": [[n] for n in range(100)]}})
    demo.services.executions._clock = Hurried()
    assert await found(demo, f"trigger={encoded({'payload': {'many': [[7]]}})}") == [made]
    long = encoded({"payload": {"many": [[n] for n in range(50, 90)]}})
    answer = await demo.client.get(f"/applications/demo/executions/search?trigger={long}")
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/trigger")
    assert "takes too long" in answer.json()["message"]


async def test_very_many_at_once_are_refused(demo):
    """Variables to evaluate, and pipelines to save: nothing of them is done."""
    execution_id = await start(demo)
    for method, path, document in (
        ("POST", f"/orca/pipelines/{execution_id}/evaluateVariables", {"key": "a", "value": "${1}"}),
        ("POST", "/front50/pipelines/batchUpdate", {"application": "demo", "name": "n", "stages": []}),
    ):
        answer = await demo.client.request(method, path, json=[document] * 1001)
        assert (answer.status_code, answer.json()["message"][:13]) == (400, "At most 1,000")
    assert await demo.services.pipelines.list_all() == []
