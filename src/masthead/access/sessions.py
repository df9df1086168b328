"""Sessions: who logged in, in a cookie that only this installation can write.

A session is not stored. Its cookie says who logged in, when, and when the user last asked; it is signed with a secret
that all machines share. It ends when it is idle for too long or too old, when its user is removed or gets another
password (the cookie holds a keyed hash of the password's hash), and when the user logs out (its id is then remembered
until it would have ended anyway).

Source: OWASP Session Management Cheat Sheet (identifier renewed at login, idle and absolute expiry).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import itsdangerous

from masthead.access.users import User
from masthead.kernel.clock import Clock
from masthead.kernel.secret import Secret

__all__ = ["Session", "Sessions"]

#: A longer cookie is none of ours.
_LONGEST_COOKIE = 2048
#: The cookie is written anew when the last was written so long ago, or a tenth of the idle time.
_RENEW_S = 60.0
_ID_BYTES = 16
#: What was typed before a session ended can be sent so long after it.
_KEPT_BEYOND = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who logged in, in one browser."""

    id: str
    user: str
    #: A keyed hash of the hash of the password that opened it.
    opened_with: str
    #: What its forms' tokens are made of; a browser keeps it when its user logs in again.
    seed: str
    #: Seconds since 1970.
    began_at: int
    seen_at: int


class Sessions:
    """Opens sessions, reads them, and signs what else goes to browsers."""

    def __init__(self, secret: Secret, clock: Clock, *, idle: timedelta, longest: timedelta) -> None:
        """Build it.

        Args:
            secret: The installation's.
            clock: Tells what has ended.
            idle: A session ends when nothing was asked for so long.
            longest: A session ends so long after its login at the latest.
        """
        self._secret = secret.reveal().encode()
        self._clock = clock
        self.idle = idle
        self.longest = longest
        self._renew_s = min(_RENEW_S, idle.total_seconds() / 10)
        self._cookies = self._serializer("session")
        self._visitors = self._serializer("visitor")
        self._left = self._serializer("left")

    def open(self, user: User, *, before: str = "") -> tuple[Session, str]:
        """Begin a session for *user*; give it and its cookie.

        Args:
            user: Who showed the right password.
            before: The browser's earlier session cookie, or what :meth:`left_by` gave in its place. Forms that it opened
                in the same user's name can still be sent, although that session ended; nothing else of it is taken over.
        """
        now = self._now()
        name, earlier = self._forms_of(before)
        seed = earlier if name == user.name else secrets.token_hex(_ID_BYTES)
        session = Session(secrets.token_hex(_ID_BYTES), user.name, self._mark_of(user), seed, now, now)
        return session, self._write(session)

    def read(self, cookie: str) -> Session | None:
        """Give the session in *cookie*, unless its signature is not ours or its time is over."""
        session, now = self._read(cookie), self._now()
        if session is None:
            return None
        is_idle = now - session.seen_at >= self.idle.total_seconds()
        is_old = now - session.began_at >= self.longest.total_seconds()
        return None if is_idle or is_old else session

    def left_by(self, session: Session) -> str:
        """Give the cookie of somebody who logs out: it opens nothing, and lets forms be sent after the next login."""
        return str(self._left.dumps([session.user, session.seed]))

    def belongs_to(self, session: Session, user: User) -> bool:
        """Tell whether *user* still has the password that opened *session*."""
        return hmac.compare_digest(session.opened_with, self._mark_of(user))

    def renewed(self, session: Session) -> str | None:
        """Give a new cookie that says that the session is in use; None while the old one says so well enough."""
        now = self._now()
        return self._write(replace(session, seen_at=now)) if now - session.seen_at >= self._renew_s else None

    @property
    def cookie_lasts_s(self) -> int:
        """How long a browser keeps the cookie: longer than any session, so that its forms outlive the session."""
        return int((self.longest + _KEPT_BEYOND).total_seconds())

    @property
    def left_lasts_s(self) -> int:
        """How long a browser keeps the cookie of a logout."""
        return int(_KEPT_BEYOND.total_seconds())

    def new_visitor(self) -> tuple[str, str]:
        """Give a seed for the forms of somebody who is not logged in, and the cookie that carries it."""
        seed = secrets.token_hex(_ID_BYTES)
        return seed, str(self._visitors.dumps(seed))

    def visitor(self, cookie: str) -> str | None:
        """Give the seed in *cookie*, or None when its signature is not ours."""
        seed = _loaded(self._visitors, cookie)
        return seed if isinstance(seed, str) else None

    def form_token(self, seed: str) -> str:
        """Give the token that proves that a form was written for the browser that holds *seed*."""
        return self._keyed("form", seed)

    def _mark_of(self, user: User) -> str:
        return self._keyed("password", user.name, user.password_hash)[:32]

    def _write(self, session: Session) -> str:
        one = session
        return str(
            self._cookies.dumps([one.id, one.user, one.opened_with, one.seed, one.began_at, one.seen_at])
        )

    def _read(self, cookie: str) -> Session | None:
        match _loaded(self._cookies, cookie):
            case [str(session_id), str(user), str(mark), str(seed), int(began_at), int(seen_at)]:
                return Session(session_id, user, mark, seed, began_at, seen_at)
        return None

    def _forms_of(self, cookie: str) -> tuple[str, str]:
        """Give the user and the seed of the forms that a browser opened; empty when *cookie* is none of ours."""
        if session := self._read(cookie):
            return session.user, session.seed
        match _loaded(self._left, cookie):
            case [str(user), str(seed)]:
                return user, seed
        return "", ""

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def _keyed(self, *parts: str) -> str:
        text = "\x00".join(parts).encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def _serializer(self, purpose: str) -> itsdangerous.URLSafeSerializer:
        return itsdangerous.URLSafeSerializer(
            self._secret, salt=f"masthead.{purpose}", signer_kwargs={"digest_method": hashlib.sha256}
        )


def _loaded(serializer: itsdangerous.URLSafeSerializer, cookie: str) -> Any:
    if not cookie or len(cookie) > _LONGEST_COOKIE:
        return None
    try:
        return serializer.loads(cookie)
    except itsdangerous.BadData:
        return None
