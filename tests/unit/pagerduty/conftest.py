"""A PagerDuty of a few lines, and a clock on which every wait is over at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from unit.pagerduty.endpoint import EagerClock, Endpoint


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    kept = Endpoint()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", kept.answer)
    async with TestServer(application, host="127.0.0.1") as server:
        kept.url = str(server.make_url("")).rstrip("/")
        yield kept


@pytest.fixture
def clock() -> EagerClock:
    return EagerClock()
