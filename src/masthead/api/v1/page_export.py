"""All pages that match, as a file: a line a page as JSON, or a line a delivery as CSV; read and sent a batch at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import msgspec
from starlette.responses import StreamingResponse

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.api.v1.page_documents import page_document
from masthead.api.v1.page_query import FILTERS, check_names, read_filters
from masthead.paging import Page

__all__ = ["COLUMNS", "routes"]

routes = Routes("v1")

_OF_PAGE = (
    "createdAt",
    "id",
    "kind",
    "severity",
    "message",
    "details",
    "application",
    "user",
    "address",
    "door",
    "executionId",
    "stageId",
)
_OF_DELIVERY = (
    "service",
    "serviceId",
    "account",
    "dedupKey",
    "protocol",
    "state",
    "reason",
    "text",
    "attempts",
    "decidedAt",
)
_OF_INCIDENT = ("state", "reason", "isInferred", "number", "url", "assignee")
#: The first line of the CSV.
COLUMNS = (*_OF_PAGE, *_OF_DELIVERY, *(f"incident{name[0].upper()}{name[1:]}" for name in _OF_INCIDENT))
#: A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@routes.get("/pages.csv", "All pages that match, as CSV: a line for each delivery, newest page first.")
async def as_csv(ask: Ask) -> StreamingResponse:
    """Stream the export for spreadsheets."""
    return await _stream(
        ask, _csv, media_type="text/csv; charset=utf-8", name="pages.csv", head=_rows([COLUMNS])
    )


@routes.get("/pages.jsonl", "All pages that match, as JSON lines: a page a line, newest first.")
async def as_json_lines(ask: Ask) -> StreamingResponse:
    """Stream the export for programs."""
    return await _stream(ask, _json_lines, media_type="application/jsonl", name="pages.jsonl")


async def _stream(
    ask: Ask, write: Callable[[Iterable[Page]], str], *, media_type: str, name: str, head: str = ""
) -> StreamingResponse:
    check_names(ask, FILTERS)
    batches = ask.services.audit.batches(read_filters(ask))
    # Read before the answer begins, so that what fails is answered as an error.
    first = await anext(batches, None)

    async def content() -> AsyncIterator[str]:
        yield head + write(first or ())
        async for batch in batches:
            yield write(batch)

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content(), media_type=media_type, headers=headers)


def _json_lines(pages: Iterable[Page]) -> str:
    return b"".join(msgspec.json.encode(page_document(page)) + b"\n" for page in pages).decode()


def _csv(pages: Iterable[Page]) -> str:
    return _rows(cells for page in pages for cells in _lines(page_document(page)))


def _lines(page: dict[str, Any]) -> Iterable[list[Any]]:
    page["details"] = msgspec.json.encode(page["details"]).decode()
    head = [page[name] for name in _OF_PAGE]
    for delivery in page["deliveries"] or [{}]:
        incident = delivery.get("incident") or {}
        cells = [delivery.get(name) for name in _OF_DELIVERY] + [incident.get(name) for name in _OF_INCIDENT]
        yield head + cells


def _rows(rows: Iterable[Iterable[Any]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows([_defused(cell) for cell in cells] for cells in rows)
    return lines.getvalue()


def _defused(cell: Any) -> Any:
    """Put an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
