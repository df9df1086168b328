"""What tells a page that its execution changed: a stream of versions, and nothing else.

The page fetches what it shows with the user's own session, so that rights and rendering stay in one place and a stream
that broke off loses nothing: the first event of the next one is the present version.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from masthead.executions import Executions
from masthead.kernel.clock import Clock
from masthead.kernel.errors import NotFound
from masthead.paging import Page, Paging

__all__ = ["ENDLESS", "Live"]

#: Set in the scope of a request whose answer goes on until somebody ends it: a stop of the server does.
ENDLESS = "masthead.endless"
#: How often is looked for what another machine changed.
_LOOK_AGAIN_S = 2.0
#: After so long a silence a page takes its connection for lost: proxies and networks drop what is idle.
_ALIVE_EVERY_S = 10.0
#: Then the page connects anew, and the rights of its user are looked at again.
_LONGEST_S = 600.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


class Live:
    """Follows executions."""

    def __init__(self, executions: Executions, paging: Paging, clock: Clock) -> None:
        self._executions = executions
        self._paging = paging
        self._clock = clock

    async def version(self, execution_id: str) -> str:
        """Give what moves with every change that the page of an execution shows.

        Raises:
            NotFound: there is no such execution.
        """
        return (await self.look(execution_id))[0]

    async def look(self, execution_id: str) -> tuple[str, Sequence[Page]]:
        """Give the version, and the pages that it speaks of; an execution that is read after it is at least as new.

        Raises:
            NotFound: there is no such execution.
        """
        number = await self._executions.version(execution_id)
        pages = await self._paging.of_execution(execution_id)
        return f"{number}.{_trace(pages)}", pages

    async def answer(self, request: Request, execution_id: str) -> Response:
        """Give the stream of an execution's versions; 204, which ends all tries, when it is not there."""
        try:
            await self._executions.version(execution_id)
        except NotFound:
            return Response(status_code=204)
        request.scope[ENDLESS] = True
        return StreamingResponse(self.events(execution_id), media_type="text/event-stream", headers=_HEADERS)

    async def events(self, execution_id: str) -> AsyncIterator[str]:
        """Give an event for the present version and for each that follows, and one now and then that says it is alive."""
        changed = self._executions.changes.subscribe(execution_id)
        begun = told = self._clock.monotonic()
        known = ""
        try:
            with contextlib.suppress(NotFound):
                while (now := self._clock.monotonic()) - begun < _LONGEST_S:
                    changed.clear()
                    version = await self.version(execution_id)
                    if version != known or now - told >= _ALIVE_EVERY_S:
                        name = "version" if version != known else "alive"
                        known, told = version, now
                        yield f"event: {name}\ndata: {version}\n\n"
                    await self._first_of(changed)
        finally:
            self._executions.changes.leave(execution_id, changed)

    async def _first_of(self, changed: asyncio.Event) -> None:
        waiting = asyncio.ensure_future(changed.wait())
        sleeping = asyncio.ensure_future(self._clock.sleep(_LOOK_AGAIN_S))
        try:
            await asyncio.wait((waiting, sleeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            sleeping.cancel()


def _trace(pages: Sequence[Page]) -> str:
    """Give a mark that differs when anything that is shown of *pages* does."""
    said = [
        f"{one.id} {one.state} {one.attempts} {one.text} {one.incident.state} {one.incident.number}"
        f" {one.incident.assignee} {one.incident.is_awaited}"
        for page in pages
        for one in page.deliveries
    ]
    return blake2b("\n".join(said).encode(), digest_size=6).hexdigest() if said else "0"
