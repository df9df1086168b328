"""Where the organisation comes from: the built-in example, a file, or a generator for tests of scale.

``example.json`` in this package is the built-in organisation and, at the same time, the example of the
file's shape. A file may stand on top of it (``"extends": "example"``): records with an id that the
example has replace it, others are added. ``"generate"`` adds numbered records.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from masthead.simulator.organisation import (
    Account,
    DataInvalid,
    Integration,
    Organisation,
    Policy,
    Schedule,
    Service,
    Team,
    User,
)

__all__ = ["DataFile", "Generate", "built_in", "decode", "load"]


class Generate(msgspec.Struct, forbid_unknown_fields=True):
    """How many records to make up, besides those that are written out."""

    services: int = 0
    users: int = 10
    policies: int = 5
    #: Integrations of each service, alternating between Events v2 and v1.
    integrations: int = 1
    #: Begins the names: ``Service 00001``.
    prefix: str = "Service"


class DataFile(Organisation, kw_only=True, forbid_unknown_fields=True):
    """What a data file may say."""

    extends: Literal["example", ""] = ""
    generate: Generate | None = None


def load(path: Path | None) -> Organisation:
    """Read the organisation from *path*, or give the built-in one.

    Raises:
        DataInvalid: The file cannot be read, is not JSON, or is not of the documented shape.
    """
    if path is None:
        return built_in()
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise DataInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except DataInvalid as error:
        raise DataInvalid(f"{path}: {error}") from error


def decode(document: bytes | dict[str, Any]) -> Organisation:
    """Make an organisation of a JSON document, following ``extends`` and ``generate``.

    Raises:
        DataInvalid: The document is not JSON or not of the documented shape.
    """
    try:
        if isinstance(document, bytes):
            file = msgspec.json.decode(document, type=DataFile)
        else:
            file = msgspec.convert(document, DataFile)
    except msgspec.DecodeError as error:
        raise DataInvalid(str(error)) from error
    organisation = _plain(file)
    if file.extends:
        organisation = _merge(built_in(), organisation)
    return _generate(organisation, file.generate) if file.generate else organisation


def built_in() -> Organisation:
    """Give a new copy of the example organisation."""
    text = resources.files("masthead.simulator").joinpath("example.json").read_bytes()
    return msgspec.json.decode(text, type=Organisation)


def _plain(file: DataFile) -> Organisation:
    return Organisation(**{name: getattr(file, name) for name in Organisation.__struct_fields__})


def _merge(base: Organisation, over: Organisation) -> Organisation:
    merged = Organisation(account=over.account if over.account != Account() else base.account)
    for name in Organisation.__struct_fields__:
        if name != "account":
            setattr(merged, name, _merge_records(getattr(base, name), getattr(over, name)))
    return merged


def _merge_records(base: list[Any], over: list[Any]) -> list[Any]:
    replaced = {record.id for record in over if hasattr(record, "id")}
    return [record for record in base if getattr(record, "id", None) not in replaced] + over


def _generate(organisation: Organisation, wanted: Generate) -> Organisation:
    """Add *wanted* to *organisation*, the same records every time."""
    users = [User(name=f"Person {n:05d}") for n in range(1, wanted.users + 1)]
    teams = [Team(name=f"Team {n:05d}") for n in range(1, wanted.policies + 1)]
    schedules, policies = [], []
    for n in range(1, wanted.policies + 1):
        rotation = [user.id for user in users[n - 1 :: wanted.policies]] or [user.id for user in users[:1]]
        schedule = Schedule(name=f"Rota {n:05d}", rotation=rotation)
        schedules.append(schedule)
        policies.append(Policy(name=f"Policy {n:05d}", levels=[[schedule.id]], teams=[teams[n - 1].id]))
    services = [_service(n, wanted, policies) for n in range(1, wanted.services + 1)]
    made = Organisation(
        users=users, teams=teams, schedules=schedules, escalation_policies=policies, services=services
    )
    return _merge(organisation, made)


def _service(number: int, wanted: Generate, policies: list[Policy]) -> Service:
    if not policies:
        raise DataInvalid("generate: services need at least one policy")
    policy = policies[number % len(policies)]
    kinds = ("events_api_v2_inbound_integration", "generic_events_api_inbound_integration")
    integrations = [
        Integration(type=kinds[place % 2], name=f"Integration {place + 1}")
        for place in range(wanted.integrations)
    ]
    return Service(
        name=f"{wanted.prefix} {number:05d}", policy=policy.id, teams=policy.teams, integrations=integrations
    )
