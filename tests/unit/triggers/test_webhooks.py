"""Pipelines that start when somebody posts what they wait for."""

from __future__ import annotations

import asyncio

import pytest

from masthead.kernel.caller import Caller
from masthead.kernel.clock import ManualClock
from masthead.kernel.errors import StorageUnavailable

CI = Caller(user="mallory", origin="api", address="10.1.2.3", request_id="r-1")


def hook(source: str = "ci", **fields) -> dict:
    return {"type": "webhook", "enabled": True, "source": source, **fields}


async def post(bench, body: dict, *, kind: str = "webhook", source: str = "ci", **options) -> str:
    event_id = await bench.triggers.webhooks.take(kind, source, body, caller=CI, **options)
    await bench.idle()
    return event_id


async def test_a_payload_starts_the_pipelines_that_wait_for_its_source(bench):
    """Each once, as nobody in particular, with the payload, its parameters and the event's id; not the others."""
    await bench.save(
        "one", hook(), hook(comment="satisfied as well"), parameterConfig=[{"name": "env", "default": "dev"}]
    )
    await bench.save("two", hook())
    for name, trigger in (("elsewhere", hook("CI")), ("off", hook(enabled=False))):
        await bench.save(name, trigger)
    await bench.save("stopped", hook(), disabled=True)
    body = {"parameters": {"version": 7}, "ref": "main", "artifacts": [{"type": "docker"}]}
    event_id = await post(bench, body)
    (run,) = await bench.runs("one")
    trigger = run["trigger"]
    assert (trigger["type"], trigger["source"], trigger["eventId"]) == ("webhook", "ci", event_id)
    assert (trigger["payload"], trigger["parameters"]) == (body, {"version": 7, "env": "dev"})
    assert trigger["artifacts"] == [{"type": "docker"}]
    assert (trigger["user"], run["authentication"]["user"]) == ("anonymous", "anonymous")
    assert [len(await bench.runs(name)) for name in ("two", "elsewhere", "off", "stopped")] == [1, 0, 0, 0]


async def test_it_runs_in_the_name_that_the_trigger_says(bench):
    """Not in that of whoever posts."""
    await bench.save("p", hook(runAsUser="ci@example.com"))
    await post(bench, {"user": "admin", "trigger": {"user": "admin"}})
    (run,) = await bench.runs("p")
    assert (run["authentication"]["user"], run["trigger"]["user"]) == ("ci@example.com", "ci@example.com")


@pytest.mark.parametrize(("kind", "count"), [("webhook", 1), ("WebHook", 1), ("git", 0), ("", 0)])
async def test_the_type_in_the_url_must_be_webhook(bench, kind, count):
    """In any case; Echo compares it with the trigger's own type."""
    await bench.save("p", hook())
    await post(bench, {}, kind=kind)
    assert len(await bench.runs("p")) == count


@pytest.mark.parametrize(
    ("constraints", "holds"),
    [
        ({"ref": "main"}, True),
        ({"ref": "^main$"}, False),
        ({"ref": "(?i)REFS/HEADS"}, True),
        ({"count": "^3$"}, True),
        ({"ratio": "^1.0$"}, True),
        ({"flag": "^true$"}, True),
        ({"repository": "name=search"}, True),
        ({"tags": r"^\[a, b\]$"}, True),
        ({"$.repository.name": "^search$"}, True),
        ({"repository.name": "^search$"}, True),
        ({"$.commits[*].author": "^ann$"}, True),
        ({"$.commits[*].author": "^eve$"}, False),
        ({"$.commits[?(@.size > 5)].author": "bob"}, True),
        ({"$.count": "3"}, False),
        ({"missing": ".*"}, False),
        ({"$.nothing.there": ".*"}, False),
        ({"empty": ".*"}, False),
        ({"$.commits[": ".*"}, False),
        ({"ref": "main", "count": "4"}, False),
        ({}, True),
        (None, True),
        ({"ref": None}, False),
        ({"$.evil": "^(a+)+$"}, False),
    ],
)
async def test_constraints_are_found_in_members_or_by_json_path(bench, constraints, holds):
    """A member's text as Java writes it, or the texts that a path leads to; what cannot be read holds for nothing."""
    await bench.save("p", hook(payloadConstraints=constraints))
    body = {
        "ref": "refs/heads/main", "count": 3, "ratio": 1.0, "flag": True, "empty": None, "tags": ["a", "b"],
        "repository": {"name": "search"}, "evil": "a" * 5000 + "b",
        "commits": [{"author": "ann", "size": 1}, {"author": "bob", "size": 9}],
    }  # fmt: skip
    await post(bench, body)
    assert len(await bench.runs("p")) == holds


async def test_what_is_posted_is_data(bench):
    """Expressions in payload and parameters stay text; a stage reads them as such."""
    told = {"type": "evaluateVariables", "variables": [{"key": "b", "value": "${trigger.payload.branch}"}]}
    await bench.save("p", hook(), stages=[told], parameterConfig=[{"name": "d", "default": "${1 + 1}"}])
    evil = "${#toJson(execution)}"
    await post(bench, {"branch": evil, "parameters": {"x": "${T(java.lang.Math).PI}"}})
    (run,) = await bench.runs("p")
    assert run["trigger"]["parameters"] == {"x": "${T(java.lang.Math).PI}", "d": 2}
    assert run["stages"][0]["outputs"]["b"] == evil


async def test_without_a_source_in_the_url_the_payload_is_not_passed_on(bench):
    """Only its parameters."""
    await bench.save("p", hook())
    await post(bench, {"source": "ci", "parameters": {"a": 1}}, has_payload=False)
    (run,) = await bench.runs("p")
    assert ("payload" in run["trigger"], run["trigger"]["parameters"]) == (False, {"a": 1})


async def test_two_posts_are_two_events_and_the_same_body_starts_twice(bench):
    """Nothing in a payload says that it is another's repetition."""
    await bench.save("p", hook())
    events = await asyncio.gather(post(bench, {"a": 1}), post(bench, {"a": 1}))
    assert len(set(events)) == 2
    assert {one["trigger"]["eventId"] for one in await bench.runs("p")} == set(events)


async def test_a_pipeline_that_cannot_start_keeps_no_other_from_it(bench):
    """A stage without a type, or artifacts that it expects: the log says so."""
    await bench.save("broken", hook(), stages=[{"name": "no type"}])
    await bench.save("choosy", hook(expectedArtifactIds=["a"]))
    await bench.save("sound", hook())
    await post(bench, {"parameters": "no object"})
    assert [len(await bench.runs(name)) for name in ("broken", "choosy", "sound")] == [0, 0, 1]


async def test_a_database_that_fails_is_told_to_whoever_posts(bench, monkeypatch):
    """So that it is posted again."""
    await bench.save("p", hook())

    async def fails(*_args, **_kwargs):
        raise StorageUnavailable("away")

    monkeypatch.setattr(bench.executions, "start_pipeline", fails)
    with pytest.raises(StorageUnavailable):
        await post(bench, {})


class Hurried(ManualClock):
    """A clock that goes on by 20 ms whenever somebody looks."""

    def monotonic(self):
        self._elapsed += 0.02
        return self._elapsed


async def test_constraints_that_take_too_long_start_nothing_and_keep_no_other_from_it(bench):
    """All those of a pipeline together have a second; whoever posts waits no longer for them."""
    bench.triggers.webhooks._clock = Hurried()
    many = {str(number): "x" for number in range(100)}
    few = {str(number): "x" for number in range(10)}
    await bench.save("long", hook(payloadConstraints=many))
    await bench.save("many", *(hook(payloadConstraints={"0": "y"}) for _ in range(100)), hook())
    await bench.save("short", hook(payloadConstraints=few))
    await post(bench, dict.fromkeys(many, "x"))
    counts = [len(await bench.runs(name)) for name in ("long", "many", "short")]
    assert counts == [0, 0, 1]
