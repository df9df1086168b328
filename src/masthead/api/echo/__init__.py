"""Echo's routes: the notification that pages, and the events that Orca sends."""

from masthead.api.echo import events, notifications, triggers
from masthead.api.routing import Operation

__all__ = ["OPERATIONS"]

#: In the order in which they are tried; the page comes first.
OPERATIONS: tuple[Operation, ...] = (
    *notifications.routes.operations,
    *events.routes.operations,
    *triggers.routes.operations,
)
