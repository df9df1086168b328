"""The heart: a page is stored, then sent to every key at once, retried until it is decided, and remembered."""

from masthead.paging.drafting import signed
from masthead.paging.model import (
    Delivery,
    DeliveryState,
    Door,
    Draft,
    Incident,
    IncidentState,
    Kind,
    Link,
    NotOpened,
    Page,
)
from masthead.paging.pager import Paging
from masthead.paging.sentences import failure_sentence, pending_sentence

__all__ = [
    "Delivery",
    "DeliveryState",
    "Door",
    "Draft",
    "Incident",
    "IncidentState",
    "Kind",
    "Link",
    "NotOpened",
    "Page",
    "Paging",
    "failure_sentence",
    "pending_sentence",
    "signed",
]
