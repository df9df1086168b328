"""Orca's routes: start executions, read them, cancel them."""

from masthead.api.orca import pipelines, starting, tasks
from masthead.api.routing import Operation

__all__ = ["OPERATIONS"]

#: In the order in which they are tried.
OPERATIONS: tuple[Operation, ...] = (
    *starting.routes.operations,
    *tasks.routes.operations,
    *pipelines.routes.operations,
)
