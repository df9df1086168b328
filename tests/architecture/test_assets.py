"""The built scripts and styles are those of the sources, and the lock file says nothing of where they come from."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "src" / "masthead" / "web"


def test_the_lock_file_names_exact_versions_and_no_address():
    """It installs from whatever registry npm is set up for."""
    lock = (WEB / "assets" / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "http" not in "".join(json.loads(lock)["packages"])
    package = json.loads((WEB / "assets" / "package.json").read_text())
    asked = package["dependencies"] | package["devDependencies"]
    assert all(version[0].isdigit() for version in asked.values())


@pytest.mark.slow
def test_a_rebuild_gives_the_same_bytes(tmp_path):
    """What is committed was built from these sources, with these versions."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    sources = tmp_path / "assets"
    shutil.copytree(WEB / "assets", sources, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(["npm", "ci"], cwd=sources, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"npm ci did not work here: {installed.stderr[-300:]}")
    environ = {"PATH": str(Path(shutil.which("node") or "").parent), "OUT": str(tmp_path / "static")}
    subprocess.run(["node", "build.mjs"], cwd=sources, check=True, env=environ)
    built = {one.name: one.read_bytes() for one in (tmp_path / "static").iterdir()}
    assert built == {one.name: one.read_bytes() for one in (WEB / "static").iterdir()}
