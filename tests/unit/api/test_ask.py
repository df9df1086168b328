"""Query parameters and bodies, each with an error of its own."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "limit=1.5", "limit=%D9%A1", "limit=99999999999"])
async def test_a_number_must_be_one(client, query):
    """The message names the parameter."""
    answer = await client.get(f"/v1/services?{query}")
    assert answer.status_code == 400
    assert "limit" in answer.json()["message"]


async def test_an_empty_parameter_is_absent(client):
    """Deck sends statuses= when it means all."""
    assert (await client.get("/v1/services?limit=&q=")).json()["total"] == 3
    assert (await client.get("/applications/demo/tasks?statuses=")).json() == []


async def test_a_flag_must_be_true_or_false(client):
    """Anything else is refused, not guessed."""
    assert (await client.get("/applications/demo/pipelines?expand=maybe")).status_code == 400
    assert (await client.get("/applications/demo/pipelines?expand=FALSE")).status_code == 200


@pytest.mark.parametrize("body", [[], "text", 1, None])
async def test_a_body_must_be_an_object_where_one_is_needed(client, body):
    """The sentence says what is expected."""
    answer = await client.post("/tasks", json=body)
    assert answer.status_code == 400
    assert "object" in answer.json()["message"] or "body" in answer.json()["message"]


async def test_a_list_must_hold_objects(client):
    """The pointer leads to the first that is none."""
    answer = await client.post("/pipelines/bulksave", json=[{}, 1])
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/1")


async def test_limits_are_settings(client):
    """The house takes 100,000 bytes and 50 levels."""
    assert (await client.post("/tasks", content=b" " * 100_001)).status_code == 400
    deep = b'{"a":' * 51 + b"1" + b"}" * 51
    assert (await client.post("/tasks", content=deep)).status_code == 400
