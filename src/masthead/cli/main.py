"""The command ``masthead``: its groups, and how it ends when something is wrong.

Exit status: 0 done; 1 the server refused or the execution failed; 2 wrong usage; 69 no server there; 77
the server asks for a login; 78 the
configuration cannot be used (sysexits.h); 130 ended by Ctrl-C.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from masthead import __version__
from masthead.cli import (
    applications,
    audit,
    catalog,
    config,
    demo,
    doctor,
    lint,
    pages,
    pipelines,
    serve,
    show,
    tasks,
    user,
)
from masthead.cli.client import DEFAULT_SERVER, LoginNeeded, ServerMissing, ServerRefused, default_user
from masthead.cli.options import Target

__all__ = ["app", "main"]

_EX_REFUSED = 1
_EX_UNAVAILABLE = 69
_EX_NO_PERMISSION = 77

app = typer.Typer(
    help="Pages the people on call, through PagerDuty, from Spinnaker pipelines.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(value: bool) -> None:
    if value:
        show.say(f"masthead {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    server: Annotated[
        str, typer.Option(envvar="MASTHEAD_SERVER", help="Where Masthead listens.")
    ] = DEFAULT_SERVER,
    user: Annotated[
        str,
        typer.Option(
            envvar="MASTHEAD_USER", help="In whose name; your login name if not given.", show_default=False
        ),
    ] = "",
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end."),
    ] = False,
) -> None:
    del version  # its callback does it
    context.obj = Target(server, user or default_user())


app.command("serve")(serve.serve)
app.command("simulate")(serve.simulate)
app.command("demo")(demo.demo)
app.add_typer(config.app, name="config")
app.add_typer(serve.db, name="db")
app.command("services")(catalog.services)
app.command("oncall")(catalog.oncall)
app.add_typer(catalog.app, name="catalog")
app.add_typer(applications.app, name="application")
app.add_typer(pipelines.app, name="pipeline")
app.add_typer(pages.app, name="page")
app.command("pages")(audit.pages)
app.command("change-event")(pages.change_event)
app.command("lint")(lint.lint)
app.add_typer(tasks.app, name="task")
app.command("doctor")(doctor.doctor)
app.add_typer(user.app, name="user")


def main() -> None:
    """Run the command line; ends the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no … is no reason to fail
    try:
        app(prog_name="masthead")
    except ServerMissing as error:
        show.say(error, err=True)
        sys.exit(_EX_UNAVAILABLE)
    except LoginNeeded as error:
        show.say(error, err=True)
        sys.exit(_EX_NO_PERMISSION)
    except ServerRefused as error:
        show.say(error, err=True)
        sys.exit(_EX_REFUSED)
