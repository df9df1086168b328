"""The lists of pipelines: how each went lately, why one cannot run, and what is done from there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from masthead.api import create_app
from masthead.kernel.caller import Caller
from masthead.web import pages
from support.doors import CHECKOUT_KEY, UNKNOWN_KEY, House, client_of, web_services

ANN = Caller(user="ann@example.com")
LIST = "/ui/applications/demo/pipelines"
CRON = {"type": "cron", "enabled": True, "cronExpression": "0 0 3 * * ?"}


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    await house.application("demo")
    app = create_app(house.services, mounts=pages(web_services(house)))
    async with client_of(app, follow_redirects=False) as client:
        yield client


async def names(house: House) -> list[str]:
    return [one["name"] for one in await house.services.pipelines.of_application("demo")]


async def test_without_pipelines_the_page_says_how_to_begin(browser):
    """With what a pipeline is, and the form that makes one."""
    text = (await browser.get(LIST)).text
    assert "demo has no pipelines yet" in text
    assert f'action="{LIST}/new"' in text


async def test_each_pipeline_shows_how_it_went_lately(house, browser):
    """Newest first, each run a link; what cannot run says why."""
    pipeline = await house.pipeline("Release <it>")
    await house.pipeline("Old", disabled=True)
    await house.pipeline("Empty", stages=[])
    execution = await house.services.executions.start_pipeline(pipeline, ANN)
    await house.services.executions.wait(execution, 20)
    for _ in range(2):
        again = await house.services.executions.start_pipeline(pipeline, ANN)
        await house.services.executions.wait(again, 20)
    text = (await browser.get(LIST)).text
    assert ">2 succeeded</span>" in text, "those before the last, in words"
    assert "Release &lt;it&gt;" in text
    assert f'href="/ui/executions/{execution}"' in text
    for part in ("succeeded", "it is disabled", "it has no stages", "never ran"):
        assert part in text
    assert "hx-trigger" not in text.partition('id="pipelines"')[2].partition(">")[0], "nothing runs"


async def test_all_pipelines_are_found_by_name_and_application(house, browser):
    """By every word; the filter stands in the address."""
    await house.application("other")
    await house.pipeline("release")
    await house.pipeline("nightly", application="other")
    text = (await browser.get("/ui/pipelines")).text
    assert ("release" in text, "nightly" in text) == (True, True)
    text = (await browser.get("/ui/pipelines?q=other+night")).text
    assert ('value="other night"' in text, ">release<" in text, ">nightly<" in text) == (True, False, True)
    assert "No pipeline matches" in (await browser.get("/ui/pipelines?q=x")).text


async def test_a_list_of_an_application_that_is_not_there_is_said(browser):
    """Rather than shown empty."""
    assert (await browser.get("/ui/applications/nope/pipelines")).status_code == 404


async def test_a_pipeline_is_made_and_edited_next(house, browser):
    """Its name is checked as everywhere, and kept when it is refused."""
    answer = await browser.post(f"{LIST}/new", data={"name": "release"})
    stored = (await house.services.pipelines.of_application("demo"))[0]
    assert (answer.status_code, answer.headers["location"]) == (303, f"{LIST}/{stored['id']}/edit")
    again = await browser.post(f"{LIST}/new", data={"name": "Release"})
    assert again.status_code == 400
    assert "A pipeline with name Release already exists in application demo" in again.text
    assert 'value="Release"' in again.text


async def test_a_copy_is_disabled_and_has_triggers_of_its_own(house, browser):
    """So that nothing runs twice because of it."""
    given = await house.pipeline("release", triggers=[CRON], unknown={"x": 1})
    await browser.post(f"{LIST}/{given['id']}/copy", data={"name": "copy"})
    copy = (await house.services.pipelines.of_application("demo"))[1]
    assert (copy["name"], copy["disabled"], copy["unknown"]) == ("copy", True, {"x": 1})
    assert copy["id"] != given["id"]
    assert copy["triggers"][0]["id"] != given["triggers"][0]["id"]


async def test_a_pipeline_is_renamed_disabled_enabled_and_deleted(house, browser):
    """Each by one button; nothing else of it changes."""
    given = await house.pipeline("release", unknown=1)
    at = f"{LIST}/{given['id']}"
    await browser.post(f"{at}/rename", data={"name": "ship"})
    await browser.post(f"{at}/disable")
    stored = await house.services.pipelines.get(given["id"])
    assert (stored["name"], stored["disabled"], stored["unknown"]) == ("ship", True, 1)
    await browser.post(f"{at}/enable")
    assert "disabled" not in await house.services.pipelines.get(given["id"])
    answer = await browser.post(f"{at}/delete")
    assert (answer.headers["location"], await names(house)) == (LIST, [])


async def test_pipelines_change_places(house, browser):
    """One by one; the first and the last stay where they are."""
    ids = {name: (await house.pipeline(name))["id"] for name in "abc"}
    await browser.post(f"{LIST}/{ids['c']}/up")
    assert await names(house) == ["a", "c", "b"]
    await browser.post(f"{LIST}/{ids['a']}/down")
    assert await names(house) == ["c", "a", "b"]
    await browser.post(f"{LIST}/{ids['c']}/up")
    assert await names(house) == ["c", "a", "b"]


async def test_a_pipeline_of_another_application_is_not_reached_through_this_one(house, browser):
    """Its id alone does not do."""
    await house.application("other")
    given = await house.pipeline("nightly", application="other")
    answer = await browser.post(f"{LIST}/{given['id']}/delete")
    assert answer.status_code == 404
    assert await house.services.pipelines.get(given["id"])


# -- running ----------------------------------------------------------------------------------------

PARAMETERS = [
    {"name": "version", "label": "Version", "required": True, "description": "Which <one>."},
    {"name": "region", "hasOptions": True, "options": [{"value": "eu"}, {"value": "us"}], "default": "eu"},
    {"name": "tries", "default": 3},
]


async def parameters_of(house: House, answer: httpx.Response) -> dict[str, object]:
    """Give what the execution was started with that *answer* leads to."""
    execution = answer.headers["location"].rpartition("/")[2]
    return (await house.services.executions.get_pipeline(execution))["trigger"]["parameters"]


async def test_the_form_asks_for_the_parameters_and_says_whom_it_wakes(house, browser):
    """By name, before anybody is woken; no key is in it."""
    await house.application("shop", pdApiKey=CHECKOUT_KEY)
    page = {
        "type": "pageApplicationOwner",
        "applications": ["shop"],
        "keys": [UNKNOWN_KEY, "${x}"],
        "refId": "1",
    }
    given = await house.pipeline("release", stages=[page], parameterConfig=PARAMETERS)
    text = (await browser.get(f"{LIST}/{given['id']}/run")).text
    for part in (
        "Ada Lovelace",
        "Checkout",
        "for shop",
        "key …9999",
        "<code>${x}</code>",
        "Which &lt;one&gt;.",
        '<option value="eu" selected>',
    ):
        assert part in text
    assert CHECKOUT_KEY not in text
    assert UNKNOWN_KEY not in text


async def test_a_run_starts_with_what_was_typed_and_leaves_defaults_to_the_pipeline(house, browser):
    """With their types."""
    given = await house.pipeline("release", parameterConfig=PARAMETERS)
    posted = {"parameter0": "1.42", "parameter1": "us", "parameter2": "3"}
    answer = await browser.post(f"{LIST}/{given['id']}/run", data=posted, headers={"X-SPINNAKER-USER": "bob"})
    assert await parameters_of(house, answer) == {"version": "1.42", "region": "us", "tries": 3}
    text = (await browser.get(answer.headers["location"])).text
    assert "Started by bob, by hand" in text


async def test_a_form_posted_twice_starts_one_run(house, browser):
    """The form knows which execution it makes."""
    given = await house.pipeline("release")
    text = (await browser.get(f"{LIST}/{given['id']}/run")).text
    execution = text.partition('name="execution" value="')[2].partition('"')[0]
    answers = [
        await browser.post(f"{LIST}/{given['id']}/run", data={"execution": execution}) for _ in range(2)
    ]
    assert [one.headers["location"] for one in answers] == [f"/ui/executions/{execution}"] * 2
    assert len((await house.services.executions.last_runs([given["id"]]))[given["id"]]) == 1


async def test_a_parameter_that_is_missing_is_said_beside_its_field(house, browser):
    """Nothing is started, and what was typed stays."""
    given = await house.pipeline("release", parameterConfig=PARAMETERS)
    answer = await browser.post(f"{LIST}/{given['id']}/run", data={"parameter2": "5"})
    assert answer.status_code == 400
    assert "Version is required." in answer.text
    assert 'name="parameter2" type="text" value="5"' in answer.text
    assert not (await house.services.executions.last_runs([given["id"]]))[given["id"]]


async def test_what_is_required_is_not_started_without_it_though_it_has_a_default(house, browser):
    """A field that somebody emptied would else be handed on as nothing."""
    parameters = [{"name": "region", "label": "Region", "required": True, "default": "eu"}]
    given = await house.pipeline("release", parameterConfig=parameters)
    assert "Region</label>" in (await browser.get(f"{LIST}/{given['id']}/run")).text
    answer = await browser.post(f"{LIST}/{given['id']}/run", data={"parameter0": ""})
    assert (answer.status_code, "Region is required." in answer.text) == (400, True)


async def test_a_disabled_pipeline_is_not_started(house, browser):
    """Neither from the form, which is not offered, nor by a form from before."""
    given = await house.pipeline("release", disabled=True)
    assert "It is disabled." in (await browser.get(f"{LIST}/{given['id']}/run")).text
    answer = await browser.post(f"{LIST}/{given['id']}/run", data={})
    assert answer.status_code == 400
    assert "It was not started." in answer.text


async def test_a_run_is_repeated_with_what_it_was_started_with(house, browser):
    """Filled in, and changed if somebody wants that; a run that is gone fills in nothing."""
    given = await house.pipeline("release", parameterConfig=PARAMETERS)
    answer = await browser.post(f"{LIST}/{given['id']}/run", data={"parameter0": "1.42", "parameter1": "us"})
    like = answer.headers["location"].rpartition("/")[2]
    text = (await browser.get(f"{LIST}/{given['id']}/run?like={like}")).text
    assert ('value="1.42"' in text, '<option value="us" selected>' in text) == (True, True)
    assert (await browser.get(f"{LIST}/{given['id']}/run?like=nope")).status_code == 200
