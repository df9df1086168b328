"""The stage that pages."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from masthead.executions import store
from masthead.executions.failure import TaskFailed
from masthead.executions.fakes import fake_services
from masthead.executions.stages.base import TaskContext
from masthead.executions.stages.page_application_owner import PageApplicationOwnerStage
from masthead.kernel.errors import AccessDenied, OutsideFailure, Reason, StorageUnavailable
from masthead.kernel.secret import Secret
from masthead.pagerduty import Severity
from masthead.paging import DeliveryState, Incident, IncidentState, NotOpened

REJECTED = DeliveryState.REJECTED
DISABLED = Incident(IncidentState.NOT_OPENED, NotOpened.DISABLED)
KEY_A, KEY_B = "0123456789abcdef0123456789abcdea", "0123456789abcdef0123456789abcdeb"


def page(**fields) -> dict:
    return {"type": "pageApplicationOwner", "message": "[DEMO] down", **fields}


@pytest.fixture(autouse=True)
def applications(bench) -> None:
    bench.applications.stored = {
        "demo": {"name": "DEMO", "pdApiKey": KEY_A},
        "shop": {"name": "SHOP", "pdApiKey": KEY_B},
        "twin": {"name": "TWIN", "pdApiKey": KEY_A},
        "bare": {"name": "BARE"},
        "blank": {"name": "BLANK", "pdApiKey": " "},
    }


async def test_the_owner_of_an_application_is_paged(bench):
    """Details.from, severity, identity and client are filled in; the stage tells what came of it."""
    task = await bench.task(page(applications=["demo"], details={"a": 1}))
    (draft,) = bench.paging.drafts
    assert task["status"] == "SUCCEEDED"
    assert [key.reveal() for key in draft.keys] == [KEY_A]
    assert draft.message == "[DEMO] down"
    assert draft.details == {"a": 1, "from": "ann@example.com"}
    assert draft.severity is Severity.CRITICAL
    assert draft.client == "Spinnaker (ann@example.com)"
    assert draft.identity == f"{task['id']}/{task['execution']['stages'][0]['id']}"
    assert bench.paging.callers[0].address == "10.0.0.1"
    assert bench.variable(task, "pages") == {
        "id": "page-1",
        "deliveries": [
            {
                "service": "Service A",
                "serviceId": "PSVC1",
                "dedupKey": "dedup-1",
                "protocol": "v2",
                "state": "accepted",
                "text": "Event processed",
            }
        ],
    }


async def test_who_pages_may_say_whom_it_is_from_and_how_bad_it_is(bench):
    """What the stage says wins over the defaults."""
    await bench.task(page(keys=[KEY_B], severity="Warning", details={"from": "Overnight Monitoring Team"}))
    (draft,) = bench.paging.drafts
    assert draft.details == {"from": "Overnight Monitoring Team"}
    assert draft.severity is Severity.WARNING


async def test_keys_come_first_and_each_is_paged_once(bench):
    """Keys in their order, then the applications'; a key that is given twice is paged once."""
    await bench.task(page(keys=[KEY_B, KEY_B], applications=["demo", "shop", "twin"]))
    assert [key.reveal() for key in bench.paging.drafts[0].keys] == [KEY_B, KEY_A]


async def test_no_key_is_ever_shown(bench):
    """Neither the task, nor its stages, nor their contexts show an integration key."""
    bench.paging.fates[KEY_B] = (REJECTED, Reason.KEY, "Invalid routing key")
    task = await bench.task(page(keys=[KEY_A, KEY_B], applications=["demo"]))
    assert KEY_A not in str(task)
    assert KEY_B not in str(task)
    assert bench.variable(task, "keys") == ["Service A", "Service B"]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["bare"], "bare does not have a pager duty service key."),
        (["demo", "bare", "blank"], "bare, blank do not have a pager duty service key."),
    ],
)
async def test_an_application_without_key_pages_nobody(bench, names, sentence):
    """Orca's sentence, and nobody is paged, not even those who have a key."""
    task = await bench.task(page(applications=names))
    assert task["status"] == "TERMINAL"
    assert bench.errors(task) == [sentence]
    exception = bench.variable(task, "exception")
    assert exception["exceptionType"] == "IllegalStateException"
    assert exception["operation"] == "pageApplicationOwner"
    assert exception["details"]["error"] == "Unexpected Task Failure"
    assert bench.paging.drafts == []


async def test_an_application_that_does_not_exist_is_said_to_be_unknown(bench):
    """Orca's sentence first, then what is different about it."""
    task = await bench.task(page(applications=["ghost", "bare"]))
    assert bench.errors(task) == [
        "ghost, bare do not have a pager duty service key.",
        "There is no application called ghost.",
    ]


async def test_a_look_up_that_is_refused_is_not_a_missing_key(bench):
    """Who may not read an application hears that."""
    bench.applications.error = AccessDenied()
    task = await bench.task(page(applications=["demo"]))
    assert bench.errors(task) == ["The application demo could not be looked up: Access is denied."]


async def test_a_look_up_that_fails_for_now_is_tried_again(bench):
    """When the database is away the stage keeps running and pages after its back-off."""
    bench.applications.error = StorageUnavailable()
    task = await bench.task(page(applications=["demo"]))
    assert task["status"] == "RUNNING"
    bench.applications.error = None
    await bench.clock.advance(15)
    await bench.run_due()
    assert (await bench.executions.get_task(task["id"]))["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "There is nobody to page: give `applications`, `keys`, or both."),
        ({"applications": [], "keys": []}, "There is nobody to page: give `applications`, `keys`, or both."),
        ({"applications": "demo"}, "`applications` must be a list of application names."),
        ({"keys": [17]}, "`keys` must be a list of integration keys."),
        ({"keys": [""]}, "`keys` must be a list of integration keys."),
        (
            {"keys": [KEY_A], "message": ""},
            "`message` is missing: it is the first line that the person on call reads.",
        ),
        (
            {"keys": [KEY_A], "message": None},
            "`message` is missing: it is the first line that the person on call reads.",
        ),
        (
            {"keys": [KEY_A], "details": "text"},
            '`details` must be an object, such as {"details": "what happened"}.',
        ),
        (
            {"keys": [KEY_A], "severity": "bad"},
            "'bad' is not a severity; use critical, error, warning or info.",
        ),
    ],
)
async def test_what_cannot_be_used_pages_nobody(bench, fields, sentence):
    """Each mistake ends the stage with a sentence that names the field."""
    task = await bench.task(page(**fields))
    assert task["status"] == "TERMINAL"
    assert bench.errors(task) == [sentence]
    assert bench.paging.drafts == []


@pytest.mark.parametrize(
    ("fates", "sentence"),
    [
        (
            {KEY_B: (REJECTED, Reason.KEY, "Invalid routing key.")},
            "Some notifications succeeded, but the following failed:  Service B: Invalid routing key.",
        ),
        (
            {KEY_A: (REJECTED, Reason.KEY, "One"), KEY_B: (REJECTED, Reason.REJECTED, "Two")},
            "There were issues with the request sent to PagerDuty:  Service A: One, Service B: Two.",
        ),
        (
            {KEY_A: (REJECTED, Reason.KEY, "One"), KEY_B: (REJECTED, Reason.ANSWER, "Two")},
            "There were problems with PagerDuty:  Service B: Two. Service A: One.",
        ),
    ],
)
async def test_refused_deliveries_fail_the_stage_in_echos_words(bench, fates, sentence):
    """Echo's three sentences, with the service in the key's place; what arrived stays in the result."""
    bench.paging.fates = fates
    task = await bench.task(page(keys=[KEY_A, KEY_B]))
    assert task["status"] == "TERMINAL"
    assert bench.errors(task) == [sentence]
    assert bench.variable(task, "exception")["details"]["error"] == "Bad Request"
    states = [each["state"] for each in bench.variable(task, "pages")["deliveries"]]
    assert states == ["rejected" if key in fates else "accepted" for key in (KEY_A, KEY_B)]


async def test_a_page_that_takes_long_rests_and_is_woken(bench):
    """After a few seconds the stage occupies nothing; the decision wakes it."""
    bench.paging.is_holding = True
    task_id = await bench.executions.start_tasks({"job": [page(keys=[KEY_A])]}, bench.ann)
    await bench.until(lambda: bench.paging.drafts)
    await bench.until_asleep()
    await bench.clock.advance(5)
    await bench.idle()
    task = await bench.executions.get_task(task_id)
    assert task["status"] == "RUNNING"
    assert bench.variable(task, "pages")["deliveries"][0]["state"] == "pending"
    bench.paging.decide("page-1")
    await bench.idle()
    assert (await bench.executions.get_task(task_id))["status"] == "SUCCEEDED"
    assert len(bench.paging.drafts) == 1


async def test_a_decision_while_the_burst_waits_starts_no_second_burst(bench):
    """The generation does not move when the burst that waits sees the decision itself."""
    bench.paging.is_holding = True
    task_id = await bench.executions.start_tasks({"job": [page(keys=[KEY_A])]}, bench.ann)
    await bench.until(lambda: bench.paging.drafts)
    await bench.until_asleep()
    bench.paging.decide("page-1")
    assert len(bench.executions._tasks) == 0
    await bench.idle()
    assert (await bench.executions.get_task(task_id))["status"] == "SUCCEEDED"


async def test_at_its_timeout_the_stage_names_those_still_being_tried(bench):
    """After five minutes it fails, says who was not reached yet, and what was refused."""
    bench.paging.is_holding = True
    bench.paging.fates[KEY_B] = (REJECTED, Reason.KEY, "Invalid routing key")
    task_id = await bench.executions.start_tasks({"job": [page(keys=[KEY_A, KEY_B])]}, bench.ann)
    await bench.until(lambda: bench.paging.drafts)
    await bench.until_asleep()
    await bench.clock.advance(5)
    await bench.idle()
    bench.paging.decide("page-1", KEY_B)
    await bench.clock.advance(295)
    await bench.run_due()
    task = await bench.executions.get_task(task_id)
    assert task["status"] == "TERMINAL"
    assert bench.variable(task, "exception")["exceptionType"] == "TimeoutException"
    assert bench.errors(task) == [
        "PagerDuty has not yet taken the page for Service A; Masthead goes on trying.",
        "There were issues with the request sent to PagerDuty:  Service B: Invalid routing key.",
        (
            "PageApplicationOwnerTask of stage pageApplicationOwner timed out after 5 minutes."
            " pausedDuration: 0 seconds, elapsedTime: 5 minutes, timeoutValue: 5 minutes"
        ),
    ]


async def test_a_page_that_was_decided_before_the_timeout_was_seen_counts(bench):
    """A machine that was away for longer than the timeout still finds the page accepted."""
    bench.paging.is_holding = True
    task_id = await bench.executions.start_tasks({"job": [page(keys=[KEY_A])]}, bench.ann)
    await bench.until(lambda: bench.paging.drafts)
    await bench.until_asleep()
    await bench.clock.advance(5)
    await bench.idle()
    bench.paging._subscribers.clear()
    bench.paging.decide("page-1")
    await bench.clock.advance(3600)
    await bench.run_due()
    assert (await bench.executions.get_task(task_id))["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("options", "stage_status", "status"),
    [
        ({}, "TERMINAL", "TERMINAL"),
        ({"failPipeline": False, "continuePipeline": True}, "FAILED_CONTINUE", "SUCCEEDED"),
        ({"failPipeline": False}, "STOPPED", "SUCCEEDED"),
        ({"failPipeline": False, "completeOtherBranchesThenFail": True}, "STOPPED", "TERMINAL"),
    ],
)
async def test_failure_options_apply(bench, options, stage_status, status):
    """A page that failed ends its stage and the execution as the stage's failure options say."""
    run = await bench.pipeline(page(applications=["bare"], **options))
    assert (run["stages"][0]["status"], run["status"]) == (stage_status, status)


async def test_paging_that_is_switched_off_is_said_plainly(bench, monkeypatch):
    """What paging refuses outright is the stage's failure, in paging's own words."""

    async def refuse(_draft, _caller):
        raise OutsideFailure("Paging is switched off.", reason=Reason.NOT_CONFIGURED)

    monkeypatch.setattr(bench.paging, "request", refuse)
    task = await bench.task(page(keys=[KEY_A]))
    assert task["status"] == "TERMINAL"
    assert bench.errors(task) == ["Paging is switched off."]


@pytest.mark.parametrize("fields", [{"keys": ["tooshort"]}, {"applications": ["typo"]}])
async def test_where_no_key_can_be_one_nobody_is_asked(bench, fields):
    """The sentence says what is wrong and repeats no key; nothing is stored."""
    bench.applications.stored["typo"] = {"name": "TYPO", "pdApiKey": "tooshort"}
    task = await bench.task(page(**fields))
    assert (task["status"], bench.paging.drafts) == ("TERMINAL", [])
    assert bench.errors(task) == ["This integration key has 8 characters; PagerDuty's have 32."]


def outcome(bench, page_id: str, place: int, **changes) -> None:
    """Have a delivery of a page come to something else."""
    known = bench.paging.pages[page_id]
    deliveries = list(known.deliveries)
    deliveries[place] = replace(deliveries[place], **changes)
    bench.paging.pages[page_id] = replace(known, deliveries=tuple(deliveries))


# -- a restarted stage ----------------------------------------------------------------------------


async def restarted(bench, ended: dict, **changes) -> tuple[str, dict]:
    """Run the page task of *ended* once more, as after a restart; give its status and its pages."""
    execution = await bench.database.read(lambda c: store.find(c, ended["id"]))
    stage = execution.stages[0]
    context = stage.context | {"restartDetails": {"restartedBy": "ann", "restartTime": 7}} | changes
    task = PageApplicationOwnerStage.tasks[0]
    services = fake_services(bench.clock, applications=bench.applications, paging=bench.paging)
    work = TaskContext(
        execution, stage, stage.tasks[0], context, bench.ann, bench.clock.now(), None, services
    )
    result = await task.run(work)
    return result.status, result.context["pages"]


async def test_a_restarted_stage_pages_only_those_that_were_not_reached(bench):
    """Under the same dedup identity, and it says who had been reached before."""
    bench.paging.fates[KEY_B] = (REJECTED, Reason.KEY, "Invalid routing key")
    ended = await bench.pipeline(page(keys=[KEY_A, KEY_B], failPipeline=False))
    del bench.paging.fates[KEY_B]
    status, pages = await restarted(bench, ended)
    first, second = bench.paging.drafts
    assert status == "SUCCEEDED"
    assert [key.reveal() for key in second.keys] == [KEY_B]
    assert second.dedup_identity == first.dedup_identity
    assert second.identity != first.identity
    assert (pages["id"], pages["restart"], pages["reachedBefore"]) == ("page-2", "7", ["Service A"])


async def test_a_restarted_stage_says_whom_it_may_have_reached(bench):
    """An event whose answer was lost may have opened an incident: paging looks that up before it sends another."""
    bench.paging.fates |= dict.fromkeys((KEY_A, KEY_B), (DeliveryState.EXPIRED, Reason.EXPIRED, "Given up"))
    ended = await bench.pipeline(page(keys=[KEY_A, KEY_B], failPipeline=False))
    known = bench.paging.pages["page-1"]
    lost = replace(known.deliveries[0], is_uncertain=True)
    bench.paging.pages["page-1"] = replace(known, deliveries=(lost, known.deliveries[1]))
    bench.paging.fates.clear()
    await restarted(bench, ended)
    first, second = bench.paging.drafts
    assert (first.doubtful, second.doubtful) == (frozenset(), {lost.key})


async def test_a_restarted_stage_that_reached_everybody_pages_nobody(bench):
    """It succeeds and says so."""
    ended = await bench.pipeline(page(keys=[KEY_A]))
    status, pages = await restarted(bench, ended)
    assert status == "SUCCEEDED"
    assert len(bench.paging.drafts) == 1
    assert (pages["reachedBefore"], pages["deliveries"]) == (["Service A"], [])


async def test_a_restarted_stage_follows_what_is_still_being_tried(bench):
    """Nobody is paged twice because PagerDuty is slow."""
    ended = await bench.pipeline(page(keys=[KEY_A]))
    known = bench.paging.pages["page-1"]
    pending = tuple(replace(each, state=DeliveryState.PENDING) for each in known.deliveries)
    bench.paging.pages["page-1"] = replace(known, deliveries=pending)
    status, pages = await restarted(bench, ended)
    assert (status, pages["id"]) == ("RUNNING", "page-1")
    assert len(bench.paging.drafts) == 1


async def test_a_restarted_stage_names_whom_pagerduty_took_after_it_had_ended(bench):
    """What the stage itself kept is from before."""
    bench.paging.is_holding = True
    running = await bench.executions.start_tasks({"job": [page(keys=[KEY_A, KEY_B])]}, bench.ann)
    await bench.until(lambda: bench.paging.drafts)
    await bench.until_asleep()
    await bench.clock.advance(300)
    await bench.run_due()
    ended = await bench.executions.get_task(running)
    assert [each["state"] for each in bench.variable(ended, "pages")["deliveries"]] == ["pending"] * 2
    bench.paging.decide("page-1")
    status, pages = await restarted(bench, ended)
    assert (status, len(bench.paging.drafts)) == ("SUCCEEDED", 1)
    assert (pages["reachedBefore"], pages["deliveries"]) == (["Service A", "Service B"], [])


async def test_a_restarted_stage_that_pages_somebody_waits_for_the_others_too(bench):
    """One refused, one still being tried: the first is paged anew, and the second decides the stage as well."""
    bench.paging.fates[KEY_B] = (REJECTED, Reason.KEY, "Invalid routing key")
    ended = await bench.pipeline(page(keys=[KEY_A, KEY_B], failPipeline=False))
    outcome(bench, "page-1", 0, state=DeliveryState.PENDING)
    bench.paging.fates.clear()
    status, pages = await restarted(bench, ended)
    assert [key.reveal() for key in bench.paging.drafts[1].keys] == [KEY_B]
    assert [(each["service"], each["state"]) for each in pages["deliveries"]] == [
        ("Service B", "accepted"),
        ("Service A", "pending"),
    ]
    assert status == "RUNNING"
    outcome(bench, "page-1", 0, state=REJECTED, text="No.")
    with pytest.raises(TaskFailed, match="the following failed:  Service A: No"):
        await restarted(bench, ended, pages=pages)
    outcome(bench, "page-1", 0, state=DeliveryState.ACCEPTED)
    assert (await restarted(bench, ended, pages=pages))[0] == "SUCCEEDED"
    assert len(bench.paging.drafts) == 2


# -- waitForIncident ------------------------------------------------------------------------------


async def test_the_stage_tells_what_the_page_led_to(bench):
    """Number, link and who has it stand beside the delivery."""
    bench.paging.incident = Incident(
        IncidentState.TRIGGERED, id="Q1", number=7, url="https://x/7", assignee="Ann"
    )
    task = await bench.task(page(keys=[KEY_A], waitForIncident=True))
    (delivery,) = bench.variable(task, "pages")["deliveries"]
    assert task["status"] == "SUCCEEDED"
    assert delivery["incident"] == {
        "state": "triggered",
        "number": 7,
        "url": "https://x/7",
        "assignee": "Ann",
    }


@pytest.mark.parametrize(
    ("incident", "sentence"),
    [
        (
            Incident(IncidentState.NOT_OPENED, NotOpened.DISABLED),
            "PagerDuty took the page for Service A but opened no incident: the service is disabled.",
        ),
        (
            Incident(IncidentState.UNKNOWN),
            "Whether PagerDuty opened an incident for Service A cannot be known: there is no REST token for its account.",
        ),
    ],
)
async def test_a_stage_that_waits_for_an_incident_fails_without_one(bench, incident, sentence):
    """And says why; without waitForIncident it succeeds."""
    bench.paging.incident = incident
    task = await bench.task(page(keys=[KEY_A], waitForIncident=True))
    assert (task["status"], bench.errors(task)) == ("TERMINAL", [sentence])
    assert (await bench.task(page(keys=[KEY_A])))["status"] == "SUCCEEDED"


async def test_a_restarted_stage_pages_those_anew_for_whom_no_incident_was_opened(bench):
    """Looked up first and under the same dedup keys; who has an incident is left alone, and the stage fails until all have."""
    bench.paging.incident = DISABLED
    ended = await bench.pipeline(page(keys=[KEY_A, KEY_B], waitForIncident=True))
    outcome(bench, "page-1", 1, incident=Incident(IncidentState.RESOLVED, number=3))
    with pytest.raises(
        TaskFailed, match="Service A but opened no incident: the service is disabled"
    ) as failed:
        await restarted(bench, ended)
    first, second = bench.paging.drafts
    assert [key.reveal() for key in second.keys] == [KEY_A]
    assert second.doubtful >= set(second.keys)
    assert second.dedup_identity == first.dedup_identity
    pages = failed.value.context["pages"]
    assert (pages["id"], pages["reachedBefore"]) == ("page-2", ["Service B"])
    bench.paging.incident = Incident(IncidentState.TRIGGERED, number=4)
    status, pages = await restarted(bench, ended, restartDetails={"restartTime": 8}, pages=pages)
    assert (status, pages["id"]) == ("SUCCEEDED", "page-3")


async def test_a_restarted_stage_pages_nobody_anew_whose_incident_cannot_be_known(bench):
    """Somebody may have been woken; and the stage does not pretend that somebody was."""
    bench.paging.incident = Incident(IncidentState.UNKNOWN)
    ended = await bench.pipeline(page(keys=[KEY_A], waitForIncident=True))
    with pytest.raises(TaskFailed, match="an incident for Service A cannot be known"):
        await restarted(bench, ended)
    assert len(bench.paging.drafts) == 1
    status, pages = await restarted(bench, ended, waitForIncident=False)
    assert (status, pages["reachedBefore"]) == ("SUCCEEDED", ["Service A"])


async def test_a_restarted_stage_waits_for_the_incident_of_its_earlier_page(bench):
    """It may show any moment; nobody is paged anew meanwhile."""
    bench.paging.incident = Incident(IncidentState.UNKNOWN, is_awaited=True)
    ended = await bench.pipeline(page(keys=[KEY_A, KEY_B], waitForIncident=True))
    outcome(bench, "page-1", 1, incident=Incident(IncidentState.TRIGGERED))
    status, pages = await restarted(bench, ended)
    assert (status, pages["reachedBefore"]) == ("RUNNING", ["Service B"])
    outcome(bench, "page-1", 0, incident=DISABLED)
    with pytest.raises(TaskFailed, match="Service A but opened no incident"):
        await restarted(bench, ended, pages=pages)
    outcome(bench, "page-1", 0, incident=Incident(IncidentState.TRIGGERED))
    status, pages = await restarted(bench, ended, pages=pages)
    assert (status, [each["service"] for each in pages["deliveries"]]) == ("SUCCEEDED", ["Service A"])
    assert len(bench.paging.drafts) == 1


async def test_a_stage_waits_until_its_incident_is_known(bench):
    """It is told as soon as more is known."""
    bench.paging.incident = Incident(IncidentState.UNKNOWN, is_awaited=True)
    execution = await bench.pipeline(page(keys=[KEY_A], waitForIncident=True))
    assert execution["status"] == "RUNNING"
    bench.paging.incident = Incident(IncidentState.ACKNOWLEDGED, number=7)
    bench.paging.decide("page-1")
    await bench.idle()
    done = await bench.executions.get_pipeline(execution["id"])
    assert done["status"] == "SUCCEEDED"


async def test_a_dry_run_pages_nobody_and_says_whom_it_would_page(bench):
    """With every mistake that a page would fail with."""
    dry = {"trigger": {"dryRun": True}}
    done = await bench.pipeline(page(applications=["demo", "twin"], severity="warning"), **dry)
    assert bench.paging.drafts == []
    assert done["status"] == "SUCCEEDED"
    assert done["stages"][0]["context"]["wouldPage"] == {
        "services": [bench.executions._services.key_label(Secret(KEY_A))],
        "message": "[DEMO] down",
        "details": {"from": "ann@example.com"},
        "severity": "warning",
    }
    wrong = await bench.pipeline(page(applications=["bare"]), **dry)
    assert wrong["status"] == "TERMINAL"
    assert KEY_A not in str(done)


@pytest.mark.parametrize(
    "stage",
    [
        {"type": "webhook", "url": "https://hooks.example.com/"},
        {"type": "deleteApplication", "application": {"name": "demo"}},
        {"type": "deletePipeline", "pipeline": {"application": "demo", "name": "p"}},
    ],
    ids=lambda stage: stage["type"],
)
async def test_a_dry_run_contacts_and_changes_nothing(bench, stage):
    """What would is passed over, and the rest runs."""
    rest = {"type": "noop", "refId": "2", "requisiteStageRefIds": ["1"]}
    done = await bench.pipeline(
        {**stage, "refId": "1", "requisiteStageRefIds": []}, rest, trigger={"dryRun": True}
    )
    assert [each["status"] for each in done["stages"]] == ["SKIPPED", "SUCCEEDED"]
    assert bench.outbound.requests == []
    assert "demo" in bench.applications.stored
