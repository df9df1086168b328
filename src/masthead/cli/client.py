"""Asking a running server, in the name of somebody; its errors become one sentence."""

from __future__ import annotations

import base64
import contextlib
import getpass
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from masthead.kernel.secret import Secret

if TYPE_CHECKING:
    import httpx

__all__ = [
    "DEFAULT_SERVER",
    "ENDED",
    "Client",
    "LoginNeeded",
    "ServerMissing",
    "ServerRefused",
    "default_user",
    "errors_of",
    "quoted",
    "text_problem",
]

DEFAULT_SERVER = "http://127.0.0.1:8084"
#: Statuses of an execution, a stage or a task that never change again.
ENDED = ("SUCCEEDED", "TERMINAL", "CANCELED", "STOPPED", "SKIPPED", "FAILED_CONTINUE")

_TIMEOUT_S = 60.0
_POLL_S = 0.1


def default_user() -> str:
    """Give the login name, or anonymous where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "anonymous"


def text_problem(text: str, *, is_line: bool = False) -> str | None:
    """Say why *text* cannot be sent, or None when it can; one that *is_line* has no line end or control character.

    Bytes that are not UTF-8 reach a Python program as half surrogates, which no JSON and no header can carry.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8 text"
    if is_line and not text.isprintable():
        return "holds a character that cannot be printed"
    return None


class ServerMissing(Exception):
    """No server answers there."""


class ServerRefused(Exception):
    """The server said no; the text is its message."""


class LoginNeeded(Exception):
    """The server asks who it is, and was not told, or not rightly; the text says what to set."""


class Client:
    """One server and one user; connects with the first question."""

    def __init__(
        self,
        server: str,
        user: str,
        password: Secret | None = None,
        *,
        ask_password: Callable[[str], Secret | None] | None = None,
    ) -> None:
        """Build it.

        Args:
            server: Its address.
            user: In whose name it is asked.
            password: Of the user, for a server that has users.
            ask_password: Asks a person for it, given a prompt, when the server wants one and *password* is None;
                gives None where there is nobody to ask.
        """
        self.server = (server if "://" in server else f"http://{server}").rstrip("/")
        self._user = user
        self._password = password
        self._ask_password = ask_password
        self._http: httpx.Client | None = None

    def get(self, path: str, **params: Any) -> Any:
        """Give the JSON at *path*; parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return self._ask("GET", path, params=given)

    def patch(self, path: str, body: Any = None) -> Any:
        """Send *body* and give the answer's JSON."""
        return self._ask("PATCH", path, body)

    def post(self, path: str, body: Any = None) -> Any:
        """Send *body* and give the answer's JSON."""
        return self._ask("POST", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        """Send *body* and give the answer's JSON."""
        return self._ask("PUT", path, body)

    def start_task(self, application: str, description: str, job: dict[str, Any]) -> str:
        """Post one task job as Deck does and give the path of the task."""
        body = {"application": application, "description": description, "job": [job]}
        return str(self.post("/tasks", body)["ref"])

    def task(self, application: str, description: str, job: dict[str, Any]) -> dict[str, Any]:
        """Post one task job as Deck does and give the task once it ended.

        Raises:
            ServerRefused: the task failed; the text says why.
        """
        task = self.wait_for(self.start_task(application, description, job))
        if task["status"] != "SUCCEEDED":
            raise ServerRefused(" ".join(errors_of(task)) or f"The task ended as {task['status']}.")
        return task

    def wait_for(self, path: str) -> dict[str, Any]:
        """Give the task or execution at *path* once it ended."""
        while (found := self.get(path))["status"] not in ENDED:
            time.sleep(_POLL_S)
        return dict(found)

    def download(self, path: str, **params: Any) -> Iterator[bytes]:
        """Give what is at *path* bit by bit, however much it is; parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        with (
            self._missing_is_said(),
            self._connected().stream("GET", self.server + path, params=given) as answer,
        ):
            if answer.status_code >= 400:
                answer.read()
                raise self._refusal(answer)
            yield from answer.iter_bytes()

    def _ask(self, method: str, path: str, body: Any = None, *, params: dict[str, Any] | None = None) -> Any:
        content = None if body is None else _encoded(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        with self._missing_is_said():
            answer = self._connected().request(
                method, self.server + path, content=content, headers=headers, params=params
            )
        if answer.status_code == 401 and self._password is None and self._learn_password():
            return self._ask(method, path, body, params=params)
        if answer.status_code >= 400:
            raise self._refusal(answer)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise ServerRefused(f"{self.server} answers, but not as Masthead does.") from error

    def _learn_password(self) -> bool:
        prompt = f"Password of {self._user} at {self.server}: "
        self._password = self._ask_password(prompt) if self._ask_password else None
        if self._password is not None and self._http is not None:
            self._http.headers.update(self._authorization())
        return self._password is not None

    def _authorization(self) -> dict[bytes, bytes]:
        if self._password is None:
            return {}
        text = f"{self._user}:{self._password.reveal()}".encode()
        return {b"Authorization": b"Basic " + base64.b64encode(text)}

    def _refusal(self, answer: httpx.Response) -> Exception:
        if answer.status_code != 401:
            return ServerRefused(_message(answer))
        if self._password is None:
            return LoginNeeded(
                f"{self.server} asks for a login: set MASTHEAD_USER and MASTHEAD_PASSWORD (or MASTHEAD_PASSWORD_FILE)."
            )
        return LoginNeeded(
            f"{self.server} has no user {self._user} with this password: check --user (MASTHEAD_USER) and "
            "MASTHEAD_PASSWORD (or MASTHEAD_PASSWORD_FILE)."
        )

    @contextlib.contextmanager
    def _missing_is_said(self) -> Iterator[None]:
        import httpx

        try:
            yield
        # ValueError: no such host can be.
        except (httpx.TransportError, httpx.InvalidURL, ValueError) as error:
            raise ServerMissing(f"No Masthead answers at {self.server}: {_why_missing(error)}") from error

    def _connected(self) -> httpx.Client:
        import httpx

        if self._http is None:
            headers = {b"X-SPINNAKER-USER": self._user.encode(), b"X-RateLimit-App": b"cli"}
            headers |= self._authorization()
            # A proxy of the environment is for the world outside, not for this machine.
            is_far = urlsplit(self.server).hostname not in ("127.0.0.1", "localhost", "::1")
            self._http = httpx.Client(headers=headers, timeout=_TIMEOUT_S, trust_env=is_far)
        return self._http


def _why_missing(error: Exception) -> str:
    """Say in a sentence why nobody answers, and what to do."""
    import httpx

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, (socket.gaierror, ssl.SSLError)):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, socket.gaierror):
        return "nobody knows that name. Check --server or MASTHEAD_SERVER."
    if isinstance(cause, ssl.SSLError):
        return "TLS failed. Check http or https in --server or MASTHEAD_SERVER, and the certificate."
    if isinstance(error, httpx.TimeoutException):
        return "nothing came in time. Check that it is well, and what is in between."
    if isinstance(error, httpx.ConnectError):
        return "nothing listens there. Start one with: masthead serve"
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol):
        return "the connection broke off. Try again."
    return "that is no address. Check --server or MASTHEAD_SERVER."


def _encoded(body: Any) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise ServerRefused("Not sent: it holds characters that are not UTF-8 text.") from error
    except RecursionError as error:
        raise ServerRefused("Not sent: its objects and lists are too deep inside each other.") from error


def quoted(name: object) -> str:
    """Give *name* as one segment of a path; also its dots, so that ``..`` leads nowhere else."""
    return quote(str(name), safe="").replace(".", "%2E")


def errors_of(task: dict[str, Any]) -> list[str]:
    """Give the sentences that say why a task failed; none when nothing does."""
    for variable in task.get("variables", ()):
        if variable["key"] == "exception":
            details = variable["value"].get("details", {})
            return [str(error) for error in details.get("errors") or [details.get("error")] if error]
    return []


def _placed(place: str, sentence: str) -> str:
    return f"{place}: {sentence}" if place else sentence


def _message(answer: httpx.Response) -> str:
    try:
        body = answer.json()
        errors = [str(error) for error in body.get("errors") or ()]
        places = [str(place) for place in body.get("pointers") or ()]
        if places and len(places) == len(errors):
            return "\n".join(map(_placed, places, errors))
        if (message := " ".join(errors) or body["message"]) and isinstance(message, str):
            return message
    except (ValueError, AttributeError, KeyError, TypeError):
        pass  # not Spinnaker's body
    return f"The server answered {answer.status_code} and no Spinnaker error; is it Masthead?"
