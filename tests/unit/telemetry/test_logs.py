"""The second net against keys in logs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from masthead.kernel.secret import Secret
from masthead.paging.model import Door
from masthead.telemetry.logs import RedactingFormatter, configure, redact

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _as_before():
    """Leave how is logged to the tests that follow as it was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize(
    "text", [f"refused {KEY}", f'{{"service_key":"{KEY}"}}', "Token token=abcdef123", "Bearer pdus+abc"]
)
def test_keys_and_tokens_are_cut_out_of_text(text):
    """What came from outside may echo a key."""
    shown = redact(text)
    assert KEY not in shown
    assert "abcdef123" not in shown
    assert "pdus" not in shown


def test_ids_and_sentences_stay():
    """ULIDs, hashes of other lengths and words are not keys."""
    text = "execution 01J5Z3N8W6Y0V4C7Q2R9T1XABC of demo, sha256 " + "a1" * 32
    assert redact(text) == text


def test_our_own_dedup_keys_stay():
    """An operator looks the incident up by them; what only resembles one is a key."""
    dedup_key = f"masthead-{KEY}"
    assert redact(f"sent as {dedup_key}.") == f"sent as {dedup_key}."
    for odd in (
        f"mymasthead-{KEY}",
        f"masthead-{KEY.upper()}",
        f"masthead_{KEY}",
        f"masthead- {KEY}",
        f"masthead-x {KEY}",
    ):
        assert KEY not in redact(odd), odd
        assert KEY.upper() not in redact(odd), odd


def test_a_log_line_is_one_json_object_without_the_key(capsys):
    """JSON where nobody looks at a terminal."""
    configure(as_json=True)
    structlog.get_logger("test").warning("event.name", text=f"the key {KEY}")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "event.name"
    assert KEY not in line["text"]


@pytest.fixture
def start():
    """Begins to log within the test itself, because what is captured changes before it."""

    def begin():
        configure(as_json=True)
        return structlog.get_logger("test")

    return begin


def test_a_log_line_says_what_where_how_bad_and_when(start, capsys):
    """The event, its level, an instant in UTC, and what was given."""
    log = start()
    log.info("page.stored", page="01J5Z3N8W6Y0V4C7Q2R9T1XABC", deliveries=2, door=Door.ECHO, user="Zoë")
    line = json.loads(capsys.readouterr().err)
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() == timedelta(0)
    assert line == {
        "event": "page.stored",
        "level": "info",
        "page": "01J5Z3N8W6Y0V4C7Q2R9T1XABC",
        "deliveries": 2,
        "door": "echo",
        "user": "Zoë",
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Secret(KEY), "Secret(••••)"),
        ("half \ud83d", "'half \\ud83d'"),
        (10**30, 10**30),
        ({1, 2}, [1, 2]),
        (object, repr(object)),
    ],
)
def test_nothing_that_is_logged_breaks_the_line(start, capsys, value, shown):
    """Secrets are masked, and what JSON has no form for is written as Python shows it."""
    log = start()
    log.error("event.name", value=value)
    line = json.loads(capsys.readouterr().err)
    assert line["value"] == shown
    assert line["event"].strip("'") == "event.name"


def test_a_logged_exception_brings_its_traceback(start, capsys):
    """Of a crash the log says where."""
    log = start()
    with pytest.raises(ZeroDivisionError) as crash:
        _ = 1 / 0
    log.error("request.crashed", exc_info=crash.value)
    line = json.loads(capsys.readouterr().err)
    assert "ZeroDivisionError: division by zero" in line["exception"]
    assert "exc_info" not in line


def test_a_terminal_gets_lines_for_people_without_keys(capsys):
    """The same redaction, in another form."""
    configure(as_json=False)
    structlog.get_logger("test").warning("event.name", text=f"the key {KEY}")
    shown = capsys.readouterr().err
    assert "event.name" in shown
    assert KEY not in shown


def test_what_is_below_the_level_is_not_written(capsys):
    """The setting server.logLevel."""
    configure(as_json=True, level="WARNING")
    structlog.get_logger("test").info("event.name")
    assert capsys.readouterr().err == ""


def test_what_libraries_log_is_cut_too():
    """Message and traceback alike: they go to the same place."""
    error = ValueError(f"refused {KEY}")
    exc_info = (ValueError, error, None)
    record = logging.LogRecord("uvicorn", logging.ERROR, "x.py", 1, "sent %s", (KEY,), exc_info)
    text = RedactingFormatter("%(levelname)s %(message)s").format(record)
    assert text.startswith("ERROR sent …cdef")
    assert "ValueError: refused …cdef" in text
    assert KEY not in text


async def test_lines_of_one_turn_are_written_together_and_in_order(start, capsys):
    """At the end of the turn; a warning takes those before it along at once."""
    log = start()
    log.info("first")
    log.info("second")
    assert capsys.readouterr().err == ""
    await asyncio.sleep(0)
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["first", "second"]
    log.info("third")
    log.warning("fourth")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["third", "fourth"]
    await asyncio.sleep(0)
    assert capsys.readouterr().err == ""


def test_a_line_outlives_the_loop_it_was_written_in(start, capsys):
    """A loop may end before its next turn; the next line takes the other along."""
    log = start()

    async def end_at_once():
        log.info("first")
        asyncio.get_running_loop().stop()

    loop = asyncio.new_event_loop()
    task = loop.create_task(end_at_once())
    loop.run_forever()
    loop.close()
    assert task.done()
    log.info("second")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["first", "second"]


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_that_cannot_be_written_is_dropped(monkeypatch, as_json):
    """A full disk under the log stops nothing."""
    full = Path("/dev/full").open("w")  # noqa: SIM115 - its close fails, as it should
    monkeypatch.setattr(sys, "stderr", full)
    configure(as_json=as_json)
    for _ in range(3):
        structlog.get_logger().info("page.stored", text="x" * 100_000)
    monkeypatch.undo()
    with contextlib.suppress(OSError):
        full.close()
