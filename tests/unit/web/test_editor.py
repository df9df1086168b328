"""The editor of pipelines: the draft travels in the form, unknown fields survive, and no key leaves the server."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.api import create_app
from masthead.executions import STAGE_TYPES
from masthead.kernel.caller import Caller
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret
from masthead.paging.hashing import KeyHasher
from masthead.web import editor, pages
from masthead.web.editor_draft import add_stage, pack, remove_stage, unpack
from masthead.web.editor_fields import apply_controls, controls_of
from masthead.web.editor_json import line_of, lines_of, written
from masthead.web.editor_secrets import Secrets
from masthead.web.forms import Errors, Form
from masthead.web.rendering import Renderer
from support.doors import CHECKOUT_KEY, UNKNOWN_KEY, House, client_of, web_services

ANN = Caller(user="ann@example.com")
FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}
STAGES: list[dict[str, Any]] = [
    {"refId": "1", "requisiteStageRefIds": [], "type": "wait", "name": "Settle", "waitTime": 5, "odd": {"deep": [1, None]}},
    {
        "refId": "2", "requisiteStageRefIds": ["1"], "type": "pageApplicationOwner", "name": "Tell",
        "message": "Version ${parameters.version}", "keys": [CHECKOUT_KEY, UNKNOWN_KEY], "details": {"token": "s3cret"},
    },
    {"refId": "3", "requisiteStageRefIds": ["2"], "type": "manualJudgment", "name": "Keep it?"},
]  # fmt: skip


@dataclass
class Editing:
    """A form that somebody has open."""

    client: httpx.AsyncClient
    at: str
    answer: httpx.Response

    @property
    def text(self) -> str:
        return self.answer.text

    @property
    def draft(self) -> dict[str, Any]:
        return json.loads(self.fields()["draft"])

    def stage(self, ref: str) -> dict[str, Any]:
        return next(one for one in self.draft["stages"] if one["refId"] == ref)

    def fields(self) -> dict[str, Any]:
        """Give what a browser would send of the form, without pressing a button."""
        found: dict[str, Any] = {}
        for tag in re.findall(r"<input\b[^>]*>", self.text.partition('id="editor"')[2]):
            given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            if given.get("type") == "checkbox" and "checked" not in tag:
                continue
            if "name" in given:
                found.setdefault(given["name"], []).append(html.unescape(given.get("value", "")))
        for name, value in re.findall(
            r'<textarea\b[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', self.text, re.DOTALL
        ):
            found[name] = [html.unescape(value)]
        for name, body in re.findall(
            r'<select\b[^>]*name="([^"]*)"[^>]*>(.*?)</select>', self.text, re.DOTALL
        ):
            options = re.findall(r'<option value="([^"]*)"( selected)?', body)
            chosen = [value for value, selected in options if selected] or [value for value, _ in options[:1]]
            found[name] = [html.unescape(value) for value in chosen]
        return {name: values if len(values) > 1 else values[0] for name, values in found.items()}

    async def do(self, op: str, *, headers: dict[str, str] | None = None, **typed: Any) -> Editing:
        """Press a button after typing; names of fields have their dots as two underscores."""
        changes = {name.replace("__", "."): value for name, value in typed.items()}
        answer = await self.client.post(self.at, data=self.fields() | {"op": op} | changes, headers=headers)
        return Editing(self.client, self.at, answer)


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    await house.application("demo")
    app = create_app(house.services, mounts=pages(web_services(house)))
    async with client_of(app) as opened:
        yield opened


async def opened(house: House, client: httpx.AsyncClient, query: str = "", **changes: Any) -> Editing:
    """Store a pipeline and open it."""
    document = await house.pipeline("release", **({"stages": STAGES, "unknown": {"x": [1]}} | changes))
    at = f"/ui/applications/demo/pipelines/{document['id']}/edit"
    return Editing(client, at, await client.get(at + query))


async def stored(house: House) -> dict[str, Any]:
    return (await house.services.pipelines.of_application("demo"))[0]


# -- nothing is lost and nothing is shown -----------------------------------------------------------


async def test_saving_without_a_change_stores_exactly_what_was_there(house, client):
    """Unknown fields, keys and all."""
    form = await opened(house, client)
    before = await stored(house)
    for panel in ("stage-json", "parameters", "triggers", "pipeline", "json", "stage"):
        form = await form.do(f"tab:{panel}")
        assert form.answer.status_code == 200
        assert "not saved" not in form.text, panel
    for ref in ("2", "3", "1"):
        form = await form.do(f"choose:{ref}")
    assert (await form.do("save")).answer.status_code == 303
    after = await stored(house)
    moving = ("updateTs", "lastModifiedBy")
    assert {k: v for k, v in after.items() if k not in moving} == {
        k: v for k, v in before.items() if k not in moving
    }


async def test_no_key_is_in_any_panel_and_each_comes_back_when_it_is_saved(house, client):
    """Known ones by their service's name, unknown ones by their last characters, also in JSON and in what was before."""
    form = await opened(house, client, "?stage=2")
    for op in ("tab:stage-json", "tab:json", "duplicate", "undo", "tab:stage"):
        form = await form.do(op)
        for secret in (CHECKOUT_KEY, UNKNOWN_KEY, "s3cret"):
            assert secret not in form.text, op
    assert "&lt;&lt;hidden: Checkout " in form.text
    assert "&lt;&lt;hidden: key …9999 " in form.text
    form = await (await form.do("choose:2")).do("save", common__name="Tell them")
    saved = (await stored(house))["stages"][1]
    assert saved == STAGES[1] | {"name": "Tell them"}


async def test_a_key_that_is_typed_is_hidden_at_once_and_stored(house, client):
    """It goes to the server once and comes back never."""
    key = "feed0000feed0000feed0000feed0001"
    form = await opened(house, client, "?stage=2")
    form = await form.do("apply", stage__keys=key)
    assert key not in form.text
    assert "hidden: key …0001" in form.text
    await form.do("save")
    assert (await stored(house))["stages"][1]["keys"] == [key]


async def test_a_stand_in_that_nobody_knows_is_refused(house, client):
    """The sentence says what to do; the draft stays."""
    form = await opened(house, client, "?stage=2")
    form = await form.do("save", stage__keys=f"<<hidden: Gone {'0' * 32}>>")
    assert form.answer.status_code == 400
    assert "What was hidden as Gone is not known here any more" in form.text
    assert form.stage("2")["keys"] == [f"<<hidden: Gone {'0' * 32}>>"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([CHECKOUT_KEY, f"x {CHECKOUT_KEY} y"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["keys", "type", "password", "a", "alias", "pipeline"]) | st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


class _Catalog:
    """A catalog of one service."""

    def services(self) -> list[Any]:
        return []

    def service_of_key(self, key: Secret) -> Any:
        return (type("Service", (), {"name": "Shop <1>"}), None) if key.reveal() == CHECKOUT_KEY else None


@given(JSON, st.sampled_from([None, "pageApplicationOwner", "savePipeline"]))
def test_what_is_hidden_comes_back_whatever_it_stands_in(value, kind):
    """Any JSON: hiding and revealing gives the same again, and the key is in between nowhere."""
    document = (
        {"type": kind, "keys": [CHECKOUT_KEY], "more": value}
        if kind
        else {"more": value, "pdApiKey": CHECKOUT_KEY}
    )
    secrets = Secrets(_Catalog(), KeyHasher(Secret("0" * 64)), STAGE_TYPES)  # type: ignore[arg-type]
    hidden = secrets.hide(document)
    assert CHECKOUT_KEY not in json.dumps(hidden)
    assert secrets.hide(hidden) == hidden
    assert secrets.reveal(hidden, [document, {"password": CHECKOUT_KEY}]) == document


# -- stages -----------------------------------------------------------------------------------------


async def test_a_form_changes_the_fields_of_its_type_and_nothing_else(house, client):
    """Numbers are numbers, an expression stays text, an emptied field goes."""
    form = await opened(house, client)
    form = await form.do("apply", stage__waitTime="7", stage__skipRemainingWait="true")
    assert form.stage("1") == STAGES[0] | {"waitTime": 7, "skipRemainingWait": True}
    form = await form.do("apply", stage__waitTime="${parameters.wait}")
    assert form.stage("1")["waitTime"] == "${parameters.wait}"
    form = await form.do("apply", stage__waitTime="", stage__skipRemainingWait="")
    assert form.stage("1") == {key: value for key, value in STAGES[0].items() if key != "waitTime"}


async def test_what_cannot_be_read_is_said_beside_its_field_and_kept_as_typed(house, client):
    """The draft stays as it was, whatever button was pressed."""
    form = await opened(house, client)
    form = await form.do("save", stage__waitTime="soon", common__name="Later")
    assert form.answer.status_code == 400
    assert "Wait time: it must be a number, or an expression." in form.text
    assert form.fields()["stage.waitTime"] == "soon"
    assert form.stage("1")["name"] == "Settle"
    assert (await stored(house))["stages"][0]["name"] == "Settle"


async def test_what_every_stage_has_is_changed_too(house, client):
    """Whom it waits for, what its failure means, when it runs, and how long it may take."""
    form = await opened(house, client, "?stage=3")
    form = await form.do(
        "apply", common__waits=["1", "2"], common__failure="ignore", common__enabled="parameters.go == 'yes'", common__timeout="1.5"
    )  # fmt: skip
    changed = form.stage("3")
    assert changed["requisiteStageRefIds"] == ["1", "2"]
    assert (changed["continuePipeline"], changed["failPipeline"]) == (True, False)
    assert changed["stageEnabled"] == {"type": "expression", "expression": "parameters.go == 'yes'"}
    assert changed["stageTimeoutMs"] == 90_000


async def test_stages_are_added_duplicated_and_removed(house, client):
    """Each shows what it made; those behind a removed one wait for what it waited for."""
    form = await opened(house, client)
    form = await form.do("add", new_type="noop")
    assert form.stage("4") == {
        "refId": "4",
        "requisiteStageRefIds": ["1"],
        "type": "noop",
        "name": STAGE_TYPES.find("noop").label,
    }
    form = await (await form.do("choose:2")).do("duplicate")
    assert form.stage("5")["name"] == "Copy of Tell"
    assert form.fields()["ref"] == "5"
    form = await (await form.do("choose:2")).do("remove")
    assert form.stage("3")["requisiteStageRefIds"] == ["1"]
    assert [one["refId"] for one in form.draft["stages"]] == ["1", "5", "3", "4"]


async def test_a_type_must_be_chosen_for_a_new_stage(house, client):
    """It is said, and nothing is made."""
    form = await (await opened(house, client)).do("add")
    assert form.answer.status_code == 400
    assert "Choose what the new stage does." in form.text


async def test_every_stage_type_has_a_form_that_changes_nothing_by_itself(house, client):
    """Generated from what the type declares."""
    for kind in STAGE_TYPES.all():
        stage = {"refId": "1", "type": kind.type, "name": "One"}
        controls = controls_of(stage, kind)
        assert [one.name for one in controls] == [field.name for field in kind.fields]
        form = Form([(one.field, one.value) for one in controls])
        errors = Errors()
        assert apply_controls(stage, kind, form, errors) == stage
        assert not errors


async def test_going_back_and_forth_shows_each_draft_again(house, client):
    """As many steps as were made; a new one ends the way forth."""
    form = await opened(house, client)
    form = await form.do("apply", common__name="One")
    form = await form.do("apply", common__name="Two")
    form = await form.do("undo")
    assert form.stage("1")["name"] == "One"
    form = await form.do("redo")
    assert form.stage("1")["name"] == "Two"
    form = await (await form.do("undo")).do("undo")
    assert form.stage("1")["name"] == "Settle"
    assert "not saved" not in form.text
    form = await form.do("apply", common__name="Three")
    assert (await form.do("redo")).stage("1")["name"] == "Three"


async def test_the_page_stage_says_whom_it_wakes(house, client):
    """As soon as it names somebody, before it is saved."""
    await house.application("shop", pdApiKey=CHECKOUT_KEY)
    form = await opened(house, client, "?stage=2")
    form = await form.do("apply", stage__keys="", stage__applications="shop\nnope")
    for part in ("Ada Lovelace", "for shop", "nope"):
        assert part in form.text
    assert form.stage("2")["applications"] == ["shop", "nope"]


# -- the rest of a pipeline -------------------------------------------------------------------------


async def test_parameters_are_added_changed_moved_and_removed(house, client):
    """With the values to choose from; unknown fields of them survive."""
    form = await opened(
        house, client, "?panel=parameters", parameterConfig=[{"name": "version", "pinned": True}]
    )
    form = await form.do("list:add")
    form = await form.do(
        "apply", **{"1__name": "region", "1__options": "eu\nus", "1__required": "true", "0__default": "1"}
    )
    version, region = form.draft["parameterConfig"]
    assert version == {"name": "version", "pinned": True, "default": "1"}
    assert (region["name"], region["options"], region["hasOptions"], region["required"]) == (
        "region", [{"value": "eu"}, {"value": "us"}], True, True,
    )  # fmt: skip
    form = await form.do("list:up/1")
    assert [one["name"] for one in form.draft["parameterConfig"]] == ["region", "version"]
    assert [one["name"] for one in (await form.do("list:remove/0")).draft["parameterConfig"]] == ["version"]
    form = await (await form.do("list:add")).do("save")
    assert "A parameter needs a name." in form.text


async def test_triggers_are_edited_by_their_type(house, client):
    """And what has no field of its own as JSON."""
    other = await house.pipeline("other")
    form = await opened(
        house, client, "?panel=triggers", triggers=[{"type": "git", "branch": "main", "enabled": False}]
    )
    form = await form.do("list:add", new_item="pipeline")
    typed = {
        "1__application": "demo",
        "1__pipeline": other["id"],
        "1__status": ["successful"],
        "0__more": '{"branch": "dev"}',
    }
    form = await form.do("apply", **typed)
    assert form.draft["triggers"] == [
        {"type": "git", "branch": "dev", "enabled": False},
        {
            "type": "pipeline",
            "enabled": True,
            "application": "demo",
            "pipeline": other["id"],
            "status": ["successful"],
        },
    ]
    form = await form.do("apply", **{"0__more": "{"})
    assert "The rest of the trigger is no JSON" in form.text


async def test_the_pipeline_itself_is_changed(house, client):
    """Name, description, and whether it runs."""
    form = await opened(house, client, "?panel=pipeline")
    await form.do("save", pipeline__name="ship", pipeline__description="Weekly", pipeline__disabled="true")
    saved = await stored(house)
    assert (saved["name"], saved["description"], saved["disabled"]) == ("ship", "Weekly", True)


async def test_json_is_edited_whole_or_by_stage_and_its_faults_have_a_line(house, client):
    """What was typed stays where it cannot be read."""
    form = await opened(house, client, "?panel=stage-json&stage=1")
    form = await form.do("apply", json='{"refId": "9", "type": "noop", "new": 1}')
    assert form.draft["stages"][0] == {"refId": "9", "type": "noop", "new": 1}
    assert form.fields()["ref"] == "9", "the renamed stage stays chosen"
    form = await form.do("tab:json")
    form = await form.do("save", json='{\n "stages": [\n}')
    assert form.answer.status_code == 400
    assert "The pipeline is no JSON: line 3" in form.text
    assert "nothing that is known" not in form.text
    assert form.fields()["json"] == '{\n "stages": [\n}'


async def test_nobody_takes_a_pipeline_over_by_its_json(house, client):
    """Id, application and version are the server's to say."""
    form = await opened(house, client, "?panel=json")
    await form.do(
        "save",
        json=json.dumps({"name": "x", "id": "other", "application": "other", "updateTs": "1", "stages": []}),
    )
    saved = await stored(house)
    assert (saved["application"], saved["name"]) == ("demo", "x")


# -- what is wrong ----------------------------------------------------------------------------------


async def test_what_is_wrong_is_said_with_its_stage_and_line(house, client):
    """What keeps it from being saved, and what will hurt when it runs."""
    form = await opened(house, client, "?panel=json")
    draft = form.draft
    draft["stages"][2]["requisiteStageRefIds"] = ["7"]
    draft["stages"][0]["type"] = "bakery"
    form = await form.do("save", json=json.dumps(draft))
    assert form.answer.status_code == 400
    assert "waits for refId &#39;7&#39;, which no stage has" in form.text
    assert "Masthead runs no stages of type bakery" in form.text
    marks = json.loads(html.unescape(re.findall(r"data-marks='([^']*)'", form.text)[0]))
    lines = form.fields()["json"].splitlines()
    at = next(one["line"] for one in marks if "waits for refId" in one["text"])
    assert '"7"' in lines[at - 1] or "requisiteStageRefIds" in lines[at - 1]
    assert (await stored(house))["stages"][2]["requisiteStageRefIds"] == ["2"]


async def test_what_is_refused_and_what_is_only_doubted_is_told_once(house, client):
    """A field without which nothing can be saved is not missed a second time; what Orca runs somehow is a doubt."""
    form = await opened(house, client, "?panel=json")
    stages = [{"refId": "1", "type": "pipeline"}, {"refId": "2", "type": "wait", "waitTime": -1}]
    broken = form.draft | {"stages": stages, "spelEvaluator": "v9", "triggers": [{"type": "git"}]}
    text = html.unescape((await form.do("save", json=json.dumps(broken))).text)
    assert "`pipeline` must be the id of a pipeline." in text
    assert "needs its field pipeline" not in text
    for doubt in (
        "`spelEvaluator` is neither",
        "starts nothing by triggers of type git",
        "`waitTime` is negative",
    ):
        assert doubt in text
    fine = broken | {"stages": stages[1:]}
    await form.do("save", json=json.dumps(fine))
    assert (await stored(house))["spelEvaluator"] == "v9"


async def test_somebody_elses_change_is_shown_as_a_difference_and_both_are_kept(house, client):
    """Mine is stored over theirs only when I say so, and not over a third one."""
    form = await opened(house, client, "?panel=pipeline")
    theirs = await stored(house)
    await house.services.pipelines.save(theirs | {"description": "theirs"}, Caller(user="bob"))
    form = await form.do("save", pipeline__description="mine")
    assert form.answer.status_code == 409
    assert "bob has saved this pipeline while you were editing it." in form.text
    assert "+   &#34;description&#34;: &#34;theirs&#34;" in form.text
    assert "+   &#34;description&#34;: &#34;mine&#34;" in form.text
    assert "updateTs" not in form.text.partition("What bob changed")[2].partition("save:over")[0]
    over = re.findall(r'value="(save:over/\d+)"', form.text)[0]
    await house.services.pipelines.save((await stored(house)) | {"description": "third"}, Caller(user="eve"))
    again = await form.do(over)
    assert again.answer.status_code == 409
    over = re.findall(r'value="(save:over/\d+)"', again.text)[0]
    assert (await again.do(over)).answer.status_code == 303
    assert (await stored(house))["description"] == "mine"


async def test_htmx_gets_the_form_and_the_address_that_shows_it_again(house, client):
    """A save is said by a live message; the same form goes on."""
    form = await opened(house, client)
    form = await form.do("choose:2", headers=FRAGMENT)
    assert form.answer.headers["HX-Replace-Url"] == f"{form.at}?stage=2"
    assert "<html" not in form.text
    form = await form.do("save", headers=FRAGMENT, common__name="Tell them")
    assert "The pipeline is saved." in form.answer.headers["HX-Trigger"]
    form = await form.do("save", headers=FRAGMENT, common__name="Tell us")
    assert form.answer.status_code == 200
    assert (await stored(house))["stages"][1]["name"] == "Tell us"


async def test_the_policy_lets_the_browser_style_what_is_typed_here_and_nowhere_else(house, client):
    """ADR 8; scripts and styles of the page itself are held as strictly as everywhere."""
    form = await opened(house, client)
    policy = form.answer.headers["Content-Security-Policy"]
    assert policy.endswith("; style-src-attr 'unsafe-inline'")
    assert "script-src 'self';" in policy
    other = (await client.get("/ui/pipelines")).headers["Content-Security-Policy"]
    assert policy == f"{other}; style-src-attr 'unsafe-inline'"


async def test_expressions_are_evaluated_as_an_earlier_execution_would_have(house, client):
    """Without asking anybody outside, and without a key in the values."""
    form = await opened(house, client, "?stage=2", parameterConfig=[{"name": "version", "default": "1.42"}])
    pipeline = await stored(house)
    run = await house.services.executions.start_pipeline(
        pipeline | {"stages": [STAGES[0] | {"waitTime": 0}]}, ANN
    )
    await house.services.executions.wait(run, 20)
    form = Editing(client, form.at, await client.get(f"{form.at}?stage=2"))
    form = await form.do(
        "preview",
        run=run,
        stage__message="Version ${parameters.version} ${nothing}",
        stage__severity="${#fromUrl('http://x')}",
    )
    assert "Version 1.42" in form.text
    assert "nothing not found" in form.text
    assert "Nothing outside of the execution can be asked here." in form.text
    assert UNKNOWN_KEY not in form.text
    form = await form.do("preview", run="gone")
    assert "That execution is not there any more." in form.text


# -- history ----------------------------------------------------------------------------------------


async def test_the_history_says_who_changed_what_and_leads_back(house, client):
    """Without keys; a restored version is the newest."""
    form = await opened(house, client)
    first = await stored(house)
    await house.services.pipelines.save(first | {"description": "new"}, Caller(user="bob"))
    at = form.at.replace("/edit", "/history")
    text = (await client.get(at)).text
    assert "by bob" in text
    assert "+   &#34;description&#34;: &#34;new&#34;" in text
    older = (await client.get(f"{at}?version={first['updateTs']}&against=now")).text
    assert "From this version to now" in older
    for secret in (CHECKOUT_KEY, UNKNOWN_KEY):
        assert secret not in text + older
    answer = await client.post(f"{at}/{first['updateTs']}/restore")
    assert answer.headers["location"] == at
    saved = await stored(house)
    assert "description" not in saved
    assert saved["stages"] == STAGES
    assert (await client.post(f"{at}/1/restore")).status_code == 404


# -- the parts --------------------------------------------------------------------------------------


def test_lines_are_found_in_json_of_any_layout():
    """The nearest thing around what is not there counts; half a text has the lines of its beginning."""
    text = '{\n "a": {"x~/y": 1},\n "stages": [\n  {"n": [1,\n   "}"]},\n  true\n ]\n}'
    lines = lines_of(text)
    assert [line_of(one, lines) for one in ("", "/a/x~0~1y", "/stages/0/n/1", "/stages/1", "/stages/0/z/q", "/no")] == [
        1, 2, 5, 6, 4, 1,
    ]  # fmt: skip
    assert lines_of('{\n "a": 1,\n "b": [')["/b"] == 3
    assert lines_of("nonsense") == {"": 1}


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(), one, max_size=3),
    )
)
def test_every_part_of_a_written_document_has_a_line(value):
    """Whatever is in it."""
    text = written(value)
    lines = lines_of(text)
    assert set(lines.values()) <= set(range(1, text.count("\n") + 2))
    assert "" in lines


def test_steps_travel_and_what_is_no_step_is_none():
    """Only the last ones, in their order."""
    steps = [json.dumps({"n": n}) for n in range(40)]
    assert unpack(pack(steps)) == steps[-30:]
    assert [unpack(text) for text in ("", "###", "AAAA", "eJyrBQAA/wD9")] == [[], [], [], []]


def test_stages_without_refids_keep_their_order_when_one_is_added():
    """They ran one after the other, and do so still."""
    draft, ref = add_stage(
        {"stages": [{"type": "noop"}, {"type": "wait"}]}, "noop", name="Nothing", after="1"
    )
    assert [one["requisiteStageRefIds"] for one in draft["stages"]] == [[], ["0"], ["1"]]
    assert ref == "2"


def test_a_stage_that_is_not_there_cannot_be_removed():
    """It is said."""
    with pytest.raises(InvalidRequest, match="no such stage"):
        remove_stage({"stages": []}, "1")


async def test_what_takes_long_with_a_large_pipeline_is_not_done_by_the_loop(house, client, monkeypatch):
    """Neither looking for problems nor writing the page: everybody else has their answers meanwhile."""
    threads: dict[str, threading.Thread] = {}
    for owner, name in ((editor, "values_of"), (Renderer, "page")):
        work = getattr(owner, name)

        def noted(*given: Any, name: str = name, work: Any = work, **more: Any) -> Any:
            threads[name] = threading.current_thread()
            return work(*given, **more)

        monkeypatch.setattr(owner, name, noted)
    assert (await opened(house, client)).answer.status_code == 200
    assert set(threads) == {"values_of", "page"}
    assert threading.current_thread() not in threads.values()
