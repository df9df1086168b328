"""Finding pipelines and executions: rules that Gate and Orca share.

Source: Spinnaker compatibility facts, sections 2.3.2, 2.4 and 4.2.2.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from masthead.api.ask import Ask
from masthead.executions.matching import Search
from masthead.kernel.errors import InvalidRequest, NotFound

__all__ = ["evaluate", "evaluate_variables", "find_executions", "find_pipeline", "search_executions"]

#: Digits of a number in a query.
_LONGEST = 15
#: Executions of one answer.
_MOST = 3500


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


async def search_executions(ask: Ask) -> list[dict[str, Any]]:
    """Give the executions that the query asks for, of the application in the path (``*``: of all).

    Raises:
        InvalidRequest: a parameter cannot be meant, in Orca's words.

    Source: Spinnaker compatibility facts, section 4.2.4.
    """
    application = ask.path("application")
    types = ask.words("triggerTypes")
    search = Search(
        application=None if application == "*" else application,
        name=ask.text("pipelineName") or None,
        event_id=ask.text("eventId") or None,
        trigger_types=() if "*" in types else types,
        trigger=_trigger(ask.text("trigger")),
        from_ms=_whole(ask, "triggerTimeStartBoundary"),
        to_ms=_whole(ask, "triggerTimeEndBoundary"),
        statuses=ask.words("statuses"),
        start=_whole(ask, "startIndex") or 0,
        size=_size(ask),
        is_oldest_first=ask.flag("reverse", default=False),
    )
    return await ask.services.executions.search(search, expand=ask.flag("expand", default=False))


async def evaluate(ask: Ask, *, stage_id: str | None = None) -> dict[str, Any]:
    """Evaluate the expression of the query, or of the body: text, or an object with ``expression``.

    Raises:
        InvalidRequest: there is none.
        NotFound: there is no such execution or stage.
    """
    expression = ask.text("expression")
    if ask.method == "POST":
        expression = await _posted_expression(ask)
    if not expression:
        raise InvalidRequest("There is no expression to evaluate.", pointer="/expression")
    return await ask.services.executions.evaluate(ask.path("id"), expression, stage_id=stage_id)


async def evaluate_variables(ask: Ask) -> dict[str, Any]:
    """Evaluate the variables in the body; ``executionId`` in the query goes before the path, as at Gate."""
    return await ask.services.executions.evaluate_variables(
        ask.text("executionId") or ask.path("id"),
        await ask.objects(),
        requisites=ask.words("requisiteStageRefIds"),
        version=ask.text("spelVersion") or ask.text("spelVersionOverride") or None,
    )


async def _posted_expression(ask: Ask) -> str:
    raw = await ask.raw()
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest("The body must be UTF-8.") from error
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        document = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return text.strip()
    return str(document.get("expression") or "")


def _whole(ask: Ask, name: str) -> int | None:
    """Give a whole number that may be as long as an instant.

    Raises:
        InvalidRequest: it is none, or below 0.
    """
    given = ask.text(name)
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST):
        raise InvalidRequest(f"{name} must be >= 0: {name}={given[:_LONGEST]}")
    return int(given)


def _size(ask: Ask) -> int:
    given = ask.text("size", "10")
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST) or int(given) == 0:
        raise InvalidRequest(f"size must be > 0: size={given[:_LONGEST]}")
    return min(int(given), _MOST)


def _trigger(encoded: str) -> dict[str, Any] | None:
    if not encoded:
        return None
    try:
        document = msgspec.json.decode(base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidRequest("trigger must be the base64 of a JSON object.") from error
    if not isinstance(document, dict):
        raise InvalidRequest("trigger must be the base64 of a JSON object.")
    return document
