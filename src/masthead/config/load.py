"""From files and the environment to settings: what kind of file it is, which key means what, who wins."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from masthead.config.convert import Unusable, convert
from masthead.config.javascript import read_settings_local
from masthead.config.settings import SECTIONS, Settings, TokenSource, all_settings
from masthead.config.tree import Mapped, Problems, Source, Value, fold
from masthead.config.yaml_file import read_documents
from masthead.kernel.errors import ConfigurationInvalid
from masthead.kernel.secret import Secret

__all__ = ["Given", "Loaded", "Source", "load"]

_API_VERSIONS = ("spinnaker.io/v1alpha2", "spinnaker.armory.io/v1alpha2")
#: Our meaning of the keys in the blocks that Spinnaker's services have, by folded key (compat 1.12).
_BLOCKS: Mapping[str, Mapping[str, str]] = {
    "echo": {"enabled": "events.enabled", "endpoint": "events.endpoint", "token": "events.token"},
    "gate": {"enabled": "rest.enabled", "baseurl": "rest.baseUrl", "token": "rest.token"},
}
_DECK: Mapping[tuple[str, str], str] = {
    ("feature", "pagerDuty"): "deck.featurePagerDuty",
    ("pagerDuty", "accountName"): "deck.accountName",
    ("pagerDuty", "defaultSubject"): "deck.defaultSubject",
    ("pagerDuty", "defaultDetails"): "deck.defaultDetails",
    ("pagerDuty", "required"): "deck.required",
}
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.]*)(?::([^}]*))?\}")
_FILE_SUFFIX = "file"


@dataclass(frozen=True)
class Given:
    """A setting's value as it stood somewhere."""

    key: str
    value: Any
    source: Source


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
    reader = _Reader(environ, problems)
    for path in files:
        reader.read_file(path)
    reader.read_environment()
    settings = reader.build()
    _check(settings, reader, problems)
    if problems.errors:
        raise ConfigurationInvalid("\n".join(dict.fromkeys(problems.errors)))
    return Loaded(settings, reader.given, tuple(dict.fromkeys(problems.warnings)), _missing(settings))


class _Reader:
    def __init__(self, environ: Mapping[str, str], problems: Problems) -> None:
        self._environ = environ
        self._problems = problems
        self._settings = {fold(setting.key): setting for setting in all_settings()}
        self.given: dict[str, list[Given]] = {}

    def read_file(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            self._problems.error(str(path), "not UTF-8 text; save it as UTF-8")
            return
        except OSError as error:
            self._problems.error(
                str(path), f"cannot be read: {error.strerror}; check the path and its permissions"
            )
            return
        if not text.strip():
            self._problems.error(
                str(path), "empty: write the PagerDuty blocks into it, or leave the file out"
            )
        elif path.suffix == ".js":
            self._deck(read_settings_local(text, str(path), self._problems))
        else:
            for document in read_documents(text, str(path), self._problems):
                self._document(path, document)

    def _document(self, path: Path, document: Mapped) -> None:
        if (spec := document.get("spec")) is not None:
            self._manifest(document, spec)
        elif (service := path.stem.partition("-")[0].lower()) in _BLOCKS:
            self._profile(service, document)
        elif any(fold(key) in SECTIONS for key, _ in document):
            self._own(document)
        else:
            self._problems.error(
                document.source,
                "not a configuration that Masthead knows; name a profile echo.yml or gate.yml, begin a manifest with "
                f"`spec:`, or use the sections of masthead.yml: {', '.join(SECTIONS)}",
            )

    def _manifest(self, document: Mapped, spec: Value | Mapped) -> None:
        version = document.get("apiVersion")
        if isinstance(version, Value) and version.value not in _API_VERSIONS:
            self._problems.warn(
                version.source, f"apiVersion {version.value} is none of {', '.join(_API_VERSIONS)}"
            )
        profiles = spec.get("spinnakerConfig", "profiles") if isinstance(spec, Mapped) else None
        if profiles is None:
            self._problems.warn(
                spec.source, "spec.spinnakerConfig.profiles is missing, so nothing is read from here"
            )
            return
        if not isinstance(profiles, Mapped):
            self._problems.error(
                profiles.source, "spec.spinnakerConfig.profiles: must be a mapping of services"
            )
            return
        for service in _BLOCKS:
            block = profiles.get(service)
            if isinstance(block, Mapped):
                self._profile(service, block)
            elif block is not None and block.value is not None:
                self._problems.error(
                    block.source, f"profiles.{service}: must be a mapping, is {block.value!r}"
                )
        script = profiles.get("deck", "settings-local.js")
        if isinstance(script, Value):
            self._script(script)
        elif isinstance(script, Mapped):
            self._problems.error(
                script.source,
                "settings-local.js: must be text; write `settings-local.js: |` and indent the script below it",
            )

    def _script(self, script: Value) -> None:
        text = str(script.value or "")
        if script.style == "" and re.search(r"(?<!:)//", text):
            self._problems.error(
                script.source,
                "settings-local.js: YAML folds these lines into one, so the // comment swallows what follows; "
                "write `settings-local.js: |` and keep the script indented below it",
            )
            return
        first = script.source.line + (1 if script.style == "|" else 0)
        self._deck(read_settings_local(text, script.source.file, self._problems, first_line=first))

    def _deck(self, settings: Mapped) -> None:
        for path, key in _DECK.items():
            found = settings.get(*path)
            if isinstance(found, Value):
                self._give(key, found)

    def _profile(self, service: str, profile: Mapped) -> None:
        block = profile.get("pagerDuty")
        if block is None:
            return
        if not isinstance(block, Mapped):
            self._problems.error(
                block.source, f"{service}.pagerDuty: must be a mapping with enabled and token"
            )
            return
        known = _BLOCKS[service]
        for name, item in block:
            if fold(name) in known:
                self._give(known[fold(name)], item)
            elif fold(name) == f"token{_FILE_SUFFIX}":
                self._give(known["token"], item, is_file=True)
            else:
                self._unknown(item.source, name, [*known, "token-file"])

    def _own(self, document: Mapped) -> None:
        for section, block in document:
            if not isinstance(block, Mapped):
                self._problems.error(block.source, f"{section}: must be a mapping of settings")
                continue
            for name, item in block:
                is_file = fold(name).endswith(_FILE_SUFFIX) and fold(name) == f"token{_FILE_SUFFIX}"
                key = f"{section}.{'token' if is_file else name}"
                if fold(key) in self._settings:
                    self._give(key, item, is_file=is_file)
                else:
                    names = [s.key for s in self._settings.values() if s.section == section.lower()]
                    self._unknown(item.source, f"{section}.{name}", names)

    def read_environment(self) -> None:
        token = self._environ.get("PAGERDUTY_TOKEN")
        if token:
            source = Source("environment variable PAGERDUTY_TOKEN")
            for key in ("events.token", "rest.token"):
                self._give(key, Value(token, source))
            if not self.given.get("rest.enabled"):
                self._give("rest.enabled", Value(value=True, source=source))
        for setting in self._settings.values():
            for suffix in ("", "_FILE") if setting.kind == "token" else ("",):
                name = setting.variable + suffix
                if name in self._environ:
                    value = Value(
                        self._environ[name], Source(f"environment variable {name}"), style="environment"
                    )
                    self._give(setting.key, value, is_file=bool(suffix))

    def _give(self, key: str, item: Value | Mapped, *, is_file: bool = False) -> None:
        setting = self._settings[fold(key)]
        try:
            raw = (
                {k: v.value for k, v in item if isinstance(v, Value)}
                if isinstance(item, Mapped)
                else item.value
            )
            raw = self._expand(raw)
            value = (
                self._token(raw, is_file=is_file, place=item.source)
                if setting.kind == "token"
                else convert(setting, raw)
            )
        except Unusable as error:
            self._problems.error(item.source, f"{setting.key}: {error}")
            return
        if setting.kind == "boolean" and isinstance(raw, str) and getattr(item, "style", "") != "environment":
            self._problems.warn(item.source, f"{setting.key}: {raw!r} is text, taken as {str(value).lower()}")
        self.given.setdefault(setting.key, []).append(Given(setting.key, value, item.source))

    def _expand(self, raw: Any) -> Any:
        if not isinstance(raw, str):
            return raw

        def replaced(found: re.Match[str]) -> str:
            name, default = found[1], found[2]
            value = self._environ.get(name, default)
            if value is None:
                raise Unusable(
                    f"the placeholder ${{{name}}} has no value; set {name} or write ${{{name}:default}}"
                )
            return value

        return _PLACEHOLDER.sub(replaced, raw)

    def _token(self, raw: Any, *, is_file: bool, place: Source) -> TokenSource | None:
        if raw is None or raw == "":
            return None
        if isinstance(raw, bool | float | dict | list):
            raise Unusable("must be text; put it in quotes")
        text = str(raw)
        if set(text) == {"*"}:
            raise Unusable("*** is a placeholder: put the real token in its place, in quotes")
        if not is_file:
            return TokenSource(literal=Secret(text))
        path = Path(text).expanduser()
        source = TokenSource(
            file=path if path.is_absolute() or not place.line else Path(place.file).parent / path
        )
        try:
            source.read()
        except ConfigurationInvalid as error:
            raise Unusable(error.message) from error
        return source

    def _unknown(self, source: Source, name: str, known: Sequence[str]) -> None:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
        self._problems.warn(source, f"{name}: unknown and ignored{hint}")

    def build(self) -> Settings:
        changed: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        for setting in self._settings.values():
            if values := self.given.get(setting.key):
                changed[setting.section][setting.name] = values[-1].value
        settings = Settings()
        return replace(
            settings,
            **{section: replace(getattr(settings, section), **values) for section, values in changed.items()},
        )


def _check(settings: Settings, reader: _Reader, problems: Problems) -> None:
    def place(key: str) -> Source | str:
        return reader.given[key][-1].source if reader.given.get(key) else "configuration"

    gave_gate = any(key.startswith("rest.") for key in reader.given)
    if settings.rest.enabled and settings.rest.token is None:
        problems.error(
            place("rest.enabled"),
            "gate.pagerDuty.token: Gate is enabled without a token; add `token:` (or token-file, or PAGERDUTY_TOKEN)",
        )
    if gave_gate and not settings.rest.enabled:
        problems.warn(place("rest.token"), "gate.pagerDuty.enabled: not true, so no services are listed")
    if settings.events.enabled and settings.events.token is None:
        problems.warn(place("events.enabled"), "echo.pager-duty.token: not set; sending events needs none")
    if settings.rest.token is not None and not settings.events.enabled:
        problems.warn(
            place("rest.token"),
            "echo.pager-duty.enabled: not true, so services are listed but nobody is paged",
        )
    if settings.events.enabled and not settings.deck.feature_pager_duty:
        problems.warn(
            place("deck.featurePagerDuty"),
            "feature.pagerDuty: not true in settings-local.js, so Deck shows no paging (the API pages all the same)",
        )


def _missing(settings: Settings) -> tuple[str, ...]:
    missing = []
    if not settings.events.enabled:
        missing.append(
            "Paging is off: set pager-duty.enabled: true in Echo's profile, or MASTHEAD_EVENTS_ENABLED=true."
        )
    if not settings.rest.enabled:
        missing.append(
            "PagerDuty's services are not listed: give a REST API token in Gate's profile (pagerDuty.token, enabled: true), "
            "or PAGERDUTY_TOKEN."
        )
    return tuple(missing)
