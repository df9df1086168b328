"""The bare relay that Masthead is compared with: uvicorn and the same HTTP client, nothing stored, no rules.

``python bench/relay.py PORT ENDPOINT``: takes Echo's notification, sends one event, answers what came of it.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import uvicorn

from masthead.pagerduty.pool import PooledPoster

_HEADERS = [(b"content-type", b"application/json")]


class Relay:
    """The ASGI application."""

    def __init__(self, endpoint: str) -> None:
        self._poster = PooledPoster(endpoint, timeout_s=10)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request; GET is for whoever looks whether it is up."""
        body = b""
        more = scope["method"] == "POST"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status = await self._relay(msgspec.json.decode(body)) if body else 200
        await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": b'{"value":null}'})

    async def _relay(self, notification: dict[str, Any]) -> int:
        context = notification["additionalContext"]
        event = {
            "routing_key": notification["to"][0],
            "event_action": "trigger",
            "payload": {
                "summary": context["message"],
                "source": notification["source"]["application"],
                "severity": "critical",
                "custom_details": context["details"],
            },
        }
        reply = await self._poster.post(
            "/v2/enqueue", msgspec.json.encode(event), {"Content-Type": "application/json"}
        )
        return 200 if reply.status == 202 else 502


if __name__ == "__main__":
    uvicorn.run(
        Relay(sys.argv[2]),
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
    )
