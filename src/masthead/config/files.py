"""Which kind of file it is, and which of its keys mean what.

A manifest is known by its ``spec``, Spinnaker's profiles and Deck's script by their names, Masthead's own file by
its sections. What belongs to others (other services' profiles, other Kubernetes objects) passes quietly.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from masthead.config.convert import described
from masthead.config.given import Gathered
from masthead.config.javascript import has_swallowing_comment, read_settings_local
from masthead.config.settings import SECTIONS
from masthead.config.tree import Mapped, Problems, Source, Value, fold
from masthead.config.yaml_file import EMPTY, read_documents

__all__ = ["Files"]

_API_VERSIONS = ("spinnaker.io/v1alpha2", "spinnaker.armory.io/v1alpha2")
_KIND = "SpinnakerService"
#: Our meaning of the keys in the blocks that Spinnaker's services have, by folded key (compat 1.12).
_BLOCKS: Mapping[str, Mapping[str, str]] = {
    "echo": {"enabled": "events.enabled", "endpoint": "events.endpoint", "token": "events.token"},
    "gate": {"enabled": "rest.enabled", "baseurl": "rest.baseUrl", "token": "rest.token"},
}
_BLOCK_WORDS = {
    "echo": ("enabled", "endpoint", "token", "token-file"),
    "gate": ("enabled", "base-url", "token", "token-file"),
}
_DECK: Mapping[str, Mapping[str, str]] = {
    "feature": {"pagerDuty": "deck.featurePagerDuty"},
    "pagerDuty": {
        "accountName": "deck.accountName",
        "defaultSubject": "deck.defaultSubject",
        "defaultDetails": "deck.defaultDetails",
        "required": "deck.required",
    },
}
#: Spinnaker's other services: their profiles hold nothing for us.
_OTHERS = (
    "clouddriver", "deck", "fiat", "front50", "igor", "kayenta", "orca", "rosco", "spinnaker", "terraformer", "dinghy",
)  # fmt: skip
_OURS = "masthead"
_PD = "pagerduty"
_TOKEN_FILE = "tokenfile"  # noqa: S105 - a key's name
_SCRIPT_REMEDY = "write `settings-local.js: |` and keep the script indented below it"


class Files:
    """Reads files of every kind into one :class:`Gathered`."""

    def __init__(self, gathered: Gathered, problems: Problems) -> None:
        self._gathered = gathered
        self._problems = problems

    def read(self, path: Path) -> None:
        """Read one file; what is wrong with it is told, never raised."""
        text = self._text(path)
        if text is None:
            return
        if path.suffix.lower() == ".js":
            self._deck(read_settings_local(text, str(path), self._problems))
            return
        documents = read_documents(text, str(path), self._problems)
        ours = [document for document in documents if self._document(path, document)]
        if documents and not ours:
            self._problems.warn(
                str(path), f"holds nothing for Masthead: no {_KIND}, no profile of Echo, Gate or Deck"
            )

    def _text(self, path: Path) -> str | None:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            self._problems.error(str(path), "not UTF-8 text; save it as UTF-8")
        except OSError as error:
            self._problems.error(
                str(path), f"cannot be read: {error.strerror}; check the path and its permissions"
            )
        else:
            if text.strip():
                return text
            self._problems.error(str(path), EMPTY)
        return None

    def _document(self, path: Path, document: Mapped) -> bool:
        """Read one document; whether it was for us."""
        self._prose_keys(document)
        name = path.stem.partition("-")[0].lower()
        kind = document.get("kind")
        if isinstance(kind, Value) and document.get("apiVersion") and kind.value != _KIND:
            return False
        if (spec := document.get("spec")) is not None:
            self._manifest(document, spec)
        elif name in _BLOCKS:
            self._profile(name, document)
        elif name in _OTHERS:
            return False
        elif name == _OURS or any(fold(key) in SECTIONS for key, _ in document):
            self._own(document)
        else:
            self._problems.error(
                document.source,
                "not a configuration that Masthead knows; name a profile echo.yml or gate.yml, begin a manifest with "
                f"`spec:`, or use the sections of masthead.yml: {', '.join(SECTIONS)}",
            )
        return True

    def _prose_keys(self, document: Mapped) -> None:
        for key, _ in document:
            if len(key.split()) > 1:
                self._problems.error(
                    document.place(key), "this is prose, pasted along with the example; remove this line"
                )

    def _manifest(self, document: Mapped, spec: Value | Mapped) -> None:
        version = document.get("apiVersion")
        if isinstance(version, Value) and version.value not in _API_VERSIONS:
            self._problems.warn(
                version.source, f"apiVersion: {version.value} is none of {', '.join(_API_VERSIONS)}"
            )
        profiles = spec.get("spinnakerConfig", "profiles") if isinstance(spec, Mapped) else None
        if profiles is None or (isinstance(profiles, Value) and profiles.value is None):
            self._problems.warn(
                (profiles or spec).source,
                "spec.spinnakerConfig.profiles: missing or empty, so nothing is read from here; "
                "look whether echo, gate and deck are indented below it",
            )
        elif not isinstance(profiles, Mapped):
            self._problems.error(
                profiles.source, "spec.spinnakerConfig.profiles: must be a mapping of services"
            )
        else:
            self._profiles(profiles)

    def _profiles(self, profiles: Mapped) -> None:
        for service in (*_BLOCKS, "deck"):
            profile = profiles.get(service)
            if isinstance(profile, Mapped):
                self._profile(service, profile)
            elif profile is not None and profile.value is not None:
                what = f"profiles.{service}: must be a mapping, is {described(profile.value)}"
                self._problems.error(profile.source, what)

    def _profile(self, service: str, profile: Mapped) -> None:
        if service == "deck":
            self._script(profile.get("settings-local.js"))
            return
        self._twins(profile, only=_PD)
        for name, item in profile:
            head, _, rest = name.partition(".")
            if fold(head) != _PD:
                continue
            if rest:
                self._entry(service, rest, item, profile.place(name))
            elif isinstance(item, Mapped):
                self._twins(item)
                self._exclusive(item, f"{service}.pagerDuty")
                for key, value in item:
                    self._entry(service, key, value, item.place(key))
            elif item.value is None:
                self._problems.warn(item.source, f"{service}.pagerDuty: empty, so it means nothing")
            else:
                self._problems.error(
                    item.source, f"{service}.pagerDuty: must be a mapping with enabled and token"
                )

    def _entry(self, service: str, name: str, item: Value | Mapped, place: Source) -> None:
        known = _BLOCKS[service]
        if fold(name) in known:
            self._gathered.give(known[fold(name)], item)
        elif fold(name) == _TOKEN_FILE:
            self._gathered.give(known["token"], item, is_file=True)
        else:
            self._unknown(place, f"{service}.pagerDuty", name, _BLOCK_WORDS[service])

    def _own(self, document: Mapped) -> None:
        self._twins(document)
        for section, block in document:
            if fold(section) not in SECTIONS:
                self._unknown(document.place(section), "", section, tuple(SECTIONS))
            elif isinstance(block, Mapped):
                self._section(fold(section), block)
            elif block.value is not None:
                self._problems.error(block.source, f"{section}: must be a mapping of settings")

    def _section(self, section: str, block: Mapped) -> None:
        self._twins(block)
        self._exclusive(block, section)
        known = {
            key: setting for key, setting in self._gathered.settings.items() if setting.section == section
        }
        for name, item in block:
            is_file = fold(name) == _TOKEN_FILE and f"{section}.token" in known
            key = f"{section}.token" if is_file else f"{section}.{name}"
            if fold(key) in known:
                self._gathered.give(key, item, is_file=is_file)
            else:
                words = tuple(setting.key.partition(".")[2] for setting in known.values())
                self._unknown(block.place(name), section, name, words)

    def _script(self, script: Value | Mapped | None) -> None:
        if isinstance(script, Mapped):
            self._problems.error(script.source, f"settings-local.js: must be text; {_SCRIPT_REMEDY}")
        elif script is not None and script.value is not None:
            self._script_text(script)

    def _script_text(self, script: Value) -> None:
        here = script.source
        if script.style != "|" and (row := has_swallowing_comment(script.raw)) is not None:
            self._problems.error(
                Source(here.file, here.line + row),
                "settings-local.js: YAML folds these lines into one, so the // comment swallows what follows; "
                + _SCRIPT_REMEDY,
            )
            return
        first = here.line + (1 if script.style in ("|", ">") else 0)
        self._deck(read_settings_local(str(script.value), here.file, self._problems, first_line=first))

    def _deck(self, settings: Mapped) -> None:
        for block, known in _DECK.items():
            found = settings.items.get(block)
            if not isinstance(found, Mapped):
                continue
            for name, item in found:
                if name in known:
                    self._gathered.give(known[name], item)
                elif block == "pagerDuty" or fold(name) == _PD:
                    self._unknown(found.place(name), block, name, tuple(known))

    def _twins(self, block: Mapped, *, only: str = "") -> None:
        """Refuse two spellings of one key side by side: which one wins would be anybody's guess."""
        seen: dict[str, str] = {}
        for name, _ in block:
            first = seen.setdefault(fold(name), name)
            if first != name and only in ("", fold(name)):
                self._problems.error(
                    block.place(name),
                    f"{name}: is the same key as {first} in line {block.place(first).line}; merge the two into one",
                )

    def _exclusive(self, block: Mapped, path: str) -> None:
        names = {fold(name): name for name, _ in block}
        if "token" in names and _TOKEN_FILE in names:
            self._problems.error(
                block.place(names[_TOKEN_FILE]),
                f"{path}.{names[_TOKEN_FILE]}: token is given too, in line {block.place(names['token']).line}; keep one",
            )

    def _unknown(self, place: Source, path: str, name: str, known: Sequence[str]) -> None:
        near = _nearest(name, known)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
        shown = f"{path}.{name}" if path else name
        self._problems.warn(place, f"{shown}: unknown and ignored; {hint}")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    folded = {fold(word): word for word in known}
    near = difflib.get_close_matches(fold(name), list(folded), n=1)
    return folded[near[0]] if near else None
