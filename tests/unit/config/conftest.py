"""Builders for files of configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from masthead.config import Loaded, load
from masthead.kernel.errors import ConfigurationInvalid

Check = Callable[..., Loaded]
Refuse = Callable[..., list[str]]


@pytest.fixture
def read(tmp_path: Path) -> Check:
    """Load one file of the given name and text, and hold that no canary is told."""

    def check(name: str, text: str, environ: Mapping[str, str] | None = None) -> Loaded:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        loaded = load([path], environ or {})
        assert not any("canary" in warning for warning in loaded.warnings)
        return loaded

    return check


@pytest.fixture
def refused(read: Check, tmp_path: Path) -> Refuse:
    """Give the lines that refuse one file, without its folder, and hold that no canary is told."""

    def lines(name: str, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigurationInvalid) as caught:
            read(name, text, environ)
        assert "canary" not in caught.value.message
        return caught.value.message.replace(f"{tmp_path}/", "").split("\n")

    return lines


@pytest.fixture
def warned(read: Check, tmp_path: Path) -> Refuse:
    """Give the warnings about one file, without its folder."""

    def lines(name: str, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        return [one.replace(f"{tmp_path}/", "") for one in read(name, text, environ).warnings]

    return lines
