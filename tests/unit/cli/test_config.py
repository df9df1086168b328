"""``masthead config check`` and files that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from masthead.cli.main import app


@pytest.mark.parametrize("command", [["config", "check"], ["serve", "--port", "0", "--config"]])
def test_a_file_that_may_not_be_read_is_a_bad_configuration_not_wrong_usage(tmp_path, monkeypatch, command):
    """Exit status 78 with the file and what to do, as for every other problem of a configuration."""
    file = tmp_path / "gate.yml"
    file.write_text("pagerDuty: {}")

    really_open = Path.open

    def refuse(path: Path, *given: Any, **more: Any) -> Any:
        if path == file:
            raise PermissionError(13, "Permission denied", str(path))
        return really_open(path, *given, **more)

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(Path, "open", refuse)
    result = CliRunner().invoke(app, [*command, str(file)])
    assert (result.exit_code, "gate.yml: cannot be read: Permission denied" in result.output) == (78, True)
