"""Endpoints for what the account is made of: people, schedules, policies, on-calls, abilities."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from masthead.simulator.oncall import Duty, duties
from masthead.simulator.organisation import Policy
from masthead.simulator.rest import documents
from masthead.simulator.rest.call import Call, Refusal, invalid, not_found, parse_instant
from masthead.simulator.wire import Answer, json_answer

__all__ = [
    "get_me",
    "get_policy",
    "get_user",
    "list_abilities",
    "list_oncalls",
    "list_policies",
    "list_schedules",
    "list_teams",
    "list_users",
]

#: "until" may lie this far ahead.
_FURTHEST = timedelta(days=90)


def list_abilities(call: Call) -> Answer:
    """Answer GET /abilities, which works with account-level tokens: the way to check one."""
    return json_answer(200, {"abilities": call.world.directory.account.abilities})


def get_me(call: Call) -> Answer:
    """Answer GET /users/me, which does not work with account-level tokens."""
    user = call.world.directory.users.get(call.token.user)
    if user is None:
        raise Refusal(400, "Invalid Input Provided", 2001, errors=["An account-level token has no user"])
    return json_answer(200, {"user": documents.user_document(call.world, user)})


def get_user(call: Call) -> Answer:
    """Answer GET /users/{id}."""
    user = call.world.directory.users.get(call.path["id"])
    if user is None:
        raise not_found()
    return json_answer(200, {"user": documents.user_document(call.world, user)})


def list_users(call: Call) -> Answer:
    """Answer GET /users; ``query`` looks into names and e-mails."""
    query = call.query.get("query", "").casefold()
    users = [
        user
        for user in call.world.directory.users.values()
        if query in user.name.casefold() or query in user.email.casefold()
    ]
    return call.page("users", users, lambda user: documents.user_document(call.world, user))


def list_teams(call: Call) -> Answer:
    """Answer GET /teams."""
    query = call.query.get("query", "").casefold()
    teams = [team for team in call.world.directory.teams.values() if query in team.name.casefold()]
    return call.page("teams", teams, lambda team: documents.team_document(call.world, team))


def list_schedules(call: Call) -> Answer:
    """Answer GET /schedules."""
    query = call.query.get("query", "").casefold()
    schedules = [one for one in call.world.directory.schedules.values() if query in one.name.casefold()]
    return call.page("schedules", schedules, lambda one: documents.schedule_document(call.world, one))


def list_policies(call: Call) -> Answer:
    """Answer GET /escalation_policies."""
    query = call.query.get("query", "").casefold()
    wanted_teams, wanted_users = set(call.many("team_ids")), set(call.many("user_ids"))
    policies = [
        policy
        for policy in call.world.directory.policies.values()
        if query in policy.name.casefold()
        and (not wanted_teams or wanted_teams & set(policy.teams))
        and (not wanted_users or wanted_users & {target for level in policy.levels for target in level})
    ]
    return call.page("escalation_policies", policies, lambda one: documents.policy_document(call, one))


def get_policy(call: Call) -> Answer:
    """Answer GET /escalation_policies/{id}."""
    policy = call.world.directory.policies.get(call.path["id"])
    if policy is None:
        raise not_found()
    return json_answer(200, {"escalation_policy": documents.policy_document(call, policy)})


def list_oncalls(call: Call) -> Answer:
    """Answer GET /oncalls: everybody on call between ``since`` and ``until``, by default now."""
    chosen = list(_earliest(call) if call.flag("earliest") else _wanted(call))
    return call.page("oncalls", chosen, lambda duty: documents.oncall_document(call, duty))


def _earliest(call: Call) -> Iterator[Duty]:
    seen: set[tuple[str, int, str]] = set()
    for duty in _wanted(call):
        key = duty.policy.id, duty.level, duty.user.id
        if key not in seen:
            seen.add(key)
            yield duty


def _wanted(call: Call) -> Iterator[Duty]:
    world = call.world
    now = world.clock.now()
    since = parse_instant(call.query["since"], "since") if call.query.get("since") else now
    until = parse_instant(call.query["until"], "until") if call.query.get("until") else max(since, now)
    if until < since or until > max(since, now) + _FURTHEST:
        raise invalid("until must be after since and at most 90 days ahead")
    users, schedules = set(call.many("user_ids")), set(call.many("schedule_ids"))
    for policy in _policies(call):
        for duty in duties(world.directory, policy, since, until):
            schedule = duty.schedule.id if duty.schedule else "null"
            if (not users or duty.user.id in users) and (not schedules or schedule in schedules):
                yield duty


def _policies(call: Call) -> list[Policy]:
    known = call.world.directory.policies
    wanted = call.many("escalation_policy_ids")
    return [known[id_] for id_ in wanted if id_ in known] if wanted else list(known.values())
