"""The environment, which wins over all files: ``PAGERDUTY_TOKEN`` and ``MASTHEAD_<SECTION>_<KEY>``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from masthead.config.given import ENVIRONMENT, Gathered
from masthead.config.tree import Problems, Source, Value

__all__ = ["read_environment"]

_TOKEN = "PAGERDUTY_TOKEN"  # noqa: S105 - a variable's name
#: What the command line reads.
_OTHERS = ("MASTHEAD_SERVER", "MASTHEAD_USER", "MASTHEAD_PASSWORD", "MASTHEAD_PASSWORD_FILE")
#: Kubernetes gives every pod ``<SERVICE>_PORT=tcp://…``: a Service named masthead-server collides with our name.
_LINK = ("tcp://", "udp://", "sctp://")
_LINK_NAME = re.compile(
    r"MASTHEAD_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)"
)
_LEAST_ALIKE = 0.8


def read_environment(environ: Mapping[str, str], gathered: Gathered, problems: Problems) -> None:
    """Give *gathered* what *environ* says, and name variables that look like ours and are not."""
    for suffix in ("", "_FILE"):
        if given := environ.get(f"{_TOKEN}{suffix}"):
            source = Source(f"{ENVIRONMENT}{_TOKEN}{suffix}")
            for key in ("events.token", "rest.token"):
                gathered.give(key, Value(given, source), written="token", is_file=bool(suffix))
    known = {_TOKEN, f"{_TOKEN}_FILE", *_OTHERS}
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
    for name in sorted(set(environ) - known):
        if name.startswith("MASTHEAD_"):
            if not _LINK_NAME.fullmatch(name) and not environ[name].startswith(_LINK):
                hint = _nearest(name, known) or "Masthead's variables are called MASTHEAD_<SECTION>_<SETTING>"
                problems.warn(f"{ENVIRONMENT}{name}", f"unknown and ignored; {hint}")
        elif name.startswith("PAGERDUTY") and not environ.get(_TOKEN) and (near := _nearest(name, {_TOKEN})):
            problems.warn(f"{ENVIRONMENT}{name}", f"is not read; {near}")


def _nearest(name: str, known: set[str]) -> str | None:
    tail = name.removeprefix("MASTHEAD")
    whole = sorted((one for one in known if one.endswith(tail) or tail == f"_{one}"), key=len)
    near = whole or difflib.get_close_matches(name, sorted(known), n=1, cutoff=_LEAST_ALIKE)
    return f"did you mean {near[0]}?" if near else None
