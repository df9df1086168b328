"""What was given for each setting, by whom, and which of it wins: the last one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from masthead.config.convert import Unusable, convert
from masthead.config.settings import (
    SECTIONS,
    AccountSettings,
    Setting,
    Settings,
    TokenSource,
    account_settings,
    all_settings,
    token_doubt,
    token_problem,
)
from masthead.config.tree import Mapped, Problems, Source, Value, fold, placeholder_message
from masthead.config.webhooks import Misread, allowed_requests, plain, preconfigured
from masthead.kernel.errors import ConfigurationInvalid
from masthead.kernel.secret import Secret

__all__ = ["ENVIRONMENT", "Gathered", "Given"]

#: How a variable of the environment names itself as a source.
ENVIRONMENT = "environment variable "
_INNERMOST = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.-]*)(?::([^${}]*))?\}")
#: Values that Spinnaker's services look up in a secret store (Spinnaker: "Secrets in configuration").
_SECRET_STORES = ("encrypted:", "encryptedFile:", "secret://", "secretFile://")
_ROUNDS = 20


@dataclass(frozen=True)
class Given:
    """A setting's value as it stood somewhere."""

    key: str
    value: Any
    source: Source
    #: The key as it is written there: ``gate.pager-duty.base-url`` for ``rest.baseUrl``.
    written: str = ""


class Gathered:
    """Takes what files and environment give, converts it, and keeps where it stood.

    Attributes:
        given: Key → everywhere it was given, the winner last.
        failed: Keys that were given something unusable, which was told.
        elsewhere: Tokens that stand in Spinnaker's secret store, by key, and where that is said.
        accounts: The entries of ``accounts:`` by name, and where each was named first.
    """

    def __init__(self, environ: Mapping[str, str], problems: Problems) -> None:
        self._environ = environ
        self._problems = problems
        self.settings = {fold(setting.key): setting for setting in all_settings()}
        self.given: dict[str, list[Given]] = {}
        self.failed: set[str] = set()
        self.elsewhere: dict[str, Source] = {}
        self.accounts: dict[str, Source] = {}

    def give(self, key: str, item: Value | Mapped, *, written: str = "", is_file: bool = False) -> None:
        """Take *item* for *key*, however *key* is spelled.

        Args:
            key: A setting's.
            item: What stood there.
            written: The key as its file writes it, for messages; the setting's own where nothing is said.
            is_file: Whether *item* names the file that holds a token.
        """
        setting = self.settings[fold(key)]
        written = written or setting.key
        if isinstance(item, Value) and item.is_reported:
            self.failed.add(setting.key)
            return
        try:
            value = self._converted(setting, item, written=written, is_file=is_file)
        except Unusable as error:
            self.failed.add(setting.key)
            self._problems.error(item.source, f"{written}: {error}")
            return
        if value is not _SKIPPED:
            self.given.setdefault(setting.key, []).append(Given(setting.key, value, item.source, written))

    def add_account(self, name: str, place: Source) -> None:
        """Take the settings of the account *name* from now on."""
        self.accounts[name] = place
        for setting in account_settings(name):
            self.settings[fold(setting.key)] = setting

    def imply(self, key: str, value: Any, source: Source) -> None:
        """Take *value*, which follows from something else that stood at *source*."""
        self.given.setdefault(key, []).append(Given(key, value, source, key))

    def place(self, key: str) -> Source | None:
        """Give where the winner for *key* stood; None when nobody gave it."""
        return self.given[key][-1].source if self.given.get(key) else None

    def named(self, key: str, *, beside: str = "") -> str:
        """Give *key* as a file writes it, or as the file that writes its neighbour *beside* would."""
        if self.given.get(key):
            return self.given[key][-1].written
        block = self.given[beside][-1].written.rpartition(".")[0] if self.given.get(beside) else ""
        return f"{block or key.partition('.')[0]}.{key.partition('.')[2]}"

    def build(self) -> Settings:
        """Give the settings: the winners over the defaults."""
        changed: dict[str, dict[str, Any]] = {}
        for setting in self.settings.values():
            if values := self.given.get(setting.key):
                changed.setdefault(setting.section, {})[setting.name] = values[-1].value
        settings = Settings()
        sections = {name: replace(getattr(settings, name), **changed.get(name, {})) for name in SECTIONS}
        accounts = tuple(
            AccountSettings(name, **changed.get(f"accounts.{name}", {})) for name in self.accounts
        )
        return replace(settings, **sections, accounts=accounts)

    def _converted(self, setting: Setting, item: Value | Mapped, *, written: str, is_file: bool) -> Any:
        if isinstance(item, Value) and item.tag:
            raise Unusable(
                f"has the tag {item.tag}, which Masthead does not know; write the value without a tag"
            )
        if setting.kind in _LISTS:
            return self._list(setting, item, written=written)
        raw = _raw(setting, item)
        is_script = isinstance(item, Value) and item.is_script
        expanded = raw if is_script else self._expand(raw)
        if setting.kind == "token":
            return self._token(setting, expanded, item.source, written=written, is_file=is_file)
        is_foreign = expanded is not raw or item.source.file.startswith(ENVIRONMENT)
        try:
            value = convert(setting, expanded)
        except Unusable as error:
            if is_foreign:  # what came from outside the file may be a token under the wrong key
                raise Unusable(
                    f"{str(error).rpartition(', is ')[0] or error} (the value is not shown)"
                ) from error
            raise
        if setting.kind == "boolean" and isinstance(raw, str) and not is_foreign:
            text = f"{written}: {raw!r} is text, taken as {str(value).lower()}; write it without quotes"
            self._problems.warn(item.source, text)
        return value

    def _list(self, setting: Setting, item: Value | Mapped, *, written: str) -> Any:
        """Read a list of mappings, whose texts are the stage's: only names that the environment has are replaced."""
        try:
            return _LISTS[setting.kind](
                plain(item, self._expand_known),
                lambda text: self._problems.warn(item.source, f"{written}{text}"),
            )
        except Misread as error:
            text = str(error)
            raise Unusable(text if not text.startswith("[") else f"entry {text}") from error

    def _expand_known(self, text: str) -> str:
        def known(found: re.Match[str]) -> str:
            names = found[1], re.sub(r"[.-]", "_", found[1]).upper()
            return next((self._environ[name] for name in names if name in self._environ), found[0])

        return _INNERMOST.sub(known, text)

    def _expand(self, raw: Any) -> Any:
        if not isinstance(raw, str):
            return raw
        for _ in range(_ROUNDS):
            if not _INNERMOST.search(raw):
                break
            raw = _INNERMOST.sub(self._looked_up, raw)
        if "${" in raw:
            raise Unusable("holds ${ without a name and a closing brace; write ${NAME} or ${NAME:default}")
        return raw

    def _looked_up(self, found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        spelled = re.sub(r"[.-]", "_", name).upper()
        value = self._environ.get(name, self._environ.get(spelled, default))
        if value is None:
            raise Unusable(f"the placeholder ${{{name}}} has no value; set {spelled if '.' in name or '-' in name else name} or write ${{{name}:default}}")  # fmt: skip
        return value

    def _token(self, setting: Setting, raw: Any, place: Source, *, written: str, is_file: bool) -> Any:
        if raw is None or raw == "":
            return None
        if not isinstance(raw, str):
            raise Unusable("must be text; put it in quotes")
        if raw.startswith(_SECRET_STORES):
            self._problems.warn(
                place,
                f"{written}: names Spinnaker's secret store, which Masthead does not read; taken as not given. "
                "Give the token by PAGERDUTY_TOKEN or by token-file",
            )
            self.elsewhere[setting.key] = place
            return _SKIPPED
        source = _token_file(raw, place) if is_file else _literal_token(raw)
        if doubt := token_doubt(source.read().reveal() if is_file else raw):
            self._problems.warn(place, f"{written}: {doubt}; put the token alone in its place")
        return source


_SKIPPED = object()
_LISTS: Mapping[str, Callable[[Any, Callable[[str], None]], Any]] = {
    "webhooks": preconfigured,
    "requests": allowed_requests,
}


def _raw(setting: Setting, item: Value | Mapped) -> Any:
    if isinstance(item, Mapped):
        return {key: value.value if isinstance(value, Value) else {} for key, value in item}
    is_number = isinstance(item.value, int | float) and not isinstance(item.value, bool)
    return item.text if item.text and is_number and setting.kind in ("token", "text") else item.value


def _literal_token(raw: str) -> TokenSource:
    token = raw.strip()
    if set(token) == {"*"}:
        raise Unusable(placeholder_message("").removeprefix(": "))
    if problem := token_problem(token):
        raise Unusable(f"{problem}; put the token alone in its place")
    return TokenSource(literal=Secret(token))


def _token_file(text: str, place: Source) -> TokenSource:
    path = Path(text).expanduser()
    if not path.is_absolute() and place.line:
        path = Path(place.file).parent / path
    source = TokenSource(file=path)
    try:
        source.read()
    except ConfigurationInvalid as error:
        raise Unusable(error.message) from error
    return source
