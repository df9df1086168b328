"""Who follows an execution is told when it changed, at once if that happened on this machine."""

from __future__ import annotations

import asyncio

__all__ = ["Changes"]


class Changes:
    """Tells those who wait for the next change of an execution."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def tell(self, execution_id: str) -> None:
        """Wake those who wait for *execution_id*."""
        for waiter in self._waiting.get(execution_id, ()):
            waiter.set()

    def subscribe(self, execution_id: str) -> asyncio.Event:
        """Give an event that every change sets; clear it before looking, and :meth:`leave` in the end."""
        event = asyncio.Event()
        self._waiting.setdefault(execution_id, set()).add(event)
        return event

    def leave(self, execution_id: str, event: asyncio.Event) -> None:
        """Set *event* no more."""
        waiting = self._waiting.get(execution_id, set())
        waiting.discard(event)
        if not waiting:
            self._waiting.pop(execution_id, None)
