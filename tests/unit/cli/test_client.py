"""One server, one user, errors in one sentence."""

from __future__ import annotations

from collections import deque

import httpx
import pytest
import typer

from masthead.cli.client import (
    Client,
    LoginNeeded,
    ServerMissing,
    ServerRefused,
    errors_of,
    quoted,
    text_problem,
)
from masthead.cli.options import given_password
from masthead.kernel.secret import Secret


def test_every_request_says_in_whose_name_it_is_made_and_that_it_is_the_command_line(client, scripted):
    """The headers that the server reads the caller from."""
    scripted.answers["GET", "/health"] = {}
    client.get("/health")

    assert scripted.asked[0].headers["X-SPINNAKER-USER"] == "ann@example.com"
    assert scripted.asked[0].headers["X-RateLimit-App"] == "cli"


def test_parameters_that_are_none_are_left_out(client, scripted):
    """An absent filter does not travel."""
    scripted.answers["GET", "/v1/services?limit=3"] = {"services": []}

    assert client.get("/v1/services", q=None, limit=3) == {"services": []}


def test_an_empty_answer_is_none(client, scripted):
    """Saving a pipeline answers nothing."""
    scripted.answers["POST", "/pipelines"] = httpx.Response(200)

    assert client.post("/pipelines", {}) is None


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (404, {"status": 404, "error": "Not Found", "message": "No such thing"}, "No such thing"),
        (
            400,
            {"error": "Validation Failed.", "errors": ["One.", "Two."], "status": "BAD_REQUEST"},
            "One. Two.",
        ),
        (400, {"errors": ["One.", "Two."], "pointers": ["/a/0", ""]}, "/a/0: One.\nTwo."),
        (400, {"errors": ["One.", "Two."], "pointers": ["/a/0"]}, "One. Two."),
        (404, {"error": {"message": "Not Found", "code": 2100}}, "answered 404 and no Spinnaker error"),
        (500, ["a list"], "answered 500 and no Spinnaker error"),
        (404, {"message": {"not": "text"}}, "answered 404 and no Spinnaker error"),
    ],
)
def test_an_error_of_the_server_is_its_message(client, scripted, status, body, sentence):
    """Whatever the body looks like, there is one sentence."""
    scripted.answers["GET", "/x"] = httpx.Response(status, json=body)
    with pytest.raises(ServerRefused) as refused:
        client.get("/x")

    assert sentence in str(refused.value)


@pytest.mark.parametrize("status", [200, 502])
def test_html_instead_of_json_is_not_masthead(client, scripted, status):
    """Another program on the port, or a proxy on the way, is told as such."""
    scripted.answers["GET", "/x"] = httpx.Response(status, html="<h1>hello</h1>")
    with pytest.raises(ServerRefused, match="Masthead"):
        client.get("/x")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "nothing listens there.*masthead serve"),
        (httpx.ReadTimeout("x"), "nothing came in time"),
        (httpx.RemoteProtocolError("x"), "the connection broke off"),
        (httpx.UnsupportedProtocol("x"), "that is no address"),
    ],
)
def test_no_server_there_says_where_and_what_to_do(client, scripted, error, words):
    """The sentence behind exit status 69, and nothing of what libraries say."""
    scripted.answers["GET", "/x"] = error
    with pytest.raises(ServerMissing, match=f"^No Masthead answers at http://masthead: {words}") as missing:
        client.get("/x")
    assert "Errno" not in str(missing.value)


def test_a_name_that_nobody_knows_is_told_as_such():
    """A typing mistake in the address."""
    with pytest.raises(ServerMissing, match="nobody knows that name"):
        Client("http://no-such-host.invalid", "ann").get("/health")


def test_a_server_may_be_named_without_its_scheme():
    """localhost:8084 is enough, and a slash at the end does not matter."""
    assert Client("localhost:8084/", "ann").server == "http://localhost:8084"


def test_a_task_is_waited_for_until_it_has_ended(client, scripted):
    """The job is posted as Deck posts it."""
    scripted.answers["POST", "/tasks"] = {"ref": "/tasks/T1"}
    scripted.answers["GET", "/tasks/T1"] = deque([{"status": "RUNNING"}, {"status": "SUCCEEDED", "id": "T1"}])

    assert client.task("demo", "Save", {"type": "upsertApplication"})["id"] == "T1"
    assert b'"job":[{"type":"upsertApplication"}]' in scripted.asked[0].content


def test_a_failed_task_is_refused_with_its_own_errors(client, scripted):
    """A task that failed names why."""
    exception = {"key": "exception", "value": {"details": {"error": "Failed", "errors": ["Name is wrong."]}}}
    scripted.answers["POST", "/tasks"] = {"ref": "/tasks/T1"}
    scripted.answers["GET", "/tasks/T1"] = {"status": "TERMINAL", "variables": [exception]}
    with pytest.raises(ServerRefused, match=r"^Name is wrong\.$"):
        client.task("demo", "Save", {})


def test_a_task_that_was_canceled_says_its_status(client, scripted):
    """Without errors the status has to do."""
    scripted.answers["POST", "/tasks"] = {"ref": "/tasks/T1"}
    scripted.answers["GET", "/tasks/T1"] = {"status": "CANCELED", "variables": []}
    with pytest.raises(ServerRefused, match="CANCELED"):
        client.task("demo", "Save", {})


def test_a_task_without_a_list_of_errors_gives_its_one_error():
    """Orca's unexpected failures have only the short form."""
    variables = [{"key": "exception", "value": {"details": {"error": "Unexpected Task Failure"}}}]
    assert errors_of({"variables": variables}) == ["Unexpected Task Failure"]
    assert errors_of({}) == []


def test_a_name_is_one_segment_of_a_path():
    """A slash, a space or a question mark in a name changes no path."""
    assert quoted("a/b c?d") == "a%2Fb%20c%3Fd"
    assert quoted("..") == "%2E%2E"


def test_a_name_beyond_ascii_travels_as_utf_8(scripted, client):
    """As the server reads it back."""
    scripted.answers["GET", "/health"] = {}
    client._user = "Zoë 東京"
    client.get("/health")

    assert dict(scripted.asked[0].headers.raw)[b"X-SPINNAKER-USER"] == "Zoë 東京".encode()


@pytest.mark.parametrize("server", ["http://[::1", "http://a..b", "http://[zz]", "http://\udcff", "x:y"])
def test_an_address_that_can_be_none_is_a_server_that_is_missing(server):
    """Whatever the libraries below raise for it."""
    with pytest.raises(ServerMissing, match="No Masthead answers at"):
        Client(server, "ann").get("/health")


@pytest.mark.parametrize(
    ("text", "is_line", "problem"),
    [
        ("Zoë 東京", True, None),
        ("two\nlines", False, None),
        ("two\nlines", True, "cannot be printed"),
        ("tab\x00", True, "cannot be printed"),
        ("half \udcff", False, "not UTF-8"),
    ],
)
def test_what_cannot_travel_is_known_before_anything_is_sent(text, is_line, problem):
    """Half surrogates fit nowhere, control characters in no header."""
    found = text_problem(text, is_line=is_line)
    assert (found is None) if problem is None else (problem in found)


def test_a_body_that_cannot_be_written_is_not_sent(client, scripted):
    """One sentence instead of the encoder's traceback."""
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for body, problem in [({"a": "\ud800"}, "not UTF-8"), (deep, "too deep")]:
        with pytest.raises(ServerRefused, match=problem):
            client.post("/pipelines", body)
    assert not scripted.asked


def unauthorized() -> httpx.Response:
    return httpx.Response(401, json={"status": 401, "message": "Log in first"})


def test_a_password_goes_along_as_basic(scripted, client):
    """With each request, so that no session is needed."""
    scripted.answers["GET", "/health"] = {}
    client._password = Secret("correct: horse")
    client.get("/health")
    assert scripted.asked[0].headers["Authorization"] == "Basic YW5uQGV4YW1wbGUuY29tOmNvcnJlY3Q6IGhvcnNl"


def test_without_a_password_the_variables_are_named(scripted, client):
    """Where nobody can be asked; the same for what is downloaded."""
    scripted.answers["GET", "/x"] = unauthorized()
    for ask in (lambda: client.get("/x"), lambda: list(client.download("/x"))):
        with pytest.raises(LoginNeeded, match="MASTHEAD_USER and MASTHEAD_PASSWORD"):
            ask()


def test_a_wrong_password_is_told_with_its_user_and_not_shown(scripted, client):
    """And asked once only: more attempts would lock the user out."""
    scripted.answers["GET", "/x"] = unauthorized()
    client._password = Secret("canary")
    with pytest.raises(LoginNeeded, match=r"no user ann@example\.com with this password") as refused:
        client.get("/x")
    assert "canary" not in str(refused.value)
    assert len(scripted.asked) == 1


def test_a_person_at_a_terminal_is_asked_once(scripted, client):
    """The question names the user and the server; the request is made again with the answer."""
    scripted.answers["GET", "/x"] = deque([unauthorized(), httpx.Response(200, json={"it": "works"})])
    asked: list[str] = []
    client._ask_password = lambda prompt: asked.append(prompt) or Secret("correct horse")
    assert client.get("/x") == {"it": "works"}
    assert client.get("/x") == {"it": "works"}
    assert asked == ["Password of ann@example.com at http://masthead: "]
    assert scripted.asked[1].headers["Authorization"].startswith("Basic ")


def test_the_password_comes_out_of_the_environment_or_a_file(monkeypatch, tmp_path):
    """The variable wins; the line end of the file is not part of it."""
    (tmp_path / "password").write_text("of the file \n")
    monkeypatch.setenv("MASTHEAD_PASSWORD_FILE", str(tmp_path / "password"))
    assert given_password().reveal() == "of the file "
    monkeypatch.setenv("MASTHEAD_PASSWORD", "of the variable")
    assert given_password().reveal() == "of the variable"
    monkeypatch.setenv("MASTHEAD_PASSWORD", "a\nb")
    with pytest.raises(typer.BadParameter, match="cannot be printed") as refused:
        given_password()
    assert "a\nb" not in str(refused.value)
    monkeypatch.delenv("MASTHEAD_PASSWORD")
    monkeypatch.setenv("MASTHEAD_PASSWORD_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(typer.BadParameter, match="cannot be read"):
        given_password()
    monkeypatch.delenv("MASTHEAD_PASSWORD_FILE")
    assert given_password() is None
