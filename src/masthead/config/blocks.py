"""The keys inside the blocks that mean something to us: PagerDuty's in Spinnaker's profiles, and our own sections."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from masthead.config.accounts import ACCOUNTS, AccountBlock, read_accounts
from masthead.config.given import Gathered
from masthead.config.javascript import has_swallowing_comment, read_settings_local
from masthead.config.settings import SECTIONS, account_settings, all_settings
from masthead.config.tree import Mapped, Problems, Source, Value, fold

__all__ = ["PAGER_DUTY", "PROFILES", "SERVICES", "Blocks"]

#: Our meaning of the keys in the blocks that Spinnaker's services have, as the seed spells them (compat 1.12).
SERVICES: Mapping[str, Mapping[str, str]] = {
    "echo": {"enabled": "events.enabled", "endpoint": "events.endpoint", "token": "events.token"},
    "gate": {"enabled": "rest.enabled", "base-url": "rest.baseUrl", "token": "rest.token"},
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
#: Front50's rule for names of applications (compat 3.1), folded.
_FRONT50: Mapping[str, str] = {
    fold(f"validation.application-name-validator.{name}"): key
    for name, key in (
        ("validation-regex", "applications.nameRegex"),
        ("validation-message", "applications.nameMessage"),
    )
}
_DEEPEST_FRONT50 = 3
#: Echo's scheduler (compat 4.12), folded.
_SCHEDULER: Mapping[str, str] = {fold("scheduler.cron.timezone"): "scheduler.timeZone"}
#: Orca's execution windows (compat 4.5.3), folded.
_WINDOWS: Mapping[str, str] = {fold("tasks.execution-window.timezone"): "executions.windowTimeZone"}
_DEEPEST_ORCA = 4
_RESTRICTIONS = fold("user-configured-url-restrictions")
_OF_ORCA = ("urls", "webhook")
_IGNORED = ""
#: Without these what stands beside them means nothing.
_ORCA_SWITCHES = frozenset({"webhook.trust.enabled", "webhook.identity.enabled"})
#: Orca's keys that are called otherwise here, or mean nothing here; the others have the names of our settings.
_ORCA_OTHERS = {
    "stage.enabled": "webhook.enabled",
    "connect-timeout-ms": "webhook.connectTimeoutSeconds",
    "read-timeout-ms": "webhook.readTimeoutSeconds",
    "trust.enabled": _IGNORED,
    "trust.trust-store": "webhook.trustPem",
    "trust.trust-pem": "webhook.trustPem",
    "trust.trust-store-type": _IGNORED,
    "trust.trust-store-password": _IGNORED,
    "identity.enabled": _IGNORED,
    "identity.identity-store": "webhook.identityCertPem",
    "identity.identity-store-type": _IGNORED,
    "identity.identity-store-password": _IGNORED,
    "identity.identity-store-key-password": "webhook.identityKeyPassword",
    "identity.identity-cert-pem": "webhook.identityCertPem",
    "identity.identity-key-pem": "webhook.identityKeyPem",
    "verify-redirects": _IGNORED,
    "audit-logging-enabled": _IGNORED,
    "event-logging-enabled": _IGNORED,
    "event-logging-verbose": _IGNORED,
    "require-account": _IGNORED,
    "validate-account": _IGNORED,
    "include-additional-headers": _IGNORED,
}


def _names(section: str) -> dict[str, str]:
    return {fold(one.key.partition(".")[2]): one.key for one in all_settings() if one.section == section}


_ORCA: Mapping[str, Mapping[str, str]] = {
    _RESTRICTIONS: _names("urls")
    | {
        fold(f"http-client-properties.{name}"): _IGNORED
        for name in ("enable-retry", "max-retry-attempts", "retry-interval", "timeout-millis")
    },
    "webhook": _names("webhook") | {fold(name): key for name, key in _ORCA_OTHERS.items()},
}
#: The services whose profiles are read.
PROFILES = (*SERVICES, "deck", "front50", "orca")
#: PagerDuty's block, folded.
PAGER_DUTY = "pagerduty"
#: How alike a key of a profile, which holds others' keys too, must be to it before it is called a slip.
_MISSPELLED = 0.8
_SCRIPT = "settings-local.js"
_SCRIPT_REMEDY = f"write `{_SCRIPT}: |` and keep the script indented below it"


@dataclass(frozen=True)
class _Entry:
    """One key of a block: its name there, its name for people, its value and its place."""

    name: str
    written: str
    item: Value | Mapped
    place: Source


class Blocks:
    """Reads blocks into one :class:`Gathered`; what is wrong with them is told, never raised."""

    def __init__(self, gathered: Gathered, problems: Problems) -> None:
        self._gathered = gathered
        self._problems = problems

    def profile(self, service: str, profile: Mapped) -> None:
        """Read the profile of Echo, Gate, Deck or Front50."""
        if service == "deck":
            self.twins(profile, only=(_SCRIPT,))
            self._script(profile.get(_SCRIPT))
            return
        if service == "front50":
            self._deep_keys(service, profile, _FRONT50)
            return
        if service == "orca":
            self._deep_keys(service, profile, _WINDOWS)
            self._orca(profile)
            return
        if service == "echo":
            self._deep_keys(service, profile, _SCHEDULER)
        self.twins(profile, only=(PAGER_DUTY,))
        self._take(list(self._profile_entries(service, profile)), SERVICES[service], f"{service}.pagerDuty")

    def misplaced(self, service: str, profile: Mapped) -> None:
        """Tell of PagerDuty's block and Deck's script below a *service* that we do not read; its name is mistyped, most likely."""
        for name, _ in profile:
            if fold(name.partition(".")[0]) == PAGER_DUTY:
                remedy = f"this block is read below {' and '.join(SERVICES)}"
            elif fold(name) == fold(_SCRIPT):
                remedy = "this script is read below deck"
            else:
                continue
            self._problems.warn(profile.place(name), f"profiles.{service}.{name}: ignored; {remedy}")

    def _deep_keys(self, service: str, profile: Mapped, keys: Mapping[str, str]) -> None:
        for path, item in _leaves(profile, deepest=_DEEPEST_FRONT50):
            if (key := keys.get(fold(path))) is not None:
                self._gathered.give(key, item, written=f"{service}.{path}")

    def own(self, document: Mapped) -> None:
        """Read our own sections."""
        self.twins(document)
        for name, block in document:
            if fold(name) == _RESTRICTIONS and isinstance(block, Mapped):
                self._section("urls", block)
            elif fold(name) == ACCOUNTS:
                for account in read_accounts(name, block, self._gathered, self._problems):
                    self._account(f"{name}.{account.name}", account)
            elif fold(name) not in SECTIONS:
                self.unknown(document.place(name), name, name, (*SECTIONS, ACCOUNTS))
            elif isinstance(block, Mapped):
                self._section(name, block)
            elif block.value is not None:
                self._problems.error(block.source, f"{name}: must be a mapping of settings")

    def _orca(self, profile: Mapped) -> None:
        """Read what Orca's profile says of webhooks and of the URLs that users give; the rest is not for us."""
        leaves = [
            leaf for leaf in _deep(profile, deepest=_DEEPEST_ORCA) if fold(leaf[0].partition(".")[0]) in _ORCA
        ]
        switched_on = {
            fold(path)
            for path, item, _ in leaves
            if fold(path) in _ORCA_SWITCHES and isinstance(item, Value) and item.value is True
        }
        for path, item, place in leaves:
            block, _, rest = path.partition(".")
            key = _ORCA[fold(block)].get(fold(rest))
            switch = f"{fold(path.rpartition('.')[0])}.enabled"
            if key is None:
                names = [one.key for one in self._gathered.settings.values() if one.section in _OF_ORCA]
                self.unknown(place, f"orca.{path}", rest, [name.partition(".")[2] for name in names])
            elif key != _IGNORED and (switch not in _ORCA_SWITCHES or switch in switched_on):
                self._give_orca(key, f"orca.{path}", item)

    def _give_orca(self, key: str, path: str, item: Value | Mapped) -> None:
        if isinstance(item, Value) and fold(path).endswith("timeoutms"):
            item = replace(item, value=f"{item.value}ms")
        elif isinstance(item, Value) and fold(path).endswith("bytes") and item.value == 0:
            return  # "any size" upstream: the default is large, and finite
        self._gathered.give(key, item, written=path)

    def deck(self, settings: Mapped) -> None:
        """Read what Deck's script assigns; its names are exact."""
        for block, known in _DECK.items():
            found = settings.items.get(block)
            if not isinstance(found, Mapped):
                continue
            for name, item in found:
                if name in known:
                    self._gathered.give(known[name], item, written=f"{block}.{name}")
                elif block == "pagerDuty" or fold(name) == PAGER_DUTY:
                    self.unknown(found.place(name), f"{block}.{name}", name, tuple(known))

    def twins(self, block: Mapped, *, only: Collection[str] = ()) -> None:
        """Refuse two spellings of one key side by side: which one wins would be anybody's guess."""
        folded = {fold(name) for name in only}
        self._refuse_twins(
            _Entry(name, name, item, block.place(name))
            for name, item in block
            if not folded or fold(name) in folded
        )

    def unknown(self, place: Source, written: str, name: str, known: Sequence[str]) -> None:
        """Tell that nobody knows *name* here, and which key may be meant."""
        near = _nearest(name, known)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
        self._problems.warn(place, f"{written}: unknown and ignored; {hint}")

    def _profile_entries(self, service: str, profile: Mapped) -> Iterator[_Entry]:
        is_read = False
        for name, item in profile:
            head, _, rest = name.partition(".")
            if fold(head) != PAGER_DUTY and _nearest(head, [PAGER_DUTY], cutoff=_MISSPELLED):
                self.unknown(profile.place(name), f"{service}.{name}", head, ["pager-duty"])
            if fold(head) != PAGER_DUTY or (is_read and not rest):
                continue
            is_read = is_read or not rest
            path = f"{service}.{name}"
            if rest:
                yield _Entry(rest, path, item, profile.place(name))
            elif isinstance(item, Mapped):
                yield from _entries(item, path)
            elif item.value is None:
                self._problems.warn(item.source, f"{path}: empty, so it means nothing")
            else:
                self._problems.error(item.source, f"{path}: must be a mapping with enabled and token")

    def _section(self, name: str, block: Mapped) -> None:
        settings = [one for one in self._gathered.settings.values() if one.section == fold(name)]
        known = {one.key.partition(".")[2]: one.key for one in settings}
        self._take(list(_entries(block, name)), known, name)

    def _account(self, path: str, account: AccountBlock) -> None:
        known = {one.key.rpartition(".")[2]: one.key for one in account_settings(account.name)}
        entries = [entry for entry in _entries(account.block, path) if entry.name not in account.skipped]
        self._take(entries, known, path)

    def _take(self, entries: Sequence[_Entry], known: Mapping[str, str], path: str) -> None:
        self._refuse_twins(entries)
        keys = {fold(name): key for name, key in known.items()}
        files = {
            f"{name}-file": key
            for name, key in known.items()
            if self._gathered.settings[fold(key)].kind == "token"
        }
        self._refuse_two_tokens(entries, files)
        keys_of_files = {fold(name): key for name, key in files.items()}
        for entry in entries:
            key = keys.get(fold(entry.name))
            if key is not None:
                self._gathered.give(key, entry.item, written=entry.written)
            elif (key := keys_of_files.get(fold(entry.name))) is not None:
                self._gathered.give(key, entry.item, written=entry.written, is_file=True)
            else:
                self.unknown(entry.place, f"{path}.{entry.name}", entry.name, (*known, *files))

    def _refuse_twins(self, entries: Iterable[_Entry]) -> None:
        seen: dict[str, _Entry] = {}
        for entry in entries:
            first = seen.setdefault(fold(entry.name), entry)
            if first is not entry:
                self._problems.error(
                    entry.place,
                    f"{entry.written}: is the same key as {first.written} in line {first.place.line}; "
                    "merge the two into one",
                )

    def _refuse_two_tokens(self, entries: Iterable[_Entry], files: Iterable[str]) -> None:
        names = {fold(entry.name): entry for entry in entries}
        for name in files:
            token, file = names.get(fold(name.removesuffix("-file"))), names.get(fold(name))
            if token and file:
                self._problems.error(
                    file.place,
                    f"{file.written}: {token.name} is given too, in line {token.place.line}; keep one",
                )

    def _script(self, script: Value | Mapped | None) -> None:
        if isinstance(script, Mapped):
            self._problems.error(script.source, f"{_SCRIPT}: must be text; {_SCRIPT_REMEDY}")
        elif script is not None and script.value is not None:
            self._script_text(script)

    def _script_text(self, script: Value) -> None:
        here = script.source
        if script.style != "|" and (row := has_swallowing_comment(script.raw)) is not None:
            self._problems.error(
                Source(here.file, here.line + row),
                f"{_SCRIPT}: YAML folds these lines into one, so the // comment swallows what follows; "
                + _SCRIPT_REMEDY,
            )
            return
        first = here.line + (1 if script.style in ("|", ">") else 0)
        self.deck(read_settings_local(str(script.value), here.file, self._problems, first_line=first))


def _entries(block: Mapped, path: str) -> Iterator[_Entry]:
    return (_Entry(name, f"{path}.{name}", item, block.place(name)) for name, item in block)


def _leaves(block: Mapped, above: str = "", *, deepest: int) -> Iterator[tuple[str, Value]]:
    """Give every value below *block* with its dotted path, *deepest* levels down: an alias may name what it is in."""
    for name, item in block:
        if isinstance(item, Mapped):
            if deepest:
                yield from _leaves(item, f"{above}{name}.", deepest=deepest - 1)
        else:
            yield f"{above}{name}", item


def _deep(block: Mapped, above: str = "", *, deepest: int) -> Iterator[tuple[str, Value | Mapped, Source]]:
    """Give every value and list below *block* with its dotted path and place, *deepest* levels down."""
    for name, item in block:
        if isinstance(item, Mapped) and deepest:
            yield from _deep(item, f"{above}{name}.", deepest=deepest - 1)
        else:
            yield f"{above}{name}", item, block.place(name)


def _nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    folded = {fold(word): word for word in known}
    near = difflib.get_close_matches(fold(name), list(folded), n=1, cutoff=cutoff)
    return folded[near[0]] if near else None
