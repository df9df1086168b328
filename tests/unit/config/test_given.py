"""Values: placeholders, tokens, ranges; and that none of them is ever told."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masthead.config import load, render_report
from masthead.config.settings import all_settings
from masthead.kernel.errors import ConfigurationInvalid

GATE = "pagerDuty:\n  enabled: true\n  token: {}\n"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("${A}", "canary"),
        ("${NOT_SET:${ALSO_NOT:${A}}}", "canary"),
        ("${pager-duty.token:x}", "by-name"),
        ("${NOT_SET:default}", "default"),
        ("a-${A}-b", "a-canary-b"),
        ("$A", "$A"),
    ],
)
def test_placeholders_are_resolved_as_spring_does(read, written, expected):
    """Nested defaults, and names as the environment spells them."""
    environ = {"A": "canary", "PAGER_DUTY_TOKEN": "by-name"}
    loaded = read("gate.yml", GATE.format(written), environ)
    assert loaded.settings.rest.token.read().reveal() == expected


def test_a_placeholder_without_value_is_refused(refused):
    """With the variable to set."""
    assert refused("gate.yml", GATE.format("${pd.token}"))[0] == (
        "gate.yml:3: rest.token: the placeholder ${pd.token} has no value; set PD_TOKEN or write ${pd.token:default}"
    )


@pytest.mark.parametrize("token", ["“canary”", '"canary\\nx"', '"can\\u200bary"'])
def test_what_cannot_be_sent_as_a_token_is_refused_without_showing_it(refused, token):
    """Typographic quotes, line ends, invisible characters."""
    assert refused("gate.yml", GATE.format(token))[0].startswith("gate.yml:3: rest.token: holds a character")


@pytest.mark.parametrize("token", ['"your token"', "Token token=x y", "<canary>"])
def test_what_is_hardly_a_token_is_a_warning_that_does_not_show_it(warned, token):
    """PagerDuty will say the last word."""
    (told, *_) = warned("gate.yml", GATE.format(token))
    assert told.startswith("gate.yml:3: rest.token: ")
    assert "which no token of PagerDuty has" in told
    assert "your token" not in told


@pytest.mark.parametrize("token", ["[canary]", "{a: canary}", "true"])
def test_a_token_that_is_no_text_is_refused(refused, token):
    """One line: that it is missing, too, is not told."""
    assert refused("gate.yml", GATE.format(token)) == [
        "gate.yml:3: rest.token: must be text; put it in quotes"
    ]


def test_a_reference_to_spinnakers_secret_store_names_the_ways_that_work(read, refused):
    """The file stays as it is when the token comes by the environment."""
    text = GATE.format("encrypted:k8s!n:secret!k:token")
    assert "names Spinnaker's secret store" in refused("gate.yml", text)[0]
    loaded = read("gate.yml", text, {"PAGERDUTY_TOKEN": "canary"})
    assert loaded.settings.rest.token.read().reveal() == "canary"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("server:\n  port: 65536\n", "server.port: must be at most 65535"),
        ("server:\n  port: 1.5\n", "server.port: must be a whole number"),
        ("server:\n  port: true\n", "server.port: must be a number"),
        (
            "server:\n  also: {ecko: 1}\n",
            "server.also: must name services out of gate, orca, echo, front50, is 'ecko'",
        ),
        ("server:\n  also: echo\n", "server.also: must be a number"),
        ("server:\n  logLevel: loud\n", "server.logLevel: must be one of DEBUG"),
        ("rest:\n  inFlight: 0\n", "rest.inFlight: must be at least 1"),
        ("rest:\n  inFlight: .inf\n", "rest.inFlight: must be a finite number"),
        ("rest:\n  refreshJitter: 2\n", "rest.refreshJitter: must be at most 1"),
        ("rest:\n  refreshJitter: .nan\n", "rest.refreshJitter: must be a finite number"),
        ("rest:\n  timeoutSeconds: -3\n", "rest.timeoutSeconds: must be seconds or a duration"),
        ("rest:\n  baseUrl: https://u:canary@x.y\n", "rest.baseUrl: must be an address without user"),
        ("rest:\n  baseUrl: https://x.y:99999\n", "rest.baseUrl: must be an address such as"),
        ("deck:\n  accountName: [a]\n", "deck.accountName: must be text, is a list"),
        ("deck:\n  required:\n", "deck.required: must be true or false, is empty"),
    ],
)
def test_values_of_the_wrong_type_or_range_are_refused(refused, text, words):
    """With what they must be."""
    assert refused("masthead.yml", text)[0].startswith(f"masthead.yml:2: {words}")


@pytest.mark.parametrize(("text", "expected"), [("500ms", 0.5), ("7", 7.0), ("2m", 120.0), ('"1h"', 3600.0)])
def test_durations_have_units(read, text, expected):
    """Seconds when none is written."""
    assert read("masthead.yml", f"rest:\n  timeoutSeconds: {text}\n").settings.rest.timeout_s == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("yes", True), ('"on"', True), ("off", False), ('"False"', False)]
)
def test_switches_are_read_as_spring_reads_them(read, text, expected):
    """In quotes with a warning."""
    loaded = read("masthead.yml", f"events:\n  enabled: {text}\n")
    assert loaded.settings.events.enabled is expected
    assert any("is text, taken as" in warning for warning in loaded.warnings) is ('"' in text)


@pytest.mark.parametrize(
    "setting", [one for one in all_settings() if one.kind not in ("token", "text")], ids=lambda one: one.key
)
def test_a_token_under_the_wrong_key_is_never_told(setting):
    """Neither from the file, nor by a placeholder, nor from the environment."""
    token = "u+canary-Token_12345"
    section, _, name = setting.key.partition(".")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "masthead.yml"
        for written, environ in ((token, {}), ("${T}", {"T": token}), (None, {setting.variable: token})):
            path.write_text(f"{section}:\n  {name}: {written}\n" if written else "server: {}\n")
            with pytest.raises(ConfigurationInvalid) as caught:
                load([path], environ)
            assert setting.key in caught.value.message
            assert "canary" not in caught.value.message


@pytest.mark.parametrize("environ", [{"MASTHEAD_EVENTS_ENABLED": "canary"}, {"T": "canary"}])
def test_not_even_a_short_value_from_the_environment_is_told(refused, environ):
    """A short value of a file is shown, because that helps; this one may be anybody's secret."""
    (told,) = refused("masthead.yml", "events:\n  enabled: ${T:true}\n", environ)
    assert told.endswith("events.enabled: must be true or false (the value is not shown)")
    assert refused("masthead.yml", "events:\n  enabled: maybe\n")[0].endswith("is 'maybe'")


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["gate.yml", "all.yml", "masthead.yml", "settings-local.js"]),
    text=st.text(st.sampled_from("ab: \n\t-*&!|>'\"{}[]#=;/.$`<%@?,~0\u00a0\r\\"), max_size=120)
    | st.text(max_size=60),
)
def test_no_text_whatsoever_ends_in_a_traceback(name, text):
    """It is settings, or sentences that begin with the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        lines = []
        try:
            render_report(load([path], {}))
        except ConfigurationInvalid as error:
            lines = error.message.split("\n")
        assert all(line.startswith(str(path)) for line in lines)
