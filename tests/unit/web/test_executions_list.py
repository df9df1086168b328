"""The list of all executions: what it says of each, its filters, how it goes on, and what it says when it is empty."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from masthead.api import create_app
from masthead.executions import store
from masthead.executions.model import Execution, from_document
from masthead.kernel.caller import Caller
from masthead.storage.database import Database
from masthead.web import pages
from support.doors import House, client_of, web_services

ANN = Caller(user="ann@example.com")
LIST = "/ui/executions"
AT = 1_790_000_000_000


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    await house.application("demo")
    app = create_app(house.services, mounts=pages(web_services(house)))
    async with client_of(app) as client:
        yield client


def run(number: int, **changes: Any) -> Execution:
    """Give a run of a pipeline, the younger the higher its number."""
    at = AT + number * 1000
    document = {
        "id": f"run-{number:03}", "type": "PIPELINE", "application": "demo", "name": f"release {number}",
        "status": "SUCCEEDED", "buildTime": at, "startTime": at, "endTime": at + 65_000, "stages": [],
        "trigger": {"type": "manual"}, "authentication": {"user": "ann@example.com"}, **changes,
    }  # fmt: skip
    return from_document(document)


async def keep(database: Database, *runs: Execution) -> None:
    """Store runs as they are; nothing of them runs."""

    def work(connection: Any) -> None:
        for one in runs:
            store.insert(connection, one)

    await database.write(work)


def names(text: str) -> list[str]:
    """Give the executions that are listed, in their order."""
    return re.findall(r'<th scope="row"><a href="/ui/executions/[^"]+">([^<]+)</a>', text)


def older(text: str) -> str:
    """Give where the older ones are, or ""."""
    found = re.search(r'class="button" href="([^"]+)">Older<', text)
    return found[1].replace("&amp;", "&") if found else ""


async def test_without_an_execution_the_list_says_how_to_begin(browser):
    """With a way to the pipelines."""
    text = (await browser.get(LIST)).text
    assert "Nothing has run yet" in text
    assert 'class="button main" href="/ui/pipelines"' in text


async def test_a_row_says_who_started_it_and_how_when_and_how_long_it_took(database, browser):
    """With its status by shape, word and colour, and all of it escaped."""
    started_by = {"type": "pipeline", "parentExecution": {"id": "run-000", "name": "The <first>"}}
    await keep(database, run(0), run(1, name="Ship <it>", trigger=started_by, status="TERMINAL"))
    text = (await browser.get(LIST)).text
    assert names(text) == ["Ship &lt;it&gt;", "release 0"]
    for part in (
        '<span class="status failed">',
        "</svg>failed</span>",
        "1 min 5 s",
        'datetime="2026-09-21T14:13:21Z"',
        "ann@example.com",
        'by another pipeline, <a href="/ui/executions/run-000">The &lt;first&gt;</a>',
        "by hand",
        'href="/ui/applications/demo"',
    ):
        assert part in text, part


async def test_what_waits_for_somebody_says_so_and_the_list_looks_again(house, browser):
    """While anything of it is under way, and no longer."""
    judge = {"type": "manualJudgment", "refId": "1", "requisiteStageRefIds": []}
    given = await house.pipeline("ask", stages=[judge])
    execution = await house.services.executions.start_pipeline(given, ANN)
    changed = house.services.executions.changes.subscribe(execution)
    while True:
        changed.clear()
        if (await house.services.executions.get_pipeline(execution))["stages"][0]["status"] == "RUNNING":
            break
        await changed.wait()
    text = (await browser.get(LIST)).text
    assert ("waits for judgment</span>" in text, "every 5s" in text) == (True, True)
    assert names((await browser.get(f"{LIST}?status=WAITING")).text) == ["ask"]
    await house.services.executions.cancel(execution, ANN)
    await house.services.executions.wait(execution, 20)
    text = (await browser.get(LIST)).text
    assert ("waits for judgment</span>" in text, "every 5s" in text) == (False, False)
    assert names((await browser.get(f"{LIST}?status=waiting")).text) == []


async def test_what_waits_for_somebody_is_found_behind_any_number_that_only_run(database, browser):
    """More than one look at the stored ones takes; where the list goes on it does so among them."""
    judge = {"id": "j", "type": "manualJudgment", "name": "Ask", "refId": "1", "status": "RUNNING"}
    await keep(
        database,
        *(run(n, status="RUNNING", stages=[judge] if n < 60 else []) for n in range(300)),
    )
    first = (await browser.get(f"{LIST}?status=WAITING")).text
    second = (await browser.get(older(first))).text
    assert len(names(first)) == 50
    assert [*names(first), *names(second)] == [f"release {n}" for n in reversed(range(60))]


async def test_older_executions_are_reached_page_by_page_each_once(database, browser):
    """Also where many were made in the same instant, of several applications, and while new ones come."""
    made = [AT + min(n, 60) * 1000 for n in range(130)]
    some = [run(n, buildTime=made[n], application="demo" if n % 3 else f"other{n % 5}") for n in range(130)]
    await keep(database, *some)
    seen, path = [], LIST
    while path:
        text = (await browser.get(path)).text
        seen += names(text)
        path = older(text)
        await keep(database, run(900 + len(seen)))
    assert seen == [f"release {n}" for n in reversed(range(130))]
    assert 'href="/ui/executions?">Newest' in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("application=demo", ["release 2", "release 1"]),
        ("application=+DEMO+", ["release 2", "release 1"]),
        ("application=nope", []),
        ("pipeline=release+3", ["release 3"]),
        ("application=demo&pipeline=release+3", []),
        ("status=terminal", ["release 3", "release 1"]),
        ("status=TERMINAL,RUNNING&application=demo&pipeline=", ["release 1"]),
        ("status=CANCELED", []),
    ],
)
async def test_filters_stand_in_the_address_and_in_the_form(database, browser, query, found):
    """All must hold; an empty field filters nothing; jobs of tasks are no runs of pipelines."""
    await keep(
        database,
        run(1, status="TERMINAL"),
        run(2),
        run(3, status="TERMINAL", application="other"),
        run(4, type="ORCHESTRATION", status="TERMINAL"),
    )
    text = (await browser.get(f"{LIST}?{query}")).text
    assert names(text) == found
    assert ("No execution matches" in text) is not found


async def test_filters_are_kept_on_the_way_to_older_ones(database, browser):
    """And shown in the form."""
    await keep(database, *(run(n, status="TERMINAL" if n % 2 else "SUCCEEDED") for n in range(110)))
    first = (await browser.get(f"{LIST}?application=demo&status=TERMINAL")).text
    assert '<option value="TERMINAL" selected>failed</option>' in first
    second = (await browser.get(older(first))).text
    assert names(second) == ["release 9", "release 7", "release 5", "release 3", "release 1"]
    assert older(second) == ""


async def test_a_pipeline_leads_to_all_its_runs_under_whatever_name_they_ran(house, database, browser):
    """And to no run of another pipeline that once had its name."""
    given = await house.pipeline("release <it>")
    mine = {"pipelineConfigId": given["id"]}
    await keep(database, run(1, **mine), run(2, name="release <it>", pipelineConfigId="gone"), run(3, **mine))
    for place in ("/ui/applications/demo/pipelines", "/ui/pipelines"):
        text = (await browser.get(place)).text
        way = re.search(r'href="([^"]+)">All runs<span class="unseen"> of release &lt;it&gt;<', text)
        assert way, place
        assert names((await browser.get(way[1].replace("&amp;", "&"))).text) == ["release 3", "release 1"]
    assert 'href="/ui/executions?application=demo"' in (await browser.get("/ui/applications/demo")).text


async def test_a_pipeline_that_never_ran_says_how_to_run_it(house, browser):
    """By hand or by a trigger."""
    given = await house.pipeline("release")
    text = (await browser.get(f"{LIST}?application=demo&pipeline=release")).text
    assert "release has not run yet" in text
    assert f'href="/ui/applications/demo/pipelines/{given["id"]}/run"' in text


@pytest.mark.parametrize("query", ["status=odd", "cursor=x", "cursor=1", f"cursor={'9' * 30}-x"])
async def test_what_means_nothing_is_said(browser, query):
    """What was typed is kept."""
    answer = await browser.get(f"{LIST}?application=my-app&{query}")
    assert (answer.status_code, "Nothing was looked for." in answer.text) == (400, True)
    assert 'value="my-app"' in answer.text


async def test_the_list_alone_is_given_to_a_page_that_asks_for_it(database, browser):
    """With the address that shows the same."""
    await keep(database, run(1))
    answer = await browser.get(
        f"{LIST}?application=demo&status=", headers={"HX-Request": "true", "HX-Request-Type": "partial"}
    )
    assert answer.headers["hx-replace-url"] == f"{LIST}?application=demo"
    assert ("<h1>" in answer.text, names(answer.text)) == (False, ["release 1"])
