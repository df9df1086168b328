"""``masthead user``: who may log in. These commands change the file itself and need no server."""

from __future__ import annotations

import getpass
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from masthead.cli import show
from masthead.cli.options import AsJson, text_argument
from masthead.kernel.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from masthead.access import User
    from masthead.access.editing import Change

__all__ = ["app"]

_EX_CONFIG = 78
_EX_REFUSED = 1
_EX_USAGE = 2

app = typer.Typer(help="Say who may log in.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(callback=text_argument, help="The user's name, such as an e-mail address.")
]
File = Annotated[
    Path | None, typer.Option(help="The file of users; access.usersFile of the configuration if not given.")
]
Config = Annotated[
    list[Path] | None, typer.Option(help="Configuration that names the file of users; may be repeated.")
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")
]


@app.callback()
def _group() -> None:
    """Say who may log in."""


@app.command()
def add(
    name: Name,
    role: Annotated[list[str] | None, typer.Option(help="A role of the user; may be repeated.")] = None,
    password_stdin: FromStdin = False,
    file: File = None,
    config: Config = None,
) -> None:
    """Let somebody log in; asks for the password twice. Makes the file where there is none."""
    from masthead.access import User
    from masthead.access.editing import add_user
    from masthead.access.users import name_problem

    path = _file(file, config)
    if problem := name_problem(name):
        raise typer.BadParameter(problem, param_hint="NAME")
    user = User(name, _hashed(_new_password(name, from_stdin=password_stdin)), tuple(role or ()))
    try:
        add_user(path, user)
    except ConfigurationInvalid as error:
        _refuse(error)
    show.say(f"{name} may log in. A server that uses {path} knows it within a second.")
    if file is not None and not _configured(config):
        show.say(f"A server uses it when told: access.usersFile, or MASTHEAD_ACCESS_USERS_FILE={path}")


@app.command()
def password(name: Name, password_stdin: FromStdin = False, file: File = None, config: Config = None) -> None:
    """Give a user another password; ends the user's sessions."""
    path = _file(file, config)
    _known(path, name)
    hashed = _hashed(_new_password(name, from_stdin=password_stdin))
    _change(path, name, lambda user: replace(user, password_hash=hashed))
    show.say(f"{name} has a new password; sessions that the old one opened are ended.")


@app.command()
def roles(
    name: Name,
    role: Annotated[
        list[str] | None, typer.Argument(help="All roles of the user; none takes all away.")
    ] = None,
    file: File = None,
    config: Config = None,
) -> None:
    """Give a user other roles."""
    changed = tuple(dict.fromkeys(role or ()))
    _change(_file(file, config), name, lambda user: replace(user, roles=changed))
    show.say(f"{name} has {'the roles ' + ', '.join(changed) if changed else 'no roles'}.")


@app.command()
def remove(name: Name, file: File = None, config: Config = None) -> None:
    """Let somebody log in no more; ends the user's sessions."""
    _change(_file(file, config), name, lambda _: None)
    show.say(f"{name} may not log in any more; sessions are ended.")


@app.command("list")
def list_(as_json: AsJson = False, file: File = None, config: Config = None) -> None:
    """List who may log in."""
    users = _read(_file(file, config))
    if as_json:
        show.say(json.dumps([{"name": user.name, "roles": list(user.roles)} for user in users.values()]))
        return
    width = max((len(name) for name in users), default=0)
    for user in users.values():
        show.say(f"{user.name:{width}}  {', '.join(user.roles)}".rstrip())
    if not users:
        show.say("Nobody: masthead user add NAME", err=True)


def _file(file: Path | None, config: list[Path] | None) -> Path:
    if file is not None:
        return file
    if path := _configured(config):
        return Path(path).expanduser()
    show.say(
        "Which file? Name it with --file, or as access.usersFile of the configuration (--config FILE, or MASTHEAD_ACCESS_USERS_FILE).",
        err=True,
    )
    raise typer.Exit(_EX_CONFIG)


def _configured(config: list[Path] | None) -> str | None:
    from masthead.config import load

    try:
        return load(config or [], os.environ).settings.access.users_file
    except ConfigurationInvalid as error:
        show.say(error.message, err=True)
        raise typer.Exit(_EX_CONFIG) from None


def _read(path: Path) -> dict[str, User]:
    from masthead.access.users import read_users

    try:
        return read_users(path)
    except ConfigurationInvalid as error:
        _refuse(error)


def _known(path: Path, name: str) -> None:
    """Refuse a name that nobody has before asking for its password."""
    if name not in _read(path):
        show.say(f"{path}: there is no user {name}", err=True)
        raise typer.Exit(_EX_REFUSED)


def _change(path: Path, name: str, change: Change) -> None:
    from masthead.access.editing import change_user

    try:
        change_user(path, name, change)
    except ConfigurationInvalid as error:
        _refuse(error)


def _refuse(error: ConfigurationInvalid) -> NoReturn:
    show.say(error.message, err=True)
    raise typer.Exit(_EX_REFUSED) from None


def _new_password(name: str, *, from_stdin: bool) -> str:
    """Ask for a password twice, without showing it; never takes it as an argument, which others could see."""
    from masthead.access.passwords import password_problem

    if from_stdin:
        given = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    elif not sys.stdin.isatty():
        show.say("There is no terminal to ask for the password; use --password-stdin.", err=True)
        raise typer.Exit(_EX_USAGE)
    else:
        given = getpass.getpass(f"Password for {name}: ")
    if problem := password_problem(given):
        show.say(f"Nothing was changed: {problem}.", err=True)
        raise typer.Exit(_EX_REFUSED)
    if not from_stdin and getpass.getpass("Again: ") != given:
        show.say("Nothing was changed: the two are not the same.", err=True)
        raise typer.Exit(_EX_REFUSED)
    return given


def _hashed(given: str) -> str:
    import argon2

    return argon2.PasswordHasher().hash(given)
