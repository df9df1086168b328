"""The environment, which wins over all files: ``PAGERDUTY_TOKEN`` and ``MASTHEAD_<SECTION>_<KEY>``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from masthead.config.given import ENVIRONMENT, Gathered
from masthead.config.settings import SECTIONS
from masthead.config.tree import Problems, Source, Value

__all__ = ["read_environment"]

_TOKEN = "PAGERDUTY_TOKEN"  # noqa: S105 - a variable's name
#: Kubernetes gives every pod ``<SERVICE>_PORT=tcp://…``: a Service named masthead-server collides with our name.
_LINK = ("tcp://", "udp://", "sctp://")
_LINK_NAMES = ("MASTHEAD_SERVICE_", "MASTHEAD_PORT", "MASTHEAD_SERVER_SERVICE_", "MASTHEAD_SERVER_PORT_")


def read_environment(environ: Mapping[str, str], gathered: Gathered, problems: Problems) -> None:
    """Give *gathered* what *environ* says, and name variables that look like ours and are not."""
    if environ.get(_TOKEN):
        source = Source(f"{ENVIRONMENT}{_TOKEN}")
        for key in ("events.token", "rest.token"):
            gathered.give(key, Value(environ[_TOKEN], source))
    known = set()
    for setting in gathered.settings.values():
        for suffix in ("", "_FILE") if setting.kind == "token" else ("",):
            name = setting.variable + suffix
            known.add(name)
            text = environ.get(name)
            if text is None or (not text and setting.kind != "text"):
                continue
            source = Source(f"{ENVIRONMENT}{name}")
            if setting.kind == "integer" and text.startswith(_LINK):
                problems.warn(
                    source, f"{setting.key}: Kubernetes set this for a Service of that name; ignored"
                )
                continue
            gathered.give(setting.key, Value(text, source), is_file=bool(suffix))
    _misspelled(environ, known, problems)


def _misspelled(environ: Mapping[str, str], known: set[str], problems: Problems) -> None:
    prefixes = tuple(f"MASTHEAD_{section}_".upper() for section in SECTIONS if section != "server")
    for name in sorted(environ):
        if name in known or not name.startswith("MASTHEAD_") or name.startswith(_LINK_NAMES):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
        if near or name.startswith(prefixes):
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.warn(f"{ENVIRONMENT}{name}", f"unknown and ignored{hint}")
