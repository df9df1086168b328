"""How PagerDuty is reached."""

from __future__ import annotations

import aiohttp
import pytest

from masthead import __version__
from masthead.pagerduty import EventsClient, Outcome
from masthead.pagerduty.connection import open_session, proxy_of
from unit.pagerduty.endpoint import event

VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "pagerduty.com"}, None),
    ],
)
def test_the_environments_proxy_is_used(environment, variables, proxy):
    """By scheme, unless NO_PROXY names the host."""
    for name, value in variables.items():
        environment.setenv(name, value)
    assert proxy_of("https://api.pagerduty.com") == proxy


async def test_events_go_through_the_proxy(environment, endpoint):
    """The endpoint here plays the proxy; the host it is asked for does not exist."""
    environment.setenv("HTTP_PROXY", endpoint.url)
    client = EventsClient("http://events.invalid")
    answer = await client.send(event())
    await client.close()
    assert answer.outcome is Outcome.ACCEPTED
    assert endpoint.requests[0].headers["Host"] == "events.invalid"


async def test_netrc_is_left_alone(environment, endpoint, tmp_path):
    """A password that stands there for the host neither goes out nor clashes with the token's header."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password secret\n")
    environment.setenv("NETRC", str(tmp_path / "netrc"))
    client = EventsClient(endpoint.url)
    await client.send(event())
    await client.close()
    assert "Authorization" not in endpoint.requests[0].headers


async def test_a_pool_says_who_it_is(endpoint):
    """PagerDuty's support can find our requests; cookies are not kept."""
    async with open_session(endpoint.url, timeout=aiohttp.ClientTimeout(total=5)) as session:
        await (await session.get(endpoint.url)).read()
    assert endpoint.requests[0].headers["User-Agent"] == f"Masthead/{__version__}"
