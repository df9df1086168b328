"""What became of a page, in words for people who were just woken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from masthead.cli import show
from masthead.cli.client import Client, ServerRefused, quoted

__all__ = ["DeliveryNews", "has_woken_nobody", "in_short", "incident_line", "page_lines", "service_name"]

_STATES = {
    "accepted": "PagerDuty accepted the {what}",
    "rejected": "PagerDuty refused the {what}",
    "pending": "still being tried",
}
_WHAT = {"change": "change event", "acknowledge": "acknowledge", "resolve": "resolve"}
_AS = {
    "change": "as a change event",
    "acknowledge": "to acknowledge a page",
    "resolve": "to resolve a page",
    "resend": "to have a page sent again",
}
_DOORS = {
    "stage": "by a pipeline's stage",
    "echo": "through Echo's POST /notifications",
    "v1": "through POST /v1/pages",
    "web": "on the page /ui/page",
}
_NOT_OPENED = {
    "disabled": "the service is disabled",
    "maintenance": "the service is in maintenance",
    "already-open": "one was open already",
    "nobody-on-call": "nobody is on call",
    "suppressed": "a rule of PagerDuty suppressed the event",
}
_FOLLOW_UPS = {"acknowledge": "Acknowledged", "resolve": "Resolved", "resend": "Sent again"}
_MOST_SHOWN = 3


class DeliveryNews:
    """Lines about deliveries that were just sent, with who is on call."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._whom: dict[str, str] = {}

    def line(self, delivery: Mapping[str, Any]) -> str:
        """Say how a delivery stands; empty while there is nothing to say."""
        state, text = delivery["state"], delivery.get("text")
        if state == "pending" and not text:
            return ""
        if state == "accepted":
            return (
                f"{service_name(delivery)}: {_standing(delivery)}{self._whom_of(delivery.get('serviceId'))}"
            )
        return f"{service_name(delivery)}: {_standing(delivery)}" + (f" ({text})" if text else "")

    def _whom_of(self, service_id: str | None) -> str:
        """Give the end of the sentence that PagerDuty took it: who is on call, or why nobody may be woken."""
        if service_id and service_id not in self._whom:
            try:
                service = self._client.get(f"/v1/services/{quoted(service_id)}")
                self._whom[service_id] = self._end(service)
            except ServerRefused:
                self._whom[service_id] = ""
        return self._whom.get(service_id or "", "")

    def _end(self, service: Mapping[str, Any]) -> str:
        on_call = service.get("onCall") or ()
        if service.get("warning"):
            return f", but {service['warning']}"
        if people := show.names(on_call):
            return f"; on call: {people}"
        if on_call:
            return "; nobody is on call at level 1, PagerDuty tells the next level"
        if self._client.get("/v1/catalog").get("oncallsFetchedAt") is None:
            return ""  # nobody can tell
        return ", but nobody is on call for it, and then it opens no incident"


def service_name(delivery: Mapping[str, Any]) -> str:
    """Give whom a delivery is for, with the account where there are several: two may have a service of one name."""
    account = delivery.get("account", "default")
    return str(delivery["service"]) if account == "default" else f"{delivery['service']} ({account})"


def in_short(page: Mapping[str, Any]) -> str:
    """Say in a table's cell what became of a page."""
    if page["kind"] == "resend":
        return f"sent again what had failed of page {page['parentId']}"
    deliveries = page["deliveries"]
    shown = [f"{service_name(one)}: {_state(one)}" for one in deliveries[:_MOST_SHOWN]]
    more = len(deliveries) - _MOST_SHOWN
    return "; ".join([*shown, f"and {more} more"] if more > 0 else shown)


def page_lines(page: Mapping[str, Any]) -> Iterator[str]:
    """Give all that is known of a page, line by line."""
    yield f"{page['message']}"
    yield f"  {page['severity']}, page {page['id']}"
    yield f"  asked by {_by(page)}"
    if page.get("happenedAt"):
        yield f"  happened {_second(page['happenedAt'])}"
    if page["executionId"]:
        stage = f", stage {page['stageId']}" if page["stageId"] else ""
        yield f"  execution {page['executionId']}{stage}"
    for name, value in page["details"].items():
        yield f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
    for link in page["links"]:
        yield f"  {link['href']}" + (f" ({link['text']})" if link["text"] else "")
    for delivery in page["deliveries"]:
        yield ""
        yield from _delivery_lines(delivery)
    for follow_up in page.get("followUps", ()):
        yield ""
        yield from _follow_up_lines(follow_up)


def _by(page: Mapping[str, Any]) -> str:
    address = f" from {page['address']}" if page["address"] else ""
    door = _DOORS.get(page["door"], page["door"]) if page["kind"] == "trigger" else _AS[page["kind"]]
    return f"{page['user']}{address}, {door}, for application {page['application']}, {_second(page['createdAt'])}"


def _delivery_lines(delivery: Mapping[str, Any]) -> Iterator[str]:
    text = f": {delivery['text']}" if delivery["text"] and delivery["state"] != "accepted" else ""
    yield f"{service_name(delivery)}: {_standing(delivery)}{text}"
    if _is_found(delivery):
        yield f"  {delivery['text']}"
    if incident := delivery["incident"]:
        yield f"  {_incident(incident)}"
        if incident["url"]:
            yield f"  {incident['url']}"
    if told_by := delivery.get("toldBy"):
        yield f"  told together with page {told_by}, which said the same while both waited"
    if count := delivery.get("speaksFor"):
        yield f"  spoke for {count} other page{'s' if count > 1 else ''} that said the same while they waited"
    yield from _attempt_lines(delivery.get("attemptLog", ()))


def _standing(delivery: Mapping[str, Any]) -> str:
    state, action = delivery["state"], delivery.get("action", "trigger")
    if state == "expired":
        late = "nobody was reached" if action == "trigger" else "PagerDuty was not reached"
        return f"{late} in time, and Masthead gave up"
    until = (
        f" until {_second(delivery['deadlineAt'])}"
        if state == "pending" and delivery.get("deadlineAt")
        else ""
    )
    return _STATES[state].format(what=_WHAT.get(action, "page")) + until


def _is_found(delivery: Mapping[str, Any]) -> bool:
    """Whether no attempt tells that PagerDuty took it: the answer was lost, and its incident was found."""
    said = {one["text"] for one in delivery.get("attemptLog", ())}
    return (
        delivery["state"] == "accepted" and bool(delivery.get("isUncertain")) and delivery["text"] not in said
    )


def _attempt_lines(attempts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in attempts:
        status = one["status"] or "no answer"
        yield f"  {_second(one['at'])}  Events {one['protocol']}  {status}  {one['durationMs']} ms  {one['text']}"


def _follow_up_lines(follow_up: Mapping[str, Any]) -> Iterator[str]:
    address = f" from {follow_up['address']}" if follow_up["address"] else ""
    done = _FOLLOW_UPS.get(follow_up["kind"], follow_up["kind"])
    yield f"{done} by {follow_up['user']}{address}, {_second(follow_up['createdAt'])}"
    for one in follow_up["deliveries"]:
        text = f": {one['text']}" if one["text"] and one["state"] != "accepted" else ""
        yield f"  {service_name(one)}: {one['state']}{text}"


def _incident(incident: Mapping[str, Any]) -> str:
    state = incident["state"]
    if state == "unknown":
        return "whether an incident was opened is not known"
    if state == "not-opened":
        why = _NOT_OPENED.get(incident["reason"] or "", "nobody knows why")
        return f"no incident was opened: {why}" + (" (most likely)" if incident["isInferred"] else "")
    name = f"incident #{incident['number']}" if incident["number"] else "the incident"
    role = "by" if state == "acknowledged" else "assigned to"
    whom = f", {role} {incident['assignee']}" if incident["assignee"] else ""
    return f"{name} is {state}{whom}"


def incident_line(delivery: Mapping[str, Any]) -> str:
    """Say what PagerDuty made of an accepted delivery, as far as that is known."""
    if delivery["incident"]["state"] == "unknown":
        return f"{service_name(delivery)}: PagerDuty shows no incident so far"
    return f"{service_name(delivery)}: {_incident(delivery['incident'])}"


def has_woken_nobody(delivery: Mapping[str, Any]) -> bool:
    """Whether PagerDuty took the event and opened nothing, nor had anything open."""
    incident = delivery["incident"] or {}
    return incident.get("state") == "not-opened" and incident.get("reason") != "already-open"


def _state(delivery: Mapping[str, Any]) -> str:
    incident = delivery["incident"]
    if not incident or incident["state"] == "unknown":
        return str(delivery["state"])
    if incident["state"] == "not-opened":
        return "no incident was opened"
    return f"#{incident['number']} {incident['state']}" if incident["number"] else str(incident["state"])


def _second(iso: str) -> str:
    return f"{iso[:19].replace('T', ' ')} UTC"
