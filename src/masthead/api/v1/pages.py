"""Pages under /v1: what was said, to whom, and what became of it."""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.api.v1.documents import page_document
from masthead.kernel.errors import InvalidRequest

__all__ = ["routes"]

routes = Routes("v1")

#: Longest wait for a page to be decided.
_LONGEST_WAIT_S = 60


@routes.get("/pages", "The pages of one execution (executionId), oldest first.")
async def of_execution(ask: Ask) -> Any:
    """Give the pages that an execution asked for."""
    execution_id = ask.text("executionId")
    if not execution_id:
        raise InvalidRequest("Say whose pages: ?executionId=…")
    return {"pages": [page_document(page) for page in await ask.services.paging.of_execution(execution_id)]}


@routes.get("/pages/{id}", "A page with its deliveries; wait=SECONDS waits until all are decided.")
async def get(ask: Ask) -> Any:
    """Give the page as it stands, or as it stands after a wait."""
    wait_s = min(ask.number("wait", 0), _LONGEST_WAIT_S)
    page_id = ask.path("id")
    paging = ask.services.paging
    page = await (paging.wait(page_id, float(wait_s)) if wait_s else paging.get(page_id))
    return page_document(page)
