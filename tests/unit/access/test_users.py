"""The file of users: its lines, its errors, and what happens while it changes."""

from __future__ import annotations

import os

import pytest
from structlog.testing import capture_logs

from masthead.access import User, UsersInvalid, parse_users
from masthead.access.users import Users, line_of, name_problem
from support.entering import ANN, BOB, USERS, write_users

HASH = USERS[ANN].password_hash


def test_a_line_is_a_name_a_hash_and_roles():
    """Comments and empty lines are left alone; a line that was written reads the same."""
    text = f"# us\n\n{ANN}:{HASH}:sre, leads,sre\r\nbob:{HASH}\n"
    users = parse_users(text, file="users")
    assert users == {ANN: User(ANN, HASH, ("sre", "leads")), "bob": User("bob", HASH)}
    assert parse_users("\n".join(map(line_of, users.values())), file="users") == users


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("ann", "NAME:HASH"), ("ann:", "NAME:HASH"), (f":{HASH}", "empty"), (f"anonymous:{HASH}", "nobody"),
        ("ann:hunter2", "not argon2's"), ("ann:$2y$05$abcdefghij", "not argon2's"), (f"ann:{HASH}:a b", "role"),
        (f"a\tb:{HASH}", "control"), (f"{'x' * 101}:{HASH}", "longer"), (f"bob:{HASH}", "twice"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_used_is_named(line, problem):
    """With file and number, and without the hash or what stands in its place."""
    with pytest.raises(UsersInvalid) as caught:
        parse_users(f"# one\nbob:{HASH}\n{line}\n", file="users")
    assert caught.value.message.startswith("users:3: ")
    assert problem in caught.value.message
    assert "hunter2" not in caught.value.message
    assert "$" not in caught.value.message


def test_every_line_that_cannot_be_used_is_named():
    """So that one look mends all."""
    with pytest.raises(UsersInvalid) as caught:
        parse_users("a\nb\n", file="users")
    assert [line.split(": ")[0] for line in caught.value.message.split("\n")] == ["users:1", "users:2"]


@pytest.mark.parametrize(
    "name", ["anonymous", "Spinnaker", "[anonymous]", "a:b", "#a", " a", "a\n", "", "\u202eann"]
)
def test_names_that_nobody_may_have(name):
    """They stand for nobody or for Masthead itself, or could not be typed, sent or read."""
    assert name_problem(name)


async def test_the_file_is_read_again_when_it_changes(tmp_path, clock):
    """Within a second, without a restart."""
    users = Users(write_users(tmp_path / "users"), clock)
    write_users(tmp_path / "users", {ANN: USERS[ANN]})
    os.utime(tmp_path / "users", ns=(1, 1))
    assert BOB in users.all()
    await clock.advance(1)
    assert list(users.all()) == [ANN]


async def test_a_broken_file_keeps_the_last_good_one_and_says_so(tmp_path, clock):
    """Once in the log, and to who looks at the settings page; a whole one ends it."""
    path = write_users(tmp_path / "users")
    users = Users(path, clock)
    path.write_text("ann\n")
    with capture_logs() as lines:
        for _ in range(3):
            await clock.advance(1)
            assert set(users.all()) == {ANN, BOB}
    assert [line["event"] for line in lines] == ["users.broken"]
    assert ":1: " in users.trouble
    assert users.trouble_since == clock.now().replace(second=1)
    path.unlink()
    await clock.advance(1)
    assert set(users.all()) == {ANN, BOB}
    assert "no such file" in users.trouble
    write_users(path, {BOB: USERS[BOB]})
    await clock.advance(1)
    assert (list(users.all()), users.trouble, users.trouble_since) == ([BOB], None, None)


def test_a_file_that_is_broken_from_the_start_is_an_error(tmp_path, clock):
    """There is no last good one; a missing file says how to make it."""
    with pytest.raises(UsersInvalid, match="masthead user add"):
        Users(tmp_path / "users", clock)
    (tmp_path / "users").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsersInvalid, match="UTF-8"):
        Users(tmp_path / "users", clock)
    with pytest.raises(UsersInvalid, match="cannot be read"):
        Users(tmp_path, clock)


def test_a_file_that_others_read_is_told(tmp_path, clock):
    """Hashes are for guessing at leisure."""
    path = write_users(tmp_path / "users")
    assert Users(path, clock).advice is None
    path.chmod(0o644)
    assert "chmod 600" in Users(path, clock).advice
