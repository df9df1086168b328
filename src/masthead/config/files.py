"""Which kind of file it is, and where in it the blocks stand that mean something to us.

A manifest is known by its ``spec``, Spinnaker's profiles and Deck's script by their names, Masthead's own file by
its sections. What belongs to others (other services' profiles, other Kubernetes objects) passes quietly.
"""

from __future__ import annotations

from pathlib import Path

from masthead.config.accounts import ACCOUNTS
from masthead.config.blocks import PAGER_DUTY, PROFILES, SERVICES, Blocks
from masthead.config.convert import described
from masthead.config.given import Gathered
from masthead.config.javascript import read_settings_local
from masthead.config.settings import SECTIONS
from masthead.config.tree import Mapped, Problems, Value, fold
from masthead.config.yaml_file import EMPTY, read_documents

__all__ = ["Files"]

_API_VERSIONS = ("spinnaker.io/v1alpha2", "spinnaker.armory.io/v1alpha2")
_KIND = "SpinnakerService"
_MANIFEST = ("apiVersion", "kind", "metadata", "spec", "status")
#: Spinnaker's other services: their profiles hold nothing for us.
_OTHERS = (
    "clouddriver", "deck", "fiat", "igor", "kayenta", "rosco", "spinnaker", "terraformer", "dinghy",
)  # fmt: skip
#: Real manifests have all kinds of things there. In ``spinnaker``, which all services of Spinnaker read, the block has a meaning for them.
_QUIET = {*PROFILES, *_OTHERS} - {"spinnaker"}
_OURS = "masthead"
#: No configuration is larger; a wrong path may be.
_LARGEST = 10_000_000


class Files:
    """Reads files of every kind into one :class:`Gathered`."""

    def __init__(self, gathered: Gathered, problems: Problems) -> None:
        self._problems = problems
        self._blocks = Blocks(gathered, problems)

    def read(self, path: Path) -> None:
        """Read one file; what is wrong with it is told, never raised."""
        text = self._text(path)
        if text is None:
            return
        if path.suffix.lower() == ".js":
            self._blocks.deck(read_settings_local(text, str(path), self._problems))
            return
        documents = read_documents(text, str(path), self._problems)
        kinds = [_kind(path, document) for document in documents]
        for document, kind in zip(documents, kinds, strict=True):
            self._document(path, document, kind, is_alone=not set(kinds) - {"unknown", "foreign"})
        if documents and set(kinds) == {"foreign"}:
            self._problems.warn(
                str(path), f"holds nothing for Masthead: no {_KIND}, no profile of Echo, Gate or Deck"
            )

    def _text(self, path: Path) -> str | None:
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
            text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            self._problems.error(str(path), "not UTF-8 text; save it as UTF-8")
        except OSError as error:
            self._problems.error(
                str(path), f"cannot be read: {error.strerror}; check the path and its permissions"
            )
        else:
            if len(content) > _LARGEST:
                self._problems.error(str(path), "larger than 10 MB, as no configuration is; check the path")
            elif text.strip():
                return text
            else:
                self._problems.error(str(path), EMPTY)
        return None

    def _document(self, path: Path, document: Mapped, kind: str, *, is_alone: bool) -> None:
        if kind != "foreign":
            self._prose_keys(document)
        if kind == "manifest":
            self._manifest(document)
        elif kind == "profile":
            self._blocks.profile(_name(path), document)
        elif kind == "own":
            self._blocks.own(document)
        elif kind == "unknown" and is_alone:
            self._problems.error(document.source, _unknown_remedy(document))
        elif kind == "unknown":
            self._problems.warn(document.source, "this document is none that Masthead knows, and is skipped")

    def _prose_keys(self, mapped: Mapped) -> None:
        for key, _ in mapped:
            if len(key.split()) > 1:
                self._problems.error(
                    mapped.place(key), "this is prose, pasted along with the example; remove this line"
                )

    def _manifest(self, document: Mapped) -> None:
        version, kind = document.get("apiVersion"), document.get("kind")
        if isinstance(version, Value) and version.value not in _API_VERSIONS:
            self._problems.warn(
                version.source, f"apiVersion: {version.value} is none of {', '.join(_API_VERSIONS)}"
            )
        if isinstance(kind, Value) and kind.value != _KIND:
            self._problems.warn(kind.source, f"kind: {kind.value} is not {_KIND}; read all the same")
        for key, _ in document:
            if key not in _MANIFEST and fold(key) != "spec" and len(key.split()) == 1:
                self._blocks.unknown(document.place(key), key, key, _MANIFEST)
        self._spec(document)

    def _spec(self, document: Mapped) -> None:
        here: Value | Mapped | None = document
        found: Value | Mapped = document
        for step in ("spec", "spinnakerConfig", "profiles"):
            if isinstance(here, Mapped):
                self._blocks.twins(here, only=(step,))
                if here is not document:
                    self._prose_keys(here)
                here = here.get(step)
                found = here or found
            else:
                here = None
        if here is None or (isinstance(here, Value) and here.value is None):
            self._problems.warn(
                found.source,
                "spec.spinnakerConfig.profiles: missing or empty, so nothing is read from here; "
                "look whether echo, gate and deck are indented below it",
            )
        elif isinstance(here, Mapped):
            self._profiles(here)
        else:
            self._problems.error(here.source, "spec.spinnakerConfig.profiles: must be a mapping of services")

    def _profiles(self, profiles: Mapped) -> None:
        self._prose_keys(profiles)
        self._blocks.twins(profiles, only=PROFILES)
        for service in PROFILES:
            profile = profiles.get(service)
            if isinstance(profile, Mapped):
                self._blocks.profile(service, profile)
            elif profile is not None and profile.value is not None:
                what = f"profiles.{service}: must be a mapping, is {described(profile.value)}"
                self._problems.error(profile.source, what)
        for name, profile in profiles:
            if fold(name.partition(".")[0]) == PAGER_DUTY:
                self._problems.warn(
                    profiles.place(name),
                    f"profiles.{name}: stands beside the services and is ignored; indent it below echo: or gate:",
                )
            elif isinstance(profile, Mapped) and fold(name) not in _QUIET:
                self._blocks.misplaced(name, profile)


def _kind(path: Path, document: Mapped) -> str:
    """Give what a document is: manifest, profile, own, foreign (somebody else's, surely) or unknown."""
    name, kind = _name(path), document.get("kind")
    if document.get("spec", "spinnakerConfig") is not None:
        return "manifest"
    if (
        isinstance(kind, Value)
        and kind.value != _KIND
        and (document.get("apiVersion") or name not in SERVICES)
    ):
        return "foreign"
    if document.get("spec") is not None:
        return "manifest"
    if name in (*SERVICES, "front50", "orca"):
        return "profile"
    if name in _OTHERS:
        return "foreign"
    is_own = name == _OURS or any(fold(key) in (*SECTIONS, ACCOUNTS) for key, _ in document)
    return "own" if is_own else "unknown"


def _name(path: Path) -> str:
    return path.stem.partition("-")[0].lower()


def _unknown_remedy(document: Mapped) -> str:
    for key, _ in document:
        if fold(key) in ("spinnakerconfig", "profiles"):
            above = "spec" if fold(key) == "spinnakerconfig" else "spec.spinnakerConfig"
            return f"{key}: a manifest has it below {above}; put the lines above it, and indent it"
        if fold(key.partition(".")[0]) == PAGER_DUTY:
            return (
                f"{key}: Echo and Gate both have this block; name the file echo.yml or gate.yml, "
                "or put it below spec.spinnakerConfig.profiles.echo or .gate"
            )
    return (
        "not a configuration that Masthead knows; name a profile echo.yml or gate.yml, begin a manifest with "
        f"`spec:`, or use the sections of masthead.yml: {', '.join((*SECTIONS, ACCOUNTS))}"
    )
