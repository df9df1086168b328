"""Creating, updating and deleting applications by task."""

from __future__ import annotations

import pytest

from masthead.kernel.errors import StorageUnavailable, ValidationFailed

KEY = "0123456789abcdef0123456789abcdea"


def job(kind: str = "createApplication", **application) -> dict:
    return {"type": kind, "application": {"name": "billing", "email": "o@example.com", **application}}


async def test_an_application_is_created_in_the_users_name(bench):
    """The context tells what was there and what was sent; providerSettings is ignored."""
    task = await bench.task(job(providerSettings={"aws": {}}, permissions={"READ": []}))
    assert task["status"] == "SUCCEEDED"
    assert bench.applications.calls == [("merge", "ann@example.com")]
    assert "providerSettings" not in bench.applications.stored["billing"]
    assert bench.variable(task, "notification.type") == "upsertapplication"
    assert bench.variable(task, "application.name") == "billing"
    assert bench.variable(task, "previousState") == {}
    assert bench.variable(task, "newState") == {"name": "billing", "email": "o@example.com"}
    assert [step["name"] for step in task["steps"]] == ["createApplication"]


@pytest.mark.parametrize("kind", ["createApplication", "updateApplication", "upsertApplication"])
async def test_an_application_that_exists_is_merged(bench, kind):
    """Whatever the job is called, what is not sent stays."""
    bench.applications.stored["billing"] = {"name": "BILLING", "email": "old@example.com", "other": 1}
    task = await bench.task(job(kind))
    assert bench.applications.calls == [("merge", "ann@example.com")]
    assert bench.applications.stored["billing"]["other"] == 1
    assert bench.variable(task, "previousState")["email"] == "old@example.com"
    assert [step["name"] for step in task["steps"]] == [kind]


async def test_integration_keys_are_shown_by_their_service(bench):
    """Neither the states nor the job show the key, and it is forgotten when the task ended."""
    bench.applications.stored["billing"] = {"name": "BILLING", "pdApiKey": KEY[:-1] + "b"}
    task = await bench.task(job("updateApplication", pdApiKey=KEY))
    assert bench.applications.stored["billing"]["pdApiKey"] == KEY
    assert bench.variable(task, "previousState")["pdApiKey"] == "Service B"
    assert bench.variable(task, "newState")["pdApiKey"] == "Service A"
    assert KEY not in str(task)
    assert "pdApiKey" not in bench.variable(task, "application")


async def test_a_waiting_task_shows_no_key(bench):
    """A task that has not ended keeps the key, but shows its service."""
    bench.applications.error = StorageUnavailable()
    task = await bench.task(job(pdApiKey=KEY))
    assert task["status"] == "RUNNING"
    assert bench.variable(task, "application")["pdApiKey"] == "Service A"
    bench.applications.error = None
    await bench.clock.advance(10)
    await bench.run_due()
    assert bench.applications.stored["billing"]["pdApiKey"] == KEY


async def test_a_name_is_required(bench):
    """Orca's sentence."""
    task = await bench.task({"type": "createApplication", "application": {"email": "o@example.com"}})
    assert bench.errors(task) == ["Missing one or more required task parameters (application.name)"]


async def test_the_name_must_suit_the_cloud_providers(bench):
    """Orca's sentence for each provider that cannot have it; as list or as text with commas."""
    task = await bench.task(job(name="no-good", cloudProviders="kubernetes, gce,appengine"))
    assert bench.errors(task) == [
        (
            "Invalid application name, errors: [Invalid application name 'no-good'. Must match"
            " ^([a-zA-Z][a-zA-Z0-9]*)?$ for cloud provider 'gce' and be less than 63 characters., Invalid"
            " application name 'no-good'. Must match ^[a-z0-9]*$ for cloud provider 'appengine' and be less than"
            " 58 characters.]"
        )
    ]


async def test_every_broken_rule_is_told(bench, monkeypatch):
    """Front50's messages arrive one by one under exception.details.errors."""

    async def refuse(_name, _document, _caller):
        raise ValidationFailed(("Application must have a non-empty email", "Another"))

    monkeypatch.setattr(bench.applications, "merge", refuse)
    task = await bench.task(job(email=""))
    assert task["status"] == "TERMINAL"
    assert bench.errors(task) == ["Application must have a non-empty email", "Another"]
    assert bench.variable(task, "exception")["details"]["error"] == "Bad Request"


async def test_an_application_is_deleted(bench):
    """Orca's two steps, and what was deleted, without its key."""
    bench.applications.stored["billing"] = {"name": "BILLING", "pdApiKey": KEY}
    task = await bench.task({"type": "deleteApplication", "application": {"name": "billing"}})
    assert bench.applications.stored == {}
    assert [step["name"] for step in task["steps"]] == ["verifyNoDependencies", "deleteApplication"]
    assert [step["id"] for step in task["steps"]] == ["1", "2"]
    assert bench.variable(task, "notification.type") == "deleteapplication"
    assert bench.variable(task, "previousState") == {"name": "BILLING", "pdApiKey": "Service A"}


async def test_deleting_what_is_not_there_succeeds(bench):
    """As in Orca."""
    task = await bench.task({"type": "deleteApplication", "application": {"name": "gone"}})
    assert task["status"] == "SUCCEEDED"
    assert bench.applications.calls == []


async def test_a_failed_task_that_forgot_its_key_is_not_run_again_without_it(bench, monkeypatch):
    """A second run of an ended task refuses rather than saving the application without its key."""
    job_with_key = job(pdApiKey=KEY)
    task = await bench.task({**job_with_key, "redacted": ["/application/pdApiKey"]})
    assert bench.errors(task) == [
        "The integration key of this request was forgotten when it ended; send the request again."
    ]
    assert bench.applications.stored == {}
