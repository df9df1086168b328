"""``accounts:`` in masthead.yml: several PagerDuty accounts, by name or as a list whose entries have a name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from masthead.config.given import Gathered
from masthead.config.tree import Mapped, Problems, Source, Value, fold

__all__ = ["ACCOUNTS", "AccountBlock", "read_accounts"]

#: The section's key.
ACCOUNTS = "accounts"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_FORM = "must be accounts by name, for example {eu: {region: eu, token: …}}"


@dataclass(frozen=True)
class AccountBlock:
    """The settings of one account, as they stand in a file."""

    name: str
    block: Mapped
    #: Keys that are none of its settings.
    skipped: Collection[str] = ()


def read_accounts(
    section: str, item: Value | Mapped, gathered: Gathered, problems: Problems
) -> Iterator[AccountBlock]:
    """Give the accounts of one file, each made known to *gathered*; what is wrong is told.

    Args:
        section: The section's key as it is written.
        item: What stands below it.
        gathered: Takes the accounts' names.
        problems: Takes what is wrong.
    """
    seen: dict[str, Source] = {}
    for found, place in _listed(section, item, problems):
        folded = fold(found.name)
        known = next((one for one in gathered.accounts if fold(one) == folded and one != found.name), None)
        if not _NAME.fullmatch(found.name):
            problems.error(
                place,
                f"{section}: the name of an account begins with a letter and has letters, digits, - and _ only, "
                "40 at most",
            )
        elif folded in seen:
            problems.error(
                place,
                f"{section}.{found.name}: is the same account as in line {seen[folded].line}; merge the two into one",
            )
        elif known is not None:
            problems.error(
                place,
                f"{section}.{found.name}: is called {known} in {gathered.accounts[known]}; use one spelling",
            )
        else:
            if found.name not in gathered.accounts:
                gathered.add_account(found.name, place)
            yield found
        seen.setdefault(folded, place)


def _listed(section: str, item: Value | Mapped, problems: Problems) -> Iterator[tuple[AccountBlock, Source]]:
    if isinstance(item, Mapped):
        for name, block in item:
            if isinstance(block, Mapped):
                yield AccountBlock(name, block), item.place(name)
            else:
                problems.error(item.place(name), f"{section}.{name}: must be a mapping of settings")
    elif item.parts or isinstance(item.value, list):
        for part in item.parts:
            named = part.get("name") if isinstance(part, Mapped) else None
            if isinstance(part, Mapped) and isinstance(named, Value) and isinstance(named.value, str):
                skipped = [key for key, _ in part if fold(key) == "name"]
                yield AccountBlock(named.value, part, skipped), named.source
            else:
                problems.error(
                    part.source, f"{section}: each account of the list needs a name and its settings"
                )
    elif item.value is not None:
        problems.error(item.source, f"{section}: {_FORM}")
