"""Prometheus scrapes Masthead."""

from __future__ import annotations


async def test_metrics_are_scraped_as_text(house):
    """As Prometheus' text by default, never kept by anything in between."""
    house.services.metrics.paging.page_stored("echo", "critical")
    answer = await house.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    assert 'masthead_pages_total{door="echo",kind="trigger",severity="critical"} 1.0' in answer.text


async def test_metrics_are_scraped_as_openmetrics(house):
    """Where the scraper asks for it."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0, text/plain;q=0.5"}
    answer = await house.client.get("/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
