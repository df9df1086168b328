"""How PagerDuty writes incidents, their alerts, notes and history in JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from masthead.simulator.clock import stamp
from masthead.simulator.incidents import Agent, Incident, LogEntry, Note
from masthead.simulator.rest.documents import REFERABLE, reference
from masthead.simulator.world import World

__all__ = ["agent_reference", "alert_document", "incident_document", "log_entry_document", "note_document"]

Document = dict[str, Any]


def agent_reference(world: World, agent: Agent) -> Document:
    """Write a reference to who did something."""
    kind = agent.type.removesuffix("_reference")
    if kind in REFERABLE:
        return reference(world, kind, agent.id, agent.name)
    return {"id": agent.id, "type": agent.type, "summary": agent.name, "self": None, "html_url": None}


def incident_document(world: World, incident: Incident) -> Document:
    """Write an incident."""
    opening = incident.opening
    alerts = 0 if opening.alert is None else 1
    hidden = world.settings.null_incident_keys and opening.alert is not None
    return {
        **reference(world, "incident", incident.id, f"[#{incident.number}] {opening.title}", suffix=""),
        "incident_number": incident.number,
        "title": opening.title,
        "description": opening.title,
        "created_at": stamp(incident.created_at),
        "updated_at": stamp(incident.changed_at),
        "status": incident.status,
        "incident_key": None if hidden else opening.key,
        "service": reference(world, "service", opening.service.id, opening.service.name),
        "assignments": [
            {"at": stamp(incident.created_at), "assignee": reference(world, "user", user.id, user.name)}
            for user in incident.assigned
        ],
        "assigned_via": "escalation_policy",
        "acknowledgements": [
            {"at": stamp(at), "acknowledger": agent_reference(world, agent)}
            for at, agent in incident.acknowledged
        ]
        if incident.status == "acknowledged"
        else [],
        "last_status_change_at": stamp(incident.changed_at),
        "last_status_change_by": agent_reference(world, incident.changed_by),
        "resolved_at": stamp(incident.resolved_at) if incident.resolved_at else None,
        "resolve_reason": None,
        "first_trigger_log_entry": _first_entry(incident),
        "alert_counts": {
            "all": alerts,
            "triggered": alerts if incident.is_open else 0,
            "resolved": 0 if incident.is_open else alerts,
        },
        "escalation_policy": reference(world, "escalation_policy", opening.policy.id, opening.policy.name),
        "teams": [
            reference(world, "team", id_, world.directory.teams[id_].name) for id_ in opening.service.teams
        ],
        "pending_actions": [],
        "is_mergeable": True,
        "priority": None,
        "urgency": opening.urgency,
        "body": {"type": "incident_body", "details": opening.details or None},
    }


def _first_entry(incident: Incident) -> Document | None:
    if not incident.log:
        return None
    entry = incident.log[0]
    return {"id": entry.id, "type": f"{entry.type}_reference", "summary": entry.summary}


def alert_document(world: World, incident: Incident) -> Document | None:
    """Write the alert of an incident; None when it has none."""
    alert = incident.opening.alert
    if alert is None:
        return None
    opening = incident.opening
    return {
        "id": alert.id,
        "type": "alert",
        "summary": alert.summary,
        "self": world.api(f"/incidents/{incident.id}/alerts/{alert.id}"),
        "html_url": world.directory.account.web(f"/alerts/{alert.id}"),
        "created_at": stamp(incident.created_at),
        "status": "resolved" if incident.resolved_at else "triggered",
        "alert_key": alert.key,
        "severity": alert.severity,
        "suppressed": False,
        "service": reference(world, "service", opening.service.id, opening.service.name),
        "incident": reference(world, "incident", incident.id, opening.title),
        "body": {"type": "alert_body", "contexts": [], "details": msgspec.Raw(alert.body)},
    }


def log_entry_document(world: World, entry: LogEntry, incident: Incident) -> Document:
    """Write one line of an incident's history."""
    return {
        "id": entry.id,
        "type": entry.type,
        "summary": entry.summary,
        "created_at": stamp(entry.at),
        "agent": agent_reference(world, entry.agent),
        "incident": reference(world, "incident", incident.id, incident.opening.title),
    }


def note_document(world: World, note: Note) -> Document:
    """Write a note."""
    return {
        "id": note.id,
        "user": agent_reference(world, note.user),
        "content": note.content,
        "created_at": stamp(note.at),
        "channel": {"summary": "The PagerDuty website or APIs"},
    }
