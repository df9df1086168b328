"""The commands that run for long: the server and the simulator."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Annotated

import typer

from masthead.cli import show
from masthead.cli.options import text_argument

__all__ = ["db", "serve", "simulate"]

_LAST_PORT = 65_535

db = typer.Typer(help="Look after the database.", no_args_is_help=True)


def serve(
    config: Annotated[
        list[Path] | None,
        typer.Option(
            help="SpinnakerService.yml, echo.yml, gate.yml, settings-local.js or masthead.yml; may be repeated, later wins.",
            readable=False,  # told as every other problem of a configuration is
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            callback=text_argument, help="Address to listen on; 127.0.0.1 if nothing says otherwise."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=_LAST_PORT, help="Port to listen on; 8084 if nothing says otherwise."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            callback=text_argument,
            help="sqlite:////path/masthead.db or postgresql://user:password@host/name.",
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="One service at the root of its own port, for example echo=8089; may be repeated."),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Listen without users also where other machines reach it: everybody there may page.",
        ),
    ] = False,
) -> None:
    """Run Masthead until Ctrl-C."""
    gc.disable()  # until all is loaded, when the server enables it: a fifth of the time to start
    from masthead.server.run import serve as run

    raise typer.Exit(
        run(
            config_files=config or [],
            host=host,
            port=port,
            database=database,
            also=_read_also(also or []),
            insecure=insecure,
        )
    )


def simulate(
    host: Annotated[str, typer.Option(callback=text_argument, help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=_LAST_PORT, help="Port to listen on.")] = 8999,
    data: Annotated[
        Path | None, typer.Option(help="The organisation, as JSON; the built-in one if not given.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate, for https.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's key.")] = None,
) -> None:
    """Run a PagerDuty to try things with: nobody is really woken."""
    from masthead.simulator.organisation import DataInvalid
    from masthead.simulator.run import TlsInvalid
    from masthead.simulator.run import serve as run

    try:
        run(host=host, port=port, data_path=data, tls_cert=tls_cert, tls_key=tls_key)
    except (DataInvalid, TlsInvalid) as error:
        show.say(str(error), err=True)
        raise typer.Exit(78) from None
    except OSError as error:
        show.say(
            f"{host}:{port} cannot be used: {error.strerror or error}. Choose another with --host or --port.",
            err=True,
        )
        raise typer.Exit(69) from None


@db.callback()
def _group() -> None:
    """Look after the database."""


@db.command()
def migrate(
    database: Annotated[
        str,
        typer.Argument(
            callback=text_argument,
            help="sqlite:////path/masthead.db or postgresql://user:password@host/name.",
        ),
    ],
) -> None:
    """Bring a database to this release's schema; masthead serve does it by itself."""
    from masthead.kernel.clock import SystemClock
    from masthead.kernel.errors import ConfigurationInvalid, MastheadError
    from masthead.storage.database import Database

    async def run() -> None:
        await (await Database.open(database, clock=SystemClock())).close()

    try:
        asyncio.run(run())
    except MastheadError as error:
        show.say(error.message, err=True)
        raise typer.Exit(78 if isinstance(error, ConfigurationInvalid) else 69) from None
    show.say("The database has this release's schema.")


def _read_also(texts: list[str]) -> dict[str, int]:
    ports = {}
    for text in texts:
        name, _, port = text.partition("=")
        if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= _LAST_PORT):
            raise typer.BadParameter(
                f"{text!r}: write a service and a port of 0 to {_LAST_PORT}, for example echo=8089",
                param_hint="--also",
            )
        ports[name] = int(port)
    return ports
