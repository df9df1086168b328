"""The page of settings and diagnostics: what is wrong, since when, what to do; nothing secret."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from masthead.access import Access
from masthead.api import create_app
from masthead.catalog import Catalog
from masthead.config import Loaded, Settings, load
from masthead.kernel.errors import OutsideFailure, Reason, StorageUnavailable
from masthead.pagerduty.fakes import ScriptedReader
from masthead.server.diagnosing import Doctor
from masthead.server.listening import Place
from masthead.storage.machines import Machines
from masthead.web import pages
from support.doors import CHECKOUT_KEY, House, client_of, web_services
from support.entering import access_with_users

TOKEN = "u+canaryToken"


class Practice:
    """A house with a doctor, and a browser that looks at the page."""

    def __init__(self, house: House, database, loaded: Loaded, access: Access) -> None:
        services = house.services
        machines = Machines(database, services.clock, services.ids, version="1.2.3")
        self.doctor = Doctor(
            loaded=loaded,
            settings=loaded.settings,
            place=Place("127.0.0.1", "127.0.0.1"),
            clock=services.clock,
            database=database,
            machines=machines,
            catalog=services.catalog,
            paging=services.paging,
            access=access,
        )
        web = replace(web_services(house), diagnose=self.diagnose)
        self.app = create_app(replace(services, diagnose=self.diagnose), mounts=pages(web))

    async def diagnose(self):
        return await self.doctor.diagnose()

    async def look(self) -> str:
        async with client_of(self.app) as client:
            answer = await client.get("/ui/settings")
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def loaded(tmp_path) -> Loaded:
    file = tmp_path / "masthead.yml"
    file.write_text(
        f"events:\n  enabled: true\n  token: {TOKEN}\nserver:\n  maxDepth: 99\ndeck:\n  featurePagerDuty: true\n"
    )
    environ = {"PAGERDUTY_TOKEN": TOKEN, "MASTHEAD_SERVER_DATABASE": "postgresql://me:canaryPassword@host/db"}
    return load([file], environ)


@pytest.fixture
async def practice(house, database, loaded):
    access = Access.unguarded()
    yield Practice(house, database, loaded, access)
    access.close()


async def test_all_is_well(practice):
    """The one thing to know without users is that nobody is asked for a name."""
    found = await practice.doctor.diagnose()
    assert [(one.kind, one.title) for one in found.findings] == [("neutral", "Nobody is asked for a name.")]
    text = await practice.look()
    assert "masthead user add NAME" in found.findings[0].command
    for command in ("masthead user", "masthead doctor", "masthead config"):
        assert command not in text.partition("<details>")[0]
    for part in (
        "3 services",
        "4 on-calls",
        "is read",
        "This Masthead",
        "Whoever runs Masthead can set up users",
    ):
        assert part in text


async def test_settings_say_who_gave_them_and_no_secret(practice, tmp_path):
    """File and line, or the variable; tokens and passwords never."""
    text = await practice.look()
    assert f"{tmp_path}/masthead.yml:5" in text
    assert "environment variable PAGERDUTY_TOKEN" in text
    assert "canary" not in text.replace(str(tmp_path), "")
    assert "postgresql://me:••••@host/db" in text
    async with client_of(practice.app) as client:
        document = await client.get("/v1/diagnostics")
    assert "canary" not in document.text.replace(str(tmp_path), "")
    rows = {one["key"]: one for one in document.json()["settings"]}
    assert rows["events.token"]["value"] == "set"
    assert rows["server.maxDepth"]["source"] == f"{tmp_path}/masthead.yml:5"


async def test_the_command_line_is_named_where_it_said_otherwise(practice):
    """Over whoever said something else."""
    server = replace(practice.doctor.settings.server, port=0, max_depth=100)
    practice.doctor = replace(practice.doctor, settings=replace(practice.doctor.settings, server=server))
    rows = {one.key: one for one in (await practice.doctor.diagnose()).settings}
    assert rows["server.port"].source == "command line"
    assert rows["server.maxDepth"].source.startswith("command line (over ")


async def test_a_wrong_token_says_what_is_wrong_since_when_and_what_to_do(house, practice):
    """The page is of use when nothing else is."""
    house.rest.failure = OutsideFailure(
        "PagerDuty answered 401. Check the token.", reason=Reason.TOKEN, status=401
    )
    with capture_logs():
        await house.services.catalog.refresh()
    text = await practice.look()
    assert "PagerDuty&#39;s services cannot be read." in text
    assert "Check the token." in text
    since = house.services.catalog.state.trouble.since
    assert f"{since:%Y-%m-%d %H:%M:%S}" in text
    found = await practice.doctor.diagnose()
    assert [one.kind for one in found.findings] == ["failed", "neutral"]
    assert found.findings[0].since == since


async def test_a_pagerduty_that_keeps_silent_is_told_before_anything_has_failed(practice, database, clock):
    """Its time is over only after half a minute, three times; a quick one is given a moment."""
    reader = ScriptedReader()
    reader.gate.clear()
    catalog = Catalog(reader, database, clock)
    doctor = replace(practice.doctor, catalog=catalog, clock=clock)
    began = clock.now()
    refreshing = asyncio.ensure_future(catalog.refresh())
    while not reader.asked:  # noqa: ASYNC110 - over within a few rounds
        await asyncio.sleep(0)
    assert [one.kind for one in (await doctor.diagnose()).findings] == ["neutral", "neutral"]
    await clock.advance(5)
    worst = (await doctor.diagnose()).findings[0]
    told = (worst.kind, worst.title, worst.since)
    assert told == ("warning", "PagerDuty has not answered yet.", began)
    assert "asked 5 s ago" in worst.text
    reader.gate.set()
    await refreshing
    assert "PagerDuty has not answered yet." not in [one.title for one in (await doctor.diagnose()).findings]
    await catalog.close()


async def test_pagerduty_is_asked_again_by_a_button(house, practice):
    """The answer says how long it took and what came."""
    async with client_of(practice.app) as client:
        answer = await client.post("/ui/settings/ask-pagerduty")
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui/settings")
        assert "3 services, 4 on-calls." in (await client.get("/ui/settings")).text
        house.rest.failure = OutsideFailure("It failed. Do this.", reason=Reason.NETWORK)
        await client.post("/ui/settings/ask-pagerduty")
        assert "It failed. Do this." in (await client.get("/ui/settings")).text


async def test_what_is_missing_and_what_is_doubtful_is_said(house, database):
    """In the words of masthead config check."""
    access = Access.unguarded()
    practice = Practice(house, database, load([], {"MASTHEAD_EVENT_ENABLED": "true"}), access)
    titles = [one.title for one in (await practice.doctor.diagnose()).findings]
    assert titles[:2] == ["Paging is off.", "PagerDuty's services are not listed."]
    assert "The configuration has a doubtful place." in titles
    assert "MASTHEAD_EVENTS_ENABLED" in await practice.look()
    access.close()


async def test_without_its_database_the_page_says_so(practice, monkeypatch):
    """And shows what is known without it."""

    async def fails(*_: object) -> None:
        raise StorageUnavailable("The database does not answer: no route to host.")

    monkeypatch.setattr(practice.doctor.database, "read", fails)
    text = await practice.look()
    assert "no route to host" in text
    assert "3 services" in text


async def test_budgets_go_by_the_services_names(house, practice):
    """Never by the key."""
    await house.application(pdApiKey=CHECKOUT_KEY)
    await house.client.post("/v1/pages?wait=5", json={"applications": ["demo"], "message": "m"})
    (use,) = (await practice.doctor.diagnose()).budgets
    assert (use.label, use.events, use.limit) == ("Checkout", 1, 120)
    text = await practice.look()
    assert CHECKOUT_KEY not in text
    assert "120 in 1 min" in text


async def test_machines_are_told_apart(practice, database, house):
    """Which one answers, which are of another release."""
    services = house.services
    other = Machines(database, services.clock, services.ids, version="9.9.9")
    await other.start()
    found = await practice.doctor.diagnose()
    assert {(one.version, one.is_alive) for one in found.machines} == {("test", True), ("9.9.9", True)}
    assert "Machines are of different releases." in [one.title for one in found.findings]
    await other.stop()


async def test_a_budget_that_is_used_up_is_said(practice):
    """With the service, and what becomes of the rest."""
    practice.doctor.paging.budget.learn("hash", [0.5] * 120)
    titles = [one.title for one in (await practice.doctor.diagnose()).findings]
    assert "A service&#39;s budget is used up." in await practice.look()
    assert "A service's budget is used up." in titles


async def test_who_may_ask_is_said(practice, tmp_path, clock):
    """A broken file of users, one that others read, and --insecure where others reach it."""
    access = access_with_users(tmp_path, clock)
    practice.doctor = replace(practice.doctor, access=access)
    assert (await practice.doctor.diagnose()).findings == []
    access.users.path.write_text("ann\n")
    await clock.advance(1)
    access.users.all()
    (finding,) = (await practice.doctor.diagnose()).findings
    assert (finding.kind, finding.title) == ("failed", "The file of users is broken.")
    assert finding.since == clock.now() - timedelta(0)
    access.close()
    anywhere = replace(practice.doctor, access=Access.unguarded(), place=Place("::", "::"))
    assert (await anywhere.diagnose()).findings[
        0
    ].title == "Everybody who reaches this address may page, in any name."
    anywhere.access.close()


async def test_without_a_server_there_is_nothing_to_look_over(house):
    """501, as for anything that is not there."""
    assert (await house.client.get("/v1/diagnostics")).status_code == 501
    assert Settings().access.insecure is False
