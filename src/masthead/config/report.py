"""What ``masthead config check`` prints: every setting, its value, and who said so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from masthead.config.load import Loaded
from masthead.config.settings import Setting, Settings, TokenSource, account_settings, all_settings

__all__ = ["Row", "masked", "render_report", "setting_rows"]

#: The password of a URL: between user and host (it may hold / and @ that nobody escaped), or among the options.
_USERS = re.compile(r"(://[^/:@]*):[^@]*(?:@[^?/]*)*@")
_OPTION = re.compile(r"((?:password|passwd|pwd|secret|token)=)[^&\s]*", re.IGNORECASE)


def render_report(loaded: Loaded) -> str:
    """Give the effective settings, one line each, with file and line; secrets only as *set* or *not set*."""
    shown = [(row.key, row.value, row.source) for row in setting_rows(loaded, loaded.settings)]
    rows = [("SETTING", "VALUE", "FROM"), *shown]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{key:{widths[0]}}  {value:{widths[1]}}  {source}".rstrip() for key, value, source in rows]
    for title, sentences in (("Warnings", loaded.warnings), ("Missing", loaded.missing)):
        if sentences:
            lines += ["", f"{title}:", *(f"  {sentence}" for sentence in sentences)]
    if not loaded.missing:
        lines += ["", f"Nothing is missing: {_what_it_does(loaded)}"]
    return "\n".join(lines)


def _what_it_does(loaded: Loaded) -> str:
    accounts = loaded.settings.pagerduty_accounts
    if len(accounts) == 1:
        (only,) = accounts
        return f"pages go out by {only.events_url}, services are listed from {only.rest_url}."
    readers = ", ".join(f"{one.rest_url} ({one.name})" for one in accounts if one.can_read)
    senders = ", ".join(f"{one.events_url} ({one.name})" for one in accounts)
    return f"pages go out by {senders}; services are listed from {readers}; unknown keys are sent by {accounts[0].name}."


def masked(address: str) -> str:
    """Give *address* with dots in place of every password in it."""
    return _OPTION.sub(r"\1••••", _USERS.sub(r"\1:••••@", address))


@dataclass(frozen=True, slots=True)
class Row:
    """One setting in force; a secret is only *set* or *not set*."""

    key: str
    value: str
    #: Who said so, and over whom.
    source: str
    doc: str


def setting_rows(loaded: Loaded, settings: Settings) -> Iterator[Row]:
    """Give every setting, in the order of the sections.

    Args:
        loaded: What files and environment said.
        settings: What is in force: the same, but for what the command line said otherwise.
    """
    said = {setting.key: value for setting, value in _effective(loaded.settings)}
    for setting, value in _effective(settings):
        given = [str(one.source) for one in loaded.sources.get(setting.key, ())]
        if value != said[setting.key]:
            given.append("command line")
        source = given[-1] if given else "default"
        if len(given) > 1:
            source += f" (over {', '.join(reversed(given[:-1]))})"
        yield Row(setting.key, _shown(setting.kind, value), source, setting.doc)


def _effective(settings: Settings) -> Iterator[tuple[Setting, Any]]:
    for setting in all_settings():
        yield setting, getattr(getattr(settings, setting.section), setting.name)
    for account in settings.accounts:
        hosts = {"endpoint": account.events_url, "base_url": account.rest_url}
        for setting in account_settings(account.name):
            yield setting, hosts.get(setting.name, getattr(account, setting.name))


_BRIEFLY: Mapping[str, Callable[[Any], str]] = {
    "pem": lambda _: "set",
    "webhooks": lambda value: ", ".join(one.type for one in value) or "none",
    "requests": lambda value: f"{len(value)} allowed" if value else "none",
}


def _shown(kind: str, value: Any) -> str:  # noqa: PLR0911 - one line a kind
    if kind == "token":
        if value is None:
            return "not set"
        return f"set (file {value.file})" if isinstance(value, TokenSource) and value.file else "set"
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if kind in _BRIEFLY:
        return _BRIEFLY[kind](value)
    if kind == "seconds":
        return f"{value:g} s"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "not set"
    if isinstance(value, dict):
        return ", ".join(f"{name}={port}" for name, port in value.items()) or "none"
    return masked(str(value)).replace("\n", "⏎")
