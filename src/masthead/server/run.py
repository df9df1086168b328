"""``masthead serve``: from options to a process that answers, and to its clean end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import uvicorn

from masthead import __version__
from masthead.api.app import DOOR_NAMES, create_app, create_door
from masthead.config import Loaded, Settings, load, masked
from masthead.kernel.errors import ConfigurationInvalid, MastheadError
from masthead.server.diagnosing import Doctor
from masthead.server.listening import Place, find_place, listen, warning_of
from masthead.server.protocol import Protocol
from masthead.server.wiring import Masthead
from masthead.storage.engine import database_url
from masthead.telemetry.logs import configure
from masthead.web import WebServices, pages

__all__ = ["serve"]

_EX_UNAVAILABLE = 69
_EX_CONFIG = 78
_GRACE_S = 10
#: More objects made than freed, and younger generations looked at, before the collector runs (Python: 700, 10, 10).
_COLLECT_AFTER = (20_000, 20, 50)

#: How long the busy loop may keep the writing thread waiting for the interpreter (Python: 5 ms), which it asks for after every
#: statement of a group. Measured in docs/reference/benchmarks.md.
_SWITCH_EVERY_S = 0.0005


def serve(
    *,
    config_files: Sequence[Path] = (),
    host: str | None = None,
    port: int | None = None,
    database: str | None = None,
    also: Mapping[str, int] | None = None,
    insecure: bool = False,
) -> int:
    """Run Masthead until SIGINT or SIGTERM; options win over the configuration.

    Returns:
        0 after a clean end; 69 when a port or the database cannot be had; 78 for a configuration that
        cannot be used. What is wrong was said on standard error.
    """
    try:
        loaded = load(config_files, os.environ)
        settings = _with_options(loaded.settings, host=host, port=port, database=database, also=also)
        if insecure:
            settings = replace(settings, access=replace(settings.access, insecure=True))
        where = settings.server.database or default_database()
        if not settings.server.database:
            _make_folder(Path(where).parent)
        database_url(where)
    except ConfigurationInvalid as error:
        print(error.message, file=sys.stderr)
        return _EX_CONFIG
    configure(level=settings.server.log_level)
    sys.setswitchinterval(_SWITCH_EVERY_S)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_serve(loaded, settings, where))
    except ConfigurationInvalid as error:
        print(error.message, file=sys.stderr)
        return _EX_CONFIG
    except MastheadError as error:
        print(error.message, file=sys.stderr)
        return _EX_UNAVAILABLE


def default_database() -> str:
    """Give the SQLite file that is used when nobody names a database."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return str(Path(base) / "masthead" / "masthead.db")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationInvalid(
            f"{folder}: the folder for the database cannot be made: {error.strerror}; name another with --database"
        ) from error


def _with_options(
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
    database: str | None,
    also: Mapping[str, int] | None,
) -> Settings:
    given = {"host": host, "port": port, "database": database, "also": dict(also) if also else None}
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = replace(settings, server=replace(settings.server, **chosen))  # type: ignore[arg-type]
    if unknown := set(settings.server.also) - set(DOOR_NAMES):
        raise ConfigurationInvalid(
            f"--also: there is no service {', '.join(unknown)}; there are {', '.join(DOOR_NAMES)}."
        )
    return settings


async def _serve(loaded: Loaded, settings: Settings, where: str) -> int:
    with contextlib.ExitStack() as stack:
        ports = {"": settings.server.port, **settings.server.also}
        try:
            place = find_place(settings)
            sockets = {name: stack.enter_context(listen(place, port)) for name, port in ports.items()}
        except OSError as error:
            print(
                f"{error.strerror or error}. Choose another with --host, --port or --also.", file=sys.stderr
            )
            return _EX_UNAVAILABLE
        masthead = await Masthead.start(settings, database_url=where)
        try:
            servers = _servers(masthead, sockets, _doctor(loaded, masthead, place))
            _say(loaded, masthead, sockets, warning=warning_of(settings, place))
            _spare_the_collector()
            await _run_until_told(servers, sockets)
        finally:
            await masthead.stop()
    return 0


def _spare_the_collector() -> None:
    """Let the garbage collector leave alone what was loaded at the start and stays: some 5 % of a page's CPU.

    Without this each of its full runs looks at half a million objects of the libraries, a few times a second under load.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()  # the command disables it while it loads


def _doctor(loaded: Loaded, masthead: Masthead, place: Place) -> Doctor:
    return Doctor(
        loaded=loaded,
        settings=masthead.settings,
        place=place,
        clock=masthead.clock,
        database=masthead.database,
        machines=masthead.machines,
        catalog=masthead.catalog,
        paging=masthead.paging,
        access=masthead.access,
    )


def _servers(masthead: Masthead, sockets: Mapping[str, socket.socket], doctor: Doctor) -> dict[str, _Server]:
    services = replace(masthead.services(), diagnose=doctor.diagnose)
    web = WebServices(
        applications=services.applications,
        catalog=services.catalog,
        ownership=services.ownership,
        pipelines=services.pipelines,
        executions=services.executions,
        paging=services.paging,
        audit=services.audit,
        settings=services.settings,
        clock=services.clock,
        ids=services.ids,
        health=services.health,
        version=services.version,
        preflights=services.preflights,
        lint=services.lint,
        roster=masthead.roster,
        access=masthead.access,
        diagnose=doctor.diagnose,
    )
    origins = [one.strip() for one in masthead.settings.server.cors_origins.split(",") if one.strip()]
    apps = {
        name: create_door(services, name, cors_origins=origins)
        if name
        else create_app(services, mounts=pages(web), cors_origins=origins)
        for name in sockets
    }
    return {
        name: _Server(
            uvicorn.Config(
                app,
                http=Protocol,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                forwarded_allow_ips=masthead.settings.server.trusted_proxies.replace(" ", ""),
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        for name, app in apps.items()
    }


class _Server(uvicorn.Server):
    """A server that leaves signals to us, because there may be several in one process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run_until_told(servers: Mapping[str, _Server], sockets: Mapping[str, socket.socket]) -> None:
    def end() -> None:
        for server in servers.values():
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    await asyncio.gather(*(server.serve([sockets[name]]) for name, server in servers.items()))


def _say(
    loaded: Loaded, masthead: Masthead, sockets: Mapping[str, socket.socket], *, warning: str | None
) -> None:
    """Print where it listens, where it stores, and what is missing; a program may read the first line."""
    where = masthead.database.path or masked(masthead.database.url.render_as_string(hide_password=True))
    for name, listener in sockets.items():
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        title = f"{name.capitalize()}'s own port:" if name else f"Masthead {__version__} listens on"
        print(f"{title} http://{shown}:{port}")
    print(f"It stores everything in {where}")
    for line in (*([warning] if warning else []), *loaded.missing, *loaded.warnings):
        print(line)
    sys.stdout.flush()


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return None
    return uvloop.Loop
