"""What a page says when it cannot be shown or a deed cannot be done: what happened, what was not done, what to do next.

The one place under ``/ui/`` that catches every exception.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from masthead.kernel import errors as kernel
from masthead.telemetry.logs import redact
from masthead.web.rendering import Renderer

__all__ = ["Endpoint", "shielded"]

log = structlog.get_logger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class _Words:
    status: int
    title: str
    #: What to do next.
    advice: str = ""


#: Class → words; the nearest class in an error's ancestry counts.
_WORDS: dict[type[kernel.MastheadError], _Words] = {
    kernel.MastheadError: _Words(500, "This did not work"),
    kernel.InvalidRequest: _Words(400, "This cannot be used as it is", "Go back, correct it and send it again."),
    kernel.IncompletePipeline: _Words(422, "This pipeline is not complete", "Go back and complete it."),
    kernel.AccessDenied: _Words(403, "You may not do this"),
    kernel.NotFound: _Words(404, "There is no such thing here", "It may have been deleted, or renamed."),
    kernel.Conflict: _Words(409, "This is not possible now", "Load the page anew to see how things stand."),
    kernel.NotSupported: _Words(501, "Masthead does not have this"),
    kernel.Overloaded: _Words(503, "Too much is waiting", "Nothing was stored. Try again in a moment."),
    kernel.StorageUnavailable: _Words(503, "The database does not answer", "Nothing was stored. Try again in a moment."),
    kernel.OutsideFailure: _Words(502, "PagerDuty did not do what was asked"),
}  # fmt: skip
_UNFORESEEN = _Words(
    500, "Masthead failed", "Try again; if it stays so, tell who runs Masthead the request's id."
)


def shielded(endpoint: Endpoint, renderer: Renderer) -> Endpoint:
    """Give *endpoint* with its errors shown as pages, and to htmx as live messages."""

    async def shown(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            raise
        except kernel.MastheadError as error:
            words = next(_WORDS[kind] for kind in type(error).__mro__ if kind in _WORDS)
            if words.status in (500, 502, 503):
                log.warning(
                    "page.failed", status=words.status, kind=type(error).__name__, error=error.message
                )
            return _show(request, renderer, words, redact(error.message))
        except Exception as error:  # noqa: BLE001 - the boundary of the pages
            return _show(request, renderer, _UNFORESEEN, _logged(request, error))

    return shown


def _show(request: Request, renderer: Renderer, words: _Words, sentence: str) -> Response:
    if request.headers.get("HX-Request") == "true":
        return renderer.told(f"{words.title}. {sentence}", status=words.status)
    return renderer.page(
        request, "trouble.html", words.status, title=words.title, sentence=sentence, advice=words.advice
    )


def _logged(request: Request, error: Exception) -> str:
    caller = request.scope.get("masthead.caller")
    request_id = caller.request_id if caller else "unknown"
    log.error("page.crashed", request=request_id, method=request.method, exc_info=error)
    return f"The log says more under the request's id, {request_id}."
