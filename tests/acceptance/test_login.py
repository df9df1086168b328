"""Users, from the command that adds them to the doors that ask for them: real processes."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import pytest

from support.processes import free_port, masthead, running, wait_until

pytestmark = pytest.mark.slow
PASSWORD = "tango: foxtrot"


def command(*arguments: str, typed: str = "", **environ: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "masthead", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environ},
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert PASSWORD not in said
    return done.returncode, said


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with the user ann, and Echo on a port of its own."""
    folder = tmp_path_factory.mktemp("login")
    users = folder / "users"
    status, said = command(
        "user", "add", "ann", "--role", "sre", "--file", str(users), "--password-stdin", typed=f"{PASSWORD}\n"
    )
    assert status == 0, said
    echo = free_port()
    environ = {"MASTHEAD_ACCESS_USERS_FILE": str(users)}
    server = masthead(
        "http://127.0.0.1:1", str(folder / "m.db"), environ=environ, more=["--also", f"echo={echo}"]
    )
    with running(server):
        yield server, f"http://127.0.0.1:{echo}", users


def test_every_port_asks(house):
    """Whatever name the headers say; the health is told."""
    server, echo, _ = house
    headers = {"X-SPINNAKER-USER": "ann"}
    assert httpx.get(f"{server.url}/v1/pages", headers=headers).status_code == 401
    body = {"notificationType": "PAGER_DUTY", "to": ["x"], "additionalContext": {"message": "m"}}
    assert httpx.post(f"{echo}/notifications", json=body, headers=headers).status_code == 401
    assert httpx.get(f"{echo}/health").status_code == 200
    assert httpx.get(f"{server.url}/ui/").headers["location"] == "/ui/login?next=%2Fui%2F"
    assert httpx.get(f"{echo}/health", auth=("ann", PASSWORD)).json()["components"]["catalog"]["details"]


def test_the_command_line_logs_in(house):
    """By variables; else it says what to set, and ends with 77."""
    server, _, _ = house
    environ = {"MASTHEAD_SERVER": server.url, "MASTHEAD_USER": "ann"}
    status, said = command("application", "list", MASTHEAD_PASSWORD=PASSWORD, **environ)
    assert status == 0, said
    status, said = command("application", "list", **environ)
    assert (status, "MASTHEAD_PASSWORD" in said) == (77, True)
    status, said = command("application", "list", MASTHEAD_PASSWORD="wrong", **environ)
    assert (status, "no user ann" in said) == (77, True)


def test_a_user_who_is_removed_is_out_within_seconds(house):
    """Without a restart; the password was remembered until then."""
    server, _, users = house
    auth = ("bob", PASSWORD)
    command("user", "add", "bob", "--file", str(users), "--password-stdin", typed=PASSWORD)
    wait_until(lambda: httpx.get(f"{server.url}/auth/user", auth=auth).status_code == 200)
    assert command("user", "remove", "bob", "--file", str(users))[0] == 0
    wait_until(lambda: httpx.get(f"{server.url}/auth/user", auth=auth).status_code == 401)
    assert PASSWORD not in server.output()


def test_without_users_a_strangers_host_is_refused(tmp_path):
    """The server that was started has the guard: a page whose name leads to 127.0.0.1 gets nothing."""
    with running(masthead("http://127.0.0.1:1", str(tmp_path / "m.db"))) as server:
        assert httpx.get(f"{server.url}/v1/pages", headers={"Host": "evil.example"}).status_code == 403
        forwarded = {"X-Forwarded-For": "10.1.2.3"}
        assert httpx.get(f"{server.url}/v1/pages", headers=forwarded).status_code == 403
        assert httpx.get(f"{server.url}/v1/pages").status_code == 200
