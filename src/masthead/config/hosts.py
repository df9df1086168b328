"""PagerDuty's own addresses: which are of one region, and which cannot be meant."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from masthead.config.given import Gathered
from masthead.config.tree import Problems

__all__ = ["EU", "check_addresses", "of_two_regions"]

#: How the hosts of the EU end.
EU = ".eu.pagerduty.com"
_PAGERDUTY = ".pagerduty.com"
#: The settings that are addresses of an API, and how its hosts begin.
_APIS = {"endpoint": ("Events", "events"), "baseUrl": ("REST", "api")}


def of_two_regions(*urls: str) -> list[str]:
    """Give the hosts of *urls* when all are PagerDuty's and of different regions, else nothing."""
    hosts = [urlsplit(url).hostname or "" for url in urls]
    is_theirs = all(host.endswith(_PAGERDUTY) for host in hosts)
    return hosts if is_theirs and len({EU in host for host in hosts}) > 1 else []


def check_addresses(gathered: Gathered, problems: Problems) -> None:
    """Tell addresses of PagerDuty at which the API is not: other hosts may be proxies and simulators."""
    for key, given in gathered.given.items():
        name = key.rpartition(".")[2]
        if name in _APIS and given[-1].value and (doubt := _doubt(str(given[-1].value), *_APIS[name])):
            problems.warn(given[-1].source, f"{given[-1].written}: {doubt}")


def _doubt(url: str, api: str, prefix: str) -> str | None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.endswith(_PAGERDUTY):
        return None
    if not re.fullmatch(rf"{prefix}\.(?:[a-z0-9-]+\.)?pagerduty\.com", host):
        return (
            f"{host} is not where PagerDuty's {api} API is; "
            f"write https://{prefix}{_PAGERDUTY} (EU: https://{prefix}{EU})"
        )
    if parts.path.strip("/"):
        return f"Masthead adds the paths itself; write https://{host}"
    return None
