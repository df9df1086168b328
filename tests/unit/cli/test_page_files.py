"""An export that is written to a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer

from masthead.cli.audit import _write
from masthead.cli.client import ServerMissing


def broken() -> Iterator[bytes]:
    yield b"half of it"
    raise ServerMissing("the server went away")


def test_a_file_is_written_whole_or_not_at_all(tmp_path, capsys):
    """What was there before stays when the export breaks off, and nothing is left lying about."""
    file = tmp_path / "pages.csv"
    _write([b"a,", b"b"], file)
    assert file.read_bytes() == b"a,b"
    with pytest.raises(ServerMissing):
        _write(broken(), file)
    assert file.read_bytes() == b"a,b"
    assert list(tmp_path.iterdir()) == [file]
    assert capsys.readouterr().out == f"Written to {file}.\n"


def test_a_file_that_cannot_be_written_is_wrong_usage(tmp_path):
    """Its folder does not exist."""
    with pytest.raises(typer.BadParameter, match="cannot be written"):
        _write([b"a"], tmp_path / "none" / "pages.csv")
