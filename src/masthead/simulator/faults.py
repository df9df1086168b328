"""Failures on request: what strikes which call, how often, and what the caller then sees."""

from __future__ import annotations

import random
from typing import Annotated, Any, Literal

import msgspec

from masthead.simulator.clock import Clock
from masthead.simulator.wire import Answer

__all__ = ["Fault", "FaultOrder", "Faults"]


class FaultOrder(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What ``POST /simulator/faults`` takes."""

    #: ``events``, ``rest``, or the beginning of a path such as ``/services``.
    target: str = "events"
    method: str = ""
    #: Strike only events with this routing key.
    key: str = ""
    #: Strike only calls with this REST token.
    token: str = ""
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    #: Text is sent as it is, anything else as JSON.
    body: Any = msgspec.UNSET
    headers: dict[str, str] = {}
    delay_ms: Annotated[float, msgspec.Meta(ge=0)] = 0
    reset: bool = False
    half_body: bool = False
    #: Whether it strikes before the call is processed (it never happened) or after (the answer is lost).
    when: Literal["before", "after"] = "before"
    #: How many calls it strikes; null: any number.
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    #: How long it stays; null: until it is deleted.
    seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None
    #: The chance that it strikes a call it could strike.
    chance: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0


class Fault(msgspec.Struct):
    """A fault that is in force."""

    id: str
    order: FaultOrder
    ends_at: float | None
    struck: int = 0

    @property
    def is_answer(self) -> bool:
        """Say whether it puts an answer of its own (or none) in the place of the real one."""
        return self.order.status is not None or self.order.reset

    @property
    def is_before(self) -> bool:
        """Say whether it keeps the call from being processed; half of the real answer needs the real answer."""
        return self.order.when == "before" and self.is_answer

    def answer(self, real: Answer | None) -> Answer:
        """Give what the caller sees: the fault's own answer, or the *real* one with the fault's headers."""
        order = self.order
        if order.status is None:
            base = real or Answer(500)
            return Answer(base.status, base.body, base.content_type, {**base.headers, **order.headers})
        return Answer(order.status, *_body(order.body), {**order.headers})


class Faults:
    """The faults in force, oldest first; the first that fits strikes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._random = random.Random(8999)  # noqa: S311 - the same faults in every run, no secret
        self._count = 0
        self._active: dict[str, Fault] = {}

    def add(self, order: FaultOrder) -> Fault:
        """Put a fault into force."""
        self._count += 1
        ends_at = None if order.seconds is None else self._clock.monotonic() + order.seconds
        fault = Fault(f"F{self._count}", order, ends_at)
        self._active[fault.id] = fault
        return fault

    def remove(self, id_: str) -> bool:
        """Take one fault out of force and say whether it was in force."""
        self._sweep()
        return self._active.pop(id_, None) is not None

    def clear(self) -> None:
        """Take all faults out of force."""
        self._active.clear()

    def active(self) -> list[Fault]:
        """Give the faults in force, oldest first."""
        self._sweep()
        return list(self._active.values())

    def strike(self, side: str, method: str, path: str, *, secret: str) -> Fault | None:
        """Give the fault that strikes this call, and count the stroke.

        Args:
            side: ``events`` or ``rest``.
            method: The HTTP method.
            path: The path without the query.
            secret: The routing key of an event, the token of a REST call.
        """
        if not self._active:
            return None
        self._sweep()
        for fault in self._active.values():
            if not _fits(fault.order, side, method, path, secret=secret):
                continue
            if fault.order.chance < 1 and self._random.random() >= fault.order.chance:
                continue
            fault.struck += 1
            if fault.order.count is not None and fault.struck >= fault.order.count:
                del self._active[fault.id]
            return fault
        return None

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        over = [
            id_ for id_, fault in self._active.items() if fault.ends_at is not None and fault.ends_at <= now
        ]
        for id_ in over:
            del self._active[id_]


def _fits(order: FaultOrder, side: str, method: str, path: str, *, secret: str) -> bool:
    if order.target != side and not (order.target.startswith("/") and path.startswith(order.target)):
        return False
    if order.method and order.method.upper() != method:
        return False
    wanted = order.key if side == "events" else order.token
    other = order.token if side == "events" else order.key
    return not other and (not wanted or wanted == secret)


def _body(body: Any) -> tuple[bytes, str]:
    if body is msgspec.UNSET:
        return b"", ""
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    return msgspec.json.encode(body), "application/json; charset=utf-8"
