"""Masthead's own routes, under /v1: everything in words for people, no integration key anywhere."""

from masthead.api.routing import Operation
from masthead.api.v1 import (
    applications,
    catalog,
    change_events,
    diagnostics,
    firings,
    lint,
    page_export,
    pages,
    settings,
)

__all__ = ["OPERATIONS"]

#: In the order in which they are tried; the prefix /v1 is added where they are served.
OPERATIONS: tuple[Operation, ...] = (
    *catalog.routes.operations,
    *applications.routes.operations,
    *pages.routes.operations,
    *page_export.routes.operations,
    *change_events.routes.operations,
    *firings.routes.operations,
    *lint.routes.operations,
    *settings.routes.operations,
    *diagnostics.routes.operations,
)
