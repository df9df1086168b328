"""From files and the environment to settings that can be used, or to everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from masthead.config.checks import check, missing
from masthead.config.environment import read_environment
from masthead.config.files import Files
from masthead.config.given import Gathered, Given
from masthead.config.settings import Settings
from masthead.config.tree import Problems, Source
from masthead.kernel.errors import ConfigurationInvalid

__all__ = ["Given", "Loaded", "Source", "load"]


@dataclass(frozen=True)
class Loaded:
    """Settings that can be used, and where they came from."""

    settings: Settings
    #: Key (``events.enabled``) → everywhere it was given, the winner last.
    sources: Mapping[str, Sequence[Given]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    #: What keeps Masthead from paging, and how to give it.
    missing: tuple[str, ...] = ()


def load(files: Sequence[Path], environ: Mapping[str, str]) -> Loaded:
    """Read *files* (later ones win) and the environment, which wins over all.

    Raises:
        ConfigurationInvalid: with one line a problem: file, line, key, what is wrong and what to do.
    """
    problems = Problems()
    gathered = Gathered(environ, problems)
    reader = Files(gathered, problems)
    for path in files:
        reader.read(path)
    read_environment(environ, gathered, problems)
    _switch_on(gathered)
    settings = gathered.build()
    check(settings, gathered, problems)
    if problems.errors:
        raise ConfigurationInvalid("\n".join(problems.errors_in_order([str(path) for path in files])))
    return Loaded(settings, gathered.given, tuple(dict.fromkeys(problems.warnings)), missing(settings))


def _switch_on(gathered: Gathered) -> None:
    """Take a token for Gate's switch where no switch is given, as Gate itself does (compat 1.12, 2.2)."""
    place = gathered.place("rest.token")
    is_open = "rest.enabled" not in gathered.given and "rest.enabled" not in gathered.failed
    if place is not None and is_open and gathered.given["rest.token"][-1].value is not None:
        gathered.imply("rest.enabled", value=True, source=place)
