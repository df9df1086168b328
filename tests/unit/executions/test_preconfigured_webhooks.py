"""Webhooks that an operator has set up: what stands over the stage, what is never seen, and what is listed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from masthead.config import Settings, load
from masthead.config.settings import WebhookSettings
from masthead.config.webhooks import PreconfiguredWebhook, preconfigured
from masthead.executions import STAGE_TYPES
from masthead.executions.stages.webhook import listing
from masthead.executions.webhooks import Webhooks
from masthead.kernel.caller import Caller
from masthead.kernel.errors import AccessDenied, ConfigurationInvalid, InvalidRequest
from masthead.kernel.secret import Secret
from masthead.outbound import UrlRefused
from masthead.outbound.fakes import FakeOutbound, reply
from masthead.server.webhooks import open_outbound, open_webhooks, stage_types, url_reader

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "call-other-pagerduty-apis.md"
URL = "https://ci.example.com/jobs/deploy"
HOOK = PreconfiguredWebhook(
    type="deployWithCi",
    label="Deploy",
    description="Starts the job.",
    parameters=({"name": "job", "defaultValue": "deploy"}, {"name": "env"}),
    properties={
        "url": "https://ci.example.com/jobs/${parameterValues['job']}",
        "method": "PUT",
        "payload": '{"user": "${trigger.user}", "env": "${parameterValues[\'env\']}"}',
        "customHeaders": {"X-Team": ["ops"], "Authorization": ["shown"]},
    },
    sensitive_headers={"authorization": (Secret("Bearer s3cret"),)},
    permissions={"WRITE": ("ops",)},
)


@pytest.fixture
def hooked(bench):
    """The bench, with the operator's types."""
    settings = Settings(
        webhook=WebhookSettings(preconfigured=(HOOK, PreconfiguredWebhook("off", enabled=False)))
    )
    types = stage_types(settings)
    burst = bench.bursts._runs["execution"].__self__
    services = replace(bench.executions._services, webhooks=open_webhooks(settings, bench.outbound))
    burst._services = bench.executions._services = services
    burst._planner = bench.executions._types = types
    bench.outbound.script(URL, reply(200, {"ok": True}))
    return bench


@pytest.mark.parametrize("alias", [{}, {"alias": "preconfiguredWebhook"}])
async def test_the_operators_values_stand_over_the_stages(hooked, alias):
    """By the type itself or by Deck's alias; expressions see the parameters, whose defaults count."""
    run = await hooked.pipeline(
        {"type": "deployWithCi", "url": "https://evil.example/", "failFastStatusCodes": [404],
         "parameterValues": {"env": "${1 + 1}"}, **alias},
        trigger={"type": "manual", "user": "ann"},
    )  # fmt: skip
    assert run["status"] == "SUCCEEDED"
    (sent,) = hooked.outbound.requests
    assert (sent.method, sent.url, sent.body) == ("PUT", URL, b'{"user": "ann", "env": "2"}')
    context = run["stages"][0]["context"]
    assert (context["url"], context["failFastStatusCodes"]) == (URL, [404])
    assert context["parameterValues"] == {"job": "deploy", "env": 2}


async def test_the_example_of_the_how_to_sends_what_it_says(bench, tmp_path):
    """The settings shown there are read, and the stage shown there opens the window; no value can break out of the body."""
    text = HOW_TO.read_text()
    file = tmp_path / "orca.yml"
    file.write_text(re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)[0])
    settings = load([file], {"PAGERDUTY_WRITE_TOKEN": "w1"}).settings
    stage = json.loads(re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)[0])
    burst = bench.bursts._runs["execution"].__self__
    burst._services = replace(bench.executions._services, webhooks=open_webhooks(settings, bench.outbound))
    burst._planner = stage_types(settings)
    bench.outbound.script(
        "https://api.pagerduty.com/maintenance_windows", reply(201, {"maintenance_window": {"id": "W1"}})
    )
    for service in ("P123ABC", 'P1"}], "x": [{"y": "'):
        stage["parameterValues"]["service"] = service
        run = await bench.pipeline(stage)
        assert run["status"] == "SUCCEEDED"
        sent = bench.outbound.requests[-1]
        assert sent.headers["Authorization"] == ("Token token=w1",)
        assert json.loads(sent.body) == {
            "maintenance_window": {
                "type": "maintenance_window",
                "start_time": "2026-11-23T03:00:00Z",
                "end_time": "2026-11-24T18:00:00Z",
                "services": [{"id": service, "type": "service_reference"}],
            }
        }


async def test_what_parameters_hold_is_data(hooked):
    """An expression that a trigger supplied is not evaluated on its way through the operator's."""
    await hooked.pipeline(
        {"type": "deployWithCi", "parameterValues": {"env": "${parameters.env}"}},
        trigger={"type": "manual", "user": "ann", "parameters": {"env": "${#toInt('7')}"}},
    )
    assert hooked.outbound.requests[0].body == b'{"user": "ann", "env": "${#toInt(\'7\')}"}'


async def test_sensitive_headers_are_sent_and_never_seen(hooked):
    """They win over others of the same name, in any case."""
    run = await hooked.pipeline({"type": "deployWithCi"})
    assert hooked.outbound.requests[0].headers == {
        "X-Team": ("ops",), "authorization": ("Bearer s3cret",), "Content-Type": ("application/json",),
    }  # fmt: skip
    assert "s3cret" not in str(run)


async def test_an_unknown_one_has_orcas_sentence(hooked):
    """A type that was taken out of the settings, and one that is switched off."""
    run = await hooked.pipeline({"type": "gone", "alias": "preconfiguredWebhook"})
    errors = run["stages"][0]["context"]["exception"]["details"]["errors"]
    assert errors == ["Could not find a stage named 'gone'"]
    run = await hooked.pipeline({"type": "off"})
    assert run["status"] == "TERMINAL"


def test_they_are_listed_as_deck_reads_them():
    """The names of what is set, the parameters, and the permissions as data; disabled ones are not there."""
    assert listing([HOOK, PreconfiguredWebhook("off", enabled=False)]) == [
        {
            "label": "Deploy",
            "description": "Starts the job.",
            "type": "deployWithCi",
            "preconfiguredProperties": ["url", "customHeaders", "method", "payload"],
            "noUserConfigurableFields": False,
            "parameters": [{"name": "job", "defaultValue": "deploy"}, {"name": "env"}],
            "permissions": {"WRITE": ["ops"]},
        }
    ]


@pytest.mark.parametrize(
    ("fields", "is_closed"),
    [
        ({"waitForCompletion": False, "url": "u", "customHeaders": {}, "method": "GET", "payload": "p"}, True),
        ({"waitForCompletion": False, "url": "u", "customHeaders": {}, "method": "GET"}, False),
        ({"url": "u", "customHeaders": {}, "method": "GET", "payload": "p"}, False),
        ({"waitForCompletion": True, "url": "u"}, False),
    ],
)  # fmt: skip
def test_whether_anything_is_left_to_fill_in(fields, is_closed):
    """As upstream counts."""
    hooks = preconfigured([{"type": "t", **fields}], lambda _: None)
    assert listing(hooks)[0]["noUserConfigurableFields"] is is_closed


def test_a_closed_one_that_waits():
    """Every field is set, but for the path that only webhookResponse needs."""
    names = {
        "url": "u", "customHeaders": {}, "method": "GET", "payload": "p", "failFastStatusCodes": [404], "waitForCompletion": True,
        "statusUrlResolution": "getMethod", "statusJsonPath": "$.s", "progressJsonPath": "$.p", "successStatuses": "a",
        "canceledStatuses": "b", "terminalStatuses": "c", "signalCancellation": True, "cancelEndpoint": "e",
        "cancelMethod": "POST", "cancelPayload": "x",
    }  # fmt: skip
    (found,) = listing(preconfigured([{"type": "t", **names}], lambda _: None))
    assert found["noUserConfigurableFields"] is True
    (found,) = listing(
        preconfigured([{"type": "t", **names, "statusUrlResolution": "webhookResponse"}], lambda _: None)
    )
    assert found["noUserConfigurableFields"] is False


def test_forms_ask_for_what_is_left():
    """The parameters by their names first, and nothing that is set already."""
    own = stage_types(Settings(webhook=WebhookSettings(preconfigured=(HOOK,)))).find("deployWithCi")
    assert (own.fields[0].name, own.fields[0].doc) == ("parameterValues", "Values by name: job, env.")
    names = [each.name for each in own.fields]
    assert len(set(names)) == len(names)
    assert not {"url", "method", "payload", "customHeaders"} & set(names)
    assert "statusJsonPath" in names


def test_a_type_of_our_own_cannot_be_taken():
    """Somebody would page nobody and not notice."""
    settings = Settings(
        webhook=WebhookSettings(preconfigured=(PreconfiguredWebhook("pageApplicationOwner"),))
    )
    with pytest.raises(ConfigurationInvalid, match="the type pageApplicationOwner is one of Masthead's own"):
        stage_types(settings)


def test_webhooks_can_be_switched_off():
    """Then there is no such type, and nothing goes out."""
    settings = Settings(webhook=WebhookSettings(enabled=False, preconfigured=(HOOK,)))
    types = stage_types(settings)
    assert (types.find("webhook"), types.find("deployWithCi")) == (None, None)
    assert open_webhooks(settings, FakeOutbound()) is None


async def test_the_settings_reach_the_client():
    """With the defaults this machine is refused; a list of allowed requests counts once it is enabled."""
    with pytest.raises(UrlRefused, match="rejectVerbatimIps"):
        await open_outbound(Settings()).check("http://127.0.0.1/")
    assert isinstance(open_webhooks(Settings(), FakeOutbound()), Webhooks)
    assert open_webhooks(Settings(), FakeOutbound()).allowed is None
    assert (
        open_webhooks(
            Settings(webhook=WebhookSettings(allowed_requests_enabled=True)), FakeOutbound()
        ).allowed
        == ()
    )


async def test_expressions_read_urls_by_the_same_client(bench):
    """#jsonFromUrl and its kin; a refusal and an error of the other side leave the text, with the reason."""
    bench.outbound.script("https://a.example/v", reply(200, {"v": "1.2"}))
    bench.outbound.script("https://a.example/gone", reply(404, b"secret words"))
    bench.outbound.script(
        "https://orca/",
        UrlRefused("Host not allowed: orca (user-configured-url-restrictions.allowedHostnamesRegex)"),
    )
    neighbours = bench.executions._expressions._outside
    neighbours._services = replace(neighbours._services, read_url=url_reader(bench.outbound))
    run = await bench.pipeline(
        {"type": "noop", "name": "${#jsonFromUrl('https://a.example/v').v}", "good": "${#jsonFromUrl('https://a.example/v').v}",
         "bad": "${#fromUrl('https://a.example/gone')}", "refused": "${#fromUrl('https://orca/')}"}
    )  # fmt: skip
    context = run["stages"][0]["context"]
    assert context["good"] == "1.2"
    assert context["bad"] == "${#fromUrl('https://a.example/gone')}"
    said = str(context["expressionEvaluationSummary"])
    assert "the answer has the status 404" in said
    assert "allowedHostnamesRegex" in said
    assert "secret words" not in said


# -- who may, and who sees what ---------------------------------------------------------------------

EVIL = "https://evil.example/"


@pytest.mark.parametrize(
    "fields",
    [
        {"alias": "webhook", "url": EVIL},
        {"monitorOnly": True, "waitForCompletion": True, "statusEndpoint": EVIL},
        {"waitForCompletion": True, "statusJsonPath": "$.gone", "cancelEndpoint": EVIL},
        {"waitForCompletion": True, "statusUrlResolution": "webhookResponse", "statusUrlJsonPath": "$.said"},
        {"waitForCompletion": True, "statusEndpoint": EVIL, "monitorOnly": "true", "statusJsonPath": "$.x"},
    ],
    ids=["alias", "status", "cancel", "answer", "status as text"],
)
async def test_sensitive_headers_go_to_the_operators_own_only(hooked, fields):
    """Whatever the stage names besides, and what an answer can be made to say, is asked without them."""
    hooked.outbound._script[URL].clear()
    hooked.outbound.script(URL, reply(200, {"said": EVIL}))
    hooked.outbound.script(EVIL, reply(200, {"ok": True}))
    await hooked.pipeline({"type": "deployWithCi", **fields})
    asked = [each for each in hooked.outbound.requests if each.url == EVIL]
    assert asked
    assert "s3cret" not in str([each.headers for each in asked])


@pytest.mark.parametrize(
    ("properties", "location"),
    [({}, "/jobs/1"), ({"statusUrlResolution": "locationHeader"}, "https://status.example.com/1")],
)
async def test_sensitive_headers_go_where_the_operators_answer_leads(hooked, properties, location):
    """To the same host; to another where the operator said that the answer names it."""
    hook = replace(HOOK, properties={**HOOK.properties, **properties})
    hooked.executions._services.webhooks.preconfigured["deployWithCi"] = hook
    hooked.executions._types.find("deployWithCi")._hooks["deployWithCi"] = hook
    hooked.outbound._script[URL].clear()
    hooked.outbound.script(URL, reply(201, Location=location))
    status = "https://ci.example.com/jobs/1" if location.startswith("/") else location
    hooked.outbound.script(status, reply(200, {}))
    run = await hooked.pipeline(
        {"type": "deployWithCi", "waitForCompletion": True, "statusUrlResolution": "locationHeader"}
    )
    assert run["status"] == "SUCCEEDED"
    assert hooked.outbound.requests[-1].url == status
    assert hooked.outbound.requests[-1].headers["authorization"] == ("Bearer s3cret",)


async def test_what_the_operator_set_is_not_changed_while_it_runs(hooked):
    """Neither by people, nor by a name that only an expression gives."""
    hooked.outbound._script[URL].clear()
    hooked.outbound.script(URL, reply(503))
    run = await hooked.pipeline({"type": "deployWithCi"})
    stage_id = run["stages"][0]["id"]
    for changes in ({"url": EVIL}, {"statusEndpoint": EVIL}):
        with pytest.raises(AccessDenied, match="is the operator's"):
            await hooked.executions.change_stage(run["id"], stage_id, changes, hooked.ann)
    with pytest.raises(InvalidRequest, match="`alias` says what a stage runs as"):
        await hooked.executions.change_stage(run["id"], stage_id, {"alias": "webhook"}, hooked.ann)

    async def read(url: str) -> str:
        return "url"

    neighbours = hooked.executions._expressions._outside
    neighbours._services = replace(neighbours._services, read_url=read)
    run = await hooked.pipeline({"type": "deployWithCi", "${#fromUrl('https://a.example/')}": EVIL})
    assert [each.url for each in hooked.outbound.requests] == [URL, URL]
    assert run["stages"][0]["context"]["url"] == URL


@pytest.mark.parametrize(
    ("roles", "status"), [((), "TERMINAL"), (("operations",), "TERMINAL"), (("Ops",), "SUCCEEDED")]
)
async def test_only_somebody_with_a_role_for_writing_runs_it(hooked, roles, status):
    """Where there are users; a role is the whole word, in any case of letters. Who may not leads to no request at all."""
    ask_for_roles(hooked)
    caller = replace(hooked.ann, roles=roles)
    stage = {"type": "deployWithCi", "cancelEndpoint": EVIL}
    run = await hooked.executions.start_pipeline({"application": "demo", "stages": [stage]}, caller)
    await hooked.idle()
    run = await hooked.executions.get_pipeline(run)
    assert run["status"] == status
    assert "roles" not in str(run)
    if status == "TERMINAL":
        errors = run["stages"][0]["context"]["exception"]["details"]["errors"]
        assert errors[0] == "User 'ann@example.com' is not allowed to execute stage named 'deployWithCi'"
        assert hooked.outbound.requests == []


async def test_whoever_judged_brings_the_roles(hooked):
    """Where the judgment passes the name on; a child pipeline has the roles of who started it."""
    ask_for_roles(hooked)
    hooked.pipelines.stored["child"] = {
        "id": "child", "application": "demo", "name": "child", "stages": [{"type": "deployWithCi"}],
    }  # fmt: skip
    run = await hooked.pipeline(
        {"type": "manualJudgment", "refId": "1", "propagateAuthenticationContext": True},
        {"type": "pipeline", "refId": "2", "requisiteStageRefIds": ["1"], "pipeline": "child"},
    )
    bob = Caller(user="bob", roles=("ops",))
    await hooked.executions.change_stage(
        run["id"], run["stages"][0]["id"], {"judgmentStatus": "continue"}, bob
    )
    await hooked.idle()
    assert (await hooked.executions.get_pipeline(run["id"]))["status"] == "SUCCEEDED"
    assert len(hooked.outbound.requests) == 1


def ask_for_roles(bench) -> None:
    services = replace(bench.executions._services, asks_roles=lambda: True)
    bench.bursts._runs["execution"].__self__._services = bench.executions._services = services


def test_only_those_that_one_may_see_are_listed():
    """By the roles for reading; where nobody has roles, all of them."""
    hooks = [replace(HOOK, permissions={"READ": ("ops",)}), replace(HOOK, type="open", permissions=None)]
    for roles, types in (
        (None, ["deployWithCi", "open"]),
        ((), ["open"]),
        (("OPS",), ["deployWithCi", "open"]),
    ):
        assert [each["type"] for each in listing(hooks, roles)] == types


# -- what is looked at when a pipeline is saved -----------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"url": None}, "/url", "`url` is missing"),
        ({"url": "ci.example.com"}, "/url", "`url` must be a URL such as https://"),
        ({"url": "ftp://ci.example.com"}, "/url", "`url` must begin with https://"),
        ({"method": "FETCH"}, "/method", "`method` must be one of GET"),
        ({"customHeaders": {"a": None}}, "/customHeaders", "`customHeaders` must be an object of texts"),
        ({"failFastStatusCodes": [99]}, "/failFastStatusCodes", "`failFastStatusCodes` must be a list of HTTP statuses"),
        ({"webhookRetryStatusCodes": "404"}, "/webhookRetryStatusCodes", "`webhookRetryStatusCodes` must be a list"),
        ({"retryStatusCodes": [True]}, "/retryStatusCodes", "`retryStatusCodes` must be a list"),
        ({"statusJsonPath": "$.["}, "/statusJsonPath", "`statusJsonPath` does not parse. The JSON path '$.[' cannot be read"),
        ({"progressJsonPath": "$.a | $.b"}, "/progressJsonPath", "`progressJsonPath` does not parse"),
        ({"statusUrlResolution": "x"}, "/statusUrlResolution", "`statusUrlResolution` must be one of getMethod"),
        ({"waitForCompletion": True, "statusUrlResolution": "webhookResponse"}, "/statusUrlJsonPath", "`statusUrlJsonPath` is missing"),
        ({"monitorOnly": True}, "/monitorOnly", "Can't specify monitorOnly = true"),
        ({"waitBeforeMonitor": "soon"}, "/waitBeforeMonitor", "`waitBeforeMonitor` must be a whole number"),
        ({"retries": {"404": 3}}, "/retries", "`retries` must map statuses"),
        ({"successStatuses": ["a"]}, "/successStatuses", "`successStatuses` must be words"),
        ({"cancelEndpoint": "x", "cancelMethod": "y"}, "/cancelEndpoint", "`cancelEndpoint` must be a URL"),
    ],
)  # fmt: skip
def test_a_webhook_that_cannot_work_is_not_saved(fields, pointer, words):
    """With the place and what to write."""
    stage = {"type": "webhook", "refId": "1", "url": "https://ci.example.com", **fields}
    (first, *_) = STAGE_TYPES.problems({"stages": [{"type": "noop"}, stage]})
    assert first.pointer == f"/stages/1{pointer}"
    assert first.sentence.startswith(words)


def test_what_is_known_only_while_running_is_left_alone():
    """Expressions, and fields that say nothing."""
    stage = {
        "type": "webhook", "url": "${parameters.url}", "method": "${parameters.method}", "statusJsonPath": "",
        "failFastStatusCodes": ["${1}"], "customHeaders": {"a": "b", "c": ["d"]}, "retries": {"404": {"maxAttempts": 2}},
        "statusUrlResolution": None, "waitBeforeMonitor": "5",
    }  # fmt: skip
    assert list(STAGE_TYPES.problems({"stages": [stage]})) == []
    alone = {
        "type": "webhook",
        "monitorOnly": True,
        "waitForCompletion": "true",
        "statusEndpoint": "https://a.example",
    }
    assert list(STAGE_TYPES.problems({"stages": [alone]})) == []


def test_preconfigured_ones_are_looked_at_without_what_is_set():
    """The operator's URL needs none of the stage's; a type that is not there is told."""
    types = stage_types(Settings(webhook=WebhookSettings(preconfigured=(HOOK,))))
    stages = [{"type": "deployWithCi", "url": "nonsense"}, {"type": "gone", "alias": "preconfiguredWebhook"},
              {"type": "deployWithCi", "statusJsonPath": "$["}]  # fmt: skip
    found = [(each.pointer, each.sentence[:40]) for each in types.problems({"stages": stages})]
    assert found == [
        ("/stages/1/type", "Could not find a stage named 'gone'"),
        ("/stages/2/statusJsonPath", "`statusJsonPath` does not parse. The JSO"),
    ]
