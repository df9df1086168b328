"""Background tasks that are neither lost nor silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Tasks"]


class Tasks:
    """Tasks that one owner started: kept from the garbage collector, watched, and ended together.

    ``asyncio.create_task`` alone keeps only a weak reference and hides what the task raised; the
    linter forbids it everywhere else.
    """

    def __init__(self, on_error: Callable[[str, BaseException], None]) -> None:
        """Args: on_error: called with the task's name and what it raised, once a failed task."""
        self._on_error = on_error
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, coroutine: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run *coroutine* until it ends or :meth:`close` is called."""
        task = asyncio.create_task(coroutine, name=name)  # noqa: TID251 - the one place
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def settle(self, timeout_s: float) -> None:
        """Wait until all tasks have ended, *timeout_s* seconds at most."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=timeout_s)

    async def close(self) -> None:
        """Cancel what still runs and wait for its end."""
        running = tuple(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(task.get_name(), error)
