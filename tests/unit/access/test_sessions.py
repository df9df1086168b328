"""Sessions: what a cookie says, and until when it is believed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import itsdangerous
import pytest

from masthead.access import User
from masthead.access.sessions import Sessions
from masthead.kernel.secret import Secret
from support.entering import ANN, BOB, SECRET, USERS


@pytest.fixture
def sessions(clock):
    return Sessions(SECRET, clock, idle=timedelta(hours=1), longest=timedelta(hours=3))


def test_a_cookie_says_who_logged_in(sessions, clock):
    """On every machine that has the same secret."""
    session, cookie = sessions.open(USERS[ANN])
    other = Sessions(SECRET, clock, idle=timedelta(hours=1), longest=timedelta(hours=3))
    assert other.read(cookie) == session
    assert (session.user, sessions.belongs_to(session, USERS[ANN])) == (ANN, True)


def test_a_cookie_of_another_installation_is_nobodys(sessions, clock):
    """Nor is one that is changed, cut, too long, or signed for another purpose."""
    _, cookie = sessions.open(USERS[ANN])
    stranger = Sessions(Secret("a" * 64), clock, idle=timedelta(hours=1), longest=timedelta(hours=3))
    _, foreign = stranger.open(USERS[ANN])
    _, visitor = sessions.new_visitor()
    payload, _, signature = cookie.rpartition(".")
    for bad in (
        foreign,
        visitor,
        cookie[:-1],
        cookie[1:],
        f"{payload}.{signature[::-1]}",
        "",
        ".",
        "a.b",
        "x" * 5000,
        "é.é",
        "\x00",
    ):
        assert sessions.read(bad) is None
    assert sessions.visitor(cookie) is None


def test_what_is_inside_cannot_be_changed(sessions):
    """Not the user, with the signature kept."""
    _, cookie = sessions.open(USERS[BOB])
    _, other = sessions.open(USERS[ANN])
    assert sessions.read(f"{other.rpartition('.')[0]}.{cookie.rpartition('.')[2]}") is None


def test_a_payload_of_another_shape_is_nobodys(sessions):
    """As an earlier release may have signed."""
    signer = itsdangerous.URLSafeSerializer(
        SECRET.reveal().encode(), salt="masthead.session", signer_kwargs={"digest_method": hashlib.sha256}
    )
    assert sessions.read(str(signer.dumps({"user": ANN}))) is None


async def test_a_session_ends_when_it_is_idle(sessions, clock):
    """Each use renews the cookie, not more often than once a minute."""
    session, cookie = sessions.open(USERS[ANN])
    assert sessions.renewed(session) is None
    await clock.advance(59 * 60)
    renewed = sessions.renewed(sessions.read(cookie))
    await clock.advance(60)
    assert sessions.read(cookie) is None
    again = sessions.read(renewed)
    assert (again.id, again.began_at) == (session.id, session.began_at)


async def test_a_session_ends_some_day_however_much_it_is_used(sessions, clock):
    """The login is the beginning, not the last use."""
    _, cookie = sessions.open(USERS[ANN])
    for _ in range(5):
        await clock.advance(30 * 60)
        cookie = sessions.renewed(sessions.read(cookie))
    await clock.advance(30 * 60)
    assert sessions.read(cookie) is None


def test_another_password_ends_a_session(sessions):
    """And the password of another user opens none."""
    session, _ = sessions.open(USERS[ANN])
    assert not sessions.belongs_to(session, replace(USERS[ANN], password_hash=USERS[BOB].password_hash))
    assert not sessions.belongs_to(session, User(BOB, USERS[ANN].password_hash))


def test_roles_may_change_within_a_session(sessions):
    """They are read from the file with each request."""
    session, _ = sessions.open(USERS[ANN])
    assert sessions.belongs_to(session, replace(USERS[ANN], roles=("other",)))


def test_a_login_has_a_new_id_and_keeps_the_forms_of_its_user(sessions):
    """What was typed before a session ended can be sent after the next login, in the same name only."""
    first, cookie = sessions.open(USERS[ANN])
    second, _ = sessions.open(USERS[ANN], before=cookie)
    assert second.id != first.id
    assert second.seed == first.seed
    other, _ = sessions.open(USERS[BOB], before=cookie)
    assert other.seed != first.seed
    assert sessions.open(USERS[ANN], before="forged")[0].seed != first.seed


def test_a_logout_keeps_the_forms_of_its_user_and_opens_nothing(sessions):
    """What it leaves is no session, and no visitor."""
    first, _ = sessions.open(USERS[ANN])
    left = sessions.left_by(first)
    assert (sessions.read(left), sessions.visitor(left)) == (None, None)
    assert sessions.open(USERS[ANN], before=left)[0].seed == first.seed
    assert sessions.open(USERS[BOB], before=left)[0].seed != first.seed
    assert sessions.open(USERS[ANN], before=left[:-2])[0].seed != first.seed


def test_the_token_of_a_form_is_that_of_its_seed(sessions):
    """And gives neither the seed nor the secret away."""
    seed, cookie = sessions.new_visitor()
    assert sessions.visitor(cookie) == seed
    assert sessions.form_token(seed) == sessions.form_token(seed) != sessions.form_token(seed[::-1])
    assert seed not in sessions.form_token(seed)
