"""Gate's applications: Front50's documents as attribute maps, names in lower case.

There is no write here: applications are changed by posting tasks, as in Spinnaker.

Source: Spinnaker compatibility facts, section 2.4; Deck and Gate facts, sections 2b, 2c and 2d.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masthead.api.ask import Ask
from masthead.api.finding import find_pipeline
from masthead.api.routing import Routes

__all__ = ["routes"]

routes = Routes("gate")

#: Newest executions that a list gives when nobody says how many (Gate's own default).
_DEFAULT_EXECUTIONS = 10
#: Tasks that a list gives at most: Deck asks without a limit.
_MOST_TASKS = 500


@routes.get("/applications", "All applications as attribute maps; filter by account or owner.")
async def list_all(ask: Ask) -> Any:
    """Give the attributes of each application, by name."""
    documents = await ask.services.applications.list_all(ask.caller)
    account, owner = ask.text("account"), ask.text("owner").casefold()
    shown = [_attributes(document) for document in documents]
    return [one for one in shown if _has_account(one, account) and _has_owner(one, owner)]


@routes.get("/applications/{application}", "An application: name, attributes, clusters.")
async def get(ask: Ask) -> Any:
    """Give one application; its clusters are empty, because Masthead deploys nothing."""
    document = await ask.services.applications.get(ask.path("application"), ask.caller)
    attributes = _attributes(document)
    return {"attributes": attributes, "clusters": {}, "name": attributes["name"]}


@routes.get("/applications/{application}/history", "Versions of an application, newest first.")
async def history(ask: Ask) -> Any:
    """Give the newest versions."""
    limit = ask.number("limit", 20)
    return await ask.services.applications.history(ask.path("application"), limit, caller=ask.caller)


@routes.get("/applications/{application}/tasks", "Tasks of an application, newest first.")
async def tasks(ask: Ask) -> Any:
    """Give one page of tasks; an empty statuses means all."""
    return await ask.services.executions.list_tasks(
        ask.path("application"),
        statuses=ask.words("statuses"),
        page=ask.number("page", 1, minimum=1),
        limit=min(ask.number("limit", _MOST_TASKS, minimum=1), _MOST_TASKS),
    )


@routes.get("/applications/{application}/pipelines", "Executions of an application's pipelines.")
async def pipelines(ask: Ask) -> Any:
    """Give the newest executions of each pipeline, oldest start first, as Orca orders them."""
    return await ask.services.executions.list_pipelines(
        ask.path("application"),
        statuses=ask.words("statuses"),
        limit=ask.number("limit", _DEFAULT_EXECUTIONS),
        expand=ask.flag("expand", default=True),
        name_filter=ask.text("pipelineNameFilter") or None,
        pipeline_limit=ask.number_or_none("pipelineLimit"),
    )


@routes.get("/applications/{application}/pipelineConfigs", "An application's pipelines, in their order.")
async def configs(ask: Ask) -> Any:
    """Give the pipelines; their indices run from 0, else Deck writes them all back."""
    return await ask.services.pipelines.of_application(
        ask.path("application"),
        name_filter=ask.text("pipelineNameFilter") or None,
        limit=ask.number_or_none("pipelineLimit"),
    )


@routes.get("/applications/{application}/pipelineConfigs/{pipeline:path}", "One pipeline, by name or id.")
async def config(ask: Ask) -> Any:
    """Give the pipeline."""
    return await find_pipeline(ask, ask.path("application"), ask.path("pipeline"))


routes.empty(
    "/applications/{application}/strategyConfigs", [], "Deployment strategies: none; Deck needs the list."
)
routes.unbuilt(
    "GET", "/applications/{application}/strategyConfigs/{strategy}", "Masthead has no deployment strategies."
)
for _path in ("serverGroupManagers", "clusters", "serverGroups", "loadBalancers", "functions"):
    routes.empty(
        f"/applications/{{application}}/{_path}",
        [],
        f"The application's {_path}: none, Masthead deploys nothing.",
    )


def _attributes(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "name": str(document["name"]).lower()}


def _has_account(attributes: Mapping[str, Any], account: str) -> bool:
    accounts = attributes.get("accounts")
    return not account or (isinstance(accounts, str) and account in map(str.strip, accounts.split(",")))


def _has_owner(attributes: Mapping[str, Any], owner: str) -> bool:
    return not owner or str(attributes.get("email") or "").casefold() == owner
