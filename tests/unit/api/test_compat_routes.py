"""Every route that Gate and Orca have is served, or is left out on purpose.

The two tables are those of the Spinnaker compatibility facts, sections 2.4, 4.1 and 4.2.
"""

from __future__ import annotations

import re

import pytest

from masthead.api.app import operations_of

GATE = """
GET /tasks/x
DELETE /tasks/x
POST /tasks
PUT /tasks/x/cancel
PUT /tasks/cancel
GET /tasks/x/details/y
GET /applications
GET /applications/x
GET /applications/x/history
GET /applications/x/tasks
POST /applications/x/tasks
GET /applications/x/tasks/y
PUT /applications/x/tasks/y/cancel
GET /applications/x/pipelines
PUT /applications/x/pipelines/y/cancel
GET /applications/x/pipelineConfigs
GET /applications/x/pipelineConfigs/y
POST /applications/x/pipelineConfigs/y
GET /applications/x/strategyConfigs
GET /applications/x/strategyConfigs/y
GET /applications/x/executions/search
POST /pipelines
POST /pipelines/bulksave
POST /pipelines/move
POST /pipelines/start
PUT /pipelines/x
DELETE /pipelines/x/y
GET /pipelines/x
DELETE /pipelines/x
PUT /pipelines/x/cancel
PUT /pipelines/x/pause
PUT /pipelines/x/resume
PATCH /pipelines/x/stages/y
PUT /pipelines/x/stages/y/restart
GET /pipelines/x/evaluateExpression
POST /pipelines/x/evaluateExpression
GET /pipelines/x/y/evaluateExpression
POST /pipelines/x/evaluateVariables
POST /pipelines/x/y
POST /pipelines/v2/x/y
GET /executions
GET /executions/failedStages
GET /pipelineConfigs
GET /pipelineConfigs/x/history
GET /pipelineConfigs/x/convertToTemplate
POST /actions/pipelines/reorder
POST /actions/strategies/reorder
GET /notifications/x/y
POST /notifications/x/y
DELETE /notifications/x/y
GET /notifications/metadata
POST /notifications/callbacks/x
POST /webhooks/x/y
POST /webhooks/cdevents/x
GET /webhooks/preconfigured
GET /cron/validate
GET /roles/x
GET /
GET /health
GET /version
GET /auth/user
GET /auth/rawUser
GET /auth/user/serviceAccounts
GET /auth/loggedOut
POST /auth/roles/sync
POST /auth/deleteSessionCache
GET /auth/redirect
GET /auth/logout
GET /auth/apiTokens
POST /auth/apiTokens
DELETE /auth/apiTokens/x
"""
ORCA = """
POST /orchestrate
POST /orchestrate/x
POST /plan
POST /plan/x
POST /fail
POST /ops
GET /webhooks/preconfigured
GET /jobs/preconfigured
GET /tasks/x
GET /tasks
GET /applications/x/tasks
DELETE /tasks/x
PUT /tasks/x/cancel
PUT /tasks/cancel
GET /pipelines/x
GET /pipelines
GET /applications/x/pipelines
GET /v2/applications/x/pipelines
GET /applications/x/pipelines/search
GET /pipelines/failedStages
DELETE /pipelines/x
PUT /pipelines/x/cancel
PUT /pipelines/x/pause
PUT /pipelines/x/resume
PATCH /pipelines/x/stages/y
PUT /pipelines/x/stages/y/restart
GET /pipelines/x/evaluateExpression
GET /pipelines/x/y/evaluateExpression
POST /pipelines/x/evaluateVariables
GET /pipelines/running
GET /pipelines/waiting
GET /executions/correlated/x
GET /capabilities/expressions
"""
#: Route → why nobody answers it at its door. What answers 501 with a sentence is a route.
NOT_SERVED = {
    ("gate", "GET /health"): "one for all doors, at /health",
    ("gate", "GET /"): "the pages for people, not a route of Gate's",
}


def _is_served(door: str, route: str) -> bool:
    method, path = route.split(" ")
    return any(
        one.method == method
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", re.sub(r"\{\w+:path\}", ".+", one.path)) + "/?", path)
        for one in operations_of(door)
    )


@pytest.mark.parametrize(("door", "table"), [("gate", GATE), ("orca", ORCA)])
def test_every_route_of_spinnaker_is_served_or_left_out_on_purpose(door, table):
    """Served, empty, or 501 with a sentence; the others stand in NOT_SERVED with their reason, and nothing else does."""
    routes = table.split("\n")[1:-1]
    missing = {route for route in routes if not _is_served(door, route)}
    assert missing == {route for at, route in NOT_SERVED if at == door}
