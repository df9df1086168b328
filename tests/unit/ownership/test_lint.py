"""What keeps pages from waking somebody is found before it matters."""

from __future__ import annotations

import pytest

from masthead.kernel.errors import NotFound, NotSupported, Reason
from masthead.ownership import Lint, Weight
from masthead.pagerduty import Answer, Outcome, Protocol
from unit.ownership.conftest import ANN, ORCHESTRATION, STRANGE, key_of

REFUSED = Answer(Outcome.REJECTED, 400, Reason.KEY, None, "Invalid routing key.", 1)
THROTTLED = Answer(Outcome.RETRY, 429, Reason.THROTTLED, None, "HTTP 429", 1)


def said(report) -> list[tuple[str | None, str, str]]:
    return [(one.application, str(one.problem.severity), str(one.problem.rule)) for one in report.findings]


async def test_applications_that_wake_somebody_are_not_mentioned(town):
    """Nor is the application that stands for none."""
    await town.applications.ensure_spinnaker()
    await town.application("shop", key_of("Shop"))
    report = await town.lint().report(ANN)
    assert (report.findings, report.applications, report.keys_checked) == ((), 2, None)


async def test_each_application_is_judged_by_its_key_and_its_owner(town):
    """By name, errors before warnings."""
    await town.application("late", key_of("Late"), email="nobody at home")
    await town.application("disabled", key_of("Disabled"), email="no address")
    await town.application("strange", STRANGE)
    await town.application("lonely")
    report = await town.lint().report(ANN)
    assert said(report) == [
        ("disabled", "error", "service-disabled"),
        ("disabled", "warning", "email"),
        ("late", "warning", "email"),
        ("late", "warning", "level-1-empty"),
        ("lonely", "warning", "no-service"),
        ("strange", "error", "key-unknown"),
    ]
    assert (report.count(Weight.ERROR), report.count(Weight.WARNING)) == (2, 4)


async def test_an_application_without_service_is_an_error_where_deck_requires_one(town):
    """As the setting of Deck's form has it."""
    await town.application("lonely")
    assert said(await town.lint(is_required=True).report(ANN)) == [("lonely", "error", "no-service")]


async def test_stages_that_name_nobody_who_can_be_paged_are_found(town):
    """Unknown applications, such without service, keys that are none; each with its pipeline and stage."""
    await town.application("shop", key_of("Shop"))
    await town.application("lonely")
    await town.pipeline(
        "shop",
        {"name": "Tell", "applications": ["shop", "Shopp", "lonely"], "keys": ["short", key_of("Old")]},
        {"name": "Nobody"},
    )
    report = await town.lint().report(ANN, names=["shop"])
    assert [(one.pipeline, one.stage, str(one.problem.rule)) for one in report.findings] == [
        ("Deploy", "Nobody", "nobody-named"),
        ("Deploy", "Tell", "no-such-application"),
        ("Deploy", "Tell", "no-service"),
        ("Deploy", "Tell", "key-form"),
    ]
    assert "'Shopp'" in report.findings[1].problem.sentence
    assert {one.problem.severity for one in report.findings} == {Weight.ERROR}


@pytest.mark.parametrize(
    "stage",
    [
        {"applications": ["${trigger.payload.app}"]},
        {"applications": "${#owners()}"},
        {"keys": ["${parameters.key}"]},
        {"type": "wait"},
        {"applications": ["SHOP "]},
    ],
)
async def test_what_only_a_run_decides_is_not_judged(town, stage):
    """An expression may name anybody; other stages page nobody; names are found in any case."""
    await town.application("shop", key_of("Shop"))
    await town.pipeline("shop", stage)
    assert (await town.lint().report(ANN)).findings == ()


async def test_a_disabled_pipeline_is_a_warning_at_most(town):
    """It does not run, so nothing fails now."""
    await town.application("shop", key_of("Shop"))
    await town.pipeline("shop", {"keys": [STRANGE]}, disabled=True)
    assert said(await town.lint().report(ANN)) == [("shop", "warning", "key-unknown")]


async def test_one_application_is_looked_at_alone(town):
    """In any case, with its own pipelines and no others; one that does not exist is an error of the caller."""
    await town.application("shop", key_of("Shop"))
    await town.application("lonely")
    await town.pipeline("lonely", {"applications": ["nope"]})
    report = await town.lint().report(ANN, names=["SHOP", "shop"])
    assert (report.findings, report.applications, report.pipelines) == ((), 1, 0)
    with pytest.raises(NotFound):
        await town.lint().report(ANN, names=["shop", "nope"])


async def test_pagerduty_is_asked_of_each_key_once(town):
    """Those of applications and stages, over the protocol they are told by; what has no key's form is not sent."""
    await town.application("shop", key_of("Shop"))
    await town.application("again", key_of("Shop"))
    await town.pipeline("shop", {"keys": [key_of("Old"), "short"]})
    report = await town.lint().report(ANN, is_asking_pagerduty=True)
    assert sorted(town.asked) == sorted(
        [(key_of("Shop"), Protocol.V2, "default"), (key_of("Old"), Protocol.V1, "default")]
    )
    assert report.keys_checked == 2
    assert said(report) == [("shop", "error", "key-form")]


@pytest.mark.parametrize(
    ("key", "answer", "expected"),
    [
        (key_of("Shop"), REFUSED, [("error", "key-refused")]),
        (key_of("Disabled"), REFUSED, [("error", "key-refused"), ("error", "service-disabled")]),
        (key_of("Shop"), THROTTLED, [("warning", "key-unchecked")]),
        (STRANGE, REFUSED, [("error", "key-refused")]),
        (STRANGE, THROTTLED, [("error", "key-unknown"), ("warning", "key-unchecked")]),
        (STRANGE, None, [("warning", "key-unknown")]),
        (ORCHESTRATION, None, [("warning", "key-unknown")]),
    ],
)
async def test_pagerdutys_word_about_a_key_counts_more_than_the_catalog(town, key, answer, expected):
    """A key that it takes is not gone, one that it refuses is; no answer changes nothing."""
    await town.application("shop", key)
    if answer:
        town.answers[key] = answer
    report = await town.lint().report(ANN, is_asking_pagerduty=True)
    assert said(report) == [("shop", *one) for one in expected]
    assert key not in repr(report)


async def test_a_catalog_that_never_was_is_one_finding(blind_town):
    """Not one for each application; what does not depend on it is still looked at."""
    for number in range(3):
        await blind_town.application(f"shop{number}", key_of("Shop"))
    await blind_town.application("lonely")
    report = await blind_town.lint().report(ANN)
    assert said(report) == [(None, "error", "catalog"), ("lonely", "warning", "no-service")]


async def test_without_a_way_to_ask_pagerduty_nobody_pretends_it_was_asked(town):
    """Rather an error than a report that promises too much."""
    lint = Lint(town.applications, town.pipelines, town.preflights())
    with pytest.raises(NotSupported):
        await lint.report(ANN, is_asking_pagerduty=True)
