"""Worlds for tests that destroy: a simulator with a shop of services, a database of each kind, and a seed.

These tests pause for random times on purpose: the instant at which something dies is what they vary.
"""

from __future__ import annotations

import os
import random

import pytest

from support.organisations import shop_file
from support.processes import running, simulator


@pytest.fixture
def seed() -> int:
    """What all dice of a test are made from: MASTHEAD_TEST_SEED, or another one each time; printed."""
    seed = int(os.environ.get("MASTHEAD_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
    print(f"MASTHEAD_TEST_SEED={seed}")  # noqa: T201 - with it a failure can be repeated
    return seed


@pytest.fixture
def pagerduty(tmp_path):
    """A simulator with a shop of twelve services."""
    with running(simulator(data=shop_file(tmp_path, 12))) as process:
        yield process


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> str:
    """A new database of each kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").new_database()
    return str(tmp_path / "m.db")
