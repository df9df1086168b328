"""How this Masthead is, for ``masthead doctor`` and other programs; the page is ``/ui/settings``."""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.kernel.errors import NotSupported

__all__ = ["routes"]

routes = Routes("v1")


@routes.get(
    "/diagnostics", "What is wrong and what to do: catalog, deliveries, budgets, machines, settings in force."
)
async def diagnostics(ask: Ask) -> Any:
    """Give the diagnosis; no secret is in it.

    Raises:
        NotSupported: the doors were opened without a server.
    """
    if ask.services.diagnose is None:
        raise NotSupported("There is no server here to be looked over.")
    return await ask.services.diagnose()
