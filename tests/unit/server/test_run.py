"""How ``masthead serve`` ends when it cannot begin."""

from __future__ import annotations

import pytest

from masthead.server.run import serve


@pytest.fixture(autouse=True)
def nobody_configured(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))
    (tmp_path / "file").write_text("not a folder")


def test_a_database_in_a_folder_that_does_not_exist_is_a_wrong_configuration(tmp_path, capsys):
    """A mistyped path is told, and nothing is made there."""
    assert serve(port=0, database=str(tmp_path / "absent" / "m.db")) == 78
    assert "absent of the database does not exist" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_the_users_own_folder_that_cannot_be_made_is_told(capsys):
    """With the way out."""
    assert serve(port=0) == 78
    assert "cannot be made" in (said := capsys.readouterr().err)
    assert "--database" in said
