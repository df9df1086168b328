"""Pages under /v1: asked for by anybody, found again, followed up, exported."""

from __future__ import annotations

import asyncio
import csv
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from masthead.pagerduty.fakes import ACCEPT, REJECT, THROTTLE
from masthead.storage.schema import page as page_table
from support.doors import CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY
from support.stored import store_page

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODY = {"applications": ["demo"], "message": "db down"}
ANN = {"X-SPINNAKER-USER": "ann@example.com"}


async def ask(house, body=None, query: str = "", **headers: str):
    given = {"Idempotency-Key": headers["key"]} if "key" in headers else {}
    return await house.client.post(
        f"/v1/pages{query}", json=BODY if body is None else body, headers=ANN | given
    )


async def stored(house) -> int:
    database = house.services.audit._database
    return await database.read(lambda c: c.execute(select(func.count()).select_from(page_table)).scalar_one())


# -- asking ------------------------------------------------------------------------------------------


async def test_a_page_is_answered_at_once_and_goes_out(demo):
    """202 with the page and where it can be looked at; nothing in it is a key."""
    demo.sender.gate.clear()
    answer = await ask(demo, BODY | {"severity": "error", "details": {"a": 1}, "links": ["https://x"]})
    page = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/pages/{page['id']}"
    assert "idempotency-replayed" not in answer.headers
    assert (page["kind"], page["door"], page["application"], page["user"]) == (
        "trigger",
        "v1",
        "demo",
        "ann@example.com",
    )
    said = {"a": 1, "from": "ann@example.com"}
    assert (page["message"], page["severity"], page["details"]) == ("db down", "error", said)
    assert page["links"] == [{"href": "https://x", "text": ""}]
    assert (page["isDecided"], page["deliveries"][0]["state"]) == (False, "pending")
    demo.sender.gate.set()
    later = (await demo.client.get(f"{answer.headers['location']}?wait=20")).json()
    assert (later["isDecided"], later["deliveries"][0]["state"]) == (True, "accepted")
    assert CHECKOUT_KEY not in answer.text


async def test_a_wait_gives_the_decided_page(demo):
    """200; what PagerDuty refused for good is in it."""
    demo.sender.answer(UNKNOWN_KEY, REJECT)
    answer = await ask(demo, BODY | {"keys": [UNKNOWN_KEY]}, "?wait=20")
    assert answer.status_code == 200
    told = {one["service"]: (one["state"], one["text"]) for one in answer.json()["deliveries"]}
    assert told == {
        "key …9999": ("rejected", "Invalid routing key"),
        "Checkout": ("accepted", "Event processed"),
    }


async def test_a_wait_that_ends_first_leaves_the_page_going(demo):
    """202: what is pending is still tried."""
    demo.sender.answer(CHECKOUT_KEY, THROTTLE)
    answer = await ask(demo, query="?wait=1")
    assert answer.status_code == 202
    assert answer.json()["deliveries"][0]["state"] == "pending"


async def test_applications_services_and_keys_are_told_each_once(demo):
    """Given keys first, then services, then applications; the same key twice is one delivery."""
    body = {
        "keys": [UNKNOWN_KEY],
        "services": ["paym", "PSVC01"],
        "applications": ["DEMO", "demo"],
        "message": "m",
    }
    page = (await ask(demo, body, "?wait=20")).json()
    assert [one["service"] for one in page["deliveries"]] == ["key …9999", "Payments", "Checkout"]
    assert page["application"] == "demo"


async def test_a_page_for_no_or_several_applications_is_asked_in_spinnakers_name(demo):
    """The application that stands for what belongs to none."""
    await demo.application("other", pdApiKey=PAYMENTS_KEY)
    for body in ({"services": ["Checkout"]}, {"applications": ["demo", "other"]}):
        assert (await ask(demo, body | {"message": "m"})).json()["application"] == "spinnaker"


async def test_a_dedup_key_of_ones_own_goes_to_pagerduty(demo):
    """A second page under it belongs to the same incident."""
    await ask(demo, BODY | {"dedupKey": "outage-1"}, "?wait=20")
    assert demo.sender.sent[-1].dedup_key == "outage-1"


async def test_the_default_severity_is_that_of_the_settings(demo):
    """Critical, unless the setting says otherwise."""
    assert (await ask(demo)).json()["severity"] == "critical"


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({"applications": []}, "", "Say whom to tell"),
        ({"applications": ["demo", "nope"]}, "/applications/1", "There is no application called nope."),
        ({"applications": ["spinnaker"]}, "/applications/0", "does not have a pager duty service key"),
        ({"services": ["Checkout", "Nothing"]}, "/services/1", "Nothing"),
        ({"services": ["m"]}, "/services/0", "Payments (PSVC02), Mail (PSVC03)"),
        ({"services": ["Mail"]}, "/services/0", "cannot be paged"),
        ({"keys": ["short"]}, "/keys/0", "5 characters"),
        ({"applications": ["demo"], "severity": "high"}, "/severity", "critical, error, warning or info"),
        ({"applications": ["demo"], "details": []}, "/details", "object"),
        ({"applications": ["demo"], "message": ""}, "/message", "missing"),
        ({"applications": ["demo"], "details": {"a": ["x\x00y"]}}, "/details/a/0", "NUL"),
        ({"applications": ["de\x00mo"]}, "/applications/0", "NUL"),
        ({"applications": ["demo"], "reciever": 1}, "/reciever", "no field"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_its_place(demo, body, pointer, says):
    """400 in Spinnaker's body; nothing is stored and nothing is sent."""
    answer = await ask(demo, {"message": "m"} | body)
    assert answer.status_code == 400
    assert answer.json()["pointer"] == pointer
    assert says in answer.json()["message"]
    assert (await stored(demo), demo.sender.sent) == (0, [])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"message": "m", "applications": ["demo"], "applications": []}', "/applications"),
        (b'{"message": "m", "applications": ["demo"]', ""),
        (b"[]", ""),
        (b"", ""),
    ],
)
async def test_a_body_that_cannot_be_meant_is_refused_with_its_place(demo, body, pointer):
    """Of two lists of recipients one would be paged, and nobody knows which."""
    answer = await demo.client.post("/v1/pages", content=body, headers=ANN)
    assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)
    assert (await stored(demo), demo.sender.sent) == (0, [])


async def test_a_name_may_stand_in_the_details_as_well(demo):
    """Only the fields of the page itself are one each."""
    body = b'{"message": "m", "keys": null, "applications": ["demo"], "details": {"message": "keys", "keys": []}}'
    assert (await demo.client.post("/v1/pages", content=body, headers=ANN)).status_code == 202


async def test_everything_that_is_wrong_is_told_at_once(demo):
    """Names that lead nowhere as well as fields that are none."""
    answer = await ask(
        demo, {"applications": ["nope", "demo", "spinnaker"], "services": ["none"], "message": ""}
    )
    places = [one.partition(":")[0] for one in answer.json()["errors"]]
    assert places == ["/message", "/services/0", "/applications/0", "/applications/2"]
    assert await stored(demo) == 0


@pytest.mark.parametrize("name", [UNKNOWN_KEY, f"x {UNKNOWN_KEY}"])
async def test_a_key_in_the_wrong_place_is_not_repeated(demo, name):
    """Somebody pastes it where a name belongs."""
    answer = await ask(demo, {"applications": [name], "services": [name], "message": "m"})
    assert answer.status_code == 400
    assert UNKNOWN_KEY not in answer.text


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b'{"message": "\xff"}', 400),
        (b'{"message": "\\ud800", "applications": ["demo"]}', 400),
        (b'{"details": ' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}", 400),
        (b'{"details": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b'{"message": "' + b"x" * 200_000 + b'"}', 400),
    ],
    ids=["empty", "list", "half", "not UTF-8", "half a character", "deep", "very deep", "large"],
)
async def test_a_body_that_is_none_is_refused(demo, content, status):
    """In Spinnaker's body, with nothing stored."""
    headers = {"Content-Type": "application/json"}
    answer = await demo.client.post("/v1/pages", content=content, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert await stored(demo) == 0


@pytest.mark.parametrize("query", ["?dryrun=true", "?Wait=1", "?limit=1"])
async def test_a_misspelt_parameter_wakes_nobody(demo, query):
    """It is refused before anything is stored."""
    answer = await ask(demo, query=query)
    assert (answer.status_code, await stored(demo)) == (400, 0)
    assert "wait, dryRun" in answer.json()["message"]


@pytest.mark.parametrize("wait", ["-1", "soon", "1.5", "99999999999"])
async def test_a_wait_that_is_none_wakes_nobody(demo, wait):
    """Who hears that the request is wrong sends it once more: nothing of it may have been stored."""
    page = (await ask(demo, query="?wait=20")).json()["id"]
    bodies = {"/v1/pages": BODY, "/v1/change-events": {"applications": ["demo"], "summary": "deployed"}}
    for path in (*bodies, *(f"/v1/pages/{page}/{verb}" for verb in ("acknowledge", "resolve", "resend"))):
        answer = await demo.client.post(f"{path}?wait={wait}", json=bodies.get(path))
        assert answer.status_code == 400
        assert "wait must be a whole number" in answer.json()["message"]
    assert (await stored(demo), len(demo.sender.sent)) == (1, 1)


async def test_a_dry_run_wakes_nobody(demo):
    """Whatever it answers, nothing is stored."""
    await ask(demo, query="?dryRun=true")
    assert (await stored(demo), demo.sender.sent) == (0, [])


async def test_paging_that_is_off_is_said(house):
    """Nothing is stored that nobody would send."""
    await house.application(pdApiKey=CHECKOUT_KEY)
    house.services.paging._is_enabled = False
    answer = await ask(house)
    assert (answer.status_code, await stored(house)) == (400, 0)
    assert "Paging is off" in answer.json()["message"]


@pytest.mark.parametrize("name", ["demo", "DEMO", "Demo"])
async def test_pages_are_found_by_their_application_in_any_case(demo, name):
    """However the page was asked for, at whichever door; also one that was kept as it was written."""
    await ask(demo, BODY | {"applications": ["DeMo"]})
    notification = {
        "notificationType": "PAGER_DUTY",
        "to": [CHECKOUT_KEY],
        "source": {"application": "Demo"},
        "additionalContext": {"message": "m"},
    }
    await demo.client.post("/echo/notifications", json=notification)
    database = demo.services.audit._database
    await database.write(lambda c: store_page(c, datetime.now(UTC), application="DEMO") and None)
    found = (await demo.client.get(f"/v1/pages?application={name}")).json()["pages"]
    assert sorted(one["application"] for one in found) == ["DEMO", "demo", "demo"]


# -- asking again ------------------------------------------------------------------------------------


async def test_the_same_idempotency_key_gives_the_first_page(demo):
    """As it stands, in whoever's name; nothing is sent anew."""
    first = await ask(demo, query="?wait=20", key="k-1")
    again = await demo.client.post("/v1/pages", json=BODY, headers={"Idempotency-Key": "k-1"})
    assert again.json() == first.json()
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.headers["location"] == first.headers["location"]
    assert (len(demo.sender.sent), await stored(demo)) == (1, 1)


async def test_the_order_of_fields_is_not_another_body(demo):
    """Nor is the wait."""
    first = await ask(demo, key="k")
    turned = await ask(demo, dict(reversed(BODY.items())), "?wait=20", key="k")
    assert turned.json()["id"] == first.json()["id"]


async def test_a_page_that_is_asked_for_again_stands_although_its_application_is_gone(demo):
    """The first request was fine; the second one is that one."""
    first = await ask(demo, key="k")
    await demo.services.applications.delete("demo", demo.ann)
    assert (await ask(demo, key="k")).json()["id"] == first.json()["id"]


async def test_another_body_under_the_same_key_is_a_conflict(demo):
    """409; a new page wants a new key."""
    await ask(demo, key="k")
    answer = await ask(demo, BODY | {"message": "other"}, key="k")
    assert (answer.status_code, await stored(demo)) == (409, 1)
    assert "new one" in answer.json()["message"]


async def test_without_a_key_every_request_is_a_page(demo):
    """Who pages again because nobody came wakes somebody."""
    first, second = await ask(demo), await ask(demo)
    assert first.json()["id"] != second.json()["id"]
    assert first.json()["deliveries"][0]["dedupKey"] != second.json()["deliveries"][0]["dedupKey"]


async def test_a_request_that_was_refused_uses_no_key_up(demo):
    """Corrected, it is taken."""
    await ask(demo, {"message": "m"}, key="k")
    assert (await ask(demo, key="k")).status_code == 202


async def test_requests_of_one_key_at_the_same_time_are_one_page(demo):
    """Whichever comes first; somebody is woken once."""
    answers = await asyncio.gather(*(ask(demo, query="?wait=20", key="k") for _ in range(8)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (len(demo.sender.sent), await stored(demo)) == (1, 1)
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7


@pytest.mark.parametrize("query", ["dryRun=true&dryRun=false", "wait=1&wait=1"])
async def test_what_the_query_says_twice_is_refused(demo, query):
    """Of a dry run and a page one was done, silently."""
    answer = await ask(demo, query=f"?{query}")
    assert (answer.status_code, "2 times" in answer.json()["message"]) == (400, True)
    assert (demo.sender.sent, await stored(demo)) == ([], 0)


async def test_two_idempotency_keys_are_refused(demo):
    """Nobody can tell under which of them it is to be known."""
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await demo.client.post("/v1/pages", json=BODY, headers=headers)
    assert (answer.status_code, demo.sender.sent) == (400, [])


@pytest.mark.parametrize("verb", ["acknowledge", "resolve", "resend"])
async def test_a_follow_up_takes_no_body(demo, verb):
    """Whoever says something there is told that it would not be heard; an empty object is nothing."""
    demo.sender.answer(CHECKOUT_KEY, *([REJECT, ACCEPT] if verb == "resend" else [ACCEPT]))
    path = (await ask(demo, query="?wait=20")).headers["location"]
    for body, pointer in ((b"xx", ""), (b"[1]", ""), (b"null", ""), (b'{"a/b": 1}', "/a~1b")):
        answer = await demo.client.post(f"{path}/{verb}", content=body)
        assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)
    assert len(demo.sender.sent) == 1
    assert (await demo.client.post(f"{path}/{verb}?wait=20", content=b"{}")).status_code == 200


async def test_the_pages_own_keys_stand_nowhere_in_its_words(demo):
    """Nor in those of what is asked of it later, nor in exports, whoever put one there."""
    said = {"message": CHECKOUT_KEY, "details": {"a": f"({CHECKOUT_KEY})"}}
    links = [{"href": f"https://x/{CHECKOUT_KEY}", "text": CHECKOUT_KEY}]
    headers = {"X-SPINNAKER-USER": CHECKOUT_KEY}
    answer = await demo.client.post("/v1/pages?wait=20", json=BODY | said | {"links": links}, headers=headers)
    assert answer.json()["links"] == [{"href": "https://x/key …ee01", "text": "key …ee01"}]
    resolved = await demo.client.post(f"{answer.headers['location']}/resolve?wait=20", headers=headers)
    export = await demo.client.get("/v1/pages.jsonl?kind=trigger,resolve")
    assert len(export.text.splitlines()) == 2
    for one in (answer, resolved, export):
        assert one.is_success
        assert CHECKOUT_KEY not in one.text


@pytest.mark.parametrize("query", ["", "?dryRun=true"])
@pytest.mark.parametrize("shape", ["{}", "alert/{}/cpu", " {} "])
@pytest.mark.parametrize("key", [CHECKOUT_KEY, UNKNOWN_KEY])
async def test_an_integration_key_is_no_dedup_key(house, key, shape, query):
    """Neither one that the catalog knows nor the page's own: a dedup key is shown, and stands in every export."""
    body = {"keys": [UNKNOWN_KEY], "message": "m", "dedupKey": shape.format(key)}
    answer = await house.client.post(f"/v1/pages{query}", json=body)
    assert (answer.status_code, answer.json()["pointer"], house.sender.sent) == (400, "/dedupKey", [])
    assert key not in answer.text


async def test_when_too_much_waits_it_is_said_when_to_try_again(demo):
    """503 with Retry-After, before anything is stored."""
    demo.services.paging._room._limit = 0
    answer = await ask(demo, key="k")
    assert (answer.status_code, await stored(demo)) == (503, 0)
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256])
async def test_an_idempotency_key_that_is_none_is_refused(demo, key):
    """Rather than passed over."""
    answer = await ask(demo, key=key)
    assert (answer.status_code, await stored(demo)) == (400, 0)


# -- looking -----------------------------------------------------------------------------------------


@pytest.fixture
async def shelf(house):
    """Three stored pages: of a stage, of Echo's door, and one by hand that failed."""

    async def put(number: int, **values) -> str:
        when = NOON + timedelta(minutes=number)
        return await house.services.audit._database.write(lambda c: store_page(c, when, **values))

    house.ids = [
        await put(0, message="by stage", door="stage", execution_id="E1", application="shop"),
        await put(1, message="by echo", door="echo", severity="warning", user="bob"),
        await put(
            2, message="=1+1", deliveries=[{"state": "rejected", "reason": "key", "text": "Invalid"}, {}]
        ),
    ]
    return house


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["=1+1", "by echo", "by stage"]),
        ("?state=rejected", ["=1+1"]),
        ("?state=Rejected,expired&state=pending", ["=1+1"]),
        ("?application=shop", ["by stage"]),
        ("?service=Checkout", ["=1+1", "by echo", "by stage"]),
        ("?service=checkout&state=rejected", ["=1+1"]),
        ("?service=Payments", []),
        ("?service=gone", []),
        ("?user=bob", ["by echo"]),
        ("?execution=E1", ["by stage"]),
        ("?executionId=E1", ["by stage"]),
        ("?severity=warning", ["by echo"]),
        ("?door=echo,stage", ["by echo", "by stage"]),
        ("?kind=change", []),
        ("?since=2026-11-23T12:01:00Z", ["=1+1", "by echo"]),
        ("?since=2026-11-23T13:01:00+01:00", ["=1+1", "by echo"]),
        ("?until=2026-11-23T12:01:00", ["by stage"]),
        ("?since=2026-11-23&until=2026-11-24", ["=1+1", "by echo", "by stage"]),
        ("?since=9999d", ["=1+1", "by echo", "by stage"]),
        ("?text=BY%20echo", ["by echo"]),
        ("?limit=2", ["=1+1", "by echo"]),
        ("?limit=9999", ["=1+1", "by echo", "by stage"]),
    ],
)
async def test_pages_are_filtered(shelf, query, found):
    """Newest first; lists with commas or repeated; a service by id, name or part of a name."""
    answer = await shelf.client.get(f"/v1/pages{query}")
    assert answer.status_code == 200, answer.text
    assert [page["message"] for page in answer.json()["pages"]] == found


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?state=failed", "pending, accepted, rejected, expired"),
        ("?severity=high", "critical, error, warning, info"),
        ("?door=gate", "stage, echo, v1"),
        ("?kind=x", "trigger"),
        ("?since=yesterday", "ISO 8601"),
        ("?until=0001-01-01", "ISO 8601"),
        ("?since=999999w", "ISO 8601"),
        ("?limit=0", "limit"),
        ("?cursor=x", "nextCursor"),
        ("?aplication=shop", "no query parameter 'aplication'"),
        ("?service=m", "Payments (PSVC02), Mail (PSVC03)"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(shelf, query, says):
    """Rather than passed over: a list of everything looks like an answer."""
    for path in ("/v1/pages", "/v1/pages.csv"):
        if path.endswith("csv") and query.startswith(("?limit", "?cursor")):
            continue
        answer = await shelf.client.get(path + query)
        assert answer.status_code == 400
        assert says in answer.json()["message"]


async def test_the_cursor_leads_on(shelf):
    """As it stands in the answer; null at the end."""
    first = (await shelf.client.get("/v1/pages?limit=2")).json()
    second = (await shelf.client.get(f"/v1/pages?limit=2&cursor={first['nextCursor']}")).json()
    assert [page["message"] for page in second["pages"]] == ["by stage"]
    assert second["nextCursor"] is None


async def test_a_page_tells_everything(demo):
    """Every attempt with PagerDuty's words, and what was asked of it later."""
    demo.sender.answer(CHECKOUT_KEY, REJECT, ACCEPT)
    page = (await ask(demo, query="?wait=20")).json()
    await demo.client.post(f"/v1/pages/{page['id']}/resend?wait=20", headers={"X-SPINNAKER-USER": "bob"})
    await demo.client.post(f"/v1/pages/{page['id']}/resolve?wait=20")
    shown = (await demo.client.get(f"/v1/pages/{page['id']}?wait=20")).json()
    [told] = shown["deliveries"]
    assert [(one["status"], one["outcome"], one["text"]) for one in told["attemptLog"]] == [
        (400, "rejected", "Invalid routing key"),
        (202, "accepted", "Event processed"),
    ]
    assert (told["attempts"], told["state"], told["incident"]["state"]) == (2, "accepted", "unknown")
    assert [(one["kind"], one["user"]) for one in shown["followUps"]] == [
        ("resend", "bob"),
        ("resolve", "anonymous"),
    ]
    assert CHECKOUT_KEY not in json.dumps(shown)
    assert (await demo.client.get("/v1/pages/nope")).status_code == 404


# -- following up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["acknowledge", "resolve"])
async def test_a_page_is_acknowledged_and_resolved(demo, verb):
    """Under the dedup key it was sent with; the follow-up is a page of its own, of which the page knows."""
    page = (await ask(demo, query="?wait=20")).json()
    answer = await demo.client.post(f"/v1/pages/{page['id']}/{verb}?wait=20", headers=ANN)
    assert answer.status_code == 200
    followed = answer.json()
    assert (followed["kind"], followed["parentId"]) == (verb, page["id"])
    event = demo.sender.sent[-1]
    assert (event.action, event.dedup_key) == (verb, page["deliveries"][0]["dedupKey"])
    assert (await demo.client.get(answer.headers["location"])).json()["kind"] == verb
    assert [one["id"] for one in (await demo.client.get("/v1/pages")).json()["pages"]] == [page["id"]]
    assert [one["id"] for one in (await demo.client.get(f"/v1/pages?kind={verb}")).json()["pages"]] == [
        followed["id"]
    ]


async def test_what_failed_is_sent_again(demo):
    """202 with the page, what failed pending again."""
    demo.sender.answer(CHECKOUT_KEY, REJECT, ACCEPT)
    page = (await ask(demo, query="?wait=20")).json()
    assert page["deliveries"][0]["state"] == "rejected"
    answer = await demo.client.post(f"/v1/pages/{page['id']}/resend?wait=20")
    assert (answer.status_code, answer.json()["id"]) == (200, page["id"])
    assert answer.json()["deliveries"][0]["state"] == "accepted"


@pytest.mark.parametrize("verb", ["acknowledge", "resolve", "resend"])
async def test_where_there_is_nothing_to_do_it_is_a_conflict(demo, verb):
    """409 with a sentence; an unknown page is 404, an unknown parameter 400."""
    demo.sender.answer(CHECKOUT_KEY, *([REJECT] if verb != "resend" else [ACCEPT]))
    page = (await ask(demo, query="?wait=20")).json()
    answer = await demo.client.post(f"/v1/pages/{page['id']}/{verb}")
    assert answer.status_code == 409
    assert answer.json()["message"].endswith(".")
    assert (await demo.client.post(f"/v1/pages/nope/{verb}")).status_code == 404
    assert (await demo.client.post(f"/v1/pages/{page['id']}/{verb}?force=true")).status_code == 400


# -- export ------------------------------------------------------------------------------------------


async def test_the_csv_has_a_line_for_each_delivery(shelf):
    """Newest page first, under a head; what a spreadsheet would run as a formula is only text."""
    answer = await shelf.client.get("/v1/pages.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="pages.csv"'
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [(row["message"], row["service"], row["state"]) for row in rows] == [
        ("'=1+1", "Checkout", "rejected"),
        ("'=1+1", "Checkout", "accepted"),
        ("by echo", "Checkout", "accepted"),
        ("by stage", "Checkout", "accepted"),
    ]
    assert (rows[0]["reason"], rows[1]["incidentState"], rows[0]["incidentState"]) == ("key", "unknown", "")
    assert (rows[0]["user"], rows[0]["address"]) == ("ann@example.com", "10.0.0.7")


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@sum", "\tx", "\rx"])
async def test_no_cell_is_a_formula(shelf, text):
    """Whatever field it comes in."""
    await shelf.services.audit._database.write(
        lambda c: store_page(
            c, NOON, 9, user=text, details=json.dumps({"a": text}), deliveries=[{"label": text}]
        )
    )
    answer = await shelf.client.get("/v1/pages.csv?door=v1")
    cells = [cell for row in csv.reader(answer.text.splitlines(keepends=True)) for cell in row]
    assert f"'{text}" in cells
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


async def test_the_json_lines_have_a_page_each(shelf):
    """As the list shows them, with the same filters."""
    answer = await shelf.client.get("/v1/pages.jsonl?state=rejected")
    [line] = answer.text.splitlines()
    assert json.loads(line) == (await shelf.client.get("/v1/pages?state=rejected")).json()["pages"][0]


async def test_an_export_of_nothing_is_a_head_or_nothing(house):
    """And no error."""
    assert len((await house.client.get("/v1/pages.csv")).text.splitlines()) == 1
    assert (await house.client.get("/v1/pages.jsonl")).text == ""


async def test_an_export_holds_no_key(demo):
    """Neither form, whatever became of the page."""
    demo.sender.answer(UNKNOWN_KEY, REJECT)
    await ask(demo, BODY | {"keys": [UNKNOWN_KEY]}, "?wait=20")
    for path in ("/v1/pages", "/v1/pages.csv", "/v1/pages.jsonl"):
        text = (await demo.client.get(path)).text
        assert "Checkout" in text
        assert not any(key in text for key in (CHECKOUT_KEY, UNKNOWN_KEY))


# -- change events -----------------------------------------------------------------------------------


async def test_a_change_event_goes_to_the_services_and_is_kept_beside_the_pages(demo):
    """As one of kind change, which the list of pages leaves out."""
    body = {
        "applications": ["demo"],
        "summary": "deployed 1.2.3",
        "details": {"build": 7},
        "links": ["https://ci"],
        "timestamp": "2026-11-24T03:04:05Z",
    }
    answer = await demo.client.post("/v1/change-events?wait=20", json=body, headers=ANN)
    assert (answer.status_code, answer.json()["kind"]) == (200, "change")
    event = demo.sender.sent[-1]
    assert (event.action, event.summary) == ("change", "deployed 1.2.3")
    assert event.details == {"build": 7}
    assert event.timestamp == datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)
    assert answer.json()["happenedAt"] == "2026-11-24T03:04:05.000+00:00"
    assert (await demo.client.get("/v1/pages")).json()["pages"] == []
    [kept] = (await demo.client.get("/v1/pages?kind=change")).json()["pages"]
    assert kept["id"] == answer.json()["id"]


async def test_a_change_event_takes_an_idempotency_key_of_its_own(demo):
    """The same key on another route is another request."""
    await ask(demo, key="k")
    body = {"services": ["Checkout"], "summary": "deployed"}
    first, again = [
        await demo.client.post("/v1/change-events", json=body, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert first.json()["id"] == again.json()["id"]
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")


async def test_a_change_event_that_cannot_be_sent_is_refused(demo):
    """Names that lead nowhere, fields that it does not have."""
    answer = await demo.client.post("/v1/change-events", json={"applications": ["nope"], "message": "m"})
    places = [one.partition(":")[0] for one in answer.json()["errors"]]
    assert (answer.status_code, places) == (400, ["/message", "/summary", "/applications/0"])
    assert (await demo.client.post("/v1/change-events?dryRun=true", json=body_of_change())).status_code == 400
    assert demo.sender.sent == []


def body_of_change() -> dict:
    return {"services": ["Checkout"], "summary": "deployed"}
