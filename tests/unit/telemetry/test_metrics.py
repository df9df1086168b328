"""What is counted, and what a scrape shows of it."""

from __future__ import annotations

import asyncio
import math

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from masthead.kernel.errors import StorageUnavailable
from masthead.telemetry import readings
from masthead.telemetry.metrics import Metrics
from masthead.telemetry.readings import Backlog, BudgetUse, CatalogSize, Readings


async def scrape(metrics: Metrics) -> dict[tuple[str, frozenset], float]:
    """Give every sample by its name and labels."""
    text, _ = await metrics.expose()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


async def test_pages_and_deliveries_are_counted_by_what_they_are():
    """Pages by door, severity and kind, deliveries by state and reason, each as often as it was told."""
    metrics = Metrics()
    metrics.paging.page_stored("echo", "critical")
    metrics.paging.page_stored("echo", "critical")
    metrics.paging.page_stored("v1", "info", "change")
    metrics.paging.decided("rejected", "key", 0.2)
    metrics.paging.decided("accepted", None, 0.2)
    metrics.paging.folded(41)
    metrics.paging.dead_letter()
    found = await scrape(metrics)
    assert value(found, "masthead_pages_total", door="echo", severity="critical", kind="trigger") == 2
    assert value(found, "masthead_pages_total", door="v1", severity="info", kind="change") == 1
    assert value(found, "masthead_deliveries_total", state="rejected", reason="key") == 1
    assert value(found, "masthead_deliveries_total", state="accepted", reason="none") == 1
    assert value(found, "masthead_folded_deliveries_total") == 41
    assert value(found, "masthead_dead_letters_total") == 1


async def test_ways_to_fail_are_there_before_the_first_failure():
    """An alert on an increase sees the first one only where a zero stood before."""
    found = await scrape(Metrics())
    assert value(found, "masthead_dead_letters_total") == 0
    assert value(found, "masthead_deliveries_total", state="rejected", reason="key") == 0
    assert value(found, "masthead_deliveries_total", state="expired", reason="expired") == 0


async def test_attempts_are_counted_and_timed_by_protocol():
    """Each request once, under its outcome, and in the histogram of its protocol."""
    metrics = Metrics()
    metrics.paging.attempted("v2", "accepted", None, 0.05)
    metrics.paging.attempted("v1", "retry", "throttled", 61.0)
    found = await scrape(metrics)
    assert value(found, "masthead_attempts_total", protocol="v2", outcome="accepted", reason="none") == 1
    assert value(found, "masthead_attempts_total", protocol="v1", outcome="retry", reason="throttled") == 1
    assert value(found, "masthead_attempt_seconds_bucket", protocol="v2", le="0.05") == 1
    assert value(found, "masthead_attempt_seconds_bucket", protocol="v2", le="0.025") == 0
    assert value(found, "masthead_attempt_seconds_bucket", protocol="v1", le="60.0") == 0
    assert value(found, "masthead_attempt_seconds_bucket", protocol="v1", le="+Inf") == 1


async def test_the_time_to_acceptance_counts_only_what_was_accepted():
    """From five milliseconds to an hour; a clock that was set back counts as no time at all."""
    metrics = Metrics()
    for state, seconds in (
        ("accepted", 0.004),
        ("accepted", 3599.0),
        ("accepted", -3600.0),
        ("expired", 9.0),
    ):
        metrics.paging.decided(state, None, seconds)
    found = await scrape(metrics)
    assert value(found, "masthead_acceptance_seconds_bucket", le="0.005") == 2
    assert value(found, "masthead_acceptance_seconds_bucket", le="1800.0") == 2
    assert value(found, "masthead_acceptance_seconds_bucket", le="3600.0") == 3
    assert value(found, "masthead_acceptance_seconds_count") == 3
    assert value(found, "masthead_acceptance_seconds_sum") == pytest.approx(3599.004)


async def test_a_scrape_looks_up_what_is_pending_and_how_old_the_catalogs_are():
    """Each account has its own age; one that PagerDuty never gave is infinitely old."""

    async def backlog() -> Backlog:
        return Backlog({"sending": 1, "waiting": 7, "folded": 2}, 12.5)

    async def three() -> int:
        return 3

    catalogs = (CatalogSize("us", 10, 20, 30.0, None), CatalogSize("eu", 1, 2, -3.0, 4.0))
    reading = Readings(backlog, lambda: BudgetUse(0.25, 6), lambda: catalogs, three, three)
    found = await scrape(Metrics(version="9.8.7", readings=reading))
    assert value(found, "masthead_deliveries_pending", doing="waiting") == 7
    assert value(found, "masthead_oldest_pending_age_seconds") == 12.5
    assert value(found, "masthead_budget_used_ratio") == 0.25
    assert value(found, "masthead_keys_at_budget_limit") == 6
    assert value(found, "masthead_catalog_entries", account="us", kind="oncalls") == 20
    assert value(found, "masthead_catalog_age_seconds", account="us", kind="services") == 30
    assert value(found, "masthead_catalog_age_seconds", account="us", kind="oncalls") == math.inf
    assert value(found, "masthead_catalog_age_seconds", account="eu", kind="services") == 0
    assert value(found, "masthead_machines_alive") == 3
    assert value(found, "masthead_executions_unfinished") == 3
    assert value(found, "masthead_build_info", version="9.8.7") == 1


async def test_a_database_that_does_not_answer_costs_its_own_metrics_only():
    """The counters are shown all the same, and the scrape says what is missing."""

    async def away() -> Backlog:
        raise StorageUnavailable

    async def one() -> int:
        return 1

    found = await scrape(Metrics(readings=Readings(backlog=away, machines_alive=one)))
    assert value(found, "masthead_reading_failed", reading="backlog") == 1
    assert value(found, "masthead_reading_failed", reading="machines") == 0
    assert value(found, "masthead_machines_alive") == 1
    assert value(found, "masthead_dead_letters_total") == 0
    assert not [name for name, _ in found if name == "masthead_oldest_pending_age_seconds"]


async def test_a_slow_database_does_not_cost_the_scrape(monkeypatch):
    """What takes longer than a scraper waits is left out."""
    monkeypatch.setattr(readings, "_PATIENCE_S", 0.0)

    async def never() -> int:
        await asyncio.Event().wait()
        raise AssertionError

    found = await scrape(Metrics(readings=Readings(executions_unfinished=never)))
    assert value(found, "masthead_reading_failed", reading="executions") == 1


async def test_a_scraper_may_ask_for_openmetrics():
    """It gets that form and its media type, whole to the end mark."""
    metrics = Metrics()
    metrics.paging.page_stored("stage", "error")
    metrics.paging.attempted("v2", "accepted", None, 0.05)
    body, media_type = await metrics.expose("application/openmetrics-text;version=1.0.0")
    assert media_type.startswith("application/openmetrics-text")
    assert "masthead_pages" in {family.name for family in read_openmetrics(body.decode())}


async def test_two_processes_in_one_do_not_share_counters():
    """Nothing is global: each has a registry of its own."""
    first, second = Metrics(), Metrics()
    first.paging.dead_letter()
    assert value(await scrape(second), "masthead_dead_letters_total") == 0
