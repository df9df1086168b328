"""The webhook stage: what is sent, what an answer means, how it is asked afterwards, and what is not repeated."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest

from masthead.config.webhooks import AllowedRequest
from masthead.executions.webhooks import Webhooks
from masthead.outbound import RequestFailed, UnknownHost, UrlRefused
from masthead.outbound.fakes import FakeOutbound, reply

URL = "https://ci.example.com/jobs"
STATUS = "https://ci.example.com/jobs/1"


def hook(**fields) -> dict:
    return {"type": "webhook", "name": "call", "url": URL, **fields}


def waiting(**fields) -> dict:
    """A stage that asks its own URL with GET afterwards, with words for each end."""
    words = {"successStatuses": "DONE, ok", "canceledStatuses": "ABORTED", "terminalStatuses": "ERROR"}
    return hook(**{"waitForCompletion": True, "statusJsonPath": "$.status", **words, **fields})


def webhook(run: dict) -> dict:
    """What the stage kept of the answers."""
    return run["stages"][0]["context"].get("webhook", {})


def errors(run: dict) -> list[str]:
    return run["stages"][0]["context"]["exception"]["details"]["errors"]


async def later(bench, run: dict, seconds: float) -> dict:
    """Let time pass and run what is due."""
    await bench.clock.advance(seconds)
    await bench.run_due()
    return await bench.executions.get_pipeline(run["id"])


async def called(bench, stage: dict, *answers, **config) -> dict:
    bench.outbound.script(URL, *answers)
    return await bench.pipeline(stage, **config)


# -- what is sent -----------------------------------------------------------------------------------


async def test_a_call_is_sent_and_its_answer_kept(bench):
    """The shape that pipelines read: status by name and number, the first value of each header, the body parsed."""
    run = await called(
        bench,
        hook(
            payload={"a": [1, None]},
            customHeaders={"X-One": "1", "X-Many": ["a", "b"], "X-Spinnaker-User": "root"},
        ),
        reply(201, {"id": 7}, X_Job="7"),
    )
    (sent,) = bench.outbound.requests
    assert (sent.method, sent.url, sent.body) == ("POST", URL, b'{"a":[1,null]}')
    assert sent.headers == {"X-One": ("1",), "X-Many": ("a", "b"), "Content-Type": ("application/json",)}
    assert run["status"] == "SUCCEEDED"
    assert webhook(run) == {
        "statusCode": "CREATED",
        "statusCodeValue": 201,
        "headers": {"X-Job": "7", "Content-Type": "application/json"},
        "body": {"id": 7},
    }
    assert run["stages"][0]["outputs"] == {}
    assert [task["name"] for task in run["stages"][0]["tasks"]] == ["createWebhook"]


@pytest.mark.parametrize(
    ("payload", "kind", "body"),
    [
        ({"a": "x y", "b": [1, 2], "c": {"d": 1}, "e": None}, "application/x-www-form-urlencoded", b"a=x+y&b=1&b=2&c=%7B%22d%22%3A1%7D&e="),
        ("plain text", "text/plain", b"plain text"),
        ('{"as": "it stands"}', "application/json", b'{"as": "it stands"}'),
        ("a=1", "application/x-www-form-urlencoded", b"a=1"),
        ([1, 2], None, b"[1,2]"),
        (None, None, None),
        ({}, None, b"{}"),
    ],
)  # fmt: skip
async def test_bodies_follow_their_content_type(bench, payload, kind, body):
    """JSON by default, forms from maps, texts as they stand."""
    headers = {"content-type": kind} if kind else {}
    await called(bench, hook(payload=payload, customHeaders=headers, method="put"), reply())
    assert (bench.outbound.requests[0].method, bench.outbound.requests[0].body) == ("PUT", body)


async def test_a_get_has_no_body(bench):
    """Deck leaves the payload of an earlier method behind."""
    await called(bench, hook(payload={"a": 1}, method="Get"), reply())
    assert bench.outbound.requests[0].body is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": None}, "`url` is missing: it says whom to call."),
        ({"method": "FETCH"}, "`method` must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE."),
        ({"customHeaders": {"X-A": None}}, "`customHeaders`: the header X-A must have a text as its value."),
        ({"customHeaders": {"X-A": "a\r\nX-B: b"}}, "`customHeaders`: the header X-A has a line end or another control character."),
        ({"customHeaders": {"X A": "a"}}, "`customHeaders` has a name that cannot be a header's."),
        ({"customHeaders": []}, '`customHeaders` must be an object, such as {"X-Team": "ops"}.'),
        ({"monitorOnly": True}, "Can't specify monitorOnly = true and waitForCompletion = false at the same time"),
        ({"waitForCompletion": True, "waitBeforeMonitor": "soon"}, "`waitBeforeMonitor` must be a whole number of seconds."),
    ],
)  # fmt: skip
async def test_fields_that_cannot_be_used_end_the_stage(bench, fields, sentence):
    """With a sentence, before anything is sent."""
    run = await called(bench, hook(**fields), reply())
    assert (run["status"], errors(run)) == ("TERMINAL", [sentence])
    assert bench.outbound.requests == []


async def test_bodies_are_parsed_where_they_are_json(bench):
    """By their first character or their type; everything else stays text, and nothing is an error."""
    for content, kind, kept in (
        (b'[{"a": 1}]', "text/plain", [{"a": 1}]),
        (b"{broken", "application/json", "{broken"),
        (b"<html>", "text/html", "<html>"),
        (b"true", "application/vnd.x+json", True),
        (b"true", "text/plain", "true"),
        ("gr\xfc\xdf".encode("latin-1"), "text/plain; charset=ISO-8859-1", "gr\xfc\xdf"),
    ):
        bench.outbound._script.clear()
        run = await called(bench, hook(), reply(200, content, Content_Type=kind))
        assert webhook(run)["body"] == kept
    bench.outbound._script.clear()
    assert "body" not in webhook(await called(bench, hook(), reply(204)))


# -- what an answer means ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "fields", "ending"),
    [
        (200, {}, "SUCCEEDED"), (302, {}, "SUCCEEDED"), (500, {}, "RUNNING"), (503, {}, "RUNNING"), (429, {}, "RUNNING"),
        (404, {}, "TERMINAL"), (404, {"webhookRetryStatusCodes": [404, 401]}, "RUNNING"), (504, {}, "TERMINAL"),
        (504, {"failFastStatusCodes": []}, "RUNNING"), (503, {"failFastStatusCodes": ["503"]}, "TERMINAL"),
        (418, {}, "TERMINAL"), (599, {}, "RUNNING"), (499, {}, "TERMINAL"),
    ],
)  # fmt: skip
async def test_a_status_decides(bench, status, fields, ending):
    """Orca's table: fail fast wins, 5xx and 429 are tried again, other errors end the stage, whatever the method."""
    run = await called(bench, hook(**fields), reply(status, {"message": "no"}))
    assert run["stages"][0]["status"] == ending
    found = webhook(run)
    error = {
        "SUCCEEDED": None,
        "RUNNING": f"Error submitting webhook for pipeline {run['id']} to {URL} with status code {status}, will retry.",
        "TERMINAL": f"Error submitting webhook for pipeline {run['id']} to {URL} with status code {status}.",
    }[ending]
    if status in (503, 504) and ending == "TERMINAL":
        error = (
            f"Received status code {status}, which is configured to fail fast, terminating stage for pipeline"
            f" {run['id']} to {URL}"
        )
    assert (found.get("error"), found["statusCodeValue"], found["body"]) == (error, status, {"message": "no"})
    if ending == "TERMINAL":
        assert errors(run) == [error]


async def test_a_call_is_tried_again_after_its_back_off(bench):
    """Every ten seconds, until it succeeds; the last answer is the one that is kept."""
    run = await called(bench, hook(), reply(500), reply(429), reply(200, {"ok": True}))
    run = await later(bench, run, 9)
    assert len(bench.outbound.requests) == 1
    for _ in range(2):
        run = await later(bench, run, 10)
    assert (run["status"], len(bench.outbound.requests)) == ("SUCCEEDED", 3)
    assert "error" not in webhook(run)


async def test_a_call_is_tried_for_five_minutes(bench):
    """Then the task times out, unless stageTimeoutMs gives it more."""
    run = await called(bench, hook(), reply(500))
    assert (await later(bench, run, 290))["status"] == "RUNNING"
    run = await later(bench, run, 11)
    assert run["status"] == "TERMINAL"
    assert errors(run)[0].startswith("CreateWebhookTask of stage call timed out after 5 minutes.")


@pytest.mark.parametrize(
    ("raised", "method", "ending", "words"),
    [
        (UnknownHost("x"), "POST", "RUNNING", "Remote host resolution failure in webhook for pipeline {id} to {url}, will retry."),
        (RequestFailed("Read timed out", is_timeout=True), "GET", "RUNNING", "Socket timeout in webhook on GET request for pipeline {id} to {url}, will retry."),
        (RequestFailed("Read timed out", is_timeout=True), "POST", "TERMINAL", "An exception occurred for pipeline {id} performing a POST request to {url}. Read timed out"),
        (RequestFailed("Connection refused"), "GET", "TERMINAL", "An exception occurred for pipeline {id} performing a GET request to {url}. Connection refused"),
        (UrlRefused("Host not allowed: orca"), "POST", "TERMINAL", "An exception occurred for pipeline {id} performing a POST request to {url}. Host not allowed: orca"),
    ],
)  # fmt: skip
async def test_no_answer_is_repeated_only_where_it_is_safe(bench, raised, method, ending, words):
    """An unknown host was never reached; a timeout of a GET may be repeated, one of a POST may have done its work."""
    run = await called(bench, hook(method=method), raised)
    expected = words.format(id=run["id"], url=URL)
    assert (run["stages"][0]["status"], webhook(run)["error"]) == (ending, expected)


async def test_failure_options_hold(bench):
    """A webhook that fails can be ignored."""
    run = await called(bench, hook(failPipeline=False, continuePipeline=True), reply(404))
    assert (run["status"], run["stages"][0]["status"]) == ("SUCCEEDED", "FAILED_CONTINUE")


# -- an attempt whose end nobody saw ----------------------------------------------------------------


class Holding(FakeOutbound):
    """Answers only once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()

    async def request(self, request, *, max_response_bytes=None):
        self.requests.append(request)
        self.asked.set()
        await self.gate.wait()
        return reply(200, {"ok": True})


async def start(bench, outbound, stage) -> str:
    """Start a pipeline whose webhook is under way."""
    services = bench.executions._services
    replaced = replace(services, webhooks=Webhooks(outbound))
    for owner in (bench.executions, bench.bursts._runs["execution"].__self__):
        owner._services = replaced
    execution_id = await bench.executions.start_pipeline(
        {"application": "demo", "stages": [stage]}, bench.ann
    )
    await outbound.asked.wait()
    return execution_id


async def test_a_change_meanwhile_does_not_send_it_twice(bench):
    """The run that follows gets the answer of the request that is under way."""
    outbound = Holding()
    execution_id = await start(bench, outbound, hook())
    run = await bench.executions.get_pipeline(execution_id)
    await bench.executions.change_stage(execution_id, run["stages"][0]["id"], {"note": "x"}, bench.ann)
    outbound.gate.set()
    await bench.idle()
    run = await bench.executions.get_pipeline(execution_id)
    assert (run["status"], webhook(run)["body"], len(outbound.requests)) == ("SUCCEEDED", {"ok": True}, 1)


async def test_an_answer_that_comes_during_a_pause_is_there_when_it_ends(bench):
    """However long the pause is; the call is not sent again."""
    outbound = Holding()
    execution_id = await start(bench, outbound, hook())
    attempts = bench.executions._services.webhooks.attempts
    attempts._leave_after_s = 0
    left = asyncio.Event()

    async def leave(attempt: str, answer: object) -> None:
        await bench.executions._leave_answer(attempt, answer)
        left.set()

    attempts.on_answered(leave)
    await bench.executions.pause(execution_id, bench.ann)
    outbound.gate.set()
    await left.wait()
    attempts._flights.clear()  # as a minute later
    await bench.executions.resume(execution_id, bench.ann)
    await bench.idle()
    run = await bench.executions.get_pipeline(execution_id)
    assert (run["status"], webhook(run)["body"], len(outbound.requests)) == ("SUCCEEDED", {"ok": True}, 1)
    await attempts.close()


@pytest.mark.parametrize(
    ("method", "ending", "sent"), [("POST", "TERMINAL", 1), ("PUT", "TERMINAL", 1), ("GET", "SUCCEEDED", 2)]
)
async def test_a_call_that_was_under_way_when_the_machine_was_killed(bench, method, ending, sent):
    """It may have arrived: a GET is repeated, a POST is not, and the stage says why once no answer can come any more."""
    outbound = Holding()
    execution_id = await start(bench, outbound, hook(method=method))
    bench.executions._services.webhooks.attempts._flights.clear()  # as another machine would find it
    run = await bench.executions.get_pipeline(execution_id)
    await bench.executions.change_stage(execution_id, run["stages"][0]["id"], {"note": "x"}, bench.ann)
    bench.executions._services.webhooks.attempts.on_answered(_lost)
    outbound.gate.set()
    await bench.idle()
    if ending == "TERMINAL":
        assert (await later(bench, run, 69))["status"] == "RUNNING"
    run = await later(bench, run, 1)
    assert (run["status"], len(outbound.requests)) == (ending, sent)
    if ending == "TERMINAL":
        assert errors(run)[0].endswith(
            f"Masthead stopped while the request was under way: it may have arrived, and a {method} is not repeated"
        )
    await bench.executions._services.webhooks.attempts.close()


async def _lost(attempt: str, answer: object) -> None:
    """The machine was killed: nobody stores what came."""


async def test_the_answer_reaches_the_machine_that_took_over(bench):
    """The one that sent it lives: it leaves the answer where the other finds it, and nothing is sent twice."""
    outbound = Holding()
    execution_id = await start(bench, outbound, hook())
    attempts = bench.executions._services.webhooks.attempts
    attempts._leave_after_s = 0
    left = asyncio.Event()

    async def leave(attempt: str, answer: object) -> None:
        await bench.executions._leave_answer(attempt, answer)
        left.set()

    attempts.on_answered(leave)
    for owner in (bench.executions, bench.bursts._runs["execution"].__self__):
        owner._services = replace(bench.executions._services, webhooks=Webhooks(outbound))
    run = await bench.executions.get_pipeline(execution_id)
    await bench.executions.change_stage(execution_id, run["stages"][0]["id"], {"note": "x"}, bench.ann)
    await bench.idle()
    assert (await bench.executions.get_pipeline(execution_id))["status"] == "RUNNING"
    outbound.gate.set()
    await left.wait()
    await bench.idle()
    run = await bench.executions.get_pipeline(execution_id)
    assert (run["status"], webhook(run)["body"], len(outbound.requests)) == ("SUCCEEDED", {"ok": True}, 1)
    assert "answer" not in run["stages"][0]["tasks"][0]
    await attempts.close()


async def test_safe_to_retry_opens_what_is_closed(bench):
    """The operator's list says which POSTs may be repeated, and which requests may be made at all."""
    rules = [
        AllowedRequest(frozenset({"POST"}), prefix="https://ci.example.com/", safe_to_retry=True),
        AllowedRequest(frozenset({"DELETE"}), prefix="https://ci.example.com/"),
    ]
    webhooks = Webhooks(bench.outbound, allowed=rules)
    for owner in (bench.executions, bench.bursts._runs["execution"].__self__):
        owner._services = replace(bench.executions._services, webhooks=webhooks)
    timeout = RequestFailed("Read timed out", is_timeout=True)
    run = await called(bench, hook(), timeout)
    assert run["stages"][0]["status"] == "RUNNING"
    run = await called(bench, hook(method="DELETE"), timeout)
    assert run["stages"][0]["status"] == "TERMINAL"
    run = await called(bench, hook(method="GET"), reply())
    assert errors(run) == [f"http method 'GET', uri: '{URL}' not allowed (webhook.allowedRequests)"]


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://ci.example.com/jobs/1?a=b c", True),
        ("https://CI.example.com:443/jobs/1", True),
        ("https://user:word@ci.example.com/jobs/1", True),
        ("https://ci.example.com/jobs/../admin", False),
        ("https://ci.example.com/jobs/%2e%2e/admin", False),
        ("https://ci.example.com/jobs/1@evil.example/", True),
        ("https://ci.example.com%2fjobs%2f@evil.example/", False),
        ("https://ci.example.com/admin", False),
    ],
)
def test_a_request_is_allowed_as_it_is_sent(url, is_allowed):
    """Not as its text begins."""
    rule = AllowedRequest(frozenset({"POST"}), prefix="https://ci.example.com/jobs/")
    webhooks = Webhooks(FakeOutbound(), allowed=[rule])
    assert (webhooks.rule_for("POST", url) is not None) is is_allowed


def test_a_user_in_front_of_the_host_opens_no_other_host():
    """Where the operator left out the slash behind the host."""
    rule = AllowedRequest(frozenset({"POST"}), prefix="https://ci.example.com")
    webhooks = Webhooks(FakeOutbound(), allowed=[rule])
    assert webhooks.rule_for("POST", "https://ci.example.com@evil.example/") is None


# -- the URL to ask afterwards ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "answer", "endpoint"),
    [
        ({"statusUrlResolution": "getMethod"}, reply(), URL),
        ({}, reply(), URL),
        ({"statusUrlResolution": "locationHeader"}, reply(201, Location=STATUS), STATUS),
        ({"statusUrlResolution": "locationHeader"}, reply(201, location="/jobs/1"), STATUS),
        ({"statusUrlResolution": "locationHeader"}, reply(201, Location="http://ci.example.com/jobs/1"), STATUS),
        ({"statusUrlResolution": "locationHeader"}, reply(201, Location="http://ci.example.com:81/1"), "https://ci.example.com:81/1"),
        ({"statusUrlResolution": "locationHeader"}, reply(201, Location="http://other.example.com/1"), "http://other.example.com/1"),
        ({"statusUrlResolution": "webhookResponse", "statusUrlJsonPath": "$.links.self"}, reply(200, {"links": {"self": STATUS}}), STATUS),
        ({"statusUrlResolution": "webhookResponse", "statusUrlJsonPath": "$[0]"}, reply(200, [STATUS]), STATUS),
        ({"statusUrlResolution": "webhookResponse", "statusUrlJsonPath": "$"}, reply(200, STATUS.encode(), Content_Type="text/plain"), STATUS),
    ],
)  # fmt: skip
async def test_the_status_url_is_found(bench, fields, answer, endpoint):
    """From the call itself, a header or the body; the same host keeps the scheme that it was called by."""
    bench.outbound.script(endpoint, answer if endpoint == URL else reply(200, {"status": "RUNS"}))
    if endpoint != URL:
        bench.outbound.script(URL, answer)
    else:
        bench.outbound.script(URL, reply(200, {"status": "RUNS"}))
    run = await bench.pipeline(waiting(**fields))
    assert run["stages"][0]["context"]["statusEndpoint"] == endpoint
    assert webhook(run)["statusEndpoint"] == endpoint
    assert [(sent.method, sent.url) for sent in bench.outbound.requests] == [("POST", URL), ("GET", endpoint)]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"statusUrlResolution": "locationHeader"}, "The status URL couldn't be resolved, but 'Wait for completion' is configured"),
        ({"statusUrlResolution": "webhookResponse", "statusUrlJsonPath": "$.gone"}, "Exception while resolving status check URL: No results for path: $.gone"),
        ({"statusUrlResolution": "webhookResponse"}, "Exception while resolving status check URL: The JSON path is empty."),
        ({"statusUrlResolution": "elsewhere"}, "Exception while resolving status check URL: `statusUrlResolution` must be one of getMethod, locationHeader, webhookResponse"),
    ],
)  # fmt: skip
async def test_a_status_url_that_cannot_be_found_ends_the_stage(bench, fields, error):
    """The answer is kept, so that one can see why."""
    run = await called(bench, waiting(**fields), reply(200, {"status": "x"}))
    assert (run["status"], webhook(run)["error"]) == ("TERMINAL", error)
    assert webhook(run)["statusCodeValue"] == 200


# -- asking -----------------------------------------------------------------------------------------


async def asked(bench, *answers, **fields) -> dict:
    """Run a stage that only asks."""
    bench.outbound.script(STATUS, *answers)
    return await bench.pipeline(waiting(monitorOnly=True, statusEndpoint=f" {STATUS} ", **fields))


def monitor(run: dict) -> dict:
    return webhook(run)["monitor"]


@pytest.mark.parametrize(
    ("value", "status"),
    [("DONE", "SUCCEEDED"), ("done", "SUCCEEDED"), ("OK", "SUCCEEDED"), ("aborted", "CANCELED"), ("Error", "TERMINAL"),
     ("else", "RUNNING"), (100, "SUCCEEDED"), (100.0, "SUCCEEDED"), (42, "RUNNING"), (0, "RUNNING")],
)  # fmt: skip
async def test_a_status_word_or_number_ends_it(bench, value, status):
    """Words in any case by the three lists, numbers at 100; everything else goes on."""
    run = await asked(bench, reply(200, {"status": value}))
    assert run["stages"][0]["status"] == status
    assert monitor(run)["body"] == {"status": value}
    assert monitor(run).get("percentComplete") == (value if isinstance(value, int | float) else None)


async def test_a_status_that_means_failure_is_said(bench):
    """Where people look first; the answer is kept as it is."""
    run = await asked(bench, reply(200, {"status": "Error"}))
    assert errors(run) == ["The status Error is one of `terminalStatuses`."]
    assert "error" not in webhook(run)["monitor"]


async def test_booleans_are_words(bench):
    """As Orca has it: the text of the value."""
    run = await asked(bench, reply(200, {"status": True}), successStatuses="true")
    assert run["status"] == "SUCCEEDED"


async def test_the_worst_list_wins(bench):
    """A word that stands in several; one that stands twice in a list is no error, as it is upstream."""
    run = await asked(
        bench, reply(200, {"status": "X"}), successStatuses="X,x", canceledStatuses="X", terminalStatuses="X"
    )
    assert run["status"] == "TERMINAL"


async def test_without_a_status_path_any_answer_is_success(bench):
    """2xx and 3xx."""
    run = await asked(bench, reply(202, b"accepted"), statusJsonPath=None)
    assert (run["status"], monitor(run)["statusCode"]) == ("SUCCEEDED", "ACCEPTED")


@pytest.mark.parametrize(
    ("body", "fields", "error"),
    [
        ({}, {}, "Unable to parse status: JSON property '$.status' not found in response body"),
        ("text", {}, "Unable to parse status: JSON property '$.status' not found in response body"),
        ({"status": {"a": 1}}, {}, "The json path '$.status' did not resolve to a single value"),
        ({"status": None}, {}, "The json path '$.status' did not resolve to a single value"),
        ({"status": "x"}, {"statusJsonPath": "$["}, "The JSON path '$[' cannot be read: "),
        ({"status": "x"}, {"progressJsonPath": "$.p"}, "Unable to parse progress: JSON property '$.p' not found in response body"),
        ({"status": "x", "p": 3}, {"progressJsonPath": "$.p"}, "The json path '$.p' did not resolve to a String value"),
        ({"status": "x"}, {"successStatuses": None}, "`successStatuses` is missing: nothing says which status means success."),
    ],
)  # fmt: skip
async def test_an_answer_that_cannot_be_read_ends_it(bench, body, fields, error):
    """In Orca's words, with the answer beside them."""
    run = await asked(bench, reply(200, body), **fields)
    assert run["status"] == "TERMINAL"
    assert monitor(run)["error"].startswith(error)
    assert monitor(run)["statusCodeValue"] == 200
    assert errors(run) == [monitor(run)["error"]]


async def test_progress_is_shown_meanwhile(bench):
    """A message and a number, replaced by each answer."""
    run = await asked(
        bench,
        reply(200, {"status": 10, "p": "building"}),
        reply(200, {"status": 100, "p": "done"}),
        progressJsonPath="$.p",
    )
    assert (monitor(run)["progressMessage"], monitor(run)["percentComplete"]) == ("building", 10)
    run = await later(bench, run, 1)
    assert (run["status"], monitor(run)["progressMessage"]) == ("SUCCEEDED", "done")


async def test_a_list_of_one_is_its_value(bench):
    """Filters give lists; a list of several is no single value."""
    stages = {"stages": [{"n": "a", "s": "DONE"}, {"n": "b", "s": "OK"}]}
    run = await asked(bench, reply(200, stages), statusJsonPath="$.stages[?(@.n == 'a')].s")
    assert run["status"] == "SUCCEEDED"


async def test_it_asks_once_a_second_then_every_fifteen(bench):
    """The first minute is quick; backoffPeriodMs slows it down."""
    run = await asked(bench, reply(200, {"status": "x"}))
    for _ in range(59):
        run = await later(bench, run, 1)
    assert len(bench.outbound.requests) == 60
    await later(bench, run, 1)
    await later(bench, run, 14)
    assert len(bench.outbound.requests) == 61
    await later(bench, run, 1)
    assert len(bench.outbound.requests) == 62
    bench.outbound.requests.clear()
    run = await asked(bench, backoffPeriodMs=5000)
    run = await later(bench, run, 4)
    assert len(bench.outbound.requests) == 1


@pytest.mark.parametrize(
    ("status", "fields", "ending"),
    [(500, {}, "RUNNING"), (503, {}, "RUNNING"), (504, {}, "RUNNING"), (429, {}, "RUNNING"), (404, {}, "TERMINAL"), (401, {}, "TERMINAL"),
     (404, {"retryStatusCodes": [404]}, "RUNNING"), (504, {"retries": {"504": {"maxAttempts": 0}}}, "TERMINAL")],
)  # fmt: skip
async def test_errors_of_the_status_url(bench, status, fields, ending):
    """5xx, 429 and the stage's own list are borne; the code is remembered."""
    run = await asked(bench, reply(status, {"why": 1}), **fields)
    assert run["stages"][0]["status"] == ending
    assert monitor(run)["pastStatusCodes"] == [status]
    if ending == "TERMINAL":
        assert monitor(run)["error"].startswith(
            f"an exception occurred in webhook monitor to {STATUS}: {status} "
        )


async def test_retries_are_counted_per_code(bench):
    """In all, not in a row: another code or a good answer between does not begin anew."""
    answers = [reply(404), reply(500), reply(200, {"status": "x"}), reply(404), reply(404)]
    run = await asked(bench, *answers, retries={"404": {"maxAttempts": 2}})
    for _ in range(3):
        run = await later(bench, run, 1)
        assert run["status"] == "RUNNING"
    run = await later(bench, run, 1)
    assert run["status"] == "TERMINAL"
    assert monitor(run)["pastStatusCodes"] == [404, 500, 404, 404]


async def test_no_answer_is_borne(bench):
    """An unknown host and a timeout are tried again; a refused URL is not."""
    run = await asked(
        bench, UnknownHost("x"), RequestFailed("t", is_timeout=True), RequestFailed("Connection refused")
    )
    run = await later(bench, run, 1)
    assert run["status"] == "RUNNING"
    run = await later(bench, run, 1)
    assert (
        monitor(run)["error"] == f"an exception occurred in webhook monitor to {STATUS}: Connection refused"
    )


async def test_it_asks_for_an_hour(bench):
    """Then the task times out."""
    run = await asked(bench, reply(200, {"status": "x"}))
    run = await later(bench, run, 3601)
    assert errors(run)[0].startswith("MonitorWebhookTask of stage call timed out after 1 hour.")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"monitorOnly": True, "url": None},
            "Missing required parameter. Either webhook url or statusEndpoint are required",
        )
    ],
)
async def test_without_a_url_nothing_can_be_asked(bench, fields, sentence):
    """In Orca's words."""
    assert errors(await bench.pipeline(waiting(**fields))) == [sentence]


async def test_monitor_only_asks_its_own_url(bench):
    """Where no status URL is given."""
    run = await called(bench, waiting(monitorOnly=True), reply(200, {"status": "DONE"}))
    assert run["status"] == "SUCCEEDED"
    assert [task["name"] for task in run["stages"][0]["tasks"]] == ["monitorWebhook"]
    assert bench.outbound.requests[0].method == "GET"


async def test_it_waits_before_it_asks(bench):
    """From the end of the call; the wait can be cut short."""
    run = await called(
        bench, waiting(waitBeforeMonitor=30), reply(500), reply(200), reply(200, {"status": "DONE"})
    )
    run = await later(bench, run, 10)
    assert [task["name"] for task in run["stages"][0]["tasks"]] == [
        "createWebhook", "waitBeforeMonitorWebhook", "monitorWebhook",
    ]  # fmt: skip
    run = await later(bench, run, 29)
    assert len(bench.outbound.requests) == 2
    run = await later(bench, run, 1)
    assert (run["status"], run["stages"][0]["context"]["waitTime"]) == ("SUCCEEDED", 30)


# -- cancelling -------------------------------------------------------------------------------------

CANCEL = {
    "cancelEndpoint": "https://ci.example.com/cancel",
    "cancelMethod": "delete",
    "cancelPayload": {"why": "stop"},
}


def cancels(bench) -> list:
    return [sent for sent in bench.outbound.requests if sent.url == CANCEL["cancelEndpoint"]]


async def test_a_cancelled_execution_stops_what_it_started(bench):
    """The cancel endpoint is called with its own method and payload."""
    bench.outbound.script(CANCEL["cancelEndpoint"], reply(404))
    run = await asked(bench, reply(200, {"status": "x"}), customHeaders={"X-A": "1"}, **CANCEL)
    await bench.executions.cancel(run["id"], bench.ann)
    await bench.idle()
    (sent,) = cancels(bench)
    assert (sent.method, sent.body, sent.headers["X-A"]) == ("DELETE", b'{"why":"stop"}', ("1",))
    assert (await bench.executions.get_pipeline(run["id"]))["status"] == "CANCELED"


@pytest.mark.parametrize("answer", [reply(200, {"status": "ERROR"}), reply(404), reply(200, b"text")])
async def test_a_failed_stage_stops_what_it_started(bench, answer):
    """However it failed; what the endpoint answers changes nothing, also when it may not be called."""
    bench.outbound.script(CANCEL["cancelEndpoint"], UrlRefused("Host not allowed: orca"))
    run = await asked(bench, answer, continuePipeline=True, **CANCEL)
    assert len(cancels(bench)) == 1
    assert (run["status"], run["stages"][0]["status"]) == ("SUCCEEDED", "FAILED_CONTINUE")
    assert "Host not allowed" not in str(run)


async def test_what_the_other_side_cancelled_is_told_too(bench):
    """As Orca: whenever the task ends as cancelled."""
    bench.outbound.script(CANCEL["cancelEndpoint"], reply())
    run = await asked(
        bench, reply(200, {"status": "CANCELLED"}), **{**CANCEL, "canceledStatuses": "cancelled"}
    )
    assert (run["status"], len(cancels(bench))) == ("CANCELED", 1)


async def test_a_stage_that_takes_too_long_stops_what_it_started(bench):
    """StageTimeoutMs too."""
    bench.outbound.script(CANCEL["cancelEndpoint"], reply())
    run = await asked(bench, reply(200, {"status": "x"}), stageTimeoutMs=5000, **CANCEL)
    run = await later(bench, run, 6)
    assert (run["status"], len(cancels(bench))) == ("TERMINAL", 1)


async def test_success_cancels_nothing(bench):
    """Nor does an endpoint that is empty."""
    run = await asked(bench, reply(200, {"status": "DONE"}), **CANCEL)
    assert (run["status"], cancels(bench)) == ("SUCCEEDED", [])


# -- expressions, restart, what is shown -------------------------------------------------------------


async def test_what_callers_supply_is_data(bench):
    """An expression in a trigger's payload is sent as it stands; the owner's is evaluated."""
    trigger = {"type": "manual", "parameters": {"job": "${1 + 1}"}}
    run = await called(
        bench,
        hook(payload={"job": "${parameters.job}", "sum": "${2 + 3}"}),
        reply(200, {"said": "${4 + 5}"}),
        trigger=trigger,
    )
    assert msgspec.json.decode(bench.outbound.requests[0].body) == {"job": "${1 + 1}", "sum": 5}
    assert webhook(run)["body"] == {"said": "${4 + 5}"}


async def test_later_stages_read_the_answer(bench):
    """By the stage's context, as there are no outputs."""
    bench.outbound.script(URL, reply(200, {"version": "1.2.3"}))
    message = "${#stage('call').context.webhook.body.version}"
    run = await bench.pipeline(
        hook(refId="1"),
        {
            "type": "evaluateVariables",
            "refId": "2",
            "requisiteStageRefIds": ["1"],
            "variables": [{"key": "v", "value": message}],
        },
    )
    assert run["stages"][1]["outputs"] == {"v": "1.2.3"}


async def test_a_restart_begins_anew(bench):
    """Nothing of the earlier answers counts."""
    run = await asked(bench, reply(404), reply(200, {"status": "DONE"}))
    assert run["status"] == "TERMINAL"
    await bench.executions.restart_stage(run["id"], run["stages"][0]["id"], bench.ann)
    await bench.idle()
    run = await bench.executions.get_pipeline(run["id"])
    assert run["status"] == "SUCCEEDED"
    assert "pastStatusCodes" not in monitor(run)


async def test_headers_that_may_be_secrets_are_not_shown(bench):
    """Neither in the execution nor in lists; they are sent all the same."""
    headers = {"Authorization": "Bearer abc", "X-Api-Key": ["k1"], "Cookie": "c=1", "X-Team": "ops"}
    run = await called(bench, hook(customHeaders=headers), reply())
    assert bench.outbound.requests[0].headers["Authorization"] == ("Bearer abc",)
    shown = run["stages"][0]["context"]["customHeaders"]
    assert shown == {
        "Authorization": "\u2022\u2022\u2022\u2022",
        "X-Api-Key": "\u2022\u2022\u2022\u2022",
        "Cookie": "\u2022\u2022\u2022\u2022",
        "X-Team": "ops",
    }


async def test_an_integration_key_in_a_payload_is_shown_by_its_label(bench):
    """An event that a webhook sends holds one."""
    run = await called(bench, hook(payload={"routing_key": "R" * 32, "event_action": "resolve"}), reply())
    assert b"R" * 32 in bench.outbound.requests[0].body
    assert run["stages"][0]["context"]["payload"]["routing_key"] == "Service R"


async def test_where_webhooks_are_switched_off_the_stage_says_so(bench):
    """webhook.enabled: false."""
    for owner in (bench.executions, bench.bursts._runs["execution"].__self__):
        owner._services = replace(bench.executions._services, webhooks=None)
    assert errors(await bench.pipeline(hook())) == ["Webhook stages are switched off here (webhook.enabled)."]


@pytest.mark.parametrize("name", ["url", "cancelEndpoint", "statusEndpoint"])
async def test_what_an_expression_was_to_say_and_did_not_is_never_called(bench, name):
    """The stage ends with the expression, and nobody outside hears of it."""
    unknown = f"{URL}/${{parameters.nobody}}"
    more = {"waitForCompletion": True, "monitorOnly": True} if name == "statusEndpoint" else {}
    run = await called(bench, hook(**{"failFastStatusCodes": [400], **more, name: unknown}), reply(400))
    asked = [request.url for request in bench.outbound.requests]
    assert run["status"] == "TERMINAL"
    assert asked == ([URL] if name == "cancelEndpoint" else [])
    if name != "cancelEndpoint":
        assert errors(run)[:2] == [
            f"`{name}` holds an expression that did not resolve: {unknown}",
            f"Failed to evaluate [{name}] : {URL}/parameters.nobody not found",
        ]
