"""Carrying state forward: one row a subject, one run at a time, and no lost wake-up.

A *subject* is something whose state moves in steps (an execution, a routing key with something waiting). A
*burst* is one run of "do all that can be done now" for it. The row of a subject holds its **generation**:

* whoever changes the subject calls :meth:`Bursts.request` in the same transaction; the generation moves, the
  subject is due, and the run of the older generation can write nothing any more;
* a run calls :meth:`Turn.hold` first in every transaction, and :meth:`Turn.rest` (wait until then, or until
  somebody requests) or :meth:`Turn.finish` (nothing will ever be due again) in its last one;
* a run that raised is due again after a growing pause; one whose machine died is due at once, elsewhere;
* no run is further away than fifteen minutes, so a run may come before what it waits for. What is stored as due
  later than that was dated by a clock that has been set back since, and is due now. A kind that is registered as one
  that rests long is given its next fifteen minutes without a run, many subjects in one statement;
* a process that starts looks at every subject of the other kinds once: while none ran, the clock may have been set back.

So a subject's code may run again from the last transaction that it completed: it must be safe to repeat
up to there. What waits for time or people is a row and nothing else: no task, no memory, no polling per
subject. Why this and not a workflow library: docs/adr/0002-durable-bursts.md.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    bindparam,
    case,
    delete,
    false,
    func,
    literal_column,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from masthead.kernel.clock import Clock
from masthead.kernel.errors import StorageUnavailable
from masthead.kernel.tasks import Tasks
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.storage.prepared import Prepared
from masthead.storage.schema import burst

__all__ = ["Bursts", "Superseded", "Turn", "held"]

log = structlog.get_logger(__name__)
#: Runs of one kind in one process at a time; what is more waits as rows. Each kind has its own share, so that webhooks
#: that hang keep no page waiting, and a PagerDuty that hangs no execution.
_LIMIT = 128
#: Shortest time between two looks for what is due: in a storm each failure asks for one.
_BETWEEN_LOOKS_S = 0.02
#: Runs that are looked up by one statement.
_TOGETHER = 16
#: Longest pause after a run that raised.
_LONGEST_PAUSE_S = 300
#: Longest time between two runs of a subject that waits for time to pass.
_LONGEST_REST_MS = 900_000


class Superseded(Exception):
    """The generation moved: stop, write nothing, the next run takes over."""


@dataclass(slots=True, eq=False)
class Turn:
    """One run of a subject: the right to write as long as the generation stands."""

    kind: str
    subject: str
    generation: int
    machine: str
    #: Set as soon as this process knows that the run is out of date; a run that waits may end its wait on it.
    superseded: asyncio.Event = field(default_factory=asyncio.Event)
    #: Gives the database's time on a connection, in ms; a rest is not bounded without.
    now_ms: Callable[[Connection], int] | None = None

    def hold(self, connection: Connection) -> None:
        """Make sure that this run may still write; first in every transaction of the run.

        Raises:
            Superseded: somebody requested the subject, or another machine took it over.
        """
        row = _HOLD.first(connection, {"kind_": self.kind, "subject_": self.subject})
        if row is None or tuple(row) != (self.generation, self.machine):
            raise Superseded

    def deaths(self, connection: Connection) -> int:
        """Give how many runs before this one raised, or died with their machine, since the subject was requested."""
        query = select(burst.c.deaths).where(*_is(self.kind, self.subject))
        return int(connection.execute(query).scalar() or 0)

    def rest(self, connection: Connection, due_at_ms: int | None) -> None:
        """End the run: the subject is due at *due_at_ms* or earlier, or (None) only when somebody requests it."""
        until = due_at_ms
        if due_at_ms is not None and self.now_ms is not None:
            due_at_ms = min(due_at_ms, self.now_ms(connection) + _LONGEST_REST_MS)
        _REST.run(connection, [self._mine(due=due_at_ms, until=until)])

    def finish(self, connection: Connection) -> None:
        """End the run for good: the row goes, and a later request begins anew."""
        _FINISH.run(connection, [self._mine()])

    def _mine(self, **more: int | None) -> dict[str, Any]:
        return {"kind_": self.kind, "subject_": self.subject, "generation_": self.generation, **more}


def held(connection: Connection, turns: Sequence[Turn]) -> set[Turn]:
    """Give those of *turns*, all of one kind, that may still write; for a unit of work that stores something either way."""
    found: dict[str, tuple[int, str]] = {}
    for begin in range(0, len(turns), _TOGETHER):
        some = [*turns[begin : begin + _TOGETHER]]
        places = zip(_SUBJECTS, some + some[:1] * (_TOGETHER - len(some)), strict=True)
        given = {"kind_": some[0].kind, **{place: turn.subject for place, turn in places}}
        found |= {row[0]: (row[1], row[2]) for row in _HOLD_MANY.all(connection, given)}
    return {turn for turn in turns if found.get(turn.subject) == (turn.generation, turn.machine)}


Run = Callable[[Turn], Awaitable[None]]


class Bursts:
    """Starts what is due, on this machine, for the kinds that are registered here."""

    def __init__(
        self, database: Database, clock: Clock, machines: Machines, *, sweep_every_s: float = 1.0
    ) -> None:
        """Args: sweep_every_s: seconds between two looks for what another machine left or requested."""
        self._database = database
        self._clock = clock
        self._machines = machines
        self._sweep_every_s = sweep_every_s
        self._runs: dict[str, Run] = {}
        self._resting: set[str] = set()
        self._looks: dict[tuple[str, ...], _Looks] = {}
        self._turns: dict[tuple[str, str], Turn] = {}
        self._claiming: set[tuple[str, str]] = set()
        #: Kind → runs that are claimed or under way.
        self._running: Counter[str] = Counter()
        self._again: set[tuple[str, str]] = set()
        self._tasks = Tasks(_log_failure)
        self._wake = asyncio.Event()
        self._is_open = True
        machines.on_burial(_free)

    @property
    def is_open(self) -> bool:
        """Whether runs may take on more; a run that works off a long list ends when they may not."""
        return self._is_open

    def register(self, kind: str, run: Run, *, rests_long: bool = False) -> None:
        """Let *run* carry subjects of *kind*; before :meth:`run`.

        Args:
            kind: The kind's name.
            run: Carries a subject.
            rests_long: Whether a subject need not be run before the instant that it gave to :meth:`Turn.rest`. Only for
                kinds that are woken by :meth:`request` and never by :meth:`remind`, whose code looks at the clock alone
                to know that it is time.
        """
        self._runs[kind] = run
        if rests_long:
            self._resting.add(kind)

    def request(
        self, connection: Connection, kind: str, subject: str, *, due_at_ms: int | None = None
    ) -> int:
        """Make the subject due, in the transaction that changed it; call :meth:`kick` after the commit.

        Args:
            connection: Of the writing transaction.
            kind: A registered kind.
            subject: Its id; no secret.
            due_at_ms: When; now if not given.

        Returns:
            The new generation; it only ever grows, also when the row was gone in between.
        """
        now = self._database.now_ms(connection)
        due = now if due_at_ms is None else min(due_at_ms, now + _LONGEST_REST_MS)
        row = {"kind": kind, "subject": subject, "generation": now, "due_at": due, "until": due_at_ms}
        return int(_REQUEST.first(connection, row)[0])

    def remind(
        self,
        connection: Connection,
        kind: str,
        subject: str,
        *,
        due_at_ms: int | None = None,
        patience_ms: int = 0,
    ) -> None:
        """See to it that the subject is due, without disturbing a run that is under way.

        For a kind whose last transaction of a run looks for what is left (and gives it to :meth:`Turn.rest`):
        the subject's row makes the two wait for each other, so that nothing added meanwhile is overlooked.

        Args:
            connection: Of the writing transaction, after what it adds for the subject.
            kind: A registered kind.
            subject: Its id; no secret.
            due_at_ms: When at the latest; now if not given.
            patience_ms: A subject that is due so much later already stays due then.
        """
        now = self._database.now_ms(connection)
        due = now if due_at_ms is None else min(due_at_ms, now + _LONGEST_REST_MS)
        row = {
            "kind": kind,
            "subject": subject,
            "generation": now,
            "due_at": due,
            "latest": due + patience_ms,
        }
        _REMIND.run(connection, [row])

    def kick(self, kind: str, subject: str) -> None:
        """Start the subject here and now if it is due; a run of it that is out of date is told so."""
        key = (kind, subject)
        if not self._is_open:
            return
        if (turn := self._turns.get(key)) is not None:
            turn.superseded.set()
            self._again.add(key)
        elif key in self._claiming:
            self._again.add(key)
        elif self._running[kind] < _LIMIT and kind in self._runs:
            self._running[kind] += 1
            self._claiming.add(key)
            self._tasks.start(self._carry(key), name=f"burst {kind}/{subject}")

    def wake(self) -> None:
        """Look for due subjects now instead of at the next sweep."""
        self._wake.set()

    async def rouse(self) -> None:
        """Make everything due once that does not rest long; when the process starts, before :meth:`run`.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        await self._database.write(self._rouse)

    async def run(self) -> None:
        """Start what is due, on time, until cancelled."""
        while True:
            self._wake.clear()
            try:
                pause_s = await self.sweep()
            except StorageUnavailable as error:
                log.warning("bursts.sweep-failed", error=error.message)
                pause_s = self._sweep_every_s
            except Exception:
                log.exception("bursts.sweep-broke")
                pause_s = self._sweep_every_s
            await asyncio.sleep(_BETWEEN_LOOKS_S)
            await self._pause(pause_s - _BETWEEN_LOOKS_S)

    async def sweep(self) -> float:
        """Kick what is due and free; gives the seconds until the next look."""
        due, resting, next_at, now = await self._database.read(self._look)
        if resting:
            await self._database.write(self._let_rest)
        for kind, subject in due:
            if (kind, subject) not in self._turns and (kind, subject) not in self._claiming:
                self.kick(kind, subject)
        if next_at is None:
            return self._sweep_every_s
        return min(self._sweep_every_s, max(next_at - now, 1) / 1000)

    async def settle(self, timeout_s: float) -> None:
        """Start nothing more and let the present runs end, *timeout_s* seconds at most."""
        self._is_open = False
        await self._tasks.settle(timeout_s)

    async def close(self) -> None:
        """Cut the present runs; their subjects are taken up again at the next start."""
        self._is_open = False
        await self._tasks.close()

    def _look(
        self, connection: Connection
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]], int | None, int]:
        """Give what is due, what only goes on resting, when something is due next, and the present time."""
        now = self._database.now_ms(connection)
        looks = self._looks_of(*self._runs)
        at = {"now": now, "latest": now + _LONGEST_REST_MS, "me": self._machines.id}
        rows = looks.due.all(connection, at)
        if len(rows) == _LIMIT:  # those of one kind may hide the others
            rows = [row for kind in self._runs for row in self._looks_of(kind).due.all(connection, at)]
        due = [(row.kind, row.subject) for row in rows if not row.rests]
        resting = [(row.kind, row.subject) for row in rows if row.rests]
        return due, resting, looks.upcoming.first(connection, at)[0], now

    def _looks_of(self, *kinds: str) -> _Looks:
        """Give the statements for *kinds*, written out once."""
        if kinds not in self._looks:
            self._looks[kinds] = _Looks(kinds, self._resting)
        return self._looks[kinds]

    def _rouse(self, connection: Connection) -> None:
        """Make due what is due later: by a clock that was set back since, it would be late by as much."""
        now = self._database.now_ms(connection)
        brief = tuple(self._runs.keys() - self._resting)
        late = select(burst.c.kind, burst.c.subject).where(
            burst.c.kind.in_(brief), burst.c.due_at > now, burst.c.machine.is_(None)
        )
        # What another machine is changing at this moment needs no waking, and is not waited for.
        of_these = tuple_(burst.c.kind, burst.c.subject).in_(late.with_for_update(skip_locked=True))
        connection.execute(update(burst).where(of_these).values(due_at=now))

    def _let_rest(self, connection: Connection) -> None:
        now = self._database.now_ms(connection)
        latest = now + _LONGEST_REST_MS
        due_at = case((burst.c.until_at < latest, burst.c.until_at), else_=latest)
        statement = update(burst).where(_rests(self._resting)).values(due_at=due_at)
        connection.execute(statement, {"now": now})

    async def _carry(self, key: tuple[str, str]) -> None:
        turn: Turn | None = None
        try:
            turn = await self._database.write(lambda connection: self._claim(connection, key))
            if turn is None:
                return
            self._turns[key] = turn
            await self._runs[key[0]](turn)
        except Superseded:
            pass
        except Exception as error:
            log.exception("burst.failed", kind=key[0], subject=key[1], error=type(error).__name__)
            if turn is not None:
                await self._postpone(turn)
        finally:
            self._running[key[0]] -= 1
            self._claiming.discard(key)
            self._turns.pop(key, None)
            if key in self._again:
                self._again.discard(key)
                self.kick(*key)
            self._wake.set()

    def _claim(self, connection: Connection, key: tuple[str, str]) -> Turn | None:
        now = self._database.now_ms(connection)
        row = _CLAIM.first(
            connection,
            {
                "kind_": key[0],
                "subject_": key[1],
                "me": self._machines.id,
                "now": now,
                "latest": now + _LONGEST_REST_MS,
            },
        )
        if row is None:
            return None
        return Turn(*key, row[0], self._machines.id, now_ms=self._database.now_ms)

    async def _postpone(self, turn: Turn) -> None:
        def work(connection: Connection) -> None:
            turn.hold(connection)
            deaths = connection.execute(
                select(burst.c.deaths).where(*_is(turn.kind, turn.subject))
            ).scalar_one()
            pause_ms = 1000 * min(2**deaths, _LONGEST_PAUSE_S)
            connection.execute(
                update(burst)
                .where(*_is(turn.kind, turn.subject))
                .values(
                    generation=turn.generation + 1,
                    due_at=self._database.now_ms(connection) + pause_ms,
                    machine=None,
                    deaths=deaths + 1,
                )
            )

        try:
            await self._database.write(work)
        except (Superseded, StorageUnavailable):
            # Still marked as this machine's, so the next sweep finds it when the database is back.
            log.warning("burst.not-postponed", kind=turn.kind, subject=turn.subject)

    async def _pause(self, seconds: float) -> None:
        sleeper = asyncio.ensure_future(self._clock.sleep(seconds))
        waker = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleeper, waker), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waker.cancel()


class _Looks:
    """The statements that look for what is due, of some kinds."""

    def __init__(self, kinds: Collection[str], resting: Collection[str]) -> None:
        mine = burst.c.kind.in_(_written(kinds))
        is_free = burst.c.machine.is_(None) | (burst.c.machine == bindparam("me"))
        is_due = (burst.c.due_at <= bindparam("now")) | (burst.c.due_at > bindparam("latest"))
        self.due = Prepared(
            lambda _: (
                select(burst.c.kind, burst.c.subject, _rests(resting).label("rests"))
                .where(is_due, is_free, mine)
                .order_by(burst.c.due_at)
                .limit(literal_column(str(_LIMIT)))
                .offset(literal_column("0"))
            )
        )
        self.upcoming = Prepared(
            lambda _: select(func.min(burst.c.due_at)).where(burst.c.due_at > bindparam("now"), mine)
        )


def _rests(resting: Collection[str]) -> ColumnElement[bool]:
    """Tell of a row that is due whether its run would find nothing to do."""
    return (
        (burst.c.due_at <= bindparam("now"))
        & burst.c.machine.is_(None)
        & (burst.c.kind.in_(_written(resting)) if resting else false())
        & (func.coalesce(burst.c.until_generation, literal_column("-1")) == burst.c.generation)
        & (func.coalesce(burst.c.until_at, literal_column("0")) > bindparam("now"))
    )


def _written(kinds: Collection[str]) -> list[ColumnElement[str]]:
    """Give *kinds*, which are words of our own, as they stand in a statement."""
    return [literal_column(f"'{kind}'") for kind in kinds]


_NAMED = burst.c.kind == bindparam("kind_"), burst.c.subject == bindparam("subject_")
_MINE = *_NAMED, burst.c.generation == bindparam("generation_")
_SUBJECTS = [f"subject_{place}" for place in range(_TOGETHER)]
_HOLD_MANY = Prepared(
    lambda _: (
        select(burst.c.subject, burst.c.generation, burst.c.machine)
        .where(_NAMED[0], burst.c.subject.in_([bindparam(place) for place in _SUBJECTS]))
        .order_by(burst.c.subject)  # so that two machines that lock the same rows do so in the same order
        .with_for_update()
    )
)
_HOLD = Prepared(lambda _: select(burst.c.generation, burst.c.machine).where(*_NAMED).with_for_update())
_REST = Prepared(
    lambda _: (
        update(burst)
        .where(*_MINE)
        .values(
            generation=burst.c.generation + literal_column("1"),
            due_at=bindparam("due"),
            machine=null(),
            deaths=literal_column("0"),
            until_at=bindparam("until"),
            until_generation=burst.c.generation + literal_column("1"),
        )
    )
)
_FINISH = Prepared(lambda _: delete(burst).where(*_MINE))
_CLAIM = Prepared(
    lambda _: (
        update(burst)
        .where(
            *_NAMED,
            (burst.c.due_at <= bindparam("now")) | (burst.c.due_at > bindparam("latest")),
            burst.c.machine.is_(None) | (burst.c.machine == bindparam("me")),
        )
        .values(machine=bindparam("me"))
        .returning(burst.c.generation)
    )
)


def _fresh(connection: Connection) -> postgresql.Insert | sqlite.Insert:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    given: dict[str, Any] = {name: bindparam(name) for name in ("kind", "subject", "generation", "due_at")}
    return make(burst).values(given | {"machine": null(), "deaths": literal_column("0")})


def _request(connection: Connection) -> Executable:
    fresh = _fresh(connection).values(until_at=bindparam("until"), until_generation=bindparam("generation"))
    moved = {
        "generation": burst.c.generation + literal_column("1"),
        "due_at": fresh.excluded.due_at,
        "machine": null(),
        "deaths": literal_column("0"),
        "until_at": fresh.excluded.until_at,
        "until_generation": burst.c.generation + literal_column("1"),
    }
    return fresh.on_conflict_do_update(index_elements=["kind", "subject"], set_=moved).returning(
        burst.c.generation
    )


def _remind(connection: Connection) -> Executable:
    fresh = _fresh(connection)
    is_kept = burst.c.due_at <= bindparam("latest")
    return fresh.on_conflict_do_update(
        index_elements=["kind", "subject"],
        set_={"due_at": case((is_kept, burst.c.due_at), else_=fresh.excluded.due_at)},
    )


_REQUEST, _REMIND = Prepared(_request), Prepared(_remind)


def _is(kind: str, subject: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return burst.c.kind == kind, burst.c.subject == subject


def _free(connection: Connection, machine_id: str) -> None:
    connection.execute(
        update(burst)
        .where(burst.c.machine == machine_id)
        .values(machine=None, generation=burst.c.generation + 1, deaths=burst.c.deaths + 1)
    )


def _log_failure(name: str, error: BaseException) -> None:
    log.error("task.failed", task=name, error=type(error).__name__, text=str(error))
