"""Child processes of the demo: other commands of ours, on ports that are free, ended with their parent."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from masthead.cli.client import ServerMissing

__all__ = ["Child", "ended_by_signals", "free_port"]

_START_TIMEOUT_S = 30.0
_END_TIMEOUT_S = 20.0
_LAST_LINES = 20


class Child:
    """One ``masthead`` command as a process of its own; what it says goes to a file."""

    def __init__(self, arguments: list[str], *, environ: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._name = arguments[0]
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "masthead", *arguments],
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to pass on
            )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait_until_up(self, url: str) -> None:
        """Return as soon as *url* answers 200.

        Raises:
            ServerMissing: it ended before, or did not answer in time; the text has its last lines.
        """
        import httpx

        deadline = time.monotonic() + _START_TIMEOUT_S
        with httpx.Client(trust_env=False, timeout=5) as http:
            while self.is_running and time.monotonic() < deadline:
                with contextlib.suppress(httpx.TransportError):
                    if http.get(url).status_code == 200:
                        return
                time.sleep(0.05)
        raise ServerMissing(f"masthead {self._name} did not start. It said:\n{self.last_words()}")

    def last_words(self) -> str:
        """Give the last lines it said."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:])

    def end(self) -> None:
        """Ask it to end, and insist where it does not."""
        if self.is_running:
            self._process.terminate()
        try:
            self._process.wait(timeout=_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_port(wanted: int) -> int:
    """Give *wanted*, or any free port of 127.0.0.1 where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise ServerMissing("There is no free port on 127.0.0.1.")


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end this process as Ctrl-C does: through its clean-up."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
