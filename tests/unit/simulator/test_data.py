"""Where the organisation comes from, and what is wrong with a file."""

from __future__ import annotations

import json

import pytest

from masthead.simulator.data import built_in, decode, load
from masthead.simulator.organisation import DataInvalid, Directory


def test_the_example_is_a_small_company():
    """The built-in data: at least eight services, six active with keys, and every awkward kind."""
    directory = Directory(built_in())
    services = directory.services.values()
    usable = [
        service
        for service in services
        if service.status == "active" and any(one.protocol for one in service.integrations)
    ]
    assert len(services) >= 8
    assert len(usable) >= 6
    assert {one.status for one in services} == {"active", "maintenance", "disabled"}
    assert {one.protocol for service in usable for one in service.integrations} == {"v1", "v2", None}
    assert any(not service.integrations for service in services)
    assert any(len(service.integrations) > 2 for service in services)
    assert {len(policy.levels) for policy in directory.policies.values()} == {2, 3}
    assert all(route.key.islower() for route in directory.routes.values() if route.integration)


def test_ids_and_keys_are_made_up_the_same_every_time():
    """Ids and keys that the file leaves out are made of names, always alike."""
    document = {
        "users": [{"name": "Ada"}],
        "escalation_policies": [{"id": "E", "name": "E"}],
        "services": [{"name": "One", "policy": "E", "integrations": [{}, {"email": "a@example.com"}]}],
    }
    first, second = decode(document), decode(document)
    assert first == second
    (service,) = first.services
    assert len(service.id) == 7
    assert len(service.integrations[0].key) == 32
    assert service.integrations[1].key == ""
    assert first.users[0].email == "ada@example.com"


def test_a_file_may_stand_on_the_example():
    """With ``extends`` records replace those with the same id, others are added."""
    organisation = decode(
        {
            "extends": "example",
            "services": [
                {"id": "PWIKI01", "name": "Wiki", "policy": "PPSTORE"},
                {"name": "New", "policy": "PPSTORE"},
            ],
            "tokens": [{"token": "t"}],
        }
    )
    services = {service.id: service for service in organisation.services}
    assert len(services) == len(built_in().services) + 1
    assert services["PWIKI01"].policy == "PPSTORE"
    assert organisation.account == built_in().account


def test_thousands_can_be_generated():
    """``generate`` makes numbered services with keys, policies, people, the same in every run."""
    document = {"generate": {"services": 10_000, "integrations": 2, "policies": 7, "users": 20}}
    directory = Directory(decode(document))
    assert len(directory.services) == 10_000
    assert len(directory.routes) == 20_000
    assert {route.protocol for route in directory.routes.values()} == {"v1", "v2"}
    assert len(directory.policies) == 7
    assert decode(document) == decode(document)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"servicess": []}, "servicess"),
        ({"services": [{"name": 7}]}, "$.services[0].name"),
        ({"services": [{"name": "A", "policy": "NONE"}]}, "'NONE'"),
        ({"schedules": [{"name": "S", "rotation": ["NONE"]}]}, "schedule 'S'"),
        ({"escalation_policies": [{"name": "E", "levels": [["NONE"]]}]}, "escalation policy 'E'"),
        ({"users": [{"id": "U", "name": "A"}, {"id": "U", "name": "B"}]}, "'U'"),
        ({"tokens": [{"token": "t", "user": "NONE"}]}, "token"),
        ({"generate": {"services": 1, "policies": 0}}, "policy"),
        (
            {
                "extends": "example",
                "services": [{"name": "A", "policy": "PPSTORE", "integrations": [{"key": "short"}]}],
            },
            "32 letters and digits",
        ),
        (
            {
                "extends": "example",
                "services": [{"name": "A", "policy": "PPSTORE", "integrations": [{"key": "k" * 32}] * 2}],
            },
            "same key",
        ),
    ],
)
def test_what_is_wrong_is_said(document, words):
    """A file that cannot be used is refused with words that lead to the place."""
    with pytest.raises(DataInvalid) as caught:
        Directory(decode(document))
    assert words in str(caught.value)


def test_a_file_is_named_in_its_errors(tmp_path):
    """Errors name the file: absent, no JSON, wrong shape."""
    absent, broken = tmp_path / "absent.json", tmp_path / "broken.json"
    broken.write_text("{")
    for path in (absent, broken):
        with pytest.raises(DataInvalid, match=path.name):
            load(path)
    with pytest.raises(DataInvalid, match="cannot be read: No such file or directory"):
        load(absent)
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps({"users": [{"name": "Ada"}]}))
    assert [user.name for user in load(whole).users] == ["Ada"]
    assert load(None) == built_in()
