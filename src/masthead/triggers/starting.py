"""Starting a pipeline because of a trigger: nobody waits for the answer, so what is refused is logged."""

from __future__ import annotations

from typing import Any

import structlog

from masthead.executions import Executions
from masthead.kernel.caller import Caller
from masthead.kernel.errors import MastheadError, StorageUnavailable

__all__ = ["start"]

log = structlog.get_logger(__name__)


async def start(
    executions: Executions,
    config: dict[str, Any],
    trigger: dict[str, Any],
    caller: Caller,
    *,
    execution_id: str,
) -> str | None:
    """Start the pipeline *config* as the execution *execution_id*, unless that is there already.

    Returns:
        The execution's id, or None when the pipeline cannot be started; the log says why.

    Raises:
        StorageUnavailable: the database failed; start it again with the same id.
    """
    run = {**config, "trigger": trigger, "executionId": execution_id}
    about = {
        "application": config.get("application"),
        "pipeline": config.get("name"),
        "type": trigger["type"],
    }
    try:
        started = await executions.start_pipeline(run, caller)
    except StorageUnavailable:
        raise
    except MastheadError as error:
        log.warning("trigger.refused", **about, error=error.message)
        return None
    log.info("trigger.started", **about, execution=started)
    return started
