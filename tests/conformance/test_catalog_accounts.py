"""The catalog of several accounts, on both databases: one list, and each account's troubles are its own."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from masthead.catalog import AccountCatalog, Catalog
from masthead.kernel.clock import ManualClock
from masthead.kernel.errors import InvalidRequest, OutsideFailure, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.fakes import ScriptedReader
from unit.catalog.documents import key_of, oncall, service, whole

DOWN = OutsideFailure("PagerDuty could not be asked.", reason=Reason.NETWORK)
FORBIDDEN = OutsideFailure("PagerDuty answered 403.", reason=Reason.SCOPE, status=403)


@pytest.fixture
def readers() -> dict[str, ScriptedReader]:
    us, eu = ScriptedReader(), ScriptedReader()
    us.answer("/services", whole(service("db"), service("checkout", id="PUS")))
    us.answer("/oncalls", whole(oncall("db", "Ann")))
    eu.answer("/services", whole(service("checkout", id="PEU", integrations=[]), service("web")))
    eu.answer("/oncalls", whole(oncall("web", "Bo")))
    return {"us": us, "eu": eu}


@pytest.fixture
async def start(database, clock):
    built = []

    async def make(readers: dict[str, ScriptedReader | None]) -> tuple[Catalog, list[AccountCatalog]]:
        accounts = [AccountCatalog(one, database, clock, account=name) for name, one in readers.items()]
        catalog = Catalog.of(accounts)
        built.append(catalog)
        await catalog.load()
        return catalog, accounts

    yield make
    for catalog in built:
        await catalog.close()


async def test_the_accounts_make_one_list_in_which_each_service_knows_its_account(start, readers):
    """The default account's first; people too."""
    catalog, _ = await start(readers)
    await catalog.refresh()
    assert [(one.account, one.name) for one in catalog.services()] == [
        ("us", "db"), ("us", "checkout"), ("eu", "checkout"), ("eu", "web"),
    ]  # fmt: skip
    assert {one.user_name: one.account for one in catalog.oncalls()} == {"Ann": "us", "Bo": "eu"}
    assert [one.user_name for one in catalog.oncalls_of("EPWEB")] == ["Bo"]
    assert (catalog.state.services, catalog.state.oncalls, catalog.state.is_complete) == (4, 2, True)
    assert {name: state.services for name, state in catalog.states.items()} == {"us": 2, "eu": 2}
    assert catalog.state.trouble is None


async def test_the_log_says_whose_list_it_is(start, readers):
    """Both accounts have one of each kind."""
    catalog, _ = await start(readers)
    readers["eu"].answer("/services", DOWN)
    with structlog.testing.capture_logs() as logs:
        await catalog.refresh()
    told = {(one["event"], one["account"], one["kind"]) for one in logs}
    assert ("catalog.refreshed", "us", "services") in told
    assert ("catalog.refresh-failed", "eu", "services") in told


async def test_a_key_belongs_to_the_account_whose_catalog_has_it(start, readers):
    """Any other to the default account, which is the first."""
    catalog, _ = await start(readers)
    await catalog.refresh()
    assert catalog.default_account == "us"
    assert catalog.account_of_key(Secret(key_of("web0"))) == "eu"
    assert catalog.account_of_key(Secret(key_of("db0"))) == "us"
    assert catalog.account_of_key(Secret("0" * 32)) == "us"


async def test_services_of_one_name_are_told_apart_by_their_account(start, readers):
    """The candidates say how."""
    catalog, _ = await start(readers)
    await catalog.refresh()
    with pytest.raises(InvalidRequest, match=r"checkout \(us/PUS\), checkout \(eu/PEU\)"):
        catalog.find_service("checkout")
    assert catalog.find_service("eu/checkout").id == catalog.find_service("eu/peu").id == "PEU"
    assert catalog.find_service("web").id == "PWEB"
    assert [one.id for one in catalog.search_services("eu checkout")] == ["PEU"]


async def test_an_account_that_fails_takes_nothing_from_the_others(start, readers, clock):
    """Its trouble names it; the list is as old as its oldest part."""
    catalog, _ = await start(readers)
    await catalog.refresh()
    then = clock.now()
    await clock.advance(300)
    readers["eu"].answer("/services", DOWN)
    await catalog.refresh()
    assert catalog.state.trouble.text == "Account eu: PagerDuty could not be asked."
    assert catalog.state.explanation == catalog.state.trouble.text
    assert catalog.states["us"].trouble is None
    assert (catalog.state.services, catalog.state.services_fetched_at) == (4, then)
    assert catalog.states["us"].services_fetched_at == clock.now()
    readers["us"].answer("/services", DOWN)
    await catalog.refresh()
    assert catalog.state.trouble.text.count("could not be asked") == 2


async def test_a_restart_serves_every_account_from_what_was_stored(start, readers):
    """At once, also when an account lost its token; that is no trouble of the others."""
    catalog, _ = await start(readers)
    await catalog.refresh()
    again, _ = await start({"eu": None, "us": ScriptedReader()})
    assert [one.account for one in again.services()] == ["eu", "eu", "us", "us"]
    assert again.state.is_configured
    assert again.state.trouble is None
    assert again.states["eu"].trouble.reason is Reason.NOT_CONFIGURED
    without, _ = await start({"eu": None, "us": None})
    assert not without.state.is_configured
    assert without.state.trouble.reason is Reason.NOT_CONFIGURED


async def test_a_permission_that_is_missing_is_the_trouble_where_nothing_else_is(start, readers):
    """And the better words where PagerDuty only says 403."""
    catalog, (us, eu) = await start(readers)
    eu.shortage = lambda: "The OAuth client lacks incidents.read."
    await catalog.refresh()
    assert catalog.state.trouble.text == "Account eu: The OAuth client lacks incidents.read."
    assert catalog.state.oncalls_trouble is None
    readers["eu"].answer("/services", FORBIDDEN)
    readers["us"].answer("/oncalls", FORBIDDEN)
    await catalog.refresh()
    assert catalog.states["eu"].trouble.text == "The OAuth client lacks incidents.read."
    assert catalog.states["us"].trouble.text == "PagerDuty answered 403."
    assert us.shortage() is None


class StridingClock(ManualClock):
    """Lets *most* waits go by at once and holds the next one."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most
        self.enough = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self._left -= 1
        if self._left <= 0:
            self.enough.set()
            await asyncio.Event().wait()


async def test_each_account_is_refreshed_by_itself(database, readers):
    """One that hangs does not keep the other."""
    clock = StridingClock(4)
    readers["eu"].gate.clear()
    catalog = Catalog.of(
        [AccountCatalog(one, database, clock, account=name) for name, one in readers.items()]
    )
    running = asyncio.ensure_future(catalog.run())
    await clock.enough.wait()
    running.cancel()
    await catalog.close()
    asked = {name: [path for path, _ in one.asked].count("/services") for name, one in readers.items()}
    assert asked == {"us": 4, "eu": 1}
    assert readers["us"].is_closed
    assert readers["eu"].is_closed
