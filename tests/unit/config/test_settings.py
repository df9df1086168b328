"""The declarations, their page, and tokens in files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from masthead.config import Settings, TokenSource
from masthead.config.settings import all_settings
from masthead.kernel.errors import ConfigurationInvalid
from masthead.kernel.secret import Secret

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "settings.md"


@pytest.mark.parametrize("setting", all_settings(), ids=lambda one: one.key)
def test_every_setting_has_a_heading_in_the_reference(setting):
    """What cannot be found does not exist."""
    assert f"\n### {setting.key}\n" in PAGE.read_text()


NUMBERS = [one for one in all_settings() if one.kind in ("integer", "number", "seconds", "ports")]


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda one: one.key)
def test_every_number_has_a_least_and_a_most_and_a_default_between_them(setting, refused):
    """A typing error must not stop a machine hours later."""
    assert setting.least is not None
    assert setting.most is not None
    assert setting.least >= 0
    if setting.kind == "ports":
        return
    assert setting.least <= setting.default <= setting.most
    section, _, name = setting.key.partition(".")
    for wrong in (setting.least - 1, setting.most + 1):
        (told,) = refused("masthead.yml", f"{section}:\n  {name}: {wrong:.0f}\n")
        assert told.startswith(f"masthead.yml:2: {setting.key}: must be from {setting.least:g} to ")
        assert told.endswith(f"is {wrong:.0f}")


def test_settings_can_be_built_without_anything():
    """Tests and the demo begin with the defaults; nothing is paged by itself."""
    settings = Settings()
    assert (settings.events.enabled, settings.rest.enabled) == (False, False)


def test_a_literal_token_hides_itself():
    """Also inside the settings that somebody logs."""
    source = TokenSource(literal=Secret("canary"))
    assert source.read().reveal() == "canary"
    assert "canary" not in repr(source) + str(Settings())


def test_a_rotated_token_of_the_same_length_is_noticed(tmp_path):
    """Kubernetes swaps the file for another one."""
    file, fresh = tmp_path / "token", tmp_path / "fresh"
    file.write_text("first")
    source = TokenSource(file=file)
    assert source.read().reveal() == "first"
    fresh.write_text("other")
    os.utime(fresh, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    fresh.replace(file)
    assert source.read().reveal() == "other"
    assert "other" not in repr(source)


def test_the_last_good_token_serves_while_its_file_is_being_replaced(tmp_path):
    """Neither a moment without file nor an empty one stops paging."""
    file = tmp_path / "token"
    file.write_text("first")
    source = TokenSource(file=file)
    source.read()
    file.write_text("")
    assert source.read().reveal() == "first"
    file.unlink()
    assert source.read().reveal() == "first"


@pytest.mark.parametrize("content", [b"", b"***\n", b"\xff\xfe"])
def test_a_file_without_a_token_is_refused(tmp_path, content):
    """The message names the file, never what is in it."""
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigurationInvalid) as caught:
        TokenSource(file=file).read()
    assert str(file) in caught.value.message


def test_a_missing_file_is_refused(tmp_path):
    """With the path to check."""
    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        TokenSource(file=tmp_path / "absent").read()
