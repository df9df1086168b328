"""Looking back at what was paged, on both databases: every filter, the cursor, and all that is known of a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from masthead.kernel.errors import Conflict, InvalidRequest, NotFound, Reason
from masthead.pagerduty import Severity
from masthead.paging import audit as module
from masthead.paging.audit import Audit
from masthead.paging.filters import Filters
from masthead.paging.model import DeliveryState, Door, IncidentState, Kind
from support.stored import id_at, store_page

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACCEPTED, REJECTED, EXPIRED, PENDING = (
    DeliveryState.ACCEPTED,
    DeliveryState.REJECTED,
    DeliveryState.EXPIRED,
    DeliveryState.PENDING,
)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def audit(database) -> Audit:
    return Audit(database)


@pytest.fixture
async def store(database):
    async def put(minutes: float, **values) -> str:
        return await database.write(lambda c: store_page(c, at(minutes), **values))

    return put


async def found(audit: Audit, limit: int = 100, **filters) -> list[str]:
    listing = await audit.find(Filters(**filters), limit=limit)
    assert listing.cursor is None
    return [page.message for page in listing.pages]


async def everything(audit: Audit, limit: int, **filters) -> list[str]:
    """Follow the cursor to the end."""
    messages: list[str] = []
    listing = await audit.find(Filters(**filters), limit=limit)
    while True:
        messages += [page.message for page in listing.pages]
        if listing.cursor is None:
            return messages
        listing = await audit.find(Filters(**filters), limit=limit, cursor=listing.cursor)


async def test_the_newest_page_comes_first_and_the_cursor_leads_through_all(audit, store):
    """No page is missing, none comes twice, and a page that is asked for meanwhile disturbs nothing."""
    for number in range(7):
        await store(number, message=str(number))
    first = await audit.find(Filters(), limit=3)
    assert [page.message for page in first.pages] == ["6", "5", "4"]
    await store(8, message="new")
    second = await audit.find(Filters(), limit=3, cursor=first.cursor)
    assert [page.message for page in second.pages] == ["3", "2", "1"]
    last = await audit.find(Filters(), limit=3, cursor=second.cursor)
    assert ([page.message for page in last.pages], last.cursor) == (["0"], None)


async def test_a_limit_that_just_fits_has_no_cursor(audit, store):
    """Nobody is sent to look for a page that is not there."""
    for number in range(3):
        await store(number)
    assert (await audit.find(Filters(), limit=3)).cursor is None
    assert (await audit.find(Filters(), limit=2)).cursor is not None


@pytest.mark.parametrize("cursor", ["x", "ä", "AAAA", "not a cursor", "0" * 26])
async def test_a_cursor_that_is_none_of_ours_is_refused(audit, cursor):
    """It says which to take."""
    with pytest.raises(InvalidRequest, match="nextCursor"):
        await audit.find(Filters(), limit=3, cursor=cursor)


@pytest.mark.parametrize(
    ("filters", "messages"),
    [
        ({}, ["stage", "echo", "plain"]),
        ({"application": "shop"}, ["stage"]),
        ({"user": "bob@example.com"}, ["echo"]),
        ({"execution_id": "E1"}, ["stage"]),
        ({"severities": frozenset({Severity.INFO, Severity.WARNING})}, ["echo"]),
        ({"doors": frozenset({Door.STAGE, Door.ECHO})}, ["stage", "echo"]),
        ({"service_id": "PSVC02"}, ["echo"]),
        ({"service": "Payments"}, ["echo"]),
        ({"service": "PSVC02"}, ["echo"]),
        ({"service": "key …9999"}, ["stage"]),
        ({"states": frozenset({REJECTED})}, ["stage"]),
        ({"states": frozenset({EXPIRED})}, ["plain"]),
        ({"states": frozenset({REJECTED, EXPIRED})}, ["stage", "plain"]),
        ({"states": frozenset({PENDING})}, ["echo"]),
        ({"states": frozenset({PENDING, REJECTED})}, ["stage", "echo"]),
        ({"states": frozenset({ACCEPTED})}, ["stage", "echo", "plain"]),
        ({"states": frozenset({ACCEPTED, PENDING})}, ["stage", "echo", "plain"]),
        ({"states": frozenset({REJECTED}), "service_id": "PSVC01"}, []),
        ({"states": frozenset({REJECTED}), "application": "shop"}, ["stage"]),
        ({"states": frozenset({REJECTED}), "application": "demo"}, []),
        ({"since": at(1)}, ["stage", "echo"]),
        ({"until": at(1)}, ["plain"]),
        ({"since": at(1), "until": at(2)}, ["echo"]),
        ({"kinds": frozenset({Kind.CHANGE})}, ["change"]),
        ({"execution_id": "E1", "user": "bob@example.com"}, []),
    ],
)
async def test_a_filter_finds_what_it_names(audit, store, filters, messages):
    """Each alone and some together; state and service are those of one delivery."""
    await store(
        0, message="plain", deliveries=[{}, {"state": "expired", "label": "Mail", "service_id": "P3"}]
    )
    await store(
        1,
        message="echo",
        door="echo",
        user="bob@example.com",
        severity="warning",
        deliveries=[{}, {"state": "pending", "label": "Payments", "service_id": "PSVC02"}],
    )
    await store(
        2,
        message="stage",
        door="stage",
        application="shop",
        execution_id="E1",
        deliveries=[{}, {"state": "rejected", "service_id": None, "label": "key …9999"}],
    )
    await store(3, message="change", kind="change", deliveries=[])
    await store(4, message="resolve", kind="resolve", deliveries=[{"action": "resolve"}])
    assert await found(audit, **filters) == messages


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (("DOWN",), ["db down", "die Datenbank ÜBERLÄUFT, all down"]),
        (("runbook-7",), ["db down"]),
        (("überläuft",), ["die Datenbank ÜBERLÄUFT, all down"]),
        (("ubel",), []),
        (("xberl",), []),
        (("down", "datenbank"), ["die Datenbank ÜBERLÄUFT, all down"]),
        (("100%",), ["at 100%"]),
        (("a_b",), ["a_b"]),
        (("\\",), ["back\\slash"]),
        (("straße",), ["STRASSE or Straße"]),
    ],
)
async def test_words_are_found_in_message_and_details_in_any_case(audit, store, words, messages):
    """Every word has to stand there; letters beyond ASCII have a case too, and no sign is a wildcard."""
    for number, message in enumerate(
        [
            "STRASSE or Straße",
            "back\\slash",
            "a_b",
            "aXb",
            "at 100%",
            "at 1000",
            "die Datenbank ÜBERLÄUFT, all down",
        ]
    ):
        await store(number, message=message)
    await store(9, message="db down", details='{"see":"RUNBOOK-7"}')
    assert await found(audit, words=words) == messages


async def test_letters_that_only_look_alike_to_the_database_hide_nothing(audit, store):
    """It takes any sign for one that is not ASCII; what it finds too much is not counted."""
    await store(0, message="Über alles")
    for number in range(1, 6):
        await store(number, message=f"aber {number}")
    assert await everything(audit, 1, words=("über",)) == ["Über alles"]


async def test_a_page_of_a_clock_that_was_set_back_is_found_by_its_date(audit, store):
    """Its id is older than it is, because the clock that dates pages does not follow."""
    await store(0, message="late", id=id_at(at(-60), 0))
    assert await found(audit, since=at(-1)) == ["late"]
    assert await found(audit, since=at(-61), until=at(-1)) == []


async def test_every_filter_leads_through_all_its_pages_by_cursor(audit, store):
    """However small the steps; those of two states are merged in order."""
    for number in range(12):
        state = ("rejected", "expired", "accepted", "pending")[number % 4]
        await store(
            number, message=str(number), deliveries=[{"state": state}, {"state": state, "position": 1}]
        )
    assert await everything(audit, 1) == [str(number) for number in reversed(range(12))]
    failed = await everything(audit, 2, states=frozenset({REJECTED, EXPIRED}))
    assert failed == ["9", "8", "5", "4", "1", "0"]
    assert await everything(audit, 2, states=frozenset({PENDING})) == ["11", "7", "3"]
    assert await everything(audit, 1, words=("1",)) == ["11", "10", "1"]


async def test_a_search_stops_after_so_many_rows_and_goes_on_by_cursor(audit, store, monkeypatch):
    """One that finds little answers with what there is, soon, and misses nothing in the end."""
    monkeypatch.setattr(module, "_MOST_ROWS", 5)
    monkeypatch.setattr(module, "_SMALLEST_WINDOW", 4)
    monkeypatch.setattr(module, "_LARGEST_WINDOW", 4)
    for number in range(30):
        await store(number, message=f"{number} rare" if number in (2, 29) else f"{number}")
    first = await audit.find(Filters(words=("rare",)), limit=1)
    assert [page.message for page in first.pages] == ["29 rare"]
    second = await audit.find(Filters(words=("rare",)), limit=1, cursor=first.cursor)
    assert second.pages == ()
    assert second.cursor is not None
    assert await everything(audit, 1, words=("rare",)) == ["29 rare", "2 rare"]
    assert await everything(audit, 1, words=("räre",)) == []


@pytest.mark.parametrize("filters", [{"user": "rare@example.com"}, {"service_id": "PRARE01"}])
async def test_a_rare_user_or_service_is_found_at_once_among_many(audit, store, monkeypatch, filters):
    """By an index of its own: no search that stops and goes on."""
    monkeypatch.setattr(module, "_MOST_ROWS", 5)
    monkeypatch.setattr(module, "_SMALLEST_WINDOW", 4)
    monkeypatch.setattr(module, "_LARGEST_WINDOW", 4)
    for number in range(30):
        rare = number in (2, 28)
        await store(
            number,
            message=str(number),
            user="rare@example.com" if rare else "ann@example.com",
            deliveries=[{"service_id": "PRARE01" if rare else "PSVC01"}] * 2,
        )
    assert await found(audit, **filters) == ["28", "2"]


async def test_many_that_wait_are_looked_for_among_all_pages(audit, store, monkeypatch):
    """In a storm the list of what waits is long; the newest of it are near."""
    monkeypatch.setattr(module, "_FEW", 1)
    for number in range(4):
        await store(number, message=str(number), deliveries=[{"state": "pending"}])
    await store(5, message="sent")
    assert await everything(audit, 2, states=frozenset({PENDING})) == ["3", "2", "1", "0"]


async def test_an_export_gives_all_pages_in_batches(audit, store, monkeypatch):
    """Never more in memory than one batch."""
    monkeypatch.setattr(module, "_EXPORT_BATCH", 2)
    for number in range(5):
        await store(number, message=str(number))
    batches = [[page.message for page in batch] async for batch in audit.batches(Filters())]
    assert batches == [["4", "3"], ["2", "1"], ["0"]]
    assert [batch async for batch in audit.batches(Filters(application="none"))] == []


async def test_an_entry_tells_every_attempt_the_incident_and_who_followed_up(audit, store):
    """What PagerDuty said each time, what it led to, and what was asked of it later."""
    page_id = await store(
        0,
        deliveries=[
            {
                "attempts": [
                    {"outcome": "retry", "status": 429, "reason": "throttled", "text": "HTTP 429"},
                    {"outcome": "accepted", "status": 202, "text": "Event processed"},
                ],
                "incident": {
                    "state": "triggered",
                    "incident_number": 12,
                    "assignee": "Ann Lee",
                    "url": "https://x",
                },
            },
            {"label": "Mail", "state": "pending"},
        ],
    )
    await store(5, kind="resolve", parent_id=page_id, user="bob", deliveries=[{"action": "resolve"}])
    await store(4, kind="acknowledge", parent_id=page_id, deliveries=[{"action": "acknowledge"}])
    entry = await audit.entry(page_id)
    told, waiting = entry.page.deliveries
    first, second = entry.attempts[told.id]
    assert (first.number, first.status, first.reason, first.outcome) == (1, 429, Reason.THROTTLED, "retry")
    assert (second.number, second.status, second.text) == (2, 202, "Event processed")
    assert waiting.id not in entry.attempts
    assert (told.incident.state, told.incident.number) == (IncidentState.TRIGGERED, 12)
    assert [(one.kind, one.user) for one in entry.follow_ups] == [
        (Kind.ACKNOWLEDGE, "ann@example.com"),
        (Kind.RESOLVE, "bob"),
    ]


async def test_an_entry_of_a_folded_delivery_names_the_page_that_was_sent_for_it(audit, store):
    """And the one that was sent says for how many it spoke; a page that is forgotten meanwhile is none."""
    speaker = await store(0)
    speaker_delivery = (await audit.entry(speaker)).page.deliveries[0].id
    folded = [await store(number, deliveries=[{"folded_into": speaker_delivery}]) for number in (1, 2)]
    lost = await store(3, deliveries=[{"folded_into": "gone"}])
    entry = await audit.entry(folded[0])
    assert entry.told_by == {entry.page.deliveries[0].id: speaker}
    assert (await audit.entry(speaker)).speaks_for == {speaker_delivery: 2}
    assert (await audit.entry(lost)).told_by == {}


async def test_an_unknown_page_is_not_found(audit):
    """The id is named."""
    with pytest.raises(NotFound, match="nope"):
        await audit.entry("nope")


async def test_what_was_asked_before_is_known_by_its_identity(audit, store):
    """The same request gives its page, another one under the same identity is a conflict."""
    page_id = await store(0, identity="k", fingerprint="f")
    assert (await audit.asked_before("k", "f")).id == page_id
    assert await audit.asked_before("other", "f") is None
    with pytest.raises(Conflict, match="another page"):
        await audit.asked_before("k", "g")


def test_ids_of_the_tests_are_in_order():
    """Those of one instant by number, those of instants by time."""
    assert id_at(at(0), 1) < id_at(at(0), 2) < id_at(at(1), 0)
