"""Who somebody is: passwords, their cost, and what the outside can learn from it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import argon2
import pytest
from structlog.testing import capture_logs

from masthead.access import Access
from masthead.access.passwords import Passwords, password_problem
from masthead.kernel.errors import TooManyAttempts, Unauthenticated
from support.entering import ANN, BOB, CHEAP, PASSWORDS, SECRET, USERS, access_with_users, write_users


class CountingPasswords(Passwords):
    """Remembers which hashes were verified."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.verified: list[str] = []

    def _verify(self, password_hash: str, password: str) -> bool:
        self.verified.append(password_hash)
        return super()._verify(password_hash, password)


@pytest.fixture
def access(tmp_path, clock):
    made = access_with_users(tmp_path, clock)
    yield made
    made.close()


async def test_the_right_password_opens_a_session(access):
    """Which names its user and the roles of the file."""
    entered = await access.enter(ANN, PASSWORDS[ANN], address="10.0.0.1")
    found = access.by_cookie(["forged", entered.cookie])
    assert (found.user, found.session) == (USERS[ANN], entered.session)


@pytest.mark.parametrize(
    ("name", "password"),
    [(ANN, "wrong"), (ANN, ""), ("nobody", "correct horse"), ("", ""), (ANN, PASSWORDS[BOB]), (ANN, PASSWORDS[ANN] + " ")],
)  # fmt: skip
async def test_anything_else_opens_none(access, name, password):
    """With one sentence for all."""
    with pytest.raises(Unauthenticated, match=r"^No user has this name and password together\.$"):
        await access.enter(name, password, address="10.0.0.1")


async def test_an_unknown_user_costs_what_a_wrong_password_costs(tmp_path, clock):
    """One hash of the file is verified for a name that nobody has, always the same one: time tells nothing."""
    access = access_with_users(tmp_path, clock, attempts_per_address=100)
    access._passwords = passwords = CountingPasswords()
    hashes = {user.password_hash for user in USERS.values()}
    seen = {}
    for name in [f"nobody{number}" for number in range(20)] * 2:
        with pytest.raises(Unauthenticated):
            await access.enter(name, "wrong", address="10.0.0.1")
        assert seen.setdefault(name, passwords.verified[-1]) == passwords.verified[-1]
    assert len(passwords.verified) == 40
    assert set(seen.values()) == hashes
    access.close()


async def test_without_any_user_a_hash_is_verified_all_the_same(tmp_path, clock):
    """An emptied file lets nobody in, and does not tell that it is empty."""
    write_users(tmp_path / "users", {})
    access = access_with_users(tmp_path, clock)
    access._passwords = passwords = CountingPasswords()
    for name in (ANN, "nobody"):
        with pytest.raises(Unauthenticated):
            await access.enter(name, "wrong", address="10.0.0.1")
    assert len(passwords.verified) == 2
    assert access.is_open is False
    access.close()


async def test_the_password_of_a_decoy_lets_nobody_in(access):
    """A name that nobody has stays nobody, whichever password is shown."""
    for name in (f"nobody{number}" for number in range(9)):
        for password in PASSWORDS.values():
            with pytest.raises(Unauthenticated):
                await access.enter(name, password, address="10.0.0.1")


async def test_an_enormous_password_is_not_even_hashed(tmp_path, clock):
    """A megabyte costs nothing and is nobody's."""
    access = access_with_users(tmp_path, clock)
    access._passwords = passwords = CountingPasswords()
    with pytest.raises(Unauthenticated):
        await access.enter(ANN, "x" * 1_000_000, address="10.0.0.1")
    assert passwords.verified == []
    access.close()


async def test_only_so_many_passwords_are_verified_at_a_time(tmp_path, clock):
    """A crowd that knocks takes neither all memory nor all processors; who comes too many is told to wait."""
    access = access_with_users(tmp_path, clock, attempts_per_address=1000, attempts_per_user=1000)
    knocks = [access.enter(ANN, "wrong", address=f"10.0.0.{number}") for number in range(100)]
    answers = await asyncio.gather(*knocks, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unauthenticated, TooManyAttempts}
    assert sum(isinstance(answer, TooManyAttempts) for answer in answers) == 68
    access.close()


async def test_a_logout_ends_the_session_for_whoever_has_its_cookie(access):
    """A copy of the cookie is worth nothing afterwards; another session of the same user goes on."""
    first = await access.enter(ANN, PASSWORDS[ANN], address="")
    second = await access.enter(ANN, PASSWORDS[ANN], address="", before=first.cookie)
    await access.leave(first.session)
    assert access.by_cookie([first.cookie]) is None
    assert access.by_cookie([second.cookie]) is not None


async def test_a_session_follows_its_user(access, clock):
    """New roles at once; a removed user or another password ends it."""
    entered = await access.enter(ANN, PASSWORDS[ANN], address="")
    write_users(access.users.path, {**USERS, ANN: replace(USERS[ANN], roles=("boss",))})
    await clock.advance(1)
    assert access.by_cookie([entered.cookie]).user.roles == ("boss",)
    write_users(access.users.path, {BOB: USERS[BOB]})
    await clock.advance(1)
    assert access.by_cookie([entered.cookie]) is None


async def test_no_password_and_no_cookie_is_logged(access):
    """Nor a name that nobody has: it may be a password in the wrong field."""
    with capture_logs() as lines:
        await access.enter(ANN, PASSWORDS[ANN], address="10.0.0.1")
        for name, password in ((ANN, "canary-password"), ("canary-name", "x")):
            with pytest.raises(Unauthenticated):
                await access.enter(name, password, address="10.0.0.1")
    assert "canary" not in str(lines)
    assert [(line["event"], line["user"]) for line in lines] == [
        ("login.succeeded", ANN), ("login.refused", ANN), ("login.refused", "(unknown)"),
    ]  # fmt: skip


async def test_who_is_turned_away_is_logged_once_a_minute(tmp_path, clock):
    """However hard somebody knocks."""
    access = access_with_users(tmp_path, clock, attempts_per_address=1)
    with capture_logs() as lines:
        for _ in range(30):
            with pytest.raises((Unauthenticated, TooManyAttempts)):
                await access.enter(ANN, "wrong", address="10.0.0.1")
            await clock.advance(3)
    assert [line["event"] for line in lines].count("login.limited") == 2
    access.close()


async def test_a_hash_of_long_ago_is_renewed_at_a_login(tmp_path, clock):
    """With the parameters of today; the session that it opens lasts."""
    path = write_users(tmp_path / "users")
    today = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    access = access_with_users(tmp_path, clock)
    access._passwords = Passwords(today)
    entered = await access.enter(ANN, PASSWORDS[ANN], address="")
    assert "m=16,t=2,p=1" in path.read_text()
    assert access.by_cookie([entered.cookie]).user.name == ANN
    assert access.users.all()[BOB] == USERS[BOB]
    access.close()


async def test_a_file_that_cannot_be_written_lets_people_in_all_the_same(tmp_path, clock, monkeypatch):
    """As a mounted secret is; it is said once."""
    from masthead.access import UsersInvalid
    from masthead.access import access as module

    def refuses(*_: object) -> None:
        raise UsersInvalid("read-only")

    monkeypatch.setattr(module, "change_user", refuses)
    access = access_with_users(tmp_path, clock)
    access._passwords = Passwords(argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    with capture_logs() as lines:
        for _ in range(2):
            entered = await access.enter(ANN, PASSWORDS[ANN], address="")
            assert access.by_cookie([entered.cookie]) is not None
    assert [line["event"] for line in lines].count("users.hash-not-renewed") == 1
    access.close()


@pytest.mark.parametrize(("password", "is_good"), [("a1b2c3d", False), ("x" * 8, True), ("ä" * 513, False), ("a\tbcdefgh", False), ("correct horse", True)])  # fmt: skip
def test_which_passwords_can_be_given(password, is_good):
    """What is wrong is said without showing it."""
    problem = password_problem(password)
    assert (problem is None) is is_good
    assert password not in (problem or "")


def test_without_users_nobody_is_asked(clock):
    """And nobody can be logged in."""
    from masthead.config import AccessSettings

    access = Access(AccessSettings(), clock, SECRET)
    assert access.is_open
    _, cookie = access.sessions.open(USERS[ANN])
    assert access.by_cookie([cookie]) is None
