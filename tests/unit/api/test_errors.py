"""The error table: every class, its status and its body."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from masthead.api.errors import TABLE, Refused, answer_error, entry_of, error_body
from masthead.kernel import errors
from masthead.kernel.caller import Caller
from masthead.kernel.errors import InvalidRequest, MastheadError, OutsideFailure, Overloaded, Reason
from masthead.kernel.secret import Secret

AT = datetime(2026, 11, 24, 3, 4, 5, 678_000, tzinfo=UTC)
DOCS = Path(__file__).parents[3] / "docs" / "reference" / "errors.md"
CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, MastheadError)]


def make(kind: type[MastheadError]) -> MastheadError:
    if kind is errors.ValidationFailed:
        return kind(("Application must have a non-empty email",))
    return kind(reason=Reason.NETWORK) if issubclass(kind, OutsideFailure) else kind()


def answer(error: Exception, **scope) -> tuple[int, dict, dict]:
    response = answer_error(error, {"type": "http", "method": "GET", **scope}, at=AT)
    return response.status_code, msgspec.json.decode(response.body), dict(response.headers)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_its_own_place_in_the_table_and_in_the_reference(kind):
    """A class without an entry of its own, or without a heading with its status, is a defect."""
    assert kind in TABLE
    heading = re.search(
        rf"^## {kind.__name__}\n+.*?{TABLE[kind].status}", DOCS.read_text(), re.MULTILINE | re.DOTALL
    )
    assert heading, f"docs/reference/errors.md has no heading {kind.__name__}"


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_says_a_sentence_and_answers_its_status(kind):
    """The body holds a sentence that is not empty, even when the one who raised it gave none."""
    status, body, _ = answer(make(kind))
    assert status == TABLE[kind].status
    assert body.get("message") or body["errors"]


def test_the_body_is_spinnakers():
    """Timestamp with offset and milliseconds, status, reason phrase, exception, message."""
    _, body, headers = answer(errors.NotFound("Application not found (id: demo)"))
    assert body == {
        "timestamp": "2026-11-24T03:04:05.678+00:00",
        "status": 404,
        "error": "Not Found",
        "exception": "com.netflix.spinnaker.kork.web.exceptions.NotFoundException",
        "message": "Application not found (id: demo)",
    }
    assert headers["content-type"] == "application/json"


def test_orca_writes_the_timestamp_in_milliseconds():
    """Orca's mapper writes dates as numbers."""
    _, body, _ = answer(errors.NotFound("gone"), **{"masthead.door": "orca"})
    assert body["timestamp"] == 1795489445678


def test_a_pointer_and_several_messages_stand_beside_the_message():
    """What is known about the place of the mistake is told."""
    _, body, _ = answer(InvalidRequest("wrong", pointer="/to/0", errors=("a", "b")))
    assert body["pointer"] == "/to/0"
    assert body["errors"] == ["a", "b"]


KEY = "c0ffee00c0ffee00c0ffee00c0ffee01"


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest(f"{KEY!r} is no severity", pointer=f"/to/{KEY}", errors=(f"not {KEY}", "b")),
        errors.NotFound(f"Application not found (id: {KEY.upper()})"),
        errors.ValidationFailed((f"Application name {KEY} is wrong",)),
        errors.StorageUnavailable(f"no {KEY}"),
        Refused(400, f"There were problems with PagerDuty:  {KEY}: no."),
    ],
)
def test_a_key_in_a_wrong_field_is_not_repeated(error):
    """Only its last four digits are, in the answer and in the log."""
    with capture_logs() as logs:
        _, body, headers = answer(error)
    assert KEY not in f"{body} {headers} {logs}".lower()
    assert f"key …{KEY[-4:]}" in str(body).lower()


def test_a_key_that_the_catalog_knows_is_hidden_whatever_its_form():
    """Ids, words and what is only as long as a key are shown."""
    known = Secret("anoldkeyof24characters00")
    shown = "01JD2Z4Y8G0W8C5N6P7Q8R9S0T P0123456789ABCDEF abcdefghijklmnopqrstuvwxyzabcdef"
    _, body, _ = answer(
        errors.NotFound(f"{known.reveal()} {shown}"), **{"masthead.is_key": lambda key: key == known}
    )
    assert body["message"] == f"key …rs00 {shown}"


def test_front50s_validation_has_its_own_body():
    """No timestamp, and the status as a name: clients of Front50 read that."""
    status, body, _ = answer(errors.ValidationFailed(("Application must have a non-empty email",)))
    assert status == 400
    assert body == {
        "error": "Validation Failed.",
        "errors": ["Application must have a non-empty email"],
        "status": "BAD_REQUEST",
    }


def test_who_may_try_again_is_told_when():
    """Retry-After is in whole seconds, rounded up."""
    status, _, headers = answer(Overloaded(retry_after=1.2))
    assert (status, headers["retry-after"]) == (503, "2")


def test_a_database_that_is_away_says_when_to_try_again():
    """As every 503 does: who pages is to come back."""
    status, _, headers = answer(errors.StorageUnavailable("away"))
    assert status == 503
    assert int(headers["retry-after"]) >= 1


def test_a_failure_outside_names_its_reason():
    """Programs read the reason, people the message."""
    status, body, _ = answer(OutsideFailure("PagerDuty said no", reason=Reason.TOKEN))
    assert (status, body["reason"]) == (502, "token")


def test_a_subclass_answers_as_its_nearest_ancestor():
    """A package may refine an error without touching the table."""

    class Special(errors.Conflict):
        """Special."""

    assert entry_of(Special()).status == 409


def test_what_nobody_foresaw_names_the_request_and_nothing_else():
    """The exception's own text may hold anything, so it goes to the log and not to the caller."""
    scope = {"masthead.caller": Caller(request_id="req-1")}
    with capture_logs() as logs:
        status, body, _ = answer(RuntimeError("token=hunter2"), **scope)
    assert status == 500
    assert "req-1" in body["message"]
    assert "hunter2" not in str(body)
    assert [entry["event"] for entry in logs] == ["request.crashed"]
    assert isinstance(logs[0]["exc_info"], RuntimeError)


def test_the_router_says_no_in_the_same_body():
    """404 and 405 have no exception and never repeat the path."""
    for code in (404, 405):
        status, body, _ = answer(HTTPException(code))
        assert (status, body["status"]) == (code, code)
        assert "exception" not in body


def test_what_only_the_wire_knows_keeps_its_headers():
    """Refusals of the wire bring status, name and headers of their own."""
    status, body, headers = answer(Refused(413, "too large", exception="x.Y", headers={"X-A": "b"}))
    assert (status, body["exception"], headers["x-a"]) == (413, "x.Y", "b")


def test_empty_fields_are_left_out_of_the_body():
    """Upstream writes no empty lists."""
    assert "errors" not in error_body(400, "m", at=AT, errors=[])
