"""Endpoints for incidents: look them up, acknowledge and resolve them, open one by hand, leave notes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from masthead.simulator.incidents import Agent, Incident, Opening
from masthead.simulator.oncall import first_on_call
from masthead.simulator.organisation import Policy, Service, User
from masthead.simulator.rest import documents, incident_documents
from masthead.simulator.rest.call import Call, Refusal, invalid, not_found, parse_instant
from masthead.simulator.wire import Answer, json_answer

__all__ = [
    "create_incident",
    "create_note",
    "get_incident",
    "list_alerts",
    "list_incidents",
    "list_log_entries",
    "list_notes",
    "list_related_changes",
    "update_incident",
    "update_incidents",
]

_SORTS: dict[str, Callable[[Incident], Any]] = {
    "created_at": lambda incident: incident.created_at,
    "incident_number": lambda incident: incident.number,
    "resolved_at": lambda incident: incident.resolved_at or incident.created_at,
    "urgency": lambda incident: incident.opening.urgency,
}


def list_incidents(call: Call) -> Answer:
    """Answer GET /incidents, oldest first; ``incident_key`` also finds what has it as an alert's key."""
    incidents = call.world.incidents
    key = call.query.get("incident_key")
    found = incidents.with_key(key) if key is not None else list(incidents)
    found = [one for one in found if incidents.is_visible(one) and _wanted(call, one)]
    by, _, direction = call.query.get("sort_by", "created_at:asc").partition(":")
    found.sort(key=_SORTS.get(by, _SORTS["created_at"]), reverse=direction == "desc")
    return call.page("incidents", found, lambda one: incident_documents.incident_document(call.world, one))


def _wanted(call: Call, incident: Incident) -> bool:
    opening = incident.opening
    choices = (
        (call.many("statuses"), incident.status),
        (call.many("service_ids"), opening.service.id),
        (call.many("urgencies"), opening.urgency),
    )
    if any(wanted and value not in wanted for wanted, value in choices):
        return False
    users, teams = set(call.many("user_ids")), set(call.many("team_ids"))
    if users and not users & {user.id for user in incident.assigned}:
        return False
    if teams and not teams & set(opening.service.teams):
        return False
    return call.query.get("date_range") == "all" or _in_span(call, incident)


def _in_span(call: Call, incident: Incident) -> bool:
    since, until = call.query.get("since"), call.query.get("until")
    if since and incident.created_at < parse_instant(since, "since"):
        return False
    return not (until and incident.created_at > parse_instant(until, "until"))


def get_incident(call: Call) -> Answer:
    """Answer GET /incidents/{id}."""
    return _one(call, _incident(call))


def list_alerts(call: Call) -> Answer:
    """Answer GET /incidents/{id}/alerts."""
    alert = incident_documents.alert_document(call.world, _incident(call))
    return call.page("alerts", [alert] if alert else [], lambda document: document)


def list_log_entries(call: Call) -> Answer:
    """Answer GET /incidents/{id}/log_entries, newest first."""
    incident = _incident(call)
    entries = list(reversed(incident.log))
    return call.page(
        "log_entries", entries, lambda one: incident_documents.log_entry_document(call.world, one, incident)
    )


def list_notes(call: Call) -> Answer:
    """Answer GET /incidents/{id}/notes."""
    notes = [incident_documents.note_document(call.world, note) for note in _incident(call).notes]
    return json_answer(200, {"notes": notes})


def list_related_changes(call: Call) -> Answer:
    """Answer GET /incidents/{id}/related_change_events: the newest ones of the same service."""
    service = _incident(call).opening.service
    events = [event for event in call.world.changes if event.service.id == service.id]
    changes = [documents.change_document(call.world, event) for event in reversed(events)]
    return json_answer(200, {"change_events": changes[:25]})


def create_note(call: Call) -> Answer:
    """Answer POST /incidents/{id}/notes."""
    incident, author = _incident(call), call.author()
    content = call.body("note").get("content")
    if not isinstance(content, str) or not content.strip():
        raise invalid("Content cannot be empty.")
    note = call.world.incidents.annotate(incident, content, author)
    return json_answer(201, {"note": incident_documents.note_document(call.world, note)})


def update_incident(call: Call) -> Answer:
    """Answer PUT /incidents/{id}: acknowledge or resolve it."""
    incident, author = _incident(call), call.author()
    _update(call, incident, call.body("incident"), author)
    return _one(call, incident)


def update_incidents(call: Call) -> Answer:
    """Answer PUT /incidents: the same for several; nothing is changed unless all can be."""
    author = call.author()
    changes = _list_of(call)
    pairs = []
    for change in changes:
        incident = call.world.incidents.find(str(change.get("id", "")))
        if incident is None:
            raise not_found()
        _check(incident, change)
        pairs.append((incident, change))
    for incident, change in pairs:
        _update(call, incident, change, author)
    shown = [incident_documents.incident_document(call.world, incident) for incident, _ in pairs]
    return json_answer(200, {"incidents": shown})


def _list_of(call: Call) -> list[dict[str, Any]]:
    # PagerDuty wraps a list here, an object everywhere else.
    wrapped = Call(
        call.world, call.token, call.query, call.path, raw=b'{"whole":' + (call.raw or b"null") + b"}"
    )
    changes = wrapped.body("whole").get("incidents")
    if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
        raise invalid("Incidents cannot be empty")
    return changes


def _check(incident: Incident, change: dict[str, Any]) -> None:
    if change.get("status") not in (None, "acknowledged", "resolved"):
        raise invalid("Status is invalid")
    if not incident.is_open:
        raise Refusal(400, "Incident Already Resolved", 1001, errors=["Incident Already Resolved"])


def _update(call: Call, incident: Incident, change: dict[str, Any], author: Agent) -> None:
    _check(incident, change)
    status = change.get("status")
    if status is None:
        return
    if status == "resolved" and isinstance(change.get("resolution"), str):
        incident.resolution = change["resolution"]
    call.world.incidents.set_status(incident, status, author)


def create_incident(call: Call) -> Answer:
    """Answer POST /incidents: open one by hand; the same key while one is open is refused, not merged."""
    author, body = call.author(), call.body("incident")
    title = body.get("title")
    if not isinstance(title, str) or not title.strip():
        raise invalid("Title cannot be empty.")
    service = call.world.directory.services.get(_id_of(body.get("service")))
    if service is None:
        raise Refusal(400, "Arguments Caused Error", 2002, errors=["Service not found"])
    key = str(body.get("incident_key") or uuid.uuid4().hex)
    if call.world.incidents.open_with(service.id, key):
        raise invalid("Open incident matching dedup key already exists on this service")
    incident = call.world.incidents.open(_opening(call, service, key, author=author, body=body))
    assignments = body.get("assignments")
    if isinstance(assignments, list) and any(_id_of(_assignee(a)) == author.id for a in assignments):
        # Whoever takes an incident on himself has seen it.
        call.world.incidents.set_status(incident, "acknowledged", author)
    return json_answer(201, {"incident": incident_documents.incident_document(call.world, incident)})


def _opening(call: Call, service: Service, key: str, *, author: Agent, body: dict[str, Any]) -> Opening:
    policies = call.world.directory.policies
    policy = policies.get(_id_of(body.get("escalation_policy"))) or policies[service.policy]
    details = body.get("body")
    return Opening(
        service=service,
        policy=policy,
        key=key,
        title=str(body["title"]),
        urgency=body["urgency"] if body.get("urgency") in ("high", "low") else "high",
        agent=author,
        assignees=_assignees(call, policy, body),
        details=str(details.get("details") or "") if isinstance(details, dict) else "",
    )


def _assignees(call: Call, policy: Policy, body: dict[str, Any]) -> list[User]:
    assignments = body.get("assignments")
    if not isinstance(assignments, list) or not assignments:
        return first_on_call(call.world.directory, policy, call.world.clock.now())
    if body.get("escalation_policy"):
        raise invalid("Assignments and escalation policy cannot both be given")
    found = [call.world.directory.users.get(_id_of(_assignee(each))) for each in assignments]
    users = [user for user in found if user is not None]
    if len(users) != len(assignments):
        raise invalid("Assignee not found")
    return users


def _assignee(assignment: Any) -> Any:
    return assignment.get("assignee") if isinstance(assignment, dict) else None


def _id_of(reference: Any) -> str:
    return str(reference.get("id", "")) if isinstance(reference, dict) else ""


def _one(call: Call, incident: Incident) -> Answer:
    return json_answer(200, {"incident": incident_documents.incident_document(call.world, incident)})


def _incident(call: Call) -> Incident:
    incident = call.world.incidents.find(call.path["id"])
    if incident is None or not call.world.incidents.is_visible(incident):
        raise not_found()
    return incident
