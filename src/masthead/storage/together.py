"""Many small writes of one kind as one unit of work: what comes while the last is being written goes along next.

:class:`masthead.storage.database.Database` already puts many units into one transaction. Where thousands of units
a second do the same thing, preparing each by itself is what costs; here their items are written by one statement.

A transaction costs the same for one item and for ten, and after a group its callers come back one by one. So the next
group waits a moment for as many as the last one had (PostgreSQL's ``commit_delay`` and ``commit_siblings`` in one): who
is alone never waits, and among many nobody waits longer than the moment.
"""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from masthead.kernel.errors import MastheadError, StorageUnavailable
from masthead.kernel.tasks import Tasks

__all__ = ["Together"]

T = TypeVar("T")
R = TypeVar("R")

#: Most items in one unit: bounds how long the first of them waits.
_LIMIT = 256
#: How long a group waits for as many items as the last one had; an fsync takes about as long.
_MOMENT_S = 0.002


class Together(Generic[T, R]):
    """Collects items and hands them over in groups; each caller gets the result of its own item."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[Sequence[R]]], tasks: Tasks) -> None:
        """Build it.

        Args:
            write: Writes a group and gives a result an item, in their order; all or nothing.
            tasks: Of the owner, who settles and closes them.
        """
        self._write = write
        self._tasks = tasks
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._is_writing = False
        #: Items of the last group.
        self._last = 1
        self._enough: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """Tell how many items wait for their turn."""
        return len(self._waiting)

    async def put(self, item: T) -> R:
        """Write *item* with what else waits, and give its result once that is durable.

        Raises:
            StorageUnavailable: nothing of the group was stored.
            Exception: what *write* raised for this item; the others of its group are not touched by it.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if not self._is_writing:
            self._is_writing = True
            self._tasks.start(self._write_all(), name="write together")
        elif self._enough is not None and len(self._waiting) >= self._last:
            _wake(self._enough)
        return await future

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await self._wait_for_others()
                group = [self._waiting.popleft() for _ in range(min(_LIMIT, len(self._waiting)))]
                self._last = len(group)
                await self._write_group(group)
        finally:
            self._is_writing = False

    async def _wait_for_others(self) -> None:
        if len(self._waiting) >= self._last:
            return
        loop = asyncio.get_running_loop()
        self._enough = loop.create_future()
        moment = loop.call_later(_MOMENT_S, _wake, self._enough)
        try:
            await self._enough
        finally:
            moment.cancel()
            self._enough = None

    async def _write_group(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._write([item for item, _ in group])
        except StorageUnavailable as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 - belongs to the callers
            if len(group) == 1:
                _fail(group, error)
                return
            for one in group:
                await self._write_group([one])
        else:
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _fail(group: Sequence[tuple[object, asyncio.Future[R]]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(_own(error))


def _own(error: Exception) -> Exception:
    """Give each caller an error of its own, so that tracebacks do not grow into each other."""
    return copy.copy(error) if type(error) in (StorageUnavailable, MastheadError) else error
