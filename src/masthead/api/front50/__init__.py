"""Front50's routes: applications, pipelines, and what hangs on them."""

from masthead.api.front50 import applications, notifications, permissions, pipelines
from masthead.api.routing import Operation

__all__ = ["OPERATIONS"]

#: In the order in which they are tried.
OPERATIONS: tuple[Operation, ...] = (
    *applications.routes.operations,
    *permissions.routes.operations,
    *notifications.routes.operations,
    *pipelines.routes.operations,
)
