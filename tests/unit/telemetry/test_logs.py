"""The second net against keys in logs."""

from __future__ import annotations

import json

import pytest
import structlog

from masthead.telemetry.logs import configure, redact

KEY = "0123456789abcdef0123456789abcdef"


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


def test_a_log_line_is_one_json_object_without_the_key(capsys):
    """JSON where nobody looks at a terminal."""
    configure(as_json=True)
    try:
        structlog.get_logger("test").warning("event.name", text=f"the key {KEY}")
        line = json.loads(capsys.readouterr().err)
    finally:
        structlog.reset_defaults()
    assert line["event"] == "event.name"
    assert KEY not in line["text"]
