"""Changes of the file of users: one at a time, and each seen as a whole or not at all.

What people wrote around the users (comments, empty lines, their order) stays. A new file is its owner's alone (0600).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from masthead.access.users import User, UsersInvalid, line_of, name_problem, parse_users, role_problem

__all__ = ["Change", "add_user", "change_user", "remove_user", "with_hash"]

_MODE = 0o600

#: Gives the user as he shall be; None removes him.
Change = Callable[[User], User | None]


def add_user(path: Path, user: User) -> None:
    """Add *user* at the end of the file at *path*; make the file where there is none.

    Raises:
        UsersInvalid: the user is there already, has no fit name or role, or the file cannot be read or written.
    """
    _check(user)
    with _alone(path):
        text = _read(path, is_needed=False)
        if user.name in parse_users(text, file=str(path)):
            raise UsersInvalid(
                f"{path}: {user.name} is a user already; give another password with: masthead user password {user.name}"
            )
        end = "" if not text or text.endswith("\n") else "\n"
        _write(path, f"{text}{end}{line_of(user)}\n")


def remove_user(path: Path, name: str) -> None:
    """Take *name* out of the file at *path*.

    Raises:
        UsersInvalid: there is no such user, or the file cannot be read or written.
    """
    change_user(path, name, lambda _: None)


def change_user(path: Path, name: str, change: Change) -> User | None:
    """Put what *change* gives in the place of the user *name*; give that.

    Raises:
        UsersInvalid: there is no such user, or the file cannot be read or written.
    """
    with _alone(path):
        text = _read(path)
        users = parse_users(text, file=str(path))
        if name not in users:
            raise UsersInvalid(f"{path}: there is no user {name}")
        changed = change(users[name])
        if changed is not None:
            _check(changed)
        lines = []
        for line in text.split("\n"):
            if _name_on(line) != name:
                lines.append(line)
            elif changed is not None:
                lines.append(line_of(changed))
        _write(path, "\n".join(lines))
        return changed


def with_hash(old: str, new: str) -> Change:
    """Give a change that renews the hash *old*, and leaves alone a user whose password was changed meanwhile."""
    return lambda user: replace(user, password_hash=new) if user.password_hash == old else user


def _name_on(line: str) -> str | None:
    return None if line.lstrip().startswith("#") else line.partition(":")[0].strip().removeprefix("\ufeff")


def _check(user: User) -> None:
    problems = [name_problem(user.name), *map(role_problem, user.roles)]
    if problem := next(filter(None, problems), None):
        raise UsersInvalid(f"{problem[0].upper()}{problem[1:]}.")


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the folder's lock, and turn what the file system refuses into a sentence."""
    try:
        folder = os.open(path.resolve().parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
    except OSError as error:
        raise UsersInvalid(
            f"{path}: the file of users cannot be written: {error.strerror}; check the folder and its permissions"
        ) from error


def _read(path: Path, *, is_needed: bool = True) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        if not is_needed:
            return ""
        raise UsersInvalid(
            f"{path}: there is no such file of users; masthead user add NAME makes it"
        ) from None
    except UnicodeDecodeError:
        raise UsersInvalid(f"{path}: the file of users is not UTF-8 text") from None


def _write(path: Path, text: str) -> None:
    """Put a new file in the place of the old one, with its owner and, of its rights, those that harm nobody."""
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            _take_after(target, handle)
            file.write(text)
            file.flush()
            os.fsync(handle)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _take_after(target: Path, handle: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        status = target.stat()
        os.fchmod(handle, (stat.S_IMODE(status.st_mode) & 0o640) | _MODE)
        with contextlib.suppress(PermissionError):
            os.fchown(handle, status.st_uid, status.st_gid)
