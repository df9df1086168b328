"""What every request passes: ids, doors, and an answer in Spinnaker's body whatever happens."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from masthead.api import create_app, create_door
from support.doors import client_of

JSON = "application/json"


def is_spinnakers(answer, status: int) -> bool:
    body = answer.json()
    return (
        answer.status_code == status == body["status"]
        and answer.headers["content-type"] == JSON
        and {"timestamp", "error", "message"} <= set(body)
    )


@pytest.mark.parametrize("path", ["/nope", "/orca/nope", "/echo/nope", "/front50/nope", "/v1/nope", "/ui/x"])
async def test_an_unknown_route_is_answered_in_the_same_body(client, path):
    """Never HTML, also not for the pages' own part of the address."""
    assert is_spinnakers(await client.get(path), 404)
    assert is_spinnakers(await client.post(path, json={}), 404)


async def test_a_wrong_method_says_which_are_right(client):
    """405 with every method that the path takes."""
    answer = await client.delete("/tasks")
    assert is_spinnakers(answer, 405)
    assert answer.headers["allow"] == "OPTIONS, POST"
    answer = await client.post("/pipelines/x")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"


async def test_options_and_head_are_answered(client):
    """OPTIONS says what can be done; HEAD is a GET without its body."""
    answer = await client.options("/applications")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert (await client.options("/nope")).status_code == 404
    assert (await client.head("/applications")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/applications/", "/echo/notifications/metadata/", "/front50/v2/applications/"]
)
async def test_a_trailing_slash_is_taken(client, path):
    """As Spring took it for these services."""
    assert (await client.get(path)).status_code == 200


async def test_the_request_id_is_given_back_or_made(client):
    """Gate returns it, so that people can find the log lines."""
    given = await client.get("/health", headers={"X-SPINNAKER-REQUEST-ID": "req-9"})
    assert given.headers["x-spinnaker-request-id"] == "req-9"
    made = await client.get("/nope")
    assert len(made.headers["x-spinnaker-request-id"]) == 26


async def test_a_nul_in_the_address_is_refused(client):
    """It can be in no name and no text of ours."""
    assert is_spinnakers(await client.get("/applications/a%00b"), 400)
    assert is_spinnakers(await client.get("/v1/services?q=%00"), 400)


async def test_what_crashes_is_logged_once_and_named(house):
    """The answer names the request; the log has the traceback; the exception's text stays inside."""

    async def broken():
        raise RuntimeError("token=hunter2")

    object.__setattr__(house.services, "health", broken)
    with capture_logs() as logs:
        answer = await house.client.get("/health", headers={"X-SPINNAKER-REQUEST-ID": "req-1"})
    assert is_spinnakers(answer, 500)
    assert "req-1" in answer.json()["message"]
    assert "hunter2" not in answer.text
    assert [(entry["event"], entry["request"], entry["route"]) for entry in logs] == [
        ("request.crashed", "req-1", "/health")
    ]


async def test_health_is_springs(house):
    """UP with 200; DOWN with 503 when one part is down."""
    answer = await house.client.get("/health")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "UP", "components": {"database": {"status": "UP"}}},
    )
    house.health["catalog"] = {"status": "UNKNOWN"}
    assert (await house.client.get("/echo/health")).status_code == 200
    house.health["database"] = {"status": "DOWN"}
    for path in ("/health", "/health/readiness", "/orca/health/readiness"):
        answer = await house.client.get(path)
        assert (answer.status_code, answer.json()["status"]) == (503, "DOWN")


async def test_liveness_does_not_depend_on_the_database(house):
    """At the paths that manifests of Gate and Echo name: killing the process would not bring the database back."""
    house.health["database"] = {"status": "DOWN"}
    for path in ("/health/liveness", "/echo/health/liveness"):
        answer = await house.client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "UP"})


async def test_the_root_leads_to_the_pages(client):
    """People who open the address in a browser land on the pages."""
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/ui/")


async def test_a_door_of_its_own_has_its_service_at_the_root(house):
    """For clients that drop the path of a base URL."""
    for name, path in [
        ("echo", "/notifications/metadata"),
        ("orca", "/pipelines"),
        ("front50", "/v2/applications"),
        ("gate", "/applications"),
    ]:
        async with client_of(create_door(house.services, name)) as client:
            assert (await client.get(path)).status_code == 200
            assert (await client.get("/health")).status_code == 200
            assert is_spinnakers(await client.get("/v1/services"), 404)
    async with client_of(create_door(house.services, "orca")) as client:
        assert isinstance((await client.get("/tasks/x")).json()["timestamp"], int)


def test_there_are_no_other_doors(house):
    """A wrong name is a mistake of the caller."""
    with pytest.raises(ValueError, match="gate, orca, echo, front50"):
        create_door(house.services, "igor")


async def test_pages_can_be_mounted_beside_the_doors(house):
    """The web's routes come first and keep their own slashes."""
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    async def page(_):
        return HTMLResponse("<p>hello")

    async with client_of(create_app(house.services, mounts=[Route("/ui/", page)])) as client:
        assert (await client.get("/ui/")).text == "<p>hello"
        assert (await client.get("/ui")).headers["location"] == "/ui/"


async def test_another_origin_is_refused_in_spinnakers_body(client):
    """A page of a stranger cannot post a task."""
    answer = await client.post("/tasks", json={}, headers={"Origin": "https://evil.example"})
    assert is_spinnakers(answer, 403)


async def test_an_allowed_page_may_read_errors_too(client):
    """Deck shows the message, so an error is marked like any other answer."""
    answer = await client.get("/nope", headers={"Origin": "http://localhost:9000"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost:9000"


async def test_allowed_origins_can_be_chosen(house):
    """A Deck on a host of its own is let in, and this machine's pages no longer are."""
    async with client_of(create_app(house.services, cors_origins=["https://deck.example.com"])) as client:
        body, job = {"application": "spinnaker"}, {"type": "wait", "waitTime": 0}
        for origin, status in [("https://deck.example.com", 200), ("http://localhost:9000", 403)]:
            answer = await client.post("/tasks", json={**body, "job": [job]}, headers={"Origin": origin})
            assert answer.status_code == status
