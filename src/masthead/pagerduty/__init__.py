"""PagerDuty's wire: bodies, limits, and which answer means "try again"; it never decides when to page."""

from masthead.pagerduty.bodies import encode_event, shorten
from masthead.pagerduty.events import EventsClient, EventsSender
from masthead.pagerduty.model import Answer, Event, Link, Outcome, Protocol, Severity, parse_severity
from masthead.pagerduty.pages import Collected
from masthead.pagerduty.rest import RestClient, RestReader

__all__ = [
    "Answer",
    "Collected",
    "Event",
    "EventsClient",
    "EventsSender",
    "Link",
    "Outcome",
    "Protocol",
    "RestClient",
    "RestReader",
    "Severity",
    "encode_event",
    "parse_severity",
    "shorten",
]
