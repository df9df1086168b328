"""``masthead config``: what the files mean, before anything runs with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from masthead.cli import show
from masthead.kernel.errors import ConfigurationInvalid

__all__ = ["app"]

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look at the configuration."""


@app.command()
def check(
    files: Annotated[
        list[Path] | None,
        # What cannot be read is told as every other problem of a configuration is, not as wrong usage.
        typer.Argument(help="Configuration files, in the order in which they are merged.", readable=False),
    ] = None,
) -> None:
    """Print the effective settings with the file and line each came from; exit 78 when they cannot be used."""
    from masthead.config import load, render_report

    try:
        loaded = load(files or [], os.environ)
    except ConfigurationInvalid as error:
        show.say(error.message, err=True)
        raise typer.Exit(78) from None
    show.say(render_report(loaded))
