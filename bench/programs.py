"""Foreign programs on free ports: how they are found, started, measured and ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from line import Absent

__all__ = [
    "HERE",
    "Cost",
    "Program",
    "cost_of",
    "free_port",
    "install_peers",
    "path_of",
    "peak_mb",
    "program",
    "wait_for",
]

HERE = Path(__file__).parent
#: Program → Debian package.
PEERS = {"nginx": "nginx", "prometheus-alertmanager": "prometheus-alertmanager", "wrk": "wrk"}
#: Where Debian keeps programs for administrators, which is not on everybody's path.
_MORE_PATHS = "/usr/sbin:/sbin:/usr/local/sbin"
_START_TIMEOUT_S = 60.0


def path_of(name: str) -> str:
    """Give the path of a peer.

    Raises:
        Absent: it is not installed.
    """
    found = shutil.which(name) or shutil.which(name, path=_MORE_PATHS)
    if found is None:
        raise Absent(f"{name} is not installed (make bench ARGS=--install-peers)")
    return found


def install_peers() -> int:
    """Install what is missing of the peers by apt-get, which asks for root."""
    missing = [package for name, package in PEERS.items() if not _is_installed(name)]
    if not missing:
        print("All peers are installed:", ", ".join(PEERS))
        return 0
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    # The policy keeps Debian from starting the services that it installs.
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    subprocess.run([*as_root, "apt-get", "update"], check=True, env=quiet)
    command = [*as_root, "apt-get", "install", "--yes", "--no-install-recommends", *missing]
    return subprocess.run(command, check=False, env=quiet).returncode


def _is_installed(name: str) -> bool:
    try:
        path_of(name)
    except Absent:
        return False
    return True


@dataclass
class Program:
    """A running program."""

    process: subprocess.Popen[bytes]
    url: str

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid


@contextlib.contextmanager
def program(
    command: Sequence[str], *, port: int, probe: str, environ: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run *command* until the block ends, from the moment that *probe* answers with 200."""
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environ or {})}
        )
        try:

            def is_up() -> bool:
                if process.poll() is not None:
                    output.seek(0)
                    raise RuntimeError(f"{command[0]} ended: {output.read().decode(errors='replace')}")
                with contextlib.suppress(httpx.TransportError):
                    return httpx.get(url + probe, timeout=5).status_code == 200
                return False

            wait_for(is_up, f"{command[0]} answers", timeout_s=_START_TIMEOUT_S)
            yield Program(process, url)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            if process.poll() is None:
                process.kill()
                process.wait()


def wait_for(is_true: Callable[[], bool], what: str, *, timeout_s: float, every_s: float = 0.05) -> None:
    """Look again and again until *is_true*.

    Raises:
        TimeoutError: it never was; says *what* was waited for.
    """
    deadline = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:g} s in vain until {what}")
        time.sleep(every_s)


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Cost:
    """CPU of a process so far."""

    user_s: float
    system_s: float

    @property
    def total_s(self) -> float:
        """Both together."""
        return self.user_s + self.system_s


def cost_of(pid: int) -> Cost:
    """Give the CPU that all threads of *pid* have used: /proc/PID/stat, fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return Cost(int(fields[11]) / tick, int(fields[12]) / tick)


def peak_mb(pid: int) -> float:
    """Give the most resident memory that *pid* ever had, in megabytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6
