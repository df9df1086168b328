"""What a page costs: CPU and pages a second, beside Alertmanager and two relays, in alternating runs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from line import Line, at_least, at_most, figure
from programs import Program
from servers import Measured, alertmanager, drive, masthead, relay, storing_relay
from sink import Sink, nginx_sink

__all__ = ["cost", "fast_path"]

_ROUNDS = 5
_SECONDS = 5
_WARM_UP_S = 1
#: Alertmanager takes alerts faster than it sends them: it is asked for a number, and waited for.
_ALERTS = 2000
_WARM_UP_ALERTS = 300


@dataclass(frozen=True)
class _Peer:
    """One of those that are compared."""

    name: str
    start: Callable[[str], AbstractContextManager[Program]]
    kind: str
    alerts: int = 0
    warm_up_alerts: int = 0


_MASTHEAD = _Peer("Masthead", masthead, "echo")
_PEERS = (
    _Peer("Alertmanager", alertmanager, "alert", _ALERTS, _WARM_UP_ALERTS),
    _MASTHEAD,
    _Peer("the bare relay", relay, "echo"),
    _Peer("the relay that stores", storing_relay, "echo"),
)


def cost() -> Iterator[Line]:
    """A page through Echo's door at 16 connections, stored and accepted, beside its peers."""
    runs: dict[str, list[Measured]] = {peer.name: [] for peer in _PEERS}
    with nginx_sink() as sink:
        for number in range(_ROUNDS):
            for peer in _PEERS:
                runs[peer.name].append(_run(peer, sink, number))
    for peer in _PEERS:
        yield from _figures(peer.name, runs[peer.name])
    theirs, ours, bare, stored = (runs[peer.name] for peer in _PEERS)
    yield at_most(0.33, "CPU per page, of Alertmanager's per notification", _ratio(ours, theirs, _cpu), "x")
    yield at_most(4, "CPU per page, of the bare relay's", _ratio(ours, bare, _cpu), "x")
    yield at_least(3, "pages a second, of Alertmanager's notifications", _ratio(ours, theirs, _rate), "x")
    yield figure("the relay that stores: CPU per page, of Alertmanager's", _ratio(stored, theirs, _cpu), "x")
    yield figure("the relay that stores: CPU per page, of the bare relay's", _ratio(stored, bare, _cpu), "x")
    yield figure(
        "the relay that stores: pages a second, of Alertmanager's", _ratio(stored, theirs, _rate), "x"
    )


def fast_path(sink: Sink) -> Measured:
    """Measure the fast path once, for those who compare themselves with it."""
    return _run(_MASTHEAD, sink, 0)


def _run(peer: _Peer, sink: Sink, number: int) -> Measured:
    with peer.start(sink.url) as target:
        drive(
            target, sink, kind=peer.kind, run=f"w{number}", seconds=_WARM_UP_S if not peer.alerts else 30,
            limit=peer.warm_up_alerts,
        )  # fmt: skip
        return drive(
            target, sink, kind=peer.kind, run=f"r{number}", seconds=_SECONDS if not peer.alerts else 60,
            limit=peer.alerts,
        )  # fmt: skip


def _figures(name: str, runs: Sequence[Measured]) -> Iterator[Line]:
    yield figure(f"{name}: CPU per page", statistics.median(one.cpu_us for one in runs), "µs")
    yield figure(f"{name}: of it in the kernel", statistics.median(one.system_us for one in runs), "µs")
    yield figure(f"{name}: pages", statistics.median(one.per_second for one in runs), "/s")


def _ratio(ours: Sequence[Measured], theirs: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    return statistics.median(of(our) / of(their) for our, their in zip(ours, theirs, strict=True))


def _cpu(one: Measured) -> float:
    return one.cpu_us


def _rate(one: Measured) -> float:
    return one.per_second
