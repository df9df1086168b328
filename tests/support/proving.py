"""Proof over a PagerDuty of the test's choice, on a clock on which every wait is over at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from masthead.catalog import CatalogState, OnCall, Service
from masthead.kernel.clock import SystemClock, from_ms, to_ms
from masthead.kernel.ids import UlidIds
from masthead.kernel.secret import Secret
from masthead.pagerduty import IncidentSeen, Protocol
from masthead.pagerduty.fakes import ScriptedIncidents
from masthead.paging.model import Delivery, DeliveryState, Incident, Kind
from masthead.paging.proof import Proof
from masthead.paging.proof.proof import BURST
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.storage.schema import burst, delivery, page, proof
from unit.pagerduty.endpoint import EagerClock

ACCOUNT = "default"


@dataclass
class Book:
    """A catalog in which Ada is on call for every policy, and every service is of policy PPOL01."""

    is_complete: bool = True
    oncalls: list[OnCall] = field(default_factory=lambda: [on_call("Ada")])
    statuses: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> CatalogState:
        then = datetime.fromisoformat("2026-11-23T02:55:00Z")
        return CatalogState(True, False, self.is_complete, 1, len(self.oncalls), then, then, None)

    def service(self, service_id: str) -> Service | None:
        if not service_id:
            return None
        status = self.statuses.get(service_id, "active")
        return Service(service_id, "Checkout", status, "PPOL01", "Shop", (), None, None, ())

    def oncalls_of(self, policy_id: str | None) -> list[OnCall]:
        return [one for one in self.oncalls if one.policy_id == policy_id]


def on_call(name: str | None, end: str | None = None) -> OnCall:
    return OnCall("PPOL01", "Shop", 1, name, name or "Nobody", None, None, None, end, {})


class House:
    """Proof and what it stands on; PagerDuty is scripted and everybody is on call, unless given otherwise."""

    def __init__(
        self, database: Database, clock: EagerClock, *, reader: Any = None, book: Any = None
    ) -> None:
        self.database, self.clock = database, clock
        self.machines = Machines(database, SystemClock(), UlidIds(), version="test")
        self.bursts = Bursts(database, SystemClock(), self.machines)
        self.reader, self.book = reader or ScriptedIncidents(), book or Book()
        self.told: list[tuple[str, Incident]] = []
        self.proof = Proof(
            database,
            self.bursts,
            clock,
            readers={ACCOUNT: self.reader},
            catalog=self.book,
        )
        self.proof.on_changed(lambda delivery_id, incident: self.told.append((delivery_id, incident)))
        self._ids = UlidIds()

    async def accept(
        self, *dedup_keys: str, service_id: str | None = "PSVC01", account: str = ACCOUNT
    ) -> list[str]:
        """Store one accepted page for each of *dedup_keys*, as of now; gives the deliveries' ids."""
        return [(await self.page([key], service_id=service_id, account=account))[0] for key in dedup_keys]

    async def page(
        self, dedup_keys: list[str], *, service_id: str | None = "PSVC01", account: str = ACCOUNT
    ) -> list[str]:
        now_ms = to_ms(self.clock.now())
        page_id = self._ids.new()
        ids = [self._ids.new() for _ in dedup_keys]

        def work(connection: Connection) -> None:
            connection.execute(insert(page).values(id=page_id, **PAGE, created_at=now_ms))
            for position, (id_, key) in enumerate(zip(ids, dedup_keys, strict=True)):
                values = {"id": id_, "page_id": page_id, "dedup_key": key, "position": position}
                fields = {"service_id": service_id, "account": account, "created_at": now_ms}
                fields |= {"says": says(key)}
                connection.execute(insert(delivery).values(**DELIVERY, **values, **fields))
            self.proof.expect_many(connection, [(id_, account, now_ms) for id_ in ids])

        await self.database.write(work)
        return ids

    async def follow_up(self, id_: str, kind: Kind) -> None:
        """Store that PagerDuty took, just now, what follows up the delivery *id_*."""
        now_ms, new_id = to_ms(self.clock.now()), self._ids.new()

        def work(connection: Connection) -> None:
            of = connection.execute(select(delivery).where(delivery.c.id == id_)).one()
            asked = PAGE | {"kind": kind, "parent_id": of.page_id, "created_at": now_ms}
            connection.execute(insert(page).values(id=new_id, **asked))
            told = {"page_id": new_id, "dedup_key": of.dedup_key, "position": 0, "action": kind}
            told |= {"created_at": now_ms, "decided_at": now_ms}
            connection.execute(insert(delivery).values(**DELIVERY, **told, id=f"{new_id}-1"))
            self.proof.followed_up(connection, [f"{new_id}-1"])

        await self.database.write(work)

    async def run(self, account: str = ACCOUNT) -> None:
        """Let the burst run once, here and now."""
        await self.database.write(lambda c: self.bursts.request(c, BURST, account, due_at_ms=0))
        turn = await self.database.write(lambda c: self.bursts._claim(c, (BURST, account)))
        assert turn is not None
        await self.proof._work_off(turn)

    async def run_until(self, age_s: float) -> None:
        """Run whenever something is due, until *age_s* seconds from now."""
        end = self.clock.now() + timedelta(seconds=age_s)
        while (due := await self.due_at()) is not None and due <= end:
            rest = timedelta(seconds=self.proof._lookers[ACCOUNT].rate.rest_s)
            due = max(due, self.clock.now() + rest)
            if due > end:
                break
            self.pass_time(max((due - self.clock.now()).total_seconds(), 0.001))
            await self.run()
        self.pass_time((end - self.clock.now()).total_seconds())

    def pass_time(self, seconds: float) -> None:
        self.clock._move_to(self.clock.monotonic() + seconds)

    async def due_at(self) -> datetime | None:
        """When the next row is due."""
        rows = await self.rows()
        dues = [row.due_at for row in rows if row.due_at is not None]
        return from_ms(min(dues)) if dues else None

    async def rows(self) -> list:
        return await self.database.read(
            lambda c: list(c.execute(select(proof).order_by(proof.c.delivery_id)))
        )

    async def bursts_waiting(self) -> list:
        return await self.database.read(lambda c: list(c.execute(select(burst))))

    def seen(self, id_: str = "Q1", **changes) -> IncidentSeen:
        now = self.clock.now()
        values = {
            "number": 7,
            "status": "triggered",
            "url": f"https://acme.pagerduty.com/incidents/{id_}",
            "service_id": "PSVC01",
            "assignees": ("Ada Lovelace",),
            "created_at": now,
            "updated_at": now,
            "resolved_at": None,
        }
        return IncidentSeen(id_, **values | changes)

    def asked(self, what: str) -> list[str]:
        return [which for kind, which in self.reader.asked if kind == what]

    def delivery(self, id_: str = "d1", dedup_key: str = "", **changes) -> Delivery:
        now = self.clock.now()
        values = {
            "service_id": "PSVC01",
            "label": "Checkout",
            "state": DeliveryState.PENDING,
            "reason": None,
            "text": "",
            "attempts": 1,
            "created_at": now,
            "decided_at": None,
            "deadline_at": now,
        }
        key = dedup_key or ours("a")
        return Delivery(
            id_, "p1", Secret("k" * 32), "h", key, Protocol.V2, **{"says": says(key)} | values | changes
        )


PAGE = {
    "message": "db down", "details": "{}", "links": "[]", "severity": "critical", "user": "ann", "address": "",
    "client": "c", "door": "v1", "application": "demo",
}  # fmt: skip
DELIVERY = {
    "routing_key": "k" * 32, "key_hash": "h", "protocol": "v2", "label": "Checkout", "state": "accepted", "severity_rank": 0,
}  # fmt: skip


def says(dedup_key: str) -> str:
    """What a delivery of a key that Masthead made says; of one that somebody chose nothing is noted."""
    return "words" if dedup_key.startswith("masthead-") else ""


def ours(letter: str) -> str:
    """A dedup key as Masthead makes them."""
    return "masthead-" + letter * 32
