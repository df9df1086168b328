"""Users for tests: real argon2 with its least cost, and a Masthead that asks for them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import argon2

from masthead.access import Access, User
from masthead.access.passwords import Passwords
from masthead.access.users import line_of
from masthead.config import AccessSettings
from masthead.kernel.clock import Clock, ManualClock
from masthead.kernel.secret import Secret

ANN, BOB = "ann@example.com", "bob"
PASSWORDS = {ANN: "correct horse", BOB: "battery: staple"}
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
#: The same in every process: hashes stand in the names of tests.
_SALT = b"salt of the test"
SECRET = Secret("5ec3e7" * 11)
USERS = {
    ANN: User(ANN, CHEAP.hash(PASSWORDS[ANN], salt=_SALT), ("sre", "leads")),
    BOB: User(BOB, CHEAP.hash(PASSWORDS[BOB], salt=_SALT)),
}


def write_users(path: Path, users: dict[str, User] | None = None) -> Path:
    lines = [line_of(user) for user in (USERS if users is None else users).values()]
    path.write_text("# who may log in\n\n" + "".join(f"{line}\n" for line in lines))
    path.chmod(0o600)
    return path


def access_with_users(folder: Path, clock: Clock | None = None, **settings: Any) -> Access:
    """Give an Access that knows Ann and Bob."""
    path = folder / "users"
    if not path.exists():
        write_users(path)
    given = AccessSettings(users_file=str(path), **settings)
    return Access(given, clock or ManualClock(), SECRET, passwords=Passwords(CHEAP))


def basic(name: str, password: str | None = None) -> dict[str, str]:
    """Give the header of HTTP Basic."""
    text = f"{name}:{PASSWORDS[name] if password is None else password}"
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}
