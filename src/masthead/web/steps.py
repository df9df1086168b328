"""How far a delivery has come, in four steps: sent, accepted by PagerDuty, incident triggered, acknowledged."""

from __future__ import annotations

from dataclasses import dataclass

from masthead.paging import Delivery, DeliveryState, IncidentState

__all__ = ["Step", "steps_of"]

_FAILED = (DeliveryState.REJECTED, DeliveryState.EXPIRED)
#: Steps that are done when an incident stands so.
_REACHED = {IncidentState.TRIGGERED: 3, IncidentState.ACKNOWLEDGED: 4, IncidentState.RESOLVED: 4}


@dataclass(frozen=True, slots=True)
class Step:
    """One of the four steps."""

    word: str
    #: "done", "now" (what is waited for), "failed" (it ended here) or "open" (not reached, or not known).
    state: str


def steps_of(delivery: Delivery) -> tuple[Step, ...]:
    """Say how far *delivery* has come; what is not known counts as not reached."""
    incident = delivery.incident
    reached = _REACHED.get(incident.state, 2)
    if delivery.state is not DeliveryState.ACCEPTED:
        reached = 1 if delivery.attempts else 0
    failed = delivery.state in _FAILED or incident.state is IncidentState.NOT_OPENED
    is_moving = not delivery.is_decided or incident.is_awaited
    following = "failed" if failed else "now" if is_moving else "open"
    states = [*["done"] * reached, following, *["open"] * 3]
    return tuple(Step(word, state) for word, state in zip(_words(delivery), states, strict=False))


def _words(delivery: Delivery) -> tuple[str, str, str, str]:
    incident = delivery.incident
    number = f" #{incident.number}" if incident.number else ""
    by = f" by {incident.assignee}" if incident.assignee else ""
    last = {IncidentState.RESOLVED: "resolved", IncidentState.ACKNOWLEDGED: f"acknowledged{by}"}
    return (
        "sent",
        "accepted by PagerDuty",
        f"incident{number} triggered",
        last.get(incident.state, "acknowledged"),
    )
