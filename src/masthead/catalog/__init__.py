"""What exists in PagerDuty now: services, their integrations, and who is on call, with the age of that knowledge."""

from masthead.catalog.catalog import Catalog, CatalogState
from masthead.catalog.model import Integration, OnCall, Service
from masthead.catalog.shelf import Trouble

__all__ = ["Catalog", "CatalogState", "Integration", "OnCall", "Service", "Trouble"]
