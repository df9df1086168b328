"""The table of REST operations: method, path, endpoint, the scope it needs."""

from __future__ import annotations

from masthead.simulator.rest import account, incidents, oauth, services, webhooks
from masthead.simulator.rest.door import Operation

__all__ = ["OPERATIONS"]

#: /users/me stands before /users/{id}: the first that fits answers.
OPERATIONS = [
    Operation("GET", "/abilities", account.list_abilities, "abilities.read"),
    Operation("GET", "/users/me", account.get_me, "users.read"),
    Operation("GET", "/users", account.list_users, "users.read"),
    Operation("GET", "/users/{id}", account.get_user, "users.read"),
    Operation("GET", "/teams", account.list_teams, "teams.read"),
    Operation("GET", "/schedules", account.list_schedules, "schedules.read"),
    Operation("GET", "/escalation_policies", account.list_policies, "escalation_policies.read"),
    Operation("GET", "/escalation_policies/{id}", account.get_policy, "escalation_policies.read"),
    Operation("GET", "/oncalls", account.list_oncalls, "oncalls.read", is_limited=True),
    Operation("GET", "/services", services.list_services, "services.read"),
    Operation("GET", "/services/{id}", services.get_service, "services.read"),
    Operation("POST", "/services/{id}/integrations", services.create_integration, "services.write"),
    Operation(
        "GET", "/services/{id}/integrations/{integration_id}", services.get_integration, "services.read"
    ),
    Operation("GET", "/services/{id}/change_events", services.list_service_change_events, "services.read"),
    Operation("GET", "/change_events", services.list_change_events, "change_events.read"),
    Operation("GET", "/incidents", incidents.list_incidents, "incidents.read"),
    Operation("POST", "/incidents", incidents.create_incident, "incidents.write", is_limited=True),
    Operation("PUT", "/incidents", incidents.update_incidents, "incidents.write", is_limited=True),
    Operation("GET", "/incidents/{id}", incidents.get_incident, "incidents.read"),
    Operation("PUT", "/incidents/{id}", incidents.update_incident, "incidents.write", is_limited=True),
    Operation("GET", "/incidents/{id}/alerts", incidents.list_alerts, "incidents.read"),
    Operation("GET", "/incidents/{id}/log_entries", incidents.list_log_entries, "incidents.read"),
    Operation("GET", "/incidents/{id}/notes", incidents.list_notes, "incidents.read"),
    Operation("POST", "/incidents/{id}/notes", incidents.create_note, "incidents.write"),
    Operation(
        "GET", "/incidents/{id}/related_change_events", incidents.list_related_changes, "incidents.read"
    ),
    Operation("GET", "/webhook_subscriptions", webhooks.list_subscriptions, "webhook_subscriptions.read"),
    Operation("POST", "/webhook_subscriptions", webhooks.create_subscription, "webhook_subscriptions.write"),
    Operation("GET", "/webhook_subscriptions/{id}", webhooks.get_subscription, "webhook_subscriptions.read"),
    Operation(
        "DELETE", "/webhook_subscriptions/{id}", webhooks.delete_subscription, "webhook_subscriptions.write"
    ),
    Operation(
        "POST", "/webhook_subscriptions/{id}/ping", webhooks.ping_subscription, "webhook_subscriptions.write"
    ),
    Operation("POST", "/oauth/token", oauth.create_token, ""),
]
