"""Gate's routes: what Deck, spin and people with curl call."""

from masthead.api.gate import (
    applications,
    auth,
    executions,
    nothing,
    pagerduty,
    pipelines,
    saving,
    starting,
    tasks,
    triggers,
    version,
    webhooks,
)
from masthead.api.routing import Operation

__all__ = ["OPERATIONS"]

#: In the order in which they are tried.
OPERATIONS: tuple[Operation, ...] = tuple(
    operation
    for part in (
        tasks,
        pagerduty,
        applications,
        pipelines,
        executions,
        saving,
        starting,
        auth,
        webhooks,
        triggers,
        version,
        nothing,
    )
    for operation in part.routes.operations
)
