"""PagerDuty's wire: bodies, limits, and which answer means "try again"; it never decides when to page."""

from masthead.pagerduty.accounts import AccountSenders
from masthead.pagerduty.bodies import encode_event, shorten
from masthead.pagerduty.events import EventsClient, EventsSender, key_check
from masthead.pagerduty.incidents import IncidentSeen, IncidentsReader, RestIncidents, ServiceSeen
from masthead.pagerduty.model import (
    Answer,
    Event,
    Link,
    Outcome,
    Protocol,
    Severity,
    key_trouble,
    parse_severity,
)
from masthead.pagerduty.oauth import OAuthApp, OAuthTokens, Tokens
from masthead.pagerduty.pages import Collected
from masthead.pagerduty.posting import Leave, Withheld
from masthead.pagerduty.rest import RestClient, RestReader

__all__ = [
    "AccountSenders",
    "Answer",
    "Collected",
    "Event",
    "EventsClient",
    "EventsSender",
    "IncidentSeen",
    "IncidentsReader",
    "Leave",
    "Link",
    "OAuthApp",
    "OAuthTokens",
    "Outcome",
    "Protocol",
    "RestClient",
    "RestIncidents",
    "RestReader",
    "ServiceSeen",
    "Severity",
    "Tokens",
    "Withheld",
    "encode_event",
    "key_check",
    "key_trouble",
    "parse_severity",
    "shorten",
]
