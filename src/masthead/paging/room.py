"""How much may wait: beyond the bound a page is refused before anything of it is stored."""

from __future__ import annotations

from sqlalchemy import func, select

from masthead.kernel.clock import Clock
from masthead.kernel.errors import Overloaded
from masthead.paging.rows import IS_PENDING
from masthead.storage.database import Database

__all__ = ["Room"]

#: What acknowledges and resolves may wait beyond the bound of pages, in parts of it: they lower the load, and are few.
_FOLLOW_UP_SHARE = 0.1

#: An estimate is counted anew when it is so old, which is how soon other machines' deliveries are seen.
_TRUST_S = 10.0
#: Near the bound it is counted more often, but not more often than this.
_RECOUNT_S = 1.0


class Room:
    """Keeps an estimate of what waits, and counts when it matters."""

    def __init__(self, database: Database, clock: Clock, *, limit: int) -> None:
        """Args: limit: deliveries that may be pending in the whole cluster."""
        self._database = database
        self._clock = clock
        self._limit = limit
        self._estimate = 0
        self._counted_at = float("-inf")

    async def take(self, deliveries: int, *, is_follow_up: bool = False) -> None:
        """Make sure that so many more may wait.

        Args:
            deliveries: How many.
            is_follow_up: Whether they acknowledge or resolve, and may wait where no page may any more.

        Raises:
            Overloaded: too much waits already.
        """
        limit = self._limit + (max(deliveries, int(self._limit * _FOLLOW_UP_SHARE)) if is_follow_up else 0)
        if self._age() > _TRUST_S:
            await self._count()
        if self._estimate + deliveries > limit and self._age() > _RECOUNT_S:
            await self._count()
        if self._estimate + deliveries > limit:
            raise Overloaded(
                f"{self._estimate} deliveries wait for PagerDuty already, of {self._limit} that may "
                "(paging.waitingLimit); nothing was stored, try again later.",
                retry_after=_TRUST_S,
            )
        self._estimate += deliveries

    def give_back(self, deliveries: int) -> None:
        """Say that so many do not wait any more."""
        self._estimate = max(self._estimate - deliveries, 0)

    def _age(self) -> float:
        return self._clock.monotonic() - self._counted_at

    async def _count(self) -> None:
        self._counted_at = self._clock.monotonic()
        query = select(func.count()).where(IS_PENDING)
        self._estimate = await self._database.read(lambda c: int(c.execute(query).scalar_one()))
