"""Results for people."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from masthead.cli import audit, show
from masthead.cli.catalog import pageable


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "never"),
        (0, "0 seconds ago"),
        (119, "119 seconds ago"),
        (120, "2 minutes ago"),
        (7199, "119 minutes ago"),
        (7200, "2 hours ago"),
        (172_800, "2 days ago"),
    ],
)
def test_an_age_is_said_in_the_largest_unit_that_fits_twice(seconds, text):
    """So that a number is never rounded to less than half of it."""
    assert show.age(seconds) == text


def test_instants_are_shown_in_utc():
    """Spinnaker's milliseconds and PagerDuty's ISO texts alike; what is no instant is shown as it is."""
    assert show.instant("1795488582655") == "2026-11-24 02:49:42"
    assert show.instant(None) == ""
    assert show.moment("2026-11-30T11:00:00+02:00") == "2026-11-30 09:00"
    assert show.moment(None) == ""
    assert show.moment("soon") == "soon"


def test_only_level_1_is_told_first():
    """The people of higher levels hear only when nobody answers."""
    people = [{"user": "Ann", "level": 1}, {"user": "Bob", "level": 2}, {"user": "Eve", "level": 1}]
    assert show.names(people) == "Ann, Eve"


def test_a_table_in_a_pipe_keeps_a_row_on_one_line(capsys):
    """What reads a pipe counts lines."""
    show.table(("A", "B"), [("x" * 300, None)], empty="")

    assert capsys.readouterr().out.splitlines()[1].startswith("x" * 300)


def test_a_table_in_a_pipe_has_columns_and_nothing_behind_them(capsys):
    """Also where a name is wide or holds a line end."""
    show.table(("NAME", "B", "C"), [("決済", 1, None), ("two\nlines", None, "c")], empty="")

    assert capsys.readouterr().out.splitlines() == [
        "NAME       B  C",
        "決済       1",
        "two lines     c",
    ]


def test_markup_in_a_name_is_only_text(capsys):
    """PagerDuty's names are foreign text."""
    show.table(("A",), [("[red]x[/red]",)], empty="")

    assert "[red]x[/red]" in capsys.readouterr().out


def test_what_is_copied_is_never_folded(capsys, monkeypatch):
    """In a terminal of 80 columns an id stays on one line, whatever else is in the row."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    page = {
        "kind": "resend",
        "createdAt": "2026-11-30T04:02:30.000+00:00",
        "id": "01M8N9N5TW51TQ26P398AWDB1V",
        "severity": "critical",
        "message": "x " * 40,
        "user": "ann@example.com",
        "application": "checkout",
        "parentId": "01M8N9N5TW51TQ26P398AWDB1U",
    }
    audit._show([page], False, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert any(page["id"] in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_table_without_rows_is_a_sentence(capsys):
    """An empty table would leave people guessing."""
    show.table(("A",), [], empty="There is none.")

    assert capsys.readouterr().out == "There is none.\n"


def test_what_a_terminal_would_obey_is_shown_instead(capsys):
    """In sentences, in tables, and in JSON, which means the same as before; lines, tabs and every script stay."""
    evil = "a\x1b[2J\x1b[1;1H\r\x9b31m\x7f\u202eb\u2066"
    seen = "a␛[2J␛[1;1H␍\ufffd31m␡\ufffdb\ufffd"
    show.say(f"{evil}\r\n\tüשΩ決済")
    show.say(evil, err=True)
    show.table(("NAME", "B"), [(evil, 1)], empty="")
    show.as_json({"k": evil})
    shown = capsys.readouterr()
    told, json_text = shown.out.split("{", 1)
    assert told.splitlines() == [seen, "\tüשΩ決済", f"NAME{' ' * (len(seen) - 4)}  B", f"{seen}  1"]
    assert shown.err == f"{seen}\n"
    assert not set(evil) & set(json_text) - set("a[2J1;H31mb")
    assert json.loads("{" + json_text) == {"k": evil}


def test_a_line_of_others_never_begins_a_line_of_ours():
    """What a message says after a line end stands further to the right."""
    assert show.indented("down\nCheckout: fine") == "down\n    Checkout: fine"
    assert show.indented("  from: a\nb") == "  from: a\n      b"


def test_commands_print_through_one_place():
    """Or what others wrote would reach a terminal by another way."""
    folder = Path(show.__file__).parent
    sources = {each.name: each.read_text("utf-8") for each in folder.glob("*.py") if each.name != "show.py"}
    printing = {name for name, source in sources.items() if re.search(r"(?<![.\w])print\(|\becho\(", source)}
    assert printing == set()


@pytest.mark.parametrize(
    ("service", "text"),
    [
        ({"isPageable": True, "onCall": [{"user": "Ann", "level": 1}]}, "yes"),
        ({"isPageable": True, "onCall": []}, "yes, but nobody is on call now"),
        ({"isPageable": True, "warning": "it is disabled", "onCall": []}, "yes, but it is disabled"),
        ({"isPageable": False, "reason": "it has no integration"}, "no: it has no integration"),
    ],
)
def test_a_service_says_whether_and_why_not(service, text):
    """What cannot be done is shown, with the reason."""
    assert pageable(service) == text


def test_nobody_on_call_is_not_claimed_before_the_on_calls_were_read():
    """A token that may not see them says nothing about them."""
    assert pageable({"isPageable": True, "onCall": []}, knows_oncalls=False) == "yes"
