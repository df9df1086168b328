"""What exists in PagerDuty now: services, their integrations, and who is on call, with the age of that knowledge."""

from masthead.catalog.catalog import Catalog, CatalogState, Trouble
from masthead.catalog.model import Integration, OnCall, Service

__all__ = ["Catalog", "CatalogState", "Integration", "OnCall", "Service", "Trouble"]
