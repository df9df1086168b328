"""Every route: described, documented, and sound as a table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.routing import Route

from masthead.api import create_app
from masthead.api.app import operations_of
from masthead.api.routing import Operation, Routes, fixed_routes, starlette_routes

DOC = Path(__file__).parents[3] / "docs" / "reference" / "http-api.md"
DOORS = {"gate": "", "orca": "/orca", "echo": "/echo", "front50": "/front50", "v1": "/v1"}
_PARAMETER = re.compile(r"\{(\w+):\w+\}")


def row(operation: Operation, prefix: str) -> str:
    """The line of the reference about an operation."""
    path = _PARAMETER.sub(r"{\1}", prefix + operation.path).rstrip("/") or "/"
    status = operation.status if operation.is_built else "501" if operation.status == 501 else "empty"
    return f"| {operation.method} | `{path}` | {status} | {operation.summary} |"


@pytest.mark.parametrize("door", DOORS)
def test_the_reference_lists_every_route_and_no_other(door):
    """The table in docs/reference/http-api.md is the table that the router is made of."""
    section = DOC.read_text().partition(f"<!-- routes: {door} -->")[2].partition("<!-- end -->")[0]
    listed = {line for line in section.splitlines() if line.startswith("| ")} - {
        "| method | path | answer | |",
        "|---|---|---|---|",
    }
    expected = {row(operation, DOORS[door]) for operation in operations_of(door)}
    assert sorted(listed) == sorted(expected), "the missing rows belong between the two comments"


async def test_the_openapi_document_has_every_route(house):
    """Each method and path of the running application, and nothing that is not there."""
    app = create_app(house.services)
    document = (await house.client.get("/v1/openapi.json")).json()
    routes = {
        (method.lower(), _PARAMETER.sub(r"{\1}", route.path))
        for route in app.routes
        if isinstance(route, Route) and route.name.startswith(("GET", "PUT", "POST", "PATCH", "DELETE"))
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(method, path) for path, item in document["paths"].items() for method in item}
    assert described == routes
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "1.2.3"


async def test_the_openapi_document_names_each_operation_once(client):
    """OperationId is unique and every path parameter is declared, as OpenAPI demands."""
    document = (await client.get("/v1/openapi.json")).json()
    ids = [one["operationId"] for item in document["paths"].values() for one in item.values()]
    assert len(ids) == len(set(ids))
    for path, item in document["paths"].items():
        for operation in item.values():
            assert [p["name"] for p in operation["parameters"]] == re.findall(r"\{(\w+)\}", path)


@pytest.mark.parametrize("door", DOORS)
def test_no_route_hides_another(door):
    """Each operation is the first that matches its own path, so that all can be reached."""
    operations = operations_of(door)
    for operation in operations:
        sample = re.sub(r"\{\w+(:path)?\}", "x", operation.path)
        matching = [
            other
            for other in operations
            if other.method == operation.method and re.fullmatch(_regex(other.path), sample)
        ]
        assert matching[0] is operation, (
            f"{operation.method} {operation.path} is hidden by {matching[0].path}"
        )


def _regex(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", re.sub(r"\{\w+:path\}", ".*", path))


UNBUILT = [
    (operation, DOORS[door]) for door in DOORS for operation in operations_of(door) if not operation.is_built
]


@pytest.mark.parametrize(("operation", "prefix"), UNBUILT, ids=lambda v: getattr(v, "path", ""))
async def test_what_is_not_built_says_so_or_answers_empty(client, operation, prefix):
    """501 with a sentence, or an empty list or object; never 404, never HTML."""
    path = prefix + re.sub(r"\{\w+(:path)?\}", "x", operation.path)
    answer = await client.request(operation.method, path)
    assert answer.status_code == operation.status
    if operation.status == 501:
        assert answer.json()["message"] == operation.summary
        assert operation.summary.endswith(".")
    else:
        assert not any(answer.json()) or answer.json() == {"functions": [], "spelEvaluators": []}


def test_only_what_is_found_first_is_answered_directly():
    """A path with a part that varies, or one that another route takes before, is searched for as ever."""
    routes = Routes("gate")
    routes.empty("/a/{id}", "varies", "")
    routes.empty("/a/b", "taken before", "")
    routes.empty("/c", "first", "")
    routes.empty("/c", "second", "")
    built = starlette_routes(routes.operations, None)
    assert fixed_routes(built) == {("GET", "/c"): built[2]}


async def test_a_page_is_asked_for_directly_at_both_of_its_doors(house):
    """By the exact paths of Echo's and our own; with a slash behind they are searched for, and behave the same."""
    routes = create_app(house.services).routes
    assert {("POST", "/echo/notifications"), ("POST", "/v1/pages")} <= set(fixed_routes(routes))
    for path in ("/echo/notifications", "/echo/notifications/"):
        answer = await house.client.post(
            path, json={"notificationType": 1}, headers={"X-SPINNAKER-REQUEST-ID": "r-1"}
        )
        assert (answer.status_code, answer.json()["pointer"]) == (400, "/notificationType")
        assert answer.headers["x-spinnaker-request-id"] == "r-1"
