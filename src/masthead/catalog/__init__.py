"""What exists in PagerDuty now: services, their integrations, and who is on call, with the age of that knowledge."""

from masthead.catalog.account import AccountCatalog
from masthead.catalog.catalog import Catalog
from masthead.catalog.model import Integration, OnCall, Service
from masthead.catalog.shelf import Trouble
from masthead.catalog.state import CatalogState

__all__ = ["AccountCatalog", "Catalog", "CatalogState", "Integration", "OnCall", "Service", "Trouble"]
