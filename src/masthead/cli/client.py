"""Asking a running server, in the name of somebody; its errors become one sentence."""

from __future__ import annotations

import getpass
import time
from typing import Any
from urllib.parse import quote

import httpx

__all__ = ["Client", "ServerMissing", "ServerRefused", "default_server", "default_user", "quoted"]

default_server = "http://127.0.0.1:8084"
_TIMEOUT_S = 60.0
_ENDED = ("SUCCEEDED", "TERMINAL", "CANCELED", "STOPPED", "SKIPPED", "FAILED_CONTINUE")


def default_user() -> str:
    """Give the login name, or anonymous where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "anonymous"


class ServerMissing(Exception):
    """No server answers there."""


class ServerRefused(Exception):
    """The server said no; the text is its message."""


class Client:
    """One server and one user."""

    def __init__(self, server: str, user: str) -> None:
        self.server = server.rstrip("/")
        self._http = httpx.Client(
            headers={"X-SPINNAKER-USER": user, "X-RateLimit-App": "cli"}, timeout=_TIMEOUT_S
        )

    def get(self, path: str, **params: Any) -> Any:
        """Give the JSON at *path*."""
        return self._ask(
            "GET", path, params={name: value for name, value in params.items() if value is not None}
        )

    def post(self, path: str, body: Any = None) -> Any:
        """Send *body* and give the answer's JSON."""
        return self._ask("POST", path, json=body)

    def put(self, path: str, body: Any = None) -> Any:
        """Send *body* and give the answer's JSON."""
        return self._ask("PUT", path, json=body)

    def task(self, application: str, description: str, job: dict[str, Any]) -> dict[str, Any]:
        """Post one task job as Deck does and give the task once it ended.

        Raises:
            ServerRefused: the task failed; the text says why.
        """
        ref = self.post("/tasks", {"application": application, "description": description, "job": [job]})[
            "ref"
        ]
        task = self.wait_for(f"/tasks/{ref.rpartition('/')[2]}")
        if task["status"] != "SUCCEEDED":
            raise ServerRefused(failure_of(task) or f"The task ended as {task['status']}.")
        return task

    def wait_for(self, path: str, *, every_s: float = 0.1) -> dict[str, Any]:
        """Give the task or execution at *path* once it ended."""
        while (found := self.get(path))["status"] not in _ENDED:
            time.sleep(every_s)
        return dict(found)

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = self._http.request(method, self.server + path, **request)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ServerMissing(
                f"No Masthead answers at {self.server} ({error}). Start one with: masthead serve"
            ) from error
        if answer.status_code >= 400:
            raise ServerRefused(_message(answer))
        return answer.json() if answer.content else None


def quoted(name: object) -> str:
    """Give *name* as one segment of a path."""
    return quote(str(name), safe="")


def failure_of(task: dict[str, Any]) -> str:
    """Give the sentences that say why a task failed; empty when none does."""
    for variable in task.get("variables", ()):
        if variable["key"] == "exception":
            details = variable["value"].get("details", {})
            return "; ".join(details.get("errors") or [details.get("error", "")])
    return ""


def _message(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return f"The server answered {answer.status_code} and no Spinnaker error; is it Masthead?"
    errors = body.get("errors") or []
    message = "; ".join(map(str, errors)) or body.get("message") or body.get("error")
    return str(message)
