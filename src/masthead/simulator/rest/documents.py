"""How PagerDuty writes its objects in JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from masthead.simulator.clock import stamp
from masthead.simulator.oncall import Duty
from masthead.simulator.organisation import Integration, Policy, Schedule, Service, Team, User
from masthead.simulator.rest.call import Call
from masthead.simulator.world import ChangeEvent, World

__all__ = [
    "REFERABLE",
    "change_document",
    "integration_document",
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
REFERABLE = {
    "service": ("/services/{}", "/service-directory/{}"),
    "escalation_policy": ("/escalation_policies/{}", "/escalation_policies/{}"),
    "schedule": ("/schedules/{}", "/schedules/{}"),
    "user": ("/users/{}", "/users/{}"),
    "team": ("/teams/{}", "/teams/{}"),
    "incident": ("/incidents/{}", "/incidents/{}"),
}


def reference(world: World, kind: str, id_: str, summary: str, *, suffix: str = "_reference") -> Document:
    """Write a reference to something; with an empty *suffix*, the beginning of the thing itself."""
    api, web = REFERABLE[kind]
    account = world.directory.account
    return {
        "id": id_,
        "type": kind + suffix,
        "summary": summary,
        "self": world.api(api.format(id_)),
        "html_url": account.web(web.format(id_)),
    }


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
        "self": call.world.api(path),
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
