"""Passwords: hashed with argon2id on threads of their own, and refused where they are too short or too long.

Each verification takes 64 MiB and some 50 ms of a processor, which is its purpose; so only a few run at a time, and
only so many wait. Sources: RFC 9106, section 4 (the second recommended parameters); NIST SP 800-63B, section 3.1.1.2.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import argon2

from masthead.kernel.errors import TooManyAttempts

__all__ = ["SHORTEST", "Passwords", "password_problem"]

#: Fewest characters of a new password.
SHORTEST = 8
#: Most bytes of a password; a longer one is nobody's.
_LONGEST_BYTES = 1024
_AT_A_TIME = 2
#: Verifications that may wait for their turn.
_MOST_WAITING = 30


def password_problem(password: str) -> str | None:
    """Say why nobody should have *password*, never showing it; None when it can be had."""
    if len(password) < SHORTEST:
        return f"the password is shorter than {SHORTEST} characters"
    if _is_too_long(password):
        return f"the password is longer than {_LONGEST_BYTES} bytes"
    if not password.isprintable():
        return "the password holds a control character, such as a tab or a line end"
    return None


class Passwords:
    """Makes and verifies hashes."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        """Args: hasher: other parameters than argon2-cffi's defaults, which follow RFC 9106."""
        self._hasher = hasher or argon2.PasswordHasher()
        self._threads = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="passwords")
        self._waiting = 0

    def hash(self, password: str) -> str:
        """Give the hash of *password*, with a new salt."""
        return self._hasher.hash(password)

    async def is_right(self, password_hash: str, password: str) -> bool:
        """Tell whether *password* is that of *password_hash*; takes as long when it is not.

        Raises:
            TooManyAttempts: too many verifications wait.
        """
        if _is_too_long(password):
            return False
        if self._waiting >= _AT_A_TIME + _MOST_WAITING:
            raise TooManyAttempts(retry_after=1.0)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._verify, password_hash, password)
        finally:
            self._waiting -= 1

    async def fresh_hash(self, password_hash: str, password: str) -> str | None:
        """Give a new hash where *password_hash* has other parameters than those of today, else None."""
        if not self._hasher.check_needs_rehash(password_hash):
            return None
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.hash, password)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHash):
            return False


def _is_too_long(password: str) -> bool:
    return len(password.encode("utf-8", "replace")) > _LONGEST_BYTES
