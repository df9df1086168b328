"""Rules of the whole checkout: imports, locks, one door to people, no mocks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter import cli as import_linter

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_packages_import_only_what_the_architecture_allows(monkeypatch):
    """The contracts of pyproject.toml."""
    monkeypatch.chdir(ROOT)
    assert import_linter.lint_imports(no_cache=True) == import_linter.EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("lock", ["run.lock", "dev.lock"])
def test_locks_hold_hashes_and_no_address(lock):
    """Any index may serve them, and what it serves is checked."""
    text = (ROOT / "requirements" / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry, entry.partition("\n")[0]


def test_only_paging_sends_events():
    """One door through which a human can be woken: nobody else calls the events client."""
    callers = {
        path.relative_to(ROOT / "src" / "masthead").parts[0]
        for path in SOURCES
        if re.search(r"\bEvents(Client|Sender)\b|_sender\.send\(", path.read_text())
    }
    assert callers == {"pagerduty", "paging", "server"}
    assert ".send(" not in (ROOT / "src/masthead/server/wiring.py").read_text()


def test_no_test_uses_mocks():
    """A fake beside the interface, or the simulator, serves better."""
    banned = "unittest" + ".mock"
    assert [path for path in (ROOT / "tests").rglob("*.py") if banned in path.read_text()] == []


def test_the_version_is_that_of_the_command():
    """Masthead --version."""
    done = subprocess.run(
        [sys.executable, "-m", "masthead", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"masthead \d+\.\d+\.\d+\n", done.stdout)
