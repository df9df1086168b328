"""What commands have in common: the server they ask, in whose name, and values written as ``key=value``."""

from __future__ import annotations

import functools
import getpass
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from masthead.cli.client import Client, text_problem
from masthead.kernel.secret import Secret

__all__ = ["AsJson", "Server", "Target", "User", "asks_server", "pairs", "segment", "text_argument"]

Server = Annotated[str | None, typer.Option(help="Where Masthead listens.", show_default=False)]
User = Annotated[str | None, typer.Option(help="In whose name; your login name if not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@dataclass(frozen=True)
class Target:
    """The server and user that stand before the command, or in the environment."""

    server: str
    user: str


def asks_server(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command that asks a server: *command* gets the client as its first argument.

    ``--server`` and ``--user`` are understood before the command and after it; what stands after wins.
    """
    _, *parameters = inspect.signature(command, eval_str=True).parameters.values()

    @functools.wraps(command)
    def run(context: typer.Context, *, server: str | None, user: str | None, **given: Any) -> None:
        target: Target = context.find_root().obj
        _check_texts(context)
        name = _checked_user(user or target.user)
        command(Client(server or target.server, name, given_password(), ask_password=_ask_password), **given)

    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            _keyword("context", typer.Context, inspect.Parameter.empty),
            *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters),
            _keyword("server", Server, None),
            _keyword("user", User, None),
        ]
    )
    return run


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def given_password() -> Secret | None:
    """Give the password out of MASTHEAD_PASSWORD, or out of the file that MASTHEAD_PASSWORD_FILE names.

    Raises:
        typer.BadParameter: it cannot be read, or cannot be sent.
    """
    text, source = os.environ.get("MASTHEAD_PASSWORD"), "MASTHEAD_PASSWORD"
    file = os.environ.get("MASTHEAD_PASSWORD_FILE")
    if not text and file:
        source = "MASTHEAD_PASSWORD_FILE"
        try:
            text = Path(file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise typer.BadParameter(f"{file} cannot be read: {reason}", param_hint=source) from None
    if text and (problem := text_problem(text, is_line=True)):
        raise typer.BadParameter(f"the password {problem}", param_hint=source)
    return Secret(text) if text else None


def _ask_password(prompt: str) -> Secret | None:
    """Ask a person, where there is one at a terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return Secret(getpass.getpass(prompt, stream=sys.stderr))


def _checked_user(user: str) -> str:
    if problem := text_problem(user, is_line=True):
        raise typer.BadParameter(f"the name {problem}", param_hint="--user or MASTHEAD_USER")
    return user


def _check_texts(context: typer.Context) -> None:
    """Refuse arguments that are no text, before anything is sent."""
    for parameter in context.command.params:
        given = context.params.get(parameter.name or "")
        for text in given if isinstance(given, list) else [given]:
            if isinstance(text, str) and (problem := text_problem(text)):
                raise typer.BadParameter(f"it {problem}", param_hint=" / ".join(parameter.opts))


def text_argument(text: str | None) -> str | None:
    """Take an option that is shown or sent as text.

    Raises:
        typer.BadParameter: it is not UTF-8.
    """
    if text is not None and (problem := text_problem(text)):
        raise typer.BadParameter(f"it {problem}")
    return text


def segment(text: str) -> str:
    """Take an argument that becomes one part of an address, such as an application's name.

    Raises:
        typer.BadParameter: it is empty, or holds a slash, which would lead to another address.
    """
    if not text.strip():
        raise typer.BadParameter("it is empty")
    if "/" in text:
        raise typer.BadParameter(f"{text!r} holds a slash, which no name or id here has")
    return text


def pairs(texts: Sequence[str] | None, *, option: str) -> dict[str, str]:
    """Read texts like ``key=value``; a later one of the same key wins.

    Raises:
        typer.BadParameter: there is no key or no equals sign.
    """
    found = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{text!r}: write key=value", param_hint=option)
        found[key] = value
    return found
