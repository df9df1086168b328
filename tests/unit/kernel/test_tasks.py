"""Background tasks are watched and ended."""

from __future__ import annotations

import asyncio

from masthead.kernel.tasks import Tasks


async def test_what_a_task_raised_is_told_with_its_name():
    """No exception disappears with its task."""
    told: list[tuple[str, BaseException]] = []
    tasks = Tasks(lambda name, error: told.append((name, error)))

    async def fail() -> None:
        raise RuntimeError("boom")

    tasks.start(fail(), name="failing")
    await tasks.settle(5)
    assert [(name, str(error)) for name, error in told] == [("failing", "boom")]


async def test_close_ends_what_still_runs():
    """Nothing outlives its owner."""
    tasks = Tasks(lambda *_: None)
    task = tasks.start(asyncio.Event().wait(), name="waiting")
    await tasks.close()
    assert task.cancelled()
    assert len(tasks) == 0
