"""What exists in PagerDuty now: services, their integrations, and who is on call, with the age of that knowledge."""

from masthead.catalog.account import AccountCatalog
from masthead.catalog.catalog import Catalog
from masthead.catalog.model import Integration, OnCall, Service
from masthead.catalog.outlook import Gap, Outlook, Span
from masthead.catalog.roster import Roster
from masthead.catalog.shelf import Trouble
from masthead.catalog.state import CatalogState

__all__ = [
    "AccountCatalog",
    "Catalog",
    "CatalogState",
    "Gap",
    "Integration",
    "OnCall",
    "Outlook",
    "Roster",
    "Service",
    "Span",
    "Trouble",
]
