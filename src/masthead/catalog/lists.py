"""Which lists make up the catalog, and how all of a list is got though an offset reaches only its first 10,000.

**Services.** A list that is cut is read again from the other end of its order (``sort_by=name:desc``): that alone
is certain up to 20,000. What lies between (an account may have 25,000) is asked for by team, and then by letter:
``query`` finds a part of a name, so that the letters and digits between them reach every name that holds one. No way of asking
is certain for every account, so none is trusted: PagerDuty's own total is what is counted against. As soon as
it is reached nothing more is asked; if it never is, the list is incomplete and says by how many.

**On-calls.** A list that is cut is asked for by escalation policy, fifty at a time, and counted in the same way.

Source: PagerDuty facts A.5 (offset plus limit at most 10,000), A.6 (parameters, limits).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty import Collected, RestReader

__all__ = ["oncall_identity", "read_oncalls", "read_services", "service_identity"]

Document = Mapping[str, Any]
Pairs = list[tuple[str, str]]

_INTEGRATIONS: Pairs = [("include[]", "integrations")]
#: Who is on call now and not later again: the first entry of a policy, level and user (facts A.6).
_NOW: Pairs = [("earliest", "true")]
_FROM_THE_END: Pairs = [("sort_by", "name:desc")]
_LETTERS = "etaoinsrlcdupmghybfvkwzxjq0123456789-_."
_POLICIES_AT_ONCE = 50
#: After so many parts that failed altogether, the others are left for the next refresh.
_MOST_MISSES = 3


def service_identity(document: Document) -> Hashable:
    """Say which service an entry is about."""
    return str(document.get("id"))


def oncall_identity(document: Document) -> Hashable:
    """Say whose place an entry is about: who fills the same place later replaces it."""
    ids = (_id(document.get(name)) for name in ("escalation_policy", "user", "schedule"))
    return (str(document.get("escalation_level")), *ids)


async def read_services(rest: RestReader) -> Collected:
    """Give every service with its integrations, each once.

    Raises:
        OutsideFailure: nothing came.
    """
    whole = _Union(await rest.collect("/services", "services", _INTEGRATIONS), service_identity)
    if whole.goes_on:
        await whole.extend(rest, "/services", "services", _INTEGRATIONS + _FROM_THE_END)
    teams = await _ids(rest, "/teams", "teams", whole) if whole.goes_on else []
    by_team = [("team_ids[]", team) for team in teams]
    by_letter = [("query", letter) for letter in _LETTERS]
    for part in by_team + by_letter:
        if not whole.goes_on:
            break
        await _both_ends(rest, [part], whole)
    return whole.result("services")


async def read_oncalls(rest: RestReader, policies: Iterable[str] = ()) -> Collected:
    """Give everybody who is on call now, each place once.

    Args:
        rest: Where to read.
        policies: Ids of escalation policies that are known already, in case the list must be read in parts.

    Raises:
        OutsideFailure: nothing came.
    """
    whole = _Union(await rest.collect("/oncalls", "oncalls", _NOW), oncall_identity)
    if not whole.is_cut:
        return whole.result("on-calls")
    listed = await _ids(rest, "/escalation_policies", "escalation_policies", whole)
    ids = sorted({*policies, *listed})
    for at in range(0, len(ids), _POLICIES_AT_ONCE):
        if not whole.goes_on:
            break
        part: Pairs = [("escalation_policy_ids[]", id_) for id_ in ids[at : at + _POLICIES_AT_ONCE]]
        await whole.extend(rest, "/oncalls", "oncalls", _NOW + part)
    return whole.result("on-calls")


class _Union:
    """The entries of several overlapping lists, each once."""

    def __init__(self, first: Collected, identity: Callable[[Document], Hashable]) -> None:
        self._identity = identity
        self._entries: dict[Hashable, dict[str, Any]] = {}
        self._failures: list[OutsideFailure] = []
        #: What the parts of a list that was cut must add up to; None when PagerDuty does not say.
        self._total = first.total if first.is_cut else None
        self._misses = 0
        self.is_cut = first.is_cut
        self._add(first)

    @property
    def is_missing_some(self) -> bool:
        """Whether the list was cut and the parts do not make up for it yet."""
        return self.is_cut and (self._total is None or len(self._entries) < self._total)

    @property
    def goes_on(self) -> bool:
        """Whether asking for another part makes sense."""
        return self.is_missing_some and self._misses < _MOST_MISSES

    async def extend(
        self, rest: RestReader, path: str, item_key: str, params: Sequence[tuple[str, str]]
    ) -> Collected | None:
        """Add what another list has; a failure is kept and the others go on."""
        try:
            part = await rest.collect(path, item_key, params)
        except OutsideFailure as failure:
            self._failures.append(failure)
            self._misses += 1
            return None
        self._add(part)
        return part

    def blame(self, failures: Iterable[OutsideFailure]) -> None:
        """Note what else failed on the way."""
        self._failures += failures

    def result(self, what: str) -> Collected:
        """Give the whole; what failed on the way does not matter when the whole was cut and came nevertheless."""
        entries = list(self._entries.values())
        if not self.is_cut:
            return Collected(entries, self._failures)
        if not self.is_missing_some:
            return Collected(entries, total=self._total)
        return Collected(entries, [*self._failures, self._shortage(what)], is_cut=True, total=self._total)

    def _shortage(self, what: str) -> OutsideFailure:
        known, total = len(self._entries), self._total
        of = f"{known:,} of {total:,}" if total else f"{known:,}"
        return OutsideFailure(
            f"PagerDuty lists no more than 10,000 {what} at once; in parts, {of} were reached. "
            "The others can be paged by their keys, but are not listed.",
            reason=Reason.REJECTED,
        )

    def _add(self, part: Collected) -> None:
        for item in part.items:
            self._entries.setdefault(self._identity(item), item)
        self._failures += part.failures


async def _both_ends(rest: RestReader, params: Pairs, whole: _Union) -> None:
    part = await whole.extend(rest, "/services", "services", _INTEGRATIONS + params)
    if part is not None and part.is_cut and whole.goes_on:
        await whole.extend(rest, "/services", "services", _INTEGRATIONS + params + _FROM_THE_END)


async def _ids(rest: RestReader, path: str, item_key: str, whole: _Union) -> list[str]:
    """Give the ids of a list; none when it cannot be read, for example for want of a scope."""
    try:
        listed = await rest.collect(path, item_key)
    except OutsideFailure as failure:
        whole.blame([failure])
        return []
    whole.blame(listed.failures)
    return [str(item["id"]) for item in listed.items if item.get("id")]


def _id(value: Any) -> Hashable:
    return str(value.get("id")) if isinstance(value, Mapping) else None
