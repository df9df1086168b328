"""``masthead user``: the file is changed, the password never shown."""

from __future__ import annotations

import getpass
import json
import sys

import argon2
import pytest
from typer.testing import CliRunner

from masthead.access import parse_users
from masthead.cli.main import app
from support.entering import ANN, BOB, CHEAP, write_users


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The file of Ann and Bob, named in the environment; argon2 costs little."""
    monkeypatch.setattr(argon2, "PasswordHasher", lambda: CHEAP)
    path = write_users(tmp_path / "users")
    monkeypatch.setenv("MASTHEAD_ACCESS_USERS_FILE", str(path))
    return path


def run(*arguments: str, typed: str | None = None):
    done = CliRunner().invoke(app, ["user", *arguments], input=typed)
    assert typed is None or typed.strip() not in done.output
    return done


def users_in(path):
    return parse_users(path.read_text(), file="users")


def test_a_user_is_added_with_the_password_from_standard_input(path):
    """With roles; the file holds a hash."""
    done = run(
        "add", "zoe", "--role", "sre", "--role", "leads", "--password-stdin", typed="tango: foxtrot \n"
    )
    assert (done.exit_code, "zoe may log in" in done.output) == (0, True)
    zoe = users_in(path)["zoe"]
    assert zoe.roles == ("sre", "leads")
    assert CHEAP.verify(zoe.password_hash, "tango: foxtrot ")


def test_a_person_types_the_password_twice(path, monkeypatch):
    """And hears when the two are not the same."""
    typed = iter(["tango foxtrot", "tango foxtrot", "tango foxtrot", "tango foxtort"])
    monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))

    class Terminal:
        def isatty(self) -> bool:
            return True

    def at_a_terminal(*arguments: str) -> int:
        with monkeypatch.context() as there:
            there.setattr(sys, "stdin", Terminal())
            with pytest.raises(SystemExit) as ended:
                app(["user", *arguments])
        return ended.value.code

    assert at_a_terminal("add", "zoe") == 0
    assert CHEAP.verify(users_in(path)["zoe"].password_hash, "tango foxtrot")
    assert at_a_terminal("password", "zoe") == 1
    assert CHEAP.verify(users_in(path)["zoe"].password_hash, "tango foxtrot")


@pytest.mark.parametrize(
    ("arguments", "typed", "status", "said"),
    [
        (["add", "zoe"], None, 2, "--password-stdin"),
        (["add", "zoe", "--password-stdin"], "abc", 1, "shorter than 8"),
        (["add", "a:b", "--password-stdin"], "tango foxtrot", 2, "colon"),
        (["add", ANN, "--password-stdin"], "tango foxtrot", 1, "is a user already"),
        (["add", "zoe", "--role", "a b", "--password-stdin"], "tango foxtrot", 1, "A role is a word"),
        (["password", "zoe", "--password-stdin"], "tango foxtrot", 1, "no user zoe"),
        (["remove", "zoe"], None, 1, "no user zoe"),
        (["roles", "zoe", "sre"], None, 1, "no user zoe"),
        (["list", "--file", "/nowhere/users"], None, 1, "no such file"),
        (["add", "zoe", "tango foxtrot"], None, 2, "unexpected extra argument"),
    ],
)
def test_what_cannot_be_done_changes_nothing(path, arguments, typed, status, said):
    """And says why; a password as an argument is not taken."""
    before = path.read_text()
    done = run(*arguments, typed=typed)
    assert (done.exit_code, path.read_text()) == (status, before)
    assert said in done.output


def test_a_password_roles_and_the_user_go(path):
    """Each by its command."""
    assert run("password", ANN, "--password-stdin", typed="tango foxtrot").exit_code == 0
    assert CHEAP.verify(users_in(path)[ANN].password_hash, "tango foxtrot")
    assert run("roles", ANN, "boss").exit_code == 0
    assert json.loads(run("list", "--json").output) == [
        {"name": ANN, "roles": ["boss"]},
        {"name": BOB, "roles": []},
    ]
    assert run("roles", ANN).exit_code == 0
    assert run("remove", BOB).exit_code == 0
    assert run("list").output == f"{ANN}\n"


def test_without_a_file_the_command_asks_which(path, monkeypatch):
    """There is no hidden place."""
    monkeypatch.delenv("MASTHEAD_ACCESS_USERS_FILE")
    done = run("list")
    assert (done.exit_code, "--file" in done.output) == (78, True)


def test_the_configuration_names_the_file(path, tmp_path, monkeypatch):
    """As it does for the server."""
    monkeypatch.delenv("MASTHEAD_ACCESS_USERS_FILE")
    (tmp_path / "masthead.yml").write_text(json.dumps({"access": {"usersFile": str(path)}}))
    done = run("list", "--config", str(tmp_path / "masthead.yml"))
    assert ANN in done.output


def test_a_file_that_no_server_was_told_of_is_pointed_out(path, tmp_path, monkeypatch):
    """Else somebody believes that a login is asked for."""
    monkeypatch.delenv("MASTHEAD_ACCESS_USERS_FILE")
    done = run("add", "zoe", "--file", str(tmp_path / "new"), "--password-stdin", typed="tango foxtrot")
    assert f"MASTHEAD_ACCESS_USERS_FILE={tmp_path / 'new'}" in done.output
