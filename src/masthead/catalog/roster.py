"""The next hours of escalation policies, read from PagerDuty when somebody looks and kept for a little while.

Only policies that are asked for are read, fifty at a time, through the account's own reader, whose pace keeps the
REST budget; ``GET /oncalls`` has a limit of its own (500 a minute).

Source: PagerDuty facts A.5 (limits), A.6 (``since``, ``until``; without ``earliest`` every shift is listed).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from masthead.catalog.model import OnCall, read_oncall
from masthead.catalog.outlook import Outlook, Span
from masthead.kernel.clock import Clock
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.kernel.tasks import Tasks
from masthead.pagerduty import RestReader
from masthead.pagerduty.words import remedy

__all__ = ["Roster"]

log = structlog.get_logger(__name__)

_POLICIES_AT_ONCE = 50
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"
#: A policy of an account: its name and the policy's id.
PolicyOf = tuple[str, str]


@dataclass
class _Account:
    reader: RestReader | None
    known: dict[str, Outlook] = field(default_factory=dict)
    #: When each policy was asked for last, successfully or not.
    asked_at: dict[str, datetime] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Roster:
    """Who is on call over the next day, for the policies that somebody looks at."""

    def __init__(
        self,
        readers: Mapping[str, RestReader | None],
        clock: Clock,
        *,
        ahead: timedelta = timedelta(hours=24),
        keep: timedelta = timedelta(minutes=2),
    ) -> None:
        """Build it; nothing is read yet.

        Args:
            readers: Of every account; None where no REST token is configured.
            clock: What the hours are counted from.
            ahead: How far is looked.
            keep: For how long an answer, or a failure, stands before it is asked again.
        """
        self._accounts = {name: _Account(reader) for name, reader in readers.items()}
        self._clock = clock
        self._ahead = ahead
        self._keep = keep
        self._tasks = Tasks(_log_failure)

    async def look(self, policies: Iterable[PolicyOf], *, patience_s: float) -> dict[PolicyOf, Outlook]:
        """Give the outlook of every policy; those that are not read in time are awaited, and go on being read.

        Args:
            policies: Account and id of each.
            patience_s: How long to wait for PagerDuty.
        """
        wanted = list(dict.fromkeys(policies))
        by_account: defaultdict[str, list[str]] = defaultdict(list)
        for account, policy in wanted:
            by_account[account].append(policy)
        reading = {
            self._tasks.start(self._refresh(account, ids), name="roster")
            for account, ids in by_account.items()
        }
        if reading:
            await asyncio.wait(reading, timeout=patience_s)
        return {one: self._outlook(*one) for one in wanted}

    async def close(self) -> None:
        """Stop what is being read; the readers are closed by their owner."""
        await self._tasks.close()

    def _outlook(self, account: str, policy: str) -> Outlook:
        known = self._accounts[account].known.get(policy) if account in self._accounts else None
        if known is not None:
            return known
        window = Span(self._clock.now(), self._clock.now() + self._ahead)
        return Outlook(window, (), None)

    async def _refresh(self, name: str, policies: Sequence[str]) -> None:
        account = self._accounts.get(name)
        if account is None:
            return
        async with account.turn:
            now = self._clock.now()
            old = [one for one in policies if now - account.asked_at.get(one, now - self._keep) >= self._keep]
            for at in range(0, len(old), _POLICIES_AT_ONCE):
                await self._read(name, account, old[at : at + _POLICIES_AT_ONCE])

    async def _read(self, name: str, account: _Account, policies: Sequence[str]) -> None:
        now = self._clock.now()
        window = Span(now, now + self._ahead)
        try:
            shifts, trouble = await self._ask(name, account.reader, policies, window)
        except OutsideFailure as failure:
            log.warning("roster.read-failed", account=name, reason=failure.reason, status=failure.status)
            for policy in policies:
                before = account.known.get(policy) or Outlook(window, (), None)
                account.known[policy] = replace(before, trouble=failure.message)
        else:
            for policy in policies:
                of_policy = tuple(one for one in shifts if one.policy_id == policy)
                account.known[policy] = Outlook(window, of_policy, now, trouble)
        account.asked_at.update(dict.fromkeys(policies, now))

    async def _ask(
        self, name: str, reader: RestReader | None, policies: Sequence[str], window: Span
    ) -> tuple[list[OnCall], str | None]:
        if reader is None:
            text = f"No PagerDuty REST token is configured. {remedy(Reason.NOT_CONFIGURED)}"
            raise OutsideFailure(text, reason=Reason.NOT_CONFIGURED)
        params = [("since", f"{window.start:{_INSTANT}}"), ("until", f"{window.end:{_INSTANT}}")]
        params += [("escalation_policy_ids[]", one) for one in policies]
        came = await reader.collect("/oncalls", "oncalls", params)
        trouble = came.failures[0].message if came.failures else None
        if came.is_cut:
            trouble = "PagerDuty lists no more than 10,000 on-calls at once; some are missing here."
        return [read_oncall(one, account=name) for one in came.items], trouble


def _log_failure(name: str, error: BaseException) -> None:
    log.error("task.failed", task=name, error=type(error).__name__)
