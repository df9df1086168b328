"""How PagerDuty writes its objects in JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from masthead.simulator.clock import stamp
from masthead.simulator.incidents import Agent, Incident, LogEntry, Note
from masthead.simulator.oncall import Duty
from masthead.simulator.organisation import Integration, Policy, Schedule, Service, Team, User
from masthead.simulator.rest.call import Call
from masthead.simulator.world import ChangeEvent, World

__all__ = [
    "alert_document",
    "change_document",
    "incident_document",
    "integration_document",
    "log_entry_document",
    "note_document",
    "oncall_document",
    "policy_document",
    "reference",
    "schedule_document",
    "service_document",
    "team_document",
    "user_document",
]

Document = dict[str, Any]

#: Type of a reference, without its suffix: path in REST, path for people.
_PLACES = {
    "service": ("/services/{}", "/service-directory/{}"),
    "escalation_policy": ("/escalation_policies/{}", "/escalation_policies/{}"),
    "schedule": ("/schedules/{}", "/schedules/{}"),
    "user": ("/users/{}", "/users/{}"),
    "team": ("/teams/{}", "/teams/{}"),
    "incident": ("/incidents/{}", "/incidents/{}"),
}


def reference(world: World, kind: str, id_: str, summary: str, *, suffix: str = "_reference") -> Document:
    """Write a reference to something; with an empty *suffix*, the beginning of the thing itself."""
    api, web = _PLACES[kind]
    account = world.directory.account
    return {
        "id": id_,
        "type": kind + suffix,
        "summary": summary,
        "self": account.api_url + api.format(id_),
        "html_url": account.web(web.format(id_)),
    }


def _agent(world: World, agent: Agent) -> Document:
    kind = agent.type.removesuffix("_reference")
    if kind in _PLACES:
        return reference(world, kind, agent.id, agent.name)
    return {"id": agent.id, "type": agent.type, "summary": agent.name, "self": None, "html_url": None}


def user_document(world: World, user: User) -> Document:
    """Write a user."""
    return {
        **reference(world, "user", user.id, user.name, suffix=""),
        "name": user.name,
        "email": user.email,
        "time_zone": user.time_zone,
        "role": user.role,
        "job_title": None,
        "description": None,
        "invitation_sent": False,
        "teams": [],
        "contact_methods": [],
        "notification_rules": [],
    }


def team_document(world: World, team: Team) -> Document:
    """Write a team."""
    return {**reference(world, "team", team.id, team.name, suffix=""), "name": team.name, "description": None}


def schedule_document(world: World, schedule: Schedule) -> Document:
    """Write a schedule with the people of its rotation."""
    people = [world.directory.users[id_] for id_ in dict.fromkeys(schedule.rotation)]
    return {
        **reference(world, "schedule", schedule.id, schedule.name, suffix=""),
        "name": schedule.name,
        "time_zone": schedule.time_zone,
        "description": None,
        "users": [reference(world, "user", user.id, user.name) for user in people],
        "teams": [],
    }


def policy_document(call: Call, policy: Policy) -> Document:
    """Write an escalation policy; targets are references unless ``include[]=targets``."""
    world = call.world
    users_of = [service for service in world.directory.services.values() if service.policy == policy.id]
    rules = [
        {
            "id": f"{policy.id}L{number}",
            "escalation_delay_in_minutes": policy.delay_minutes,
            "targets": [_target(call, target) for target in targets],
        }
        for number, targets in enumerate(policy.levels, start=1)
    ]
    return {
        **reference(world, "escalation_policy", policy.id, policy.name, suffix=""),
        "name": policy.name,
        "escalation_rules": rules,
        "num_loops": 0,
        "on_call_handoff_notifications": "if_has_services",
        "description": None,
        "services": [
            service_document(call, service)
            if call.includes("services")
            else reference(world, "service", service.id, service.name)
            for service in users_of
        ],
        "teams": _teams(call, policy.teams),
    }


def _target(call: Call, target: str) -> Document:
    world = call.world
    user = world.directory.users.get(target)
    if user is not None:
        if call.includes("targets"):
            return user_document(world, user)
        return reference(world, "user", user.id, user.name)
    schedule = world.directory.schedules[target]
    if call.includes("targets"):
        return schedule_document(world, schedule)
    return reference(world, "schedule", schedule.id, schedule.name)


def _teams(call: Call, ids: list[str]) -> list[Document]:
    teams = [call.world.directory.teams[id_] for id_ in ids]
    if call.includes("teams"):
        return [team_document(call.world, team) for team in teams]
    return [reference(call.world, "team", team.id, team.name) for team in teams]


def service_document(call: Call, service: Service) -> Document:
    """Write a service; integrations, teams and policy are references unless they are included."""
    world = call.world
    policy = world.directory.policies[service.policy]
    last_at = world.incidents.last_at(service)
    return {
        **reference(world, "service", service.id, service.name, suffix=""),
        "name": service.name,
        "description": service.description or None,
        "created_at": service.created_at,
        "updated_at": service.created_at,
        "status": world.incidents.status_of(service),
        "auto_resolve_timeout": None,
        "acknowledgement_timeout": None,
        "last_incident_timestamp": stamp(last_at) if last_at else None,
        "teams": _teams(call, service.teams),
        "escalation_policy": policy_document(_without_includes(call), policy)
        if call.includes("escalation_policies")
        else reference(world, "escalation_policy", policy.id, policy.name),
        "incident_urgency_rule": {"type": "constant", "urgency": service.urgency},
        "support_hours": None,
        "scheduled_actions": [],
        "alert_creation": service.alert_creation,
        "alert_grouping_parameters": {"type": None, "config": None},
        "integrations": [
            integration_document(call, service, integration, full=call.includes("integrations"))
            for integration in service.integrations
        ],
        "addons": [],
        "response_play": None,
    }


def _without_includes(call: Call) -> Call:
    """Give *call* without what it includes, so that included things do not include each other for ever."""
    return Call(call.world, call.token, type(call.query)(""), call.path)


def integration_document(call: Call, service: Service, integration: Integration, *, full: bool) -> Document:
    """Write an integration; the reference has no key, and neither has the whole for some tokens."""
    account = call.world.directory.account
    path = f"/services/{service.id}/integrations/{integration.id}"
    document: Document = {
        "id": integration.id,
        "type": integration.type + ("" if full else "_reference"),
        "summary": integration.name,
        "self": account.api_url + path,
        "html_url": account.web(path),
    }
    if not full:
        return document
    vendor = {
        "id": "PV" + integration.vendor[:5].upper(),
        "type": "vendor_reference",
        "summary": integration.vendor,
    }
    document |= {
        "name": integration.name,
        "service": reference(call.world, "service", service.id, service.name),
        "created_at": service.created_at,
        "vendor": vendor if integration.vendor else None,
    }
    if integration.email:
        document["integration_email"] = integration.email
    if call.token.keys != "absent":
        shown = call.token.keys == "shown"
        document["integration_key"] = (integration.key or None) if shown else None
    return document


def oncall_document(call: Call, duty: Duty) -> Document:
    """Write one entry of GET /oncalls."""
    world = call.world
    policy, user, schedule = duty.policy, duty.user, duty.schedule
    plain = _without_includes(call)
    return {
        "escalation_policy": policy_document(plain, policy)
        if call.includes("escalation_policies")
        else reference(world, "escalation_policy", policy.id, policy.name),
        "escalation_level": duty.level,
        "schedule": _schedule_of(call, schedule),
        "user": user_document(world, user)
        if call.includes("users")
        else reference(world, "user", user.id, user.name),
        "start": stamp(duty.start) if duty.start else None,
        "end": stamp(duty.end) if duty.end else None,
    }


def _schedule_of(call: Call, schedule: Schedule | None) -> Document | None:
    if schedule is None:
        return None
    if call.includes("schedules"):
        return schedule_document(call.world, schedule)
    return reference(call.world, "schedule", schedule.id, schedule.name)


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
            {"at": stamp(at), "acknowledger": _agent(world, agent)} for at, agent in incident.acknowledged
        ]
        if incident.status == "acknowledged"
        else [],
        "last_status_change_at": stamp(incident.changed_at),
        "last_status_change_by": _agent(world, incident.changed_by),
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
        "self": f"{world.directory.account.api_url}/incidents/{incident.id}/alerts/{alert.id}",
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
        "agent": _agent(world, entry.agent),
        "incident": reference(world, "incident", incident.id, incident.opening.title),
    }


def note_document(world: World, note: Note) -> Document:
    """Write a note."""
    return {
        "id": note.id,
        "user": _agent(world, note.user),
        "content": note.content,
        "created_at": stamp(note.at),
        "channel": {"summary": "The PagerDuty website or APIs"},
    }


def change_document(world: World, event: ChangeEvent) -> Document:
    """Write a change event as REST gives it back."""
    body = msgspec.json.decode(event.body)
    payload = body.get("payload") or {}
    return {
        "id": event.id,
        "type": "change_event",
        "summary": event.summary,
        "timestamp": payload.get("timestamp") or stamp(event.time),
        "source": payload.get("source"),
        "routing_key": body.get("routing_key"),
        "links": body.get("links") or [],
        "images": [],
        "custom_details": payload.get("custom_details") or {},
        "services": [reference(world, "service", event.service.id, event.service.name)],
        "integration": {"id": event.integration_id, "type": "inbound_integration_reference"},
    }
