"""What commands have in common: the server they ask, in whose name, and values written as ``key=value``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from masthead.cli.client import Client

__all__ = ["AsJson", "Server", "Target", "User", "asks_server", "pairs"]

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
        command(Client(server or target.server, user or target.user), **given)

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
