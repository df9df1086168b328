"""How PagerDuty is reached: one pool of connections a client, through the proxy of the environment if there is one.

aiohttp could look the proxy up itself (``trust_env``), but does so for every request, and then also sends
passwords out of ``~/.netrc``; here the proxy is looked up once and nothing else is taken from the environment.
TCP_NODELAY is set by aiohttp on every connection.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from masthead import __version__

__all__ = ["open_session", "proxy_of"]

_KEEP_ALIVE_S = 30.0
_DNS_CACHE_S = 60


def open_session(base_url: str, *, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
    """Open a pool of connections to *base_url*; how many are used at once is for the caller to hold."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=_DNS_CACHE_S, keepalive_timeout=_KEEP_ALIVE_S),
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"Masthead/{__version__}"},
        proxy=proxy_of(base_url),
    )


def proxy_of(url: str) -> str | None:
    """Give the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for *url*, or None."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if not proxy or not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
