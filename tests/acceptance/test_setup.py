"""What ``make`` does on a machine before anything is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Machine:
    """A checkout in a folder with a space, and a PATH on which only what is put there is found."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a checkout"
        self._programs = folder / "bin"
        for path in (self.checkout / "scripts", self.checkout / "requirements", self._programs):
            path.mkdir(parents=True)
        for name in ("scripts/setup", "scripts/link_checkout.py", "pyproject.toml"):
            shutil.copy(ROOT / name, self.checkout / name)
        for name in ("run.lock", "dev.lock"):
            (self.checkout / "requirements" / name).write_text("")
        for name in ("sh", "cat", "cksum", "dirname", "readlink", "rm", "mv"):
            (self._programs / name).symlink_to(str(shutil.which(name)))

    def put(self, name: str, script: str) -> None:
        (self._programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self._programs / name).chmod(0o755)

    def setup(self, kind: str = "run", *, status: int = 0) -> str:
        environ = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "PYTHONPATH")}
        done = subprocess.run(
            [self.checkout / "scripts" / "setup", kind],
            env={**environ, "PATH": str(self._programs)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


def test_no_python_says_what_to_install(machine):
    """An old one is as good as none."""
    machine.put("python3", "exit 1")

    assert "Masthead needs Python 3.11 or newer" in machine.setup(status=1)


def test_debians_missing_venv_says_what_to_install(machine):
    """Debian ships Python without ensurepip; nothing is left behind."""
    machine.put("python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')

    assert "apt-get install python3-venv" in machine.setup(status=1)
    assert not (machine.checkout / ".venv").exists()


@pytest.mark.slow
def test_what_is_installed_is_not_installed_again_until_a_lock_changes(machine):
    """The first run says what it does, the next says nothing, and the command masthead is there."""
    machine.put("python3", f'exec "{sys.executable}" "$@"')
    assert "Making the virtual environment" in machine.setup()
    assert machine.setup() == ""
    assert os.access(machine.checkout / ".venv" / "bin" / "masthead", os.X_OK)

    assert "dev.lock" in machine.setup("dev")
    assert machine.setup("run") == ""

    (machine.checkout / "requirements" / "run.lock").write_text("# changed\n")
    assert "dev.lock" in machine.setup("run")


@pytest.mark.slow
def test_a_checkout_that_was_moved_gets_a_new_environment(machine):
    """The programs in an environment name its folder."""
    machine.put("python3", f'exec "{sys.executable}" "$@"')
    machine.setup()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("elsewhere"))

    assert "was moved" in machine.setup()
    assert machine.setup() == ""
