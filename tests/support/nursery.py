"""Fast births: a process that has imported Masthead and forks servers, for tests that start hundreds of them.

What is born runs ``masthead`` with its arguments from the beginning, in a session of its own; only the imports, which
take most of a start, are its parent's. Nothing else is shared: the parent opens no file, no socket and no thread.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

_EXIT_S = 40.0
_NEEDED = (
    "masthead.cli.main",
    "masthead.server.run",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)


class Child:
    """A process of the nursery, with as much of ``subprocess.Popen`` as the tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """Give None while it lives; the nursery keeps its exit status to itself."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return -1
        return None

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, timeout: float = _EXIT_S) -> int:
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("masthead", timeout)
            time.sleep(0.002)
        return -1


class Nursery:
    """Gives birth to ``masthead`` processes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def bear(self, arguments: Sequence[str], environ: Mapping[str, str], output: int) -> Child:
        """Start ``masthead`` with *arguments*; what it says goes to the open file *output*."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        path = f"/proc/{os.getpid()}/fd/{output}"
        self._process.stdin.write(json.dumps([list(arguments), dict(environ), path]) + "\n")
        self._process.stdin.flush()
        return Child(int(self._process.stdout.readline()))


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    """Open a nursery; it ends with the test, its children before."""
    command = [sys.executable, "-P", __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Nursery(process)
        finally:
            process.kill()


def _import_all() -> None:
    """Import what ``masthead serve`` needs, also what it imports only when it comes to it."""
    for name in _NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _serve_orders() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for exit statuses
    _import_all()
    for line in iter(sys.stdin.readline, ""):
        arguments, environ, output = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(arguments, environ, output)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _live(arguments: Sequence[str], environ: Mapping[str, str], output: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    said, nothing = os.open(output, os.O_WRONLY | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(source, target)
    os.environ.update(environ)
    sys.argv = ["masthead", *arguments]
    from masthead.cli.main import main

    try:
        main()
    finally:
        os._exit(0)


if __name__ == "__main__":
    _serve_orders()
