"""Gate's version, which ``spin`` asks for before every command: without an answer it ends there.

Source: spin's Gate client, which takes whatever version it is told.
"""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes

__all__ = ["routes"]

routes = Routes("gate")


@routes.get("/version", "Masthead's version, where Gate tells its own.")
async def version(ask: Ask) -> Any:
    """Answer in Gate's shape."""
    return {"version": ask.services.version}
