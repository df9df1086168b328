"""One frozen settings tree, read from the files that administrators already have, and from the environment."""

from masthead.config.load import Loaded, Source, load
from masthead.config.report import masked, render_report, setting_rows
from masthead.config.settings import (
    AccessSettings,
    AccountSettings,
    DeckSettings,
    EchoSettings,
    EventsSettings,
    PagingSettings,
    RestSettings,
    ServerSettings,
    Settings,
    TokenSource,
)

__all__ = [
    "AccessSettings",
    "AccountSettings",
    "DeckSettings",
    "EchoSettings",
    "EventsSettings",
    "Loaded",
    "PagingSettings",
    "RestSettings",
    "ServerSettings",
    "Settings",
    "Source",
    "TokenSource",
    "load",
    "masked",
    "render_report",
    "setting_rows",
]
