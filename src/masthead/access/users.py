"""The file of users: one line each, ``NAME:HASH`` or ``NAME:HASH:ROLE,ROLE``, read again when it changes.

The hash is argon2's own text. Empty lines and lines that begin with ``#`` are left alone.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import argon2
import structlog

from masthead.kernel.clock import Clock
from masthead.kernel.errors import ConfigurationInvalid

__all__ = [
    "User",
    "Users",
    "UsersInvalid",
    "line_of",
    "name_problem",
    "parse_users",
    "read_users",
    "role_problem",
]

log = structlog.get_logger(__name__)

#: Longest name of a user, in characters; it stands in a cookie.
_LONGEST_NAME = 100
#: Names that Masthead and Spinnaker give to nobody and to themselves.
_RESERVED = ("anonymous", "[anonymous]", "spinnaker")
#: How long the file is taken as it is before somebody looks again.
_LOOK_S = 1.0
_LARGEST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in."""

    name: str
    #: As argon2 writes it: ``$argon2id$v=19$m=…,t=…,p=…$salt$hash``.
    password_hash: str
    roles: tuple[str, ...] = ()


class UsersInvalid(ConfigurationInvalid):
    """The file of users cannot be used; each line says which line of it, what is wrong and what to do."""


def name_problem(name: str) -> str | None:
    """Say why *name* can be no user's, or None when it can."""
    if not name:
        return "the name is empty"
    if name.casefold() in _RESERVED:
        return f"{name} stands for nobody or for Masthead itself; choose another name"
    if len(name) > _LONGEST_NAME:
        return f"the name is longer than {_LONGEST_NAME} characters"
    if ":" in name or name.startswith("#") or name != name.strip() or not name.isprintable():
        return "a name has no colon, no # in front, no spaces around it and no control characters"
    return None


def role_problem(role: str) -> str | None:
    """Say why *role* can be no role's name, or None when it can."""
    if not role or not role.isprintable() or any(sign in role for sign in ":, "):
        return "a role is a word without colon, comma and space"
    return None


def parse_users(text: str, *, file: str) -> dict[str, User]:
    """Give the users in *text* by their names, in the file's order.

    Args:
        text: What stands in the file.
        file: Its name, for messages.

    Raises:
        UsersInvalid: a line for each line that cannot be used; no hash is shown.
    """
    users: dict[str, User] = {}
    problems = []
    for number, line in _lines(text):
        name, _, rest = line.partition(":")
        password_hash, _, roles = rest.partition(":")
        user = User(name.strip(), password_hash.strip(), _roles(roles))
        problem = f"{user.name} stands here twice" if user.name in users else _problem(user)
        if problem:
            problems.append(f"{file}:{number}: {problem}")
        users[user.name] = user
    if problems:
        raise UsersInvalid("\n".join(problems))
    return users


def line_of(user: User) -> str:
    """Give the line of *user*, without its end."""
    return ":".join([user.name, user.password_hash, *([",".join(user.roles)] if user.roles else [])])


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.rstrip("\r")


def _roles(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))


def _problem(user: User) -> str | None:
    if not user.password_hash:
        return "a line is NAME:HASH or NAME:HASH:ROLE,ROLE; `masthead user add NAME` writes it"
    if problem := name_problem(user.name):
        return problem
    try:
        argon2.extract_parameters(user.password_hash)
    except (argon2.exceptions.InvalidHash, ValueError):
        return "the hash is not argon2's; `masthead user password NAME` makes one"
    return next((problem for role in user.roles if (problem := role_problem(role))), None)


def read_users(path: Path) -> dict[str, User]:
    """Give the users in the file at *path* by their names, in its order.

    Raises:
        UsersInvalid: it cannot be read or used.
    """
    with _sentences(path):
        if path.stat().st_size > _LARGEST_BYTES:
            raise UsersInvalid(f"{path}: the file of users is larger than {_LARGEST_BYTES} bytes")
        return parse_users(path.read_text(encoding="utf-8"), file=str(path))


@contextlib.contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Turn what keeps a file from being read into a sentence that says what to do."""
    try:
        yield
    except FileNotFoundError:
        raise UsersInvalid(
            f"{path}: there is no such file of users; make it with: masthead user add NAME --file {path}"
        ) from None
    except OSError as error:
        raise UsersInvalid(
            f"{path}: the file of users cannot be read: {error.strerror}; check the path and its permissions"
        ) from error
    except UnicodeDecodeError:
        raise UsersInvalid(f"{path}: the file of users is not UTF-8 text") from None


class Users:
    """The users as the file has them now, or as it had them when it was last whole.

    Attributes:
        path: The file.
        trouble: What is wrong with the file now, with what to do; None while it is whole.
        trouble_since: When it was found to be wrong.
        advice: What is not wrong and should not stay so; None when there is nothing.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        """Read it.

        Raises:
            UsersInvalid: it cannot be used.
        """
        self.path = path
        self._clock = clock
        self.trouble: str | None = None
        self.trouble_since: datetime | None = None
        self.advice: str | None = None
        self._seen: tuple[int, ...] | None = None
        self._looked_at = clock.monotonic()
        self._users: dict[str, User] = {}
        self._read()

    def all(self) -> Mapping[str, User]:
        """Give them by name; the file is looked at once a second at most."""
        now = self._clock.monotonic()
        if now - self._looked_at >= _LOOK_S:
            self._looked_at = now
            self._look()
        return self._users

    def look_again(self) -> None:
        """Have the next question look at the file."""
        self._looked_at = -_LOOK_S

    def _look(self) -> None:
        try:
            self._read()
        except UsersInvalid as error:
            self._say(error.message)
        else:
            if self.trouble is not None:
                log.info("users.whole-again", file=str(self.path), users=len(self._users))
            self.trouble = self.trouble_since = None

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.error("users.broken", file=str(self.path), error=trouble, in_force="as last read")
            self.trouble_since = self.trouble_since or self._clock.now()
        self.trouble = trouble

    def _read(self) -> None:
        with _sentences(self.path):
            status = self.path.stat()
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen == self._seen and self.trouble is None:
            return
        self._users = read_users(self.path)
        self._seen = seen
        is_open = bool(status.st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP)) and os.name == "posix"
        self.advice = (
            f"others may read or change {self.path}; run: chmod 600 {self.path}" if is_open else None
        )
