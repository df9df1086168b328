"""What arrives and is no HTTP: uvicorn's refusal, in the body that every other error has."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from masthead.api.errors import error_body
from masthead.web.executions_live import ENDLESS

__all__ = ["Protocol"]

_MESSAGE = "This is no HTTP request that can be read; the connection is closed."


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol over httptools."""

    def send_400_response(self, msg: str) -> None:
        """Answer in Spinnaker's error body instead of uvicorn's *msg*, and close the connection."""
        del msg
        body = msgspec.json.encode(error_body(400, _MESSAGE, at=datetime.now(UTC)))
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def shutdown(self) -> None:
        """Let the answer under way be finished, unless it has no end of its own."""
        super().shutdown()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete and self.scope.get(ENDLESS):
            self.transport.close()
