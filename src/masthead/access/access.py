"""The one who is asked who somebody is: by password, by HTTP Basic, or by a session's cookie."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from masthead.access.attempts import Attempts
from masthead.access.basic import Remembered, credentials
from masthead.access.editing import change_user, with_hash
from masthead.access.endings import EndedSessions
from masthead.access.hosts import ThisMachine
from masthead.access.passwords import Passwords
from masthead.access.sessions import Session, Sessions
from masthead.access.users import User, Users, UsersInvalid
from masthead.config import AccessSettings
from masthead.kernel.clock import Clock, SystemClock
from masthead.kernel.errors import TooManyAttempts, Unauthenticated
from masthead.kernel.secret import Secret
from masthead.storage.database import Database
from masthead.storage.installation import installation_secret

__all__ = ["Access", "Entered"]

log = structlog.get_logger(__name__)

#: The name of the secret in the installation table.
_SIGNED_WITH = "session-secret"
_LIMIT_TOLD_S = 60.0
_WRONG = "No user has this name and password together."


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody who is logged in by a session."""

    user: User
    session: Session
    #: The session's cookie, where the browser is to take a new one.
    cookie: str | None = None


class Access:
    """Knows who may ask.

    Attributes:
        settings: How it was set up.
        users: Those who may log in; None where nobody is asked for a name.
        sessions: Signs and reads cookies.
        this_machine: Which requests are taken where nobody is asked for a name.
    """

    def __init__(
        self,
        settings: AccessSettings,
        clock: Clock,
        secret: Secret,
        *,
        host: str = "",
        passwords: Passwords | None = None,
        database: Database | None = None,
    ) -> None:
        """Read the file of users.

        Args:
            settings: The section ``access``.
            clock: Tells what has ended.
            secret: The installation's, for cookies; all machines must have the same.
            host: What the server listens on, which is a name of this machine where it is loopback.
            passwords: How passwords are verified; argon2-cffi's parameters by default.
            database: Where ended sessions are remembered; without one only this process knows them.

        Raises:
            UsersInvalid: the file cannot be used.
        """
        self.settings = settings
        self._clock = clock
        self.users = Users(Path(settings.users_file).expanduser(), clock) if settings.users_file else None
        self.sessions = Sessions(
            secret,
            clock,
            idle=timedelta(seconds=settings.session_idle_s),
            longest=timedelta(seconds=settings.session_longest_s),
        )
        self.this_machine = ThisMachine({host.lower(), *map(str.lower, settings.hosts)})
        self._passwords = passwords or Passwords()
        self._attempts = Attempts(
            clock,
            per_user=settings.attempts_per_user,
            per_address=settings.attempts_per_address,
            window_s=settings.attempts_window_s,
        )
        self._remembered = Remembered()
        self._under_way: weakref.WeakValueDictionary[bytes, asyncio.Lock] = weakref.WeakValueDictionary()
        self._ended = EndedSessions(database, clock)
        self._cannot_renew = False
        self._limit_told_at: float | None = None
        self._decoys = secrets.token_bytes(16)
        self._decoy = ""

    @classmethod
    async def start(
        cls, settings: AccessSettings, database: Database, clock: Clock, *, host: str = ""
    ) -> Access:
        """Give one that signs with the installation's secret; *host* as above.

        Raises:
            UsersInvalid: the file of users cannot be used.
            StorageUnavailable: the database does not answer.
        """
        secret = await installation_secret(database, _SIGNED_WITH)
        return cls(settings, clock, secret, host=host, database=database)

    @classmethod
    def unguarded(cls) -> Access:
        """Give one that lets everybody in, for tests and for doors inside a process."""
        return cls(AccessSettings(insecure=True), SystemClock(), Secret(secrets.token_hex(32)))

    def is_secure(self, scheme: str) -> bool:
        """Tell whether cookies of a request of *scheme* (http or https) are for https only."""
        return scheme == "https" or self.settings.secure_cookies

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked for a name."""
        return self.users is None

    async def enter(self, name: str, password: str, *, address: str, before: str = "") -> Entered:
        """Log *name* in and open a session.

        Args:
            name: As typed.
            password: As typed.
            address: From where.
            before: The browser's earlier session cookie, or that of its last logout, if it has one.

        Raises:
            Unauthenticated: there is no such user, or the password is another.
            TooManyAttempts: it was tried too often.
        """
        user = await self._verified(name, password, address)
        session, cookie = self.sessions.open(user, before=before)
        log.info("login.succeeded", user=user.name, address=address)
        return Entered(user, session, cookie)

    def by_cookie(self, cookies: Iterable[str]) -> Entered | None:
        """Give who is logged in by the first of *cookies* that is a session of a present user."""
        users = self.users.all() if self.users else {}
        for cookie in cookies:
            session = self.sessions.read(cookie)
            user = users.get(session.user) if session else None
            if session and user and self._is_going_on(session, user):
                return Entered(user, session, self.sessions.renewed(session))
        return None

    async def leave(self, session: Session) -> str:
        """End *session*, here at once and on other machines within some seconds.

        Returns:
            What to give :meth:`enter` as ``before``, so that forms that were open can still be sent.
        """
        began_at = datetime.fromtimestamp(session.began_at, UTC)
        await self._ended.end(session.id, until=began_at + self.sessions.longest)
        log.info("logout", user=session.user)
        return self.sessions.left_by(session)

    async def run(self) -> None:
        """Learn which sessions other machines ended, until cancelled; ends at once where there are no users."""
        if self.users is not None:
            await self._ended.run()

    def by_remembered(self, header: bytes) -> User | None:
        """Give whose Authorization header this is, when it was verified a short while ago."""
        return self._known(self._remembered.digest(header))

    async def by_basic(self, header: bytes, *, address: str) -> User:
        """Give whose Authorization header this is.

        Raises:
            Unauthenticated: it is no HTTP Basic, or its user and password are not ours.
            TooManyAttempts: it was tried too often.
        """
        digest = self._remembered.digest(header)
        lock = self._under_way.setdefault(digest, asyncio.Lock())
        async with lock:  # many requests of one program verify its password once
            if user := self._known(digest):
                return user
            given = credentials(header)
            if given is None:
                raise Unauthenticated("The Authorization header is no HTTP Basic with a name and a password.")
            user = await self._verified(*given, address)
            self._remembered.keep(digest, user, self._clock.monotonic())
            return user

    def close(self) -> None:
        """End what runs."""
        self._passwords.close()

    def _is_going_on(self, session: Session, user: User) -> bool:
        return session.id not in self._ended and self.sessions.belongs_to(session, user)

    def _known(self, digest: bytes) -> User | None:
        verified = self._remembered.verified(digest, self._clock.monotonic())
        if verified is None or self.users is None:
            return None
        user = self.users.all().get(verified.user)
        return user if user is not None and user.password_hash == verified.password_hash else None

    async def _verified(self, name: str, password: str, address: str) -> User:
        assert self.users is not None
        try:
            attempt = self._attempts.begin(name, address)
        except TooManyAttempts as error:
            self._tell_of_limit(address, error.retry_after)
            raise
        users = self.users.all()
        user = users.get(name)
        decoy = self._decoy_for(name)
        is_right = await self._passwords.is_right(user.password_hash if user else decoy, password)
        if user is None or not is_right:
            # A name that nobody has may be a password in the wrong field.
            log.warning("login.refused", user=user.name if user else "(unknown)", address=address)
            raise Unauthenticated(_WRONG)
        attempt.succeeded()
        return await self._renewed(user, password)

    def _tell_of_limit(self, address: str, wait_s: float) -> None:
        """Write one line a minute, however many attempts are turned away."""
        now = self._clock.monotonic()
        if self._limit_told_at is None or now - self._limit_told_at >= _LIMIT_TOLD_S:
            self._limit_told_at = now
            log.warning("login.limited", address=address, retry_after=round(wait_s))

    async def _renewed(self, user: User, password: str) -> User:
        """Write a new hash into the file where the user's has parameters of long ago."""
        assert self.users is not None
        fresh = await self._passwords.fresh_hash(user.password_hash, password)
        if fresh is None or self._cannot_renew:
            return user
        change = with_hash(user.password_hash, fresh)
        try:
            changed = await asyncio.to_thread(change_user, self.users.path, user.name, change)
        except UsersInvalid as error:
            self._cannot_renew = True
            log.info("users.hash-not-renewed", user=user.name, error=error.message)
            return user
        self.users.look_again()
        log.info("users.hash-renewed", user=user.name)
        return changed or user

    def _decoy_for(self, name: str) -> str:
        """Give a hash to verify in the name of nobody, so that the time taken tells nothing.

        It is that of a user, always the same one for a name, because hashes of one file may have several parameters.
        """
        hashes = [user.password_hash for user in self.users.all().values()] if self.users else []
        if hashes:
            digest = hashlib.blake2b(
                name.encode("utf-8", "replace"), key=self._decoys, digest_size=8
            ).digest()
            return hashes[int.from_bytes(digest, "big") % len(hashes)]
        self._decoy = self._decoy or self._passwords.hash(secrets.token_hex(16))
        return self._decoy
