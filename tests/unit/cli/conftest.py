"""A client whose server is a table of answers."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import httpx
import pytest

from masthead.cli.client import Client


class ScriptedServer:
    """Answers by method and path; a deque of answers is given out one by one, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Any] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers[request.method, request.url.raw_path.decode()]
        if isinstance(answer, deque):
            answer = answer.popleft() if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, text=json.dumps(answer))


@pytest.fixture
def scripted() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
def client(scripted, monkeypatch) -> Client:
    made = Client("http://masthead", "ann@example.com")
    real = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **given: real(transport=httpx.MockTransport(scripted), **given)
    )
    yield made
    if made._http:
        made._http.close()
