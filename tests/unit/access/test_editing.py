"""Changes of the file of users."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace

import pytest

from masthead.access import User, UsersInvalid, parse_users
from masthead.access.editing import add_user, change_user, remove_user, with_hash
from support.entering import ANN, BOB, USERS, write_users

ZOE = User("zoe", USERS[ANN].password_hash, ("sre",))


def users_in(path):
    return parse_users(path.read_text(), file="users")


def test_a_new_file_is_its_owners_alone(tmp_path):
    """Whatever the umask says."""
    add_user(tmp_path / "users", ZOE)
    assert users_in(tmp_path / "users") == {"zoe": ZOE}
    assert stat.S_IMODE((tmp_path / "users").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["users"]


def test_what_people_wrote_around_the_users_stays(tmp_path):
    """Comments, empty lines, the order; and the file may end without a line end."""
    path = write_users(tmp_path / "users")
    path.write_text("# top\r\n\n" + path.read_text() + "# end")
    before = path.read_bytes().decode()
    add_user(path, ZOE)
    remove_user(path, "zoe")
    assert path.read_bytes().decode() == before + "\n"
    change_user(path, BOB, lambda user: replace(user, roles=("x",)))
    assert users_in(path)[BOB].roles == ("x",)
    assert "# end" in path.read_text()


def test_a_file_keeps_its_owners_group(tmp_path):
    """A server that reads it by its group still can; others never may."""
    path = write_users(tmp_path / "users")
    path.chmod(0o664)
    remove_user(path, BOB)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    """The file it leads to is changed."""
    path = write_users(tmp_path / "real")
    (tmp_path / "link").symlink_to(path)
    remove_user(tmp_path / "link", BOB)
    assert (tmp_path / "link").is_symlink()
    assert list(users_in(path)) == [ANN]


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        (USERS[ANN], "is a user already"),
        (replace(ZOE, name="anonymous"), "nobody"),
        (replace(ZOE, name="a:b"), "colon"),
        (replace(ZOE, name="a\nb"), "control"),
        (replace(ZOE, roles=("a,b",)), "role"),
        (replace(ZOE, roles=("a\nroot:x",)), "role"),
    ],
)
def test_who_cannot_be_added(tmp_path, user, problem):
    """Nothing of it is written."""
    path = write_users(tmp_path / "users")
    before = path.read_text()
    with pytest.raises(UsersInvalid, match=problem):
        add_user(path, user)
    assert path.read_text() == before


def test_a_broken_file_is_not_made_worse(tmp_path):
    """Its line is named."""
    path = tmp_path / "users"
    path.write_text("ann\n")
    with pytest.raises(UsersInvalid, match=":1: "):
        add_user(path, ZOE)
    assert path.read_text() == "ann\n"


def test_what_is_not_there_is_said(tmp_path):
    """The user, the file, the folder."""
    with pytest.raises(UsersInvalid, match="no user zoe"):
        remove_user(write_users(tmp_path / "users"), "zoe")
    with pytest.raises(UsersInvalid, match="no such file"):
        remove_user(tmp_path / "other", "zoe")
    with pytest.raises(UsersInvalid, match="cannot be written"):
        add_user(tmp_path / "nowhere" / "users", ZOE)


def test_changes_at_the_same_time_are_all_kept(tmp_path):
    """Each waits for the other."""
    path = tmp_path / "users"
    names = [f"user{number}" for number in range(20)]
    threads = [threading.Thread(target=add_user, args=(path, replace(ZOE, name=name))) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(users_in(path)) == sorted(names)


def test_a_renewed_hash_does_not_undo_a_changed_password(tmp_path):
    """The change is made only where the old hash still stands."""
    path = write_users(tmp_path / "users")
    change_user(path, ANN, with_hash(USERS[BOB].password_hash, ZOE.password_hash))
    assert users_in(path)[ANN] == USERS[ANN]
    change_user(path, ANN, with_hash(USERS[ANN].password_hash, USERS[BOB].password_hash))
    assert users_in(path)[ANN].password_hash == USERS[BOB].password_hash
