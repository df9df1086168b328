"""The guarded HTTP client: the only way to URLs that users give us."""

from masthead.outbound.client import GuardedClient, Limits, Outbound, Reply, Request
from masthead.outbound.problems import OutboundError, RequestFailed, TooLarge, UnknownHost, UrlRefused
from masthead.outbound.restrictions import Restrictions, parse_url
from masthead.outbound.tls import TlsSettings, tls_context

__all__ = [
    "GuardedClient",
    "Limits",
    "Outbound",
    "OutboundError",
    "Reply",
    "Request",
    "RequestFailed",
    "Restrictions",
    "TlsSettings",
    "TooLarge",
    "UnknownHost",
    "UrlRefused",
    "parse_url",
    "tls_context",
]
