"""What a page would do is told before anybody asks for it."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from masthead.catalog import AccountCatalog, Catalog
from masthead.kernel.secret import Secret
from masthead.ownership import Weight, describe_bodies
from masthead.ownership.judge import Judge
from masthead.pagerduty import Collected, Event, Link, Protocol
from masthead.pagerduty.bodies import BODY_LIMIT
from masthead.pagerduty.fakes import ScriptedReader
from unit.ownership.conftest import ANN, MAIL, ORCHESTRATION, SERVICES, STRANGE, key_of, oncall, service


async def look(town, **given):
    return await town.preflights().preflight(caller=ANN, **given)


def rules(found) -> list[str]:
    return [f"{one.severity} {one.rule}" for one in found]


async def test_an_application_leads_to_people(town):
    """Its service, the way events take, its policy and who is on call by level, each person once."""
    await town.application("shop", key_of("Shop"))
    found = await look(town, applications=["shop", "SHOP"])
    (target,) = found.targets
    assert (target.label, target.protocol, target.applications) == ("Shop", Protocol.V2, ("shop",))
    assert target.integration.name == "Shop in"
    assert [(level.number, level.names) for level in target.levels] == [(1, ("Ada",)), (2, ("Grace",))]
    assert target.would_wake == ("Ada",)
    assert (target.problems, found.problems, found.is_clear) == ((), (), True)


async def test_a_key_a_service_and_an_application_may_mean_the_same(town):
    """It is told once, in the place where it was named first."""
    await town.application("shop", key_of("Shop"))
    keys = [Secret(key_of("Old")), Secret(key_of("Shop"))]
    found = await look(town, applications=["shop"], services=["shop", "POld"], keys=keys)
    assert [one.label for one in found.targets] == ["Old", "Shop"]
    assert found.targets[0].protocol is Protocol.V1


@pytest.mark.parametrize(
    ("name", "expected", "woken"),
    [
        ("Disabled", "error service-disabled", ()),
        ("Maintained", "error service-maintenance", ()),
        ("Unled", "error no-policy", ()),
        ("Empty", "error nobody-on-call", ()),
        ("Late", "warning level-1-empty", ("Grace",)),
        ("Mail", "error integration-type", ()),
    ],
)
async def test_a_service_that_wakes_nobody_says_why(town, name, expected, woken):
    """One problem that names the service and what to do, and nobody is said to be woken who is not."""
    found = await look(town, keys=[Secret(key_of(name))])
    (target,) = found.targets
    assert rules(target.problems) == [expected]
    assert found.is_clear == bool(woken)
    assert f"'{name}'" in target.problems[0].sentence
    assert target.problems[0].remedy.endswith(".")
    assert target.would_wake == woken


async def test_a_key_of_the_wrong_integration_is_told_the_right_one(town):
    """Choosing the service again is enough where it has an integration that takes events."""
    (target,) = (await look(town, keys=[Secret(key_of("Both"))])).targets
    assert "'Spinnaker'" in target.problems[0].remedy


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (STRANGE, "error key-unknown"),
        (ORCHESTRATION, "warning key-unknown"),
        ("short", "error key-form"),
        ("é" * 32, "error key-form"),
    ],
)
async def test_a_key_that_no_service_has_is_a_problem_and_stays_hidden(town, key, expected):
    """Unless it may be an event orchestration's, which the catalog cannot know."""
    found = await look(town, keys=[Secret(key)])
    assert rules(found.targets[0].problems) == [expected]
    assert key not in repr(found)
    assert found.is_clear == expected.startswith("warning")


async def test_a_catalog_that_is_not_whole_condemns_no_key(town, failure):
    """What it does not know may well exist: a warning, and one about the catalog with what to do."""
    await town.refresh(failure, failure)
    found = await look(town, keys=[Secret(STRANGE), Secret(key_of("Shop"))])
    assert rules(found.problems) == ["warning catalog"]
    assert "Check the token." in found.problems[0].remedy
    assert rules(found.targets[0].problems) == ["warning key-unknown"]
    assert found.targets[1].would_wake == ("Ada",)


async def test_a_catalog_that_never_was_says_nothing_of_keys(blind_town):
    """One error for all; whom a key wakes is unknown, not wrong."""
    found = await look(blind_town, keys=[Secret(STRANGE)])
    assert rules(found.problems) == ["error catalog"]
    assert found.targets[0].problems == ()


async def test_missing_on_calls_are_no_proof_that_nobody_is_on_call(blind_town, failure):
    """The service is known, its people are not."""
    await blind_town.refresh(SERVICES, failure)
    (target,) = (await look(blind_town, keys=[Secret(key_of("Shop"))])).targets
    assert rules(target.problems) == ["warning on-call-unknown"]


async def test_what_leads_to_no_key_is_told_all_at_once(town):
    """Unknown and keyless applications, unknown and unusable services; nothing is raised."""
    await town.application("lonely")
    await town.refresh([*SERVICES, service("Useless", MAIL)], [])
    found = await look(town, applications=["nope", "lonely"], services=["nothing", "useless"])
    assert found.targets == ()
    assert rules(found.problems) == [
        "error no-such-service",
        "error service-unusable",
        "error no-such-application",
        "error no-service",
    ]
    assert not found.is_clear


async def test_paging_that_is_off_is_said_first(town):
    """However well everything else stands."""
    found = await town.preflights(is_enabled=False).preflight(keys=[Secret(key_of("Shop"))], caller=ANN)
    assert rules(found.problems) == ["error paging-off"]
    assert found.problems[0].severity is Weight.ERROR


@pytest.mark.parametrize("protocol", Protocol)
def test_bodies_are_exact_but_for_the_key(protocol):
    """What PagerDuty would get, with the service's name in the key's place; its length is the real one."""
    event = Event(protocol, "trigger", Secret(STRANGE), "dedup", summary="x" * 2000, details={"a": [1]})
    (body,) = describe_bodies([event], lambda key: key.label)
    text = json.dumps(body.document)
    assert STRANGE not in text
    assert "key …9999" in body.document.values()
    assert "x" * 2000 in text  # the full message, in the details
    assert body.size == len(json.dumps(body.document, ensure_ascii=False, separators=(",", ":")).encode()) + (
        len(STRANGE) - len("key …9999".encode())
    )


@pytest.mark.parametrize("protocol", Protocol)
def test_keys_that_somebody_put_elsewhere_are_hidden_too(protocol):
    """Those of the page's other events and those that somebody knows; other words stay."""
    other, known, word = "b" * 31 + "1", "c" * 31 + "2", "d" * 31 + "3"
    details = {f"for {STRANGE}": [{"x": f"({other})"}], "y": known, "z": word, "n": 1}
    event = Event(
        protocol, "trigger", Secret(STRANGE), "dedup", summary=f"see {other}", details=details,
        links=(Link(f"https://example.com/{STRANGE}", known),), client_url=f"https://example.com/?{known}",
    )  # fmt: skip
    events = [event, replace(event, routing_key=Secret(other))]
    for body in describe_bodies(events, lambda key: key.label, lambda key: key == Secret(known)):
        text = json.dumps(body.document, ensure_ascii=False)
        assert [key for key in (STRANGE, other, known) if key in text] == []
        assert all(part in text for part in (word, "for key …9999", "see key …bbb1", '"y": "key …ccc2"'))


def test_bodies_show_what_is_left_out():
    """Details that are too large are missing here as they would be."""
    event = Event(
        Protocol.V2, "trigger", Secret(STRANGE), "d", summary="s", details={"big": "y" * BODY_LIMIT}
    )
    (body,) = describe_bodies([event], lambda _: "Shop")
    assert "details left out" in body.document["payload"]["custom_details"]
    assert body.size < BODY_LIMIT


async def test_each_key_is_told_by_the_account_whose_catalog_has_it(database, clock, town):
    """An unknown one by the default account."""
    reader = ScriptedReader()
    reader.answer("/services", Collected([service("Eastern")], total=1))
    reader.answer("/oncalls", Collected([oncall("Eastern", "Ada")], total=1))
    us = AccountCatalog(town.reader, database, clock, account="us")
    catalog = Catalog.of([us, AccountCatalog(reader, database, clock, account="eu")])
    await catalog.refresh()
    judge = Judge(catalog, now=clock.now())
    targets = [judge.target(Secret(key)) for key in (key_of("Eastern"), key_of("Shop"), STRANGE)]
    assert [(one.account, one.would_wake) for one in targets] == [
        ("eu", ("Ada",)),
        ("us", ("Ada",)),
        ("us", ()),
    ]
