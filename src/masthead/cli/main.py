"""The command ``masthead``: its groups, and how it ends when something is wrong.

Exit status: 0 done; 1 the server refused or the execution failed; 2 wrong usage; 69 no server there; 78 the
configuration cannot be used (sysexits.h).
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from masthead import __version__
from masthead.cli import applications, catalog, config, demo, pages, pipelines, serve
from masthead.cli.client import Client, ServerMissing, ServerRefused, default_server, default_user

__all__ = ["app", "main"]

app = typer.Typer(
    help="Pages the people on call, through PagerDuty, from Spinnaker pipelines.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(value: bool) -> None:
    if value:
        print(f"masthead {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    server: Annotated[
        str, typer.Option(envvar="MASTHEAD_SERVER", help="Where Masthead listens.", show_default=True)
    ] = default_server,
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
    context.obj = Client(server, user or default_user())


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
app.command("page")(pages.page)
app.add_typer(pages.tasks, name="task")


def main() -> None:
    """Run the command line; ends the process."""
    try:
        app()
    except ServerMissing as error:
        print(error, file=sys.stderr)
        sys.exit(69)
    except ServerRefused as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
