"""A simulator and a Masthead as processes."""

from __future__ import annotations

import pytest

from support.processes import masthead, running, simulator, wait_until


@pytest.fixture
def pagerduty():
    with running(simulator()) as process:
        yield process


@pytest.fixture
def server(pagerduty, tmp_path):
    with running(masthead(pagerduty.url, str(tmp_path / "m.db"))) as process:
        wait_until(lambda: process.get("/v1/catalog")["services"])
        yield process
