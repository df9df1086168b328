"""Serving the simulator: a socket, optionally TLS, until it is told to stop."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from masthead.simulator.app import Simulator, create_app
from masthead.simulator.wire import BreakableProtocol

__all__ = ["TlsInvalid", "bind", "build_server", "serve"]

_BACKLOG = 4096


class TlsInvalid(Exception):
    """The certificate or its key cannot be used; the text says why."""


def serve(
    host: str = "127.0.0.1",
    port: int = 8999,
    *,
    data_path: Path | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        host: The address to listen on.
        port: The port; 0 takes a free one.
        data_path: A data file; None for the built-in example.
        tls_cert: A PEM file with a certificate; makes the simulator speak https only.
        tls_key: Its key; None when the same file holds it.
        announce: Called with one line for people once the port is taken; None writes it to standard output.

    Raises:
        DataInvalid: The data file cannot be used.
        TlsInvalid: The certificate or its key cannot be used.
        OSError: The port is taken.
    """
    _check_tls(tls_cert, tls_key)
    app = create_app(data_path)
    taken = bind(host, port)
    scheme = "https" if tls_cert else "http"
    address = f"{scheme}://{_shown(host)}:{taken.getsockname()[1]}"
    app.world.address = address
    server = build_server(app, tls_cert=tls_cert, tls_key=tls_key)
    services = len(app.world.directory.services)
    say = announce or _print
    say(
        f"PagerDuty simulator with {services} services: REST, Events v1 and v2 at {address} (control: /simulator)"
    )
    with taken:
        server.run(sockets=[taken])


def bind(host: str, port: int) -> socket.socket:
    """Take a port and listen, so that the caller learns at once when it is not free, and callers may wait.

    Raises:
        OSError: It is not free.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(_BACKLOG)
    except OSError:
        taken.close()
        raise
    return taken


def build_server(
    app: Simulator, *, tls_cert: Path | None = None, tls_key: Path | None = None
) -> uvicorn.Server:
    """Build the server that runs *app* on a socket that is already bound."""
    config = uvicorn.Config(
        app,
        http=BreakableProtocol,
        lifespan="off",
        access_log=False,
        log_level="warning",
        backlog=_BACKLOG,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
        ssl_certfile=str(tls_cert) if tls_cert else None,
        ssl_keyfile=str(tls_key) if tls_key else None,
    )
    return uvicorn.Server(config)


def _check_tls(cert: Path | None, key: Path | None) -> None:
    """Try the files before anything is said: the server itself reads them when it is too late to tell."""
    if cert is None:
        if key is not None:
            raise TlsInvalid(f"{key} is a key without a certificate; name that with --tls-cert.")
        return
    try:
        for file in (cert, key or cert):
            file.open("rb").close()
        # Without a password of ours OpenSSL would ask for one at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError:
        raise TlsInvalid(
            f"{cert} and {key or 'the same file'} hold no certificate and its key as PEM without a password; "
            "name the certificate with --tls-cert, its key with --tls-key."
        ) from None
    except OSError as error:
        raise TlsInvalid(f"{error.filename or cert} cannot be read: {error.strerror}.") from None


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
