"""Finding pipelines and executions: rules that Gate and Orca share.

Source: Spinnaker compatibility facts, sections 2.3.2, 2.4 and 4.2.2.
"""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.kernel.errors import InvalidRequest, NotFound

__all__ = ["find_executions", "find_pipeline"]


async def find_pipeline(ask: Ask, application: str, name_or_id: str) -> dict[str, Any]:
    """Give a stored pipeline of *application*, by name or else by id.

    Raises:
        NotFound: there is none.
    """
    found = await ask.services.pipelines.find(application, name_or_id)
    if found is None:
        raise NotFound(f"Pipeline config (id: {name_or_id}) not found for Application (id: {application})")
    return found


async def find_executions(ask: Ask) -> list[dict[str, Any]]:
    """Give what ``pipelineConfigIds`` or ``executionIds`` name; unknown ids are skipped.

    Raises:
        InvalidRequest: both are given.
    """
    config_ids, execution_ids = ask.words("pipelineConfigIds"), ask.words("executionIds")
    if config_ids and execution_ids:
        raise InvalidRequest("Only pipelineConfigIds OR executionIds can be specified")
    executions, statuses = ask.services.executions, ask.words("statuses")
    expand = ask.flag("expand", default=True)
    if execution_ids:
        return await executions.by_ids(execution_ids, statuses=statuses, expand=expand)
    if not config_ids:
        return []
    limit = ask.number("limit", 1)
    return await executions.of_configs(config_ids, statuses=statuses, limit=limit, expand=expand)
