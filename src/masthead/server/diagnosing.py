"""Looks a running Masthead over: what every part says of itself, and what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from masthead import __version__
from masthead.access import Access
from masthead.catalog import Catalog, CatalogState
from masthead.config import AccountSettings, Loaded, Settings, masked, setting_rows
from masthead.executions import BURST as EXECUTION
from masthead.kernel.clock import Clock, from_ms, to_ms
from masthead.kernel.errors import StorageUnavailable
from masthead.paging import Paging
from masthead.paging.backlog import count_pending, labels_of
from masthead.server.listening import Place
from masthead.storage.census import count_bursts, list_machines
from masthead.storage.database import Database
from masthead.storage.machines import Machines, Rhythm
from masthead.telemetry.diagnosis import (
    AccountState,
    Diagnosis,
    Finding,
    KeyUse,
    MachineState,
    SettingRow,
    WhoMayAsk,
)
from masthead.telemetry.readings import Backlog

__all__ = ["Doctor"]

_PATIENCE_S = 5.0
#: Keys whose budgets are shown.
_MOST_KEYS = 20
#: PagerDuty's services are there within so long, unless they are very many.
_SLOW_S = 5.0
#: A delivery that waits for so long is something to look at.
_LONG_WAIT_S = 60.0
_ORDER = ("failed", "warning", "neutral")


@dataclass(frozen=True)
class _Stored:
    """What the database tells."""

    backlog: Backlog
    executions: int
    machines: Sequence[MachineState]
    budgets: Sequence[KeyUse]


@dataclass(frozen=True)
class Doctor:
    """Gives the diagnosis."""

    loaded: Loaded
    settings: Settings
    place: Place
    clock: Clock
    database: Database
    machines: Machines
    catalog: Catalog
    paging: Paging
    access: Access

    async def diagnose(self) -> Diagnosis:
        """Look now; never raises for what does not answer, but says so."""
        stored, trouble = await self._stored()
        findings = [*trouble, *self._of_configuration(), *self._of_catalog(), *self._of_access()]
        findings += [*_of_stored(stored)] if stored else []
        return Diagnosis(
            at=self.clock.now(),
            version=__version__,
            findings=sorted(findings, key=lambda one: _ORDER.index(one.kind)),
            database=masked(self.database.url.render_as_string(hide_password=True)),
            accounts=[self._account(one) for one in self.settings.pagerduty_accounts],
            who=self._who(),
            deliveries=dict(stored.backlog.deliveries) if stored else None,
            oldest_age_s=stored.backlog.oldest_age_s if stored else None,
            executions=stored.executions if stored else None,
            machines=stored.machines if stored else None,
            budgets=stored.budgets if stored else None,
            settings=self._settings(),
        )

    async def _stored(self) -> tuple[_Stored | None, list[Finding]]:
        try:
            return await asyncio.wait_for(self.database.read(self._read), _PATIENCE_S), []
        except (StorageUnavailable, TimeoutError) as error:
            text = (
                str(error)
                or f"It gave no answer within {_PATIENCE_S:g} s; see that it runs and that its disk is not full."
            )
            return None, [Finding(kind="failed", title="The database does not answer.", text=text)]

    def _read(self, connection: Connection) -> _Stored:
        now_ms = self.database.now_ms(connection)
        machines = [
            MachineState(
                id=row.id,
                host=row.host,
                version=row.version,
                started_at=from_ms(row.started_at),
                beat_at=from_ms(row.beat_at),
                is_alive=row.is_alive,
                is_this=row.id == self.machines.id,
            )
            for row in list_machines(connection, now_ms, Rhythm())
        ]
        budget = self.paging.budget
        counts = sorted(budget.counts().items(), key=lambda one: -one[1])[:_MOST_KEYS]
        labels = labels_of(connection, [key_hash for key_hash, _ in counts])
        uses = [
            KeyUse(label=labels.get(key, "a key"), events=count, limit=budget.limit, window_s=budget.window_s)
            for key, count in counts
        ]
        backlog = count_pending(connection, to_ms(self.clock.now()))
        return _Stored(backlog, count_bursts(connection, EXECUTION), machines, uses)

    def _of_configuration(self) -> Iterator[Finding]:
        for sentence in self.loaded.missing:
            title, _, rest = sentence.partition(": ")
            yield Finding(kind="failed", title=f"{title}.", text=f"{rest[:1].upper()}{rest[1:]}")
        for sentence in self.loaded.warnings:
            yield Finding(kind="warning", title="The configuration has a doubtful place.", text=sentence)

    def _of_catalog(self) -> Iterator[Finding]:
        states = {name: one for name, one in self.catalog.states.items() if one.is_configured}
        for name, state in states.items():
            of = f" of account {name}" if len(states) > 1 else ""
            if trouble := state.services_trouble:
                title = f"PagerDuty's services{of} cannot be read."
                yield Finding(kind="failed", title=title, text=trouble.text, since=trouble.since)
            elif state.services_explanation:
                title = f"There are no services{of}."
                is_early = state.services_fetched_at is None
                yield Finding(
                    kind="neutral" if is_early else "warning", title=title, text=state.services_explanation
                )
            oncalls = state.oncalls_trouble
            if oncalls and (trouble is None or oncalls.text != trouble.text):
                title = f"Who is on call{of} cannot be read."
                yield Finding(kind="failed", title=title, text=oncalls.text, since=oncalls.since)
            if not trouble and not oncalls:
                yield from self._of_first_reading(state.asked_first_since, of)

    def _of_first_reading(self, since: datetime | None, of: str) -> Iterator[Finding]:
        """Tell of a PagerDuty that keeps silent: until its time is over nothing has failed."""
        silent_s = (self.clock.now() - since).total_seconds() if since else 0.0
        if silent_s < _SLOW_S:
            return
        text = (
            f"It was asked {silent_s:.0f} s ago, when Masthead started, and not all has come; what is shown was read before, if anything. "
            "If that lasts, check the network, the proxy and the base URL."
        )
        yield Finding(kind="warning", title=f"PagerDuty{of} has not answered yet.", text=text, since=since)

    def _of_access(self) -> Iterator[Finding]:
        users = self.access.users
        if users is None:
            yield self._of_nobody()
        elif users.trouble:
            text = f"{users.trouble}. The users are those that were last read; correct the file."
            yield Finding(
                kind="failed", title="The file of users is broken.", text=text, since=users.trouble_since
            )
        elif users.advice:
            title = "The file of users is not its owner's alone."
            yield Finding(kind="warning", title=title, text=f"{users.advice[:1].upper()}{users.advice[1:]}")

    def _of_nobody(self) -> Finding:
        remedy = "Whoever runs Masthead can set up users, who then log in."
        command = "masthead user add NAME adds a user to a file, which access.usersFile names."
        if self.place.is_this_machine:
            title, text = "Nobody is asked for a name.", f"Only this machine is answered. {remedy}"
            return Finding(kind="neutral", title=title, text=text, command=command)
        title = "Everybody who reaches this address may page, in any name."
        text = f"There are no users, and Masthead was told to answer whoever reaches it. {remedy}"
        return Finding(
            kind="failed", title=title, text=text, command=f"{command} --insecure is then not needed."
        )

    def _who(self) -> WhoMayAsk:
        users = self.access.users
        return WhoMayAsk(
            users_file=str(users.path) if users else None, users=len(users.all()) if users else 0
        )

    def _account(self, account: AccountSettings) -> AccountState:
        state: CatalogState | None = self.catalog.states.get(account.name)
        trouble = state.trouble if state and state.is_configured else None
        return AccountState(
            name=account.name,
            rest_url=account.rest_url,
            events_url=account.events_url,
            has_token=account.can_read,
            services=state.services if state else 0,
            oncalls=state.oncalls if state else 0,
            services_fetched_at=state.services_fetched_at if state else None,
            oncalls_fetched_at=state.oncalls_fetched_at if state else None,
            trouble=trouble.text if trouble else None,
            trouble_since=trouble.since if trouble else None,
        )

    def _settings(self) -> list[SettingRow]:
        return [
            SettingRow(key=one.key, value=one.value, source=one.source, doc=one.doc)
            for one in setting_rows(self.loaded, self.settings)
        ]


def _of_stored(stored: _Stored) -> Iterator[Finding]:
    waiting, oldest_s = stored.backlog.deliveries.get("waiting", 0), stored.backlog.oldest_age_s
    if waiting and oldest_s > _LONG_WAIT_S:
        text = (
            f"{waiting} wait to be tried again, the oldest for {oldest_s / 60:.0f} min. "
            "See under Pages sent, with the state pending, what PagerDuty said; nothing has to be done for them to go on."
        )
        yield Finding(kind="warning", title="Deliveries wait for PagerDuty.", text=text)
    for use in stored.budgets:
        if use.events >= use.limit:
            text = f"{use.label} was sent {use.events} events within {use.window_s:g} s; what is more waits for room, the most severe first."
            yield Finding(kind="warning", title="A service's budget is used up.", text=text)
    silent = [one for one in stored.machines if not one.is_alive]
    for machine in silent:
        text = f"{machine.host} has said nothing since {_instant(machine.beat_at)}; the others take over what it held."
        yield Finding(kind="warning", title="A machine is silent.", text=text, since=machine.beat_at)
    versions = sorted({one.version for one in stored.machines})
    if len(versions) > 1:
        text = f"{', '.join(versions)} run side by side; finish the upgrade."
        yield Finding(kind="warning", title="Machines are of different releases.", text=text)


def _instant(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"
