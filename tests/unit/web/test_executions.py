"""The page of an execution: what it says, what can be done there, what is refused, and the stream that keeps it fresh."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from masthead.api import create_app
from masthead.kernel.caller import Caller
from masthead.kernel.clock import SystemClock
from masthead.kernel.secret import Secret
from masthead.paging import Page
from masthead.web import pages
from masthead.web.executions_live import Live
from masthead.web.executions_view import view_of
from support.doors import CHECKOUT_KEY, UNKNOWN_KEY, House, client_of, web_services

ANN = Caller(user="ann@example.com")
FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}
JUDGE = {
    "type": "manualJudgment", "refId": "1", "name": "Keep <it>?", "instructions": "Look at the errors.",
    "judgmentInputs": [{"value": "all"}, {"value": "eu only"}],
}  # fmt: skip
PAGE = {
    "type": "pageApplicationOwner", "refId": "1", "name": "Tell", "keys": [CHECKOUT_KEY, UNKNOWN_KEY],
    "message": "It is down",
}  # fmt: skip


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(house.services, mounts=pages(web_services(house)))
    async with client_of(app) as client:
        yield client


async def started(house: House, *stages: dict[str, Any], **config: Any) -> str:
    """Start a run and give its id."""
    document = {"application": "demo", "name": "release", "stages": list(stages), **config}
    return await house.services.executions.start_pipeline(document, ANN)


async def settled(house: House, execution: str, *, status: str = "RUNNING") -> dict[str, Any]:
    """Give the run once a stage of it has *status*, or it ended."""
    changed = house.services.executions.changes.subscribe(execution)
    try:
        async with asyncio.timeout(20):
            while True:
                changed.clear()
                found = await house.services.executions.get_pipeline(execution)
                tasks = [task["status"] for stage in found["stages"] for task in stage["tasks"]]
                if status in tasks or found["status"] not in ("NOT_STARTED", "RUNNING"):
                    return found
                await changed.wait()
    finally:
        house.services.executions.changes.leave(execution, changed)


async def ended(house: House, execution: str) -> dict[str, Any]:
    """Give the run once it has ended."""
    found = await house.services.executions.wait(execution, 20)
    assert found["status"] not in ("NOT_STARTED", "RUNNING", "PAUSED"), found["status"]
    return found


# -- what it says -----------------------------------------------------------------------------------


async def test_a_failed_run_says_why_in_full(house, browser):
    """The stage that failed is the one that is shown, with every sentence; nothing is followed any more."""
    execution = await started(house, {"type": "noop", "refId": "1"}, {
        "type": "pageApplicationOwner", "refId": "2", "requisiteStageRefIds": ["1"], "name": "Tell",
        "applications": ["nope"], "message": "x",
    })  # fmt: skip
    await ended(house, execution)
    text = (await browser.get(f"/ui/executions/{execution}")).text
    assert "nope does not have a pager duty service key." in text
    assert "There is no application called nope." in text
    assert 'aria-label="Tell, Page application owner, failed' in text
    assert "hx-sse:connect" not in text
    assert "Run again" not in text, "it is of no stored pipeline"


async def test_a_run_that_waits_for_somebody_says_so_wherever_it_is_listed(house, browser):
    """Nobody should wait for what waits for them."""
    await house.application("demo")
    given = await house.pipeline("release", stages=[JUDGE])
    execution = await house.services.executions.start_pipeline(given, ANN)
    await settled(house, execution)
    at = "/ui/applications/demo"
    for place in (f"{at}/pipelines", "/ui/pipelines", "/ui/", "/ui/applications", at):
        text = (await browser.get(place)).text
        assert re.search(r'#i-person"></use></svg>waits for judgment<', text), place
        assert "</svg>running<" not in text, place
    text = (await browser.get(f"/ui/executions/{execution}")).text
    heading = text.partition("<h1>")[2].partition("</h1>")[0]
    assert ("waits for judgment" in heading, "running" in heading) == (True, False)
    assert "<title>release: waits for judgment" in text


async def test_a_page_shows_what_became_of_each_delivery_and_no_key(house, browser):
    """By the service's name; the context shows labels in the keys' place."""
    execution = await started(house, PAGE)
    await ended(house, execution)
    text = (await browser.get(f"/ui/executions/{execution}")).text
    assert "accepted by PagerDuty" in text
    assert ">Checkout<" in text
    assert CHECKOUT_KEY not in text
    assert UNKNOWN_KEY not in text


async def test_a_stage_has_an_address_of_its_own(house, browser):
    """By its id; one that is not there shows what is most worth a look."""
    execution = await started(
        house,
        {"type": "noop", "refId": "1", "name": "First"},
        {"type": "noop", "refId": "2", "name": "Second"},
    )
    stages = (await ended(house, execution))["stages"]
    first = (await browser.get(f"/ui/executions/{execution}?stage={stages[0]['id']}")).text
    second = (await browser.get(f"/ui/executions/{execution}?stage={stages[1]['id']}")).text
    assert '<h2 id="stage">First' in first
    assert '<h2 id="stage">Second' in second
    assert '<h2 id="stage">Second' in (await browser.get(f"/ui/executions/{execution}?stage=nope")).text


async def test_parameters_and_the_trigger_are_shown(house, browser):
    """Who started it, and with what."""
    trigger = {"type": "manual", "parameters": {"region": "eu"}}
    execution = await started(house, {"type": "noop"}, trigger=trigger)
    await ended(house, execution)
    text = (await browser.get(f"/ui/executions/{execution}")).text
    assert "Started by ann@example.com, by hand" in text
    assert "<dt>region</dt><dd>eu</dd>" in text


async def test_a_run_that_is_not_there_is_said(browser):
    """As everywhere; a stream to it ends all tries."""
    assert (await browser.get("/ui/executions/nope")).status_code == 404
    assert (await browser.get("/ui/executions/nope/events")).status_code == 204


async def test_every_part_of_a_run_that_others_made_up_is_shown_without_failing():
    """Orca's JSON leaves out what is missing, and a caller's trigger may be anything."""
    document = {
        "id": "1", "status": "RUNNING", "type": "PIPELINE", "startTime": 5, "stages": [
            {"id": "a", "status": "TERMINAL", "startTime": 6, "context": {"exception": {"details": "odd"}}},
            {"id": "b", "status": "RUNNING", "parentStageId": "a", "startTime": 7, "context": {"expressionEvaluationSummary": {"x": [{"description": "bad"}]}}},
            {"id": "c", "status": "REDIRECT", "refId": 7, "requisiteStageRefIds": [7, "9"]},
        ],
        "trigger": {"parentExecution": {"id": "2"}, "type": "odd"}, "canceled": True, "canceledBy": "bob", "cancellationReason": "no",
    }  # fmt: skip
    it = view_of(document, [], now_ms=2_005, chosen="b")
    assert [(one.id, one.depth) for one in it.stages] == [("a", 0), ("b", 1), ("c", 0)]
    assert it.stages[0].failure is not None
    assert it.chosen is not None
    assert it.chosen.unresolved == ("bad",)
    assert it.took.words == "2 s"
    assert (it.parent, it.reason) == (("2", "2"), "by a trigger of type odd")
    assert it.notes == ("Cancelled by bob: no",)


def test_what_did_not_resolve_is_told_once():
    """Where the stage failed of it, the failure says it."""
    note = {"description": "Failed to evaluate [x]"}
    context = {
        "expressionEvaluationSummary": {"a": [note, note], "b": [{"description": "other"}]},
        "exception": {"details": {"errors": [f"1: {note['description']}"]}},
    }
    run = {
        "id": "1",
        "type": "PIPELINE",
        "status": "TERMINAL",
        "stages": [{"id": "a", "status": "TERMINAL", "context": context}],
    }
    assert view_of(run, [], now_ms=0).stages[0].unresolved == ("other",)


# -- what is done -----------------------------------------------------------------------------------


def test_a_webhook_says_how_far_it_is():
    """What the other side answered, its own words of progress, and why it is tried again."""
    monitor = {
        "statusCodeValue": 200,
        "statusCode": "OK",
        "progressMessage": "building",
        "percentComplete": 40.0,
    }
    stage = {"id": "1", "type": "webhook", "status": "RUNNING",
             "context": {"webhook": {"statusCodeValue": 201, "statusCode": "CREATED", "monitor": monitor}}}  # fmt: skip

    def said(stage) -> list[str]:
        run = {"id": "1", "type": "PIPELINE", "application": "demo", "status": "RUNNING", "stages": [stage]}
        return list(view_of(run, [], now_ms=0).stages[0].answers)

    assert said(stage) == [
        "The call was answered with 201 CREATED.",
        "The last question was answered with 200 OK.",
        "building",
        "40 % are done.",
    ]
    stage["context"] = {"webhook": {"error": "Remote host resolution failure, will retry."}}
    assert said(stage) == ["Remote host resolution failure, will retry."]
    assert said({**stage, "status": "TERMINAL"}) == []
    assert said({**stage, "context": {"webhook": "nonsense"}}) == []


async def test_a_judgment_is_answered_with_one_of_its_inputs(house, browser):
    """And says afterwards who answered what; a second answer comes too late and is told so."""
    execution = await started(house, JUDGE)
    stage = (await settled(house, execution))["stages"][0]["id"]
    text = (await browser.get(f"/ui/executions/{execution}")).text
    assert "Keep &lt;it&gt;?" in text
    assert "Look at the errors." in text
    assert '<option value="eu only">' in text
    at = f"/ui/executions/{execution}/stages/{stage}/judge"
    posted = {"judgmentStatus": "continue", "judgmentInput": "eu only"}
    answer = await browser.post(at, data=posted, headers={"X-SPINNAKER-USER": "bob"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/ui/executions/{execution}?stage={stage}",
    )
    assert (await ended(house, execution))["status"] == "SUCCEEDED"
    assert (
        "<strong>continue</strong> (eu only) by bob"
        in (await browser.get(f"/ui/executions/{execution}")).text
    )
    late = await browser.post(at, data={"judgmentStatus": "stop"})
    assert late.status_code == 409
    assert "This judgment does not wait any more" in late.text


async def test_a_run_is_paused_resumed_and_cancelled_with_a_reason(house, browser):
    """Each leads back to the page, which offers what is possible then."""
    execution = await started(house, JUDGE)
    await settled(house, execution)
    at = f"/ui/executions/{execution}"
    assert (await browser.post(f"{at}/pause")).status_code == 303
    text = (await browser.get(at)).text
    assert "Paused by" in text
    assert f'action="{at}/resume"' in text
    again = await browser.post(f"{at}/pause")
    assert again.status_code == 409
    assert "Unable to pause pipeline that is not RUNNING" in again.text
    await browser.post(f"{at}/resume")
    await settled(house, execution)
    await browser.post(f"{at}/cancel", data={"reason": "wrong <one>"}, headers={"X-SPINNAKER-USER": "bob"})
    assert (await ended(house, execution))["status"] == "CANCELED"
    assert "Cancelled by bob: wrong &lt;one&gt;" in (await browser.get(at)).text


async def test_a_wait_is_skipped_and_a_stage_restarted(house, browser):
    """By the buttons of the stage."""
    execution = await started(house, {"type": "wait", "waitTime": 3600, "refId": "1", "name": "Settle"})
    stage = (await settled(house, execution))["stages"][0]["id"]
    at = f"/ui/executions/{execution}/stages/{stage}"
    assert f'action="{at}/skip"' in (await browser.get(f"/ui/executions/{execution}")).text
    assert (await browser.post(f"{at}/skip")).status_code == 303
    assert (await ended(house, execution))["status"] == "SUCCEEDED"
    before = await house.services.executions.version(execution)
    assert (await browser.post(f"{at}/restart", headers={"X-SPINNAKER-USER": "bob"})).status_code == 303
    again = await settled(house, execution)
    assert again["stages"][0]["status"] == "RUNNING"
    assert again["stages"][0]["context"]["restartDetails"]["restartedBy"] == "bob"
    assert await house.services.executions.version(execution) > before


async def test_a_stage_that_runs_cannot_be_restarted(house, browser):
    """It is said on the page."""
    execution = await started(house, JUDGE)
    stage = (await settled(house, execution))["stages"][0]["id"]
    refused = await browser.post(f"/ui/executions/{execution}/stages/{stage}/restart")
    assert refused.status_code == 409
    assert "only one that has ended can be restarted" in refused.text


async def test_a_run_is_deleted_once_it_has_ended(house, browser):
    """Not before; the sentence is Orca's."""
    execution = await started(house, JUDGE)
    await settled(house, execution)
    at = f"/ui/executions/{execution}"
    refused = await browser.post(f"{at}/delete")
    assert refused.status_code == 409
    assert "please cancel it first" in refused.text
    await browser.post(f"{at}/cancel")
    await ended(house, execution)
    assert (await browser.post(f"{at}/delete")).headers["location"] == "/ui/pipelines"
    assert (await browser.get(at)).status_code == 404


async def test_what_was_typed_is_kept_when_it_is_refused(house, browser):
    """Here by a form of another session; nothing is done."""
    execution = await started(house, JUDGE)
    await settled(house, execution)
    answer = await browser.post(
        f"/ui/executions/{execution}/cancel", data={"reason": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert (await house.services.executions.get_pipeline(execution))["status"] == "RUNNING"


# -- live -------------------------------------------------------------------------------------------


async def test_htmx_is_given_the_part_that_changes(house, browser):
    """The same address, without the page around it; it says which version it shows."""
    execution = await started(house, JUDGE)
    await settled(house, execution)
    whole = await browser.get(f"/ui/executions/{execution}")
    part = await browser.get(f"/ui/executions/{execution}", headers=FRAGMENT)
    assert part.text.strip().startswith('<div id="execution"')
    assert "<html" not in part.text
    mark = await Live(house.services.executions, house.services.paging, SystemClock()).version(execution)
    assert f'data-version="{mark}"' in part.text
    assert "hx-sse:connect" in whole.text


async def test_the_stream_gives_the_version_and_each_that_follows(house):
    """At once, with nothing but the version in it."""
    execution = await started(house, JUDGE)
    await settled(house, execution)
    live = Live(house.services.executions, house.services.paging, house.services.clock)
    events = live.events(execution)
    first = await anext(events)
    await house.services.executions.pause(execution, ANN)
    second = await anext(events)
    await events.aclose()
    assert first.startswith("event: version\ndata: ")
    assert first != second == f"event: version\ndata: {await live.version(execution)}\n\n"
    assert house.services.executions.changes._waiting == {}


async def test_what_is_learned_of_a_page_is_a_version_too(house):
    """So that an acknowledgement shows by itself after the run has ended."""
    execution = await started(house, PAGE)
    await ended(house, execution)
    live = Live(house.services.executions, house.services.paging, house.services.clock)
    before = await live.version(execution)
    page: Page = (await house.services.paging.of_execution(execution))[0]
    assert page.in_state(page.deliveries[0].state)[0].key == Secret(CHECKOUT_KEY)
    assert before.partition(".")[2] != "0"


async def test_a_run_without_a_name_has_one_on_the_page(house, browser):
    """Tasks have a page like runs of pipelines."""
    task = await house.services.executions.start_tasks(
        {"application": "demo", "description": "Save <it>", "job": [{"type": "noop"}]}, ANN
    )
    await ended(house, task)
    text = (await browser.get(f"/ui/executions/{task}")).text
    assert "<h1>Save &lt;it&gt;" in text


async def test_what_a_page_shows_already_is_not_sent_again(house, browser):
    """By the version it shows; a version that nobody knows any more gives everything."""
    waits = {"type": "wait", "waitTime": 0, "name": "Settle"}
    execution = await started(house, waits | {"refId": "0"}, JUDGE | {"requisiteStageRefIds": ["0"]})
    ended_first = (await settled(house, execution))["stages"][0]["id"]
    whole = await browser.get(f"/ui/executions/{execution}", headers=FRAGMENT)
    again = f"/ui/executions/{execution}?since={_attribute(whole.text, 'data-shown')}"
    part = await browser.get(again, headers=FRAGMENT)
    assert part.headers["HX-Reswap"] == "changes"
    assert [f'id="row-{ended_first}"' in one.text for one in (whole, part)] == [True, False]
    assert "Keep &lt;it&gt;?" in part.text, "the chosen stage is always sent"
    await house.services.executions.pause(execution, ANN)
    changed = await browser.get(again, headers=FRAGMENT)
    assert changed.text.count('id="row-') == 1, "what has ended stays"
    assert _node(changed.text) == _node((await browser.get(again)).text), "it stands where it stood"
    assert "<title>release: paused" in changed.text
    for everything in (
        await browser.get(f"/ui/executions/{execution}?since=0.0", headers=FRAGMENT),
        await browser.get(again),
    ):
        assert everything.text.count('id="row-') == 2
        assert "HX-Reswap" not in everything.headers


async def test_two_pages_of_one_version_are_each_told_what_they_do_not_show(house, browser, monkeypatch):
    """What is read may be newer than the version that was read before it."""

    async def standing_still(_: str) -> int:
        return 1

    execution = await started(house, JUDGE)
    await settled(house, execution)
    monkeypatch.setattr(house.services.executions, "version", standing_still)
    before = (await browser.get(f"/ui/executions/{execution}")).text
    await house.services.executions.pause(execution, ANN)
    await browser.get(f"/ui/executions/{execution}")
    again = f"/ui/executions/{execution}?since={_attribute(before, 'data-shown')}"
    assert 'class="node paused chosen"' in (await browser.get(again, headers=FRAGMENT)).text


def _attribute(text: str, name: str) -> str:
    return text.partition(f'{name}="')[2].partition('"')[0]


def _node(text: str) -> str:
    """Give the place in the graph of the stage that is paused."""
    found = re.search(r'<a [^>]*class="node paused chosen".*?</a>', text, re.DOTALL)
    assert found is not None
    return found[0]


async def test_after_a_refusal_the_page_looks_at_the_execution_again(house, browser):
    """Not at the form's address, which is not there to be read."""
    execution = await started(house, JUDGE)
    run = await settled(house, execution)
    stage = run["stages"][0]["id"]
    refused = await browser.post(
        f"/ui/executions/{execution}/stages/{stage}/judge", data={"judgmentStatus": "?"}
    )
    assert refused.status_code == 409
    assert _attribute(refused.text, "hx-get") == f"/ui/executions/{execution}?stage={stage}"


async def test_who_may_not_judge_is_told_on_the_page(house, browser, monkeypatch):
    """The judgment names a role; it stays open."""
    executions = house.services.executions
    monkeypatch.setattr(executions, "_services", replace(executions._services, asks_roles=lambda: True))
    execution = await started(house, JUDGE | {"selectedStageRoles": ["releasers"]})
    stage = (await settled(house, execution))["stages"][0]["id"]
    posted = {"judgmentStatus": "continue"}
    answer = await browser.post(f"/ui/executions/{execution}/stages/{stage}/judge", data=posted)
    assert answer.status_code == 403
    assert "Nothing was done." in answer.text
    assert (await house.services.executions.get_pipeline(execution))["status"] == "RUNNING"
