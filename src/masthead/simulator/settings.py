"""What can be changed while the simulator runs (``POST /simulator/settings``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

__all__ = ["Settings", "changed"]

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Milliseconds = Annotated[float, msgspec.Meta(ge=0)]


class Settings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The settings and their defaults."""

    #: Wait before an answer of the Events APIs.
    events_latency_ms: _Milliseconds = 0
    #: Wait before an answer of the REST API.
    rest_latency_ms: _Milliseconds = 0
    #: Events a routing key may send in the window; null: as many as it likes.
    events_per_key: _Count | None = 120
    #: Length of the sliding window.
    events_window_s: _Positive = 60
    #: Budgets of single keys, in place of ``events_per_key``.
    key_budgets: dict[str, _Count] = {}
    #: REST calls a token may make in a minute; null: as many as it likes.
    rest_per_minute: _Count | None = 960
    #: The same for the operations that have a limit of their own (GET /oncalls, POST and PUT /incidents).
    rest_limited_per_minute: _Count | None = 500
    #: What a 429 of the REST API carries.
    rest_429: Literal["full", "bare"] = "full"
    #: Whether a key is refused by the Events API that its integration was not made for.
    strict_protocols: bool = True
    #: Whether incidents made by Events v2 show ``incident_key: null`` (their alert still has it).
    null_incident_keys: bool = False
    #: Wait between the answer to an event and the moment REST shows its incident.
    incident_delay_ms: _Milliseconds = 0
    #: Wait before a webhook is sent.
    webhook_delay_ms: _Milliseconds = 0
    #: Wait before a webhook is tried again; doubles with each attempt.
    webhook_retry_s: _Positive = 1.0
    #: How often each webhook is sent.
    webhook_copies: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    #: Events kept for GET /simulator/events; the oldest go first.
    keep_events: _Count = 200_000
    #: Their bodies together, at most.
    keep_event_bytes: _Count = 256_000_000
    #: Incidents kept; the oldest resolved go first, then the oldest.
    keep_incidents: Annotated[int, msgspec.Meta(ge=1)] = 100_000


def changed(settings: Settings, document: dict[str, Any]) -> Settings:
    """Give *settings* with the members of *document*; ``latency_ms`` stands for both latencies.

    Raises:
        msgspec.ValidationError: A member is unknown or has a wrong value; nothing is changed.
    """
    known = dict(document)
    latency = known.pop("latency_ms", None)
    both = {} if latency is None else {"events_latency_ms": latency, "rest_latency_ms": latency}
    return msgspec.convert({**msgspec.to_builtins(settings), **both, **known}, Settings)
