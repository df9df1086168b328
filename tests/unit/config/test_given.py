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
        "gate.yml:3: gate.pagerDuty.token: the placeholder ${pd.token} has no value; set PD_TOKEN or write ${pd.token:default}"
    )


@pytest.mark.parametrize("token", ["“canary”", '"canary\\nx"', '"can\\u200bary"'])
def test_what_cannot_be_sent_as_a_token_is_refused_without_showing_it(refused, token):
    """Typographic quotes, line ends, invisible characters."""
    assert refused("gate.yml", GATE.format(token))[0].startswith(
        "gate.yml:3: gate.pagerDuty.token: holds a character"
    )


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("gate.pagerDuty.token", GATE.format("${CANARY")),
        ("gate.pagerDuty.token", GATE.format('"${}canary"')),
        ("gate.pagerDuty.token", GATE.format('"${a canary}"')),
        ("gate.pagerDuty.base-url", "pagerDuty:\n  token: x\n  base-url: https://${canary/\n"),
    ],
)
def test_a_placeholder_that_does_not_close_is_refused(refused, key, text):
    """It would go out as it stands."""
    assert refused("gate.yml", text) == [
        f"gate.yml:3: {key}: holds ${{ without a name and a closing brace; write ${{NAME}} or ${{NAME:default}}"
    ]


def test_space_around_a_token_is_left_out_and_told(read, warned):
    """The file may have been written by a program that adds it elsewhere too."""
    text = GATE.format('" canary\\t"')
    assert read("gate.yml", text).settings.rest.token.read().reveal() == "canary"
    assert warned("gate.yml", text)[0].startswith(
        "gate.yml:3: gate.pagerDuty.token: has a space or a line end"
    )


@pytest.mark.parametrize("token", ['"your token"', "Token token=x y", "<canary>"])
def test_what_is_hardly_a_token_is_a_warning_that_does_not_show_it(warned, token):
    """PagerDuty will say the last word."""
    (told, *_) = warned("gate.yml", GATE.format(token))
    assert told.startswith("gate.yml:3: gate.pagerDuty.token: ")
    assert "which no token of PagerDuty has" in told
    assert "your token" not in told


@pytest.mark.parametrize("token", ["[canary]", "{a: canary}", "true"])
def test_a_token_that_is_no_text_is_refused(refused, token):
    """One line: that it is missing, too, is not told."""
    assert refused("gate.yml", GATE.format(token)) == [
        "gate.yml:3: gate.pagerDuty.token: must be text; put it in quotes"
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
        ("server:\n  port: 65536\n", "server.port: must be from 0 to 65535, is 65536"),
        ("server:\n  port: 1.5\n", "server.port: must be a whole number"),
        ("server:\n  port: true\n", "server.port: must be a number"),
        (
            "server:\n  also: {ecko: 1}\n",
            "server.also: must name services out of gate, orca, echo, front50, is 'ecko'",
        ),
        ("server:\n  also: echo\n", "server.also: must be a number"),
        ("server:\n  logLevel: loud\n", "server.logLevel: must be one of DEBUG"),
        ("rest:\n  inFlight: 0\n", "rest.inFlight: must be from 1 to 100, is 0"),
        ("rest:\n  inFlight: .inf\n", "rest.inFlight: must be a finite number"),
        ("rest:\n  refreshJitter: 2\n", "rest.refreshJitter: must be from 0 to 1, is 2"),
        ("rest:\n  refreshJitter: .nan\n", "rest.refreshJitter: must be a finite number"),
        ("rest:\n  timeoutSeconds: -3\n", "rest.timeoutSeconds: must be from 0.1 to 600 seconds, is -3"),
        ("rest:\n  baseUrl: https://u:canary@x.y\n", "rest.baseUrl: must be an address without user"),
        ("rest:\n  baseUrl: api.pagerduty.com\n", "rest.baseUrl: must begin with https://"),
        ("rest:\n  baseUrl: https://x.y:99999\n", "rest.baseUrl: must be an address such as"),
        ("deck:\n  accountName: [a]\n", "deck.accountName: must be text, is a list"),
        ("server:\n  database: mysql://u:canary@x/y\n", "server.database: must be a file for SQLite"),
        ("server:\n  database: host=x password=canary\n", "server.database: is a list of keywords"),
        ("server:\n  also: {echo: {port: 1}}\n", "server.also: must be a number, is a mapping"),
        ("deck:\n  required:\n", "deck.required: must be true or false, is empty"),
    ],
)
def test_values_of_the_wrong_type_or_range_are_refused(refused, text, words):
    """With what they must be."""
    assert refused("masthead.yml", text)[0].startswith(f"masthead.yml:2: {words}")


@pytest.mark.parametrize(("text", "expected"), [("1500ms", 1.5), ("7", 7.0), ("2m", 120.0), ('"1h"', 3600.0)])
def test_durations_have_units(read, text, expected):
    """Seconds when none is written."""
    assert read("masthead.yml", f"rest:\n  refreshSeconds: {text}\n").settings.rest.refresh_s == expected


def test_a_token_that_looks_like_a_variable_is_told(warned):
    """A shell's spelling, or a template that nobody filled in."""
    for token in ("$CANARY", "'{{ canary }}'", "'%CANARY%'"):
        assert "begins like a variable" in warned("gate.yml", GATE.format(token))[0]


def test_an_error_names_the_key_as_its_file_writes_it(refused):
    """So that the eye finds it."""
    profile = "pager-duty:\n  base_url: x\n"
    manifest = "spec:\n  spinnakerConfig:\n    profiles:\n      gate:\n        " + profile.replace(
        "\n", "\n        "
    )
    assert refused("gate.yml", profile)[0].startswith(
        "gate.yml:2: gate.pager-duty.base_url: must be an address"
    )
    assert refused("all.yml", manifest)[0].startswith(
        "all.yml:6: gate.pager-duty.base_url: must be an address"
    )
    assert refused("gate.yml", "pagerDuty.enabled: 7\n")[0].startswith(
        "gate.yml:1: gate.pagerDuty.enabled: must"
    )
    assert refused("masthead.yml", "rest:\n  base-url: x\n")[0].startswith(
        "masthead.yml:2: rest.base-url: must"
    )
    script = "window.spinnakerSettings.pagerDuty.required = 'x'"
    assert refused("settings-local.js", script)[0].startswith("settings-local.js:1: pagerDuty.required: must")
    assert refused("masthead.yml", "rest:\n  enabled: true\n") == [
        "masthead.yml:2: rest.token: Gate is enabled without a token; add `token:` (or token-file, or PAGERDUTY_TOKEN)"
    ]


@pytest.mark.parametrize(
    ("text", "expected"), [("yes", True), ('"on"', True), ("off", False), ('"False"', False)]
)
def test_switches_are_read_as_spring_reads_them(read, text, expected):
    """In quotes with a warning."""
    loaded = read("masthead.yml", f"events:\n  enabled: {text}\n")
    assert loaded.settings.events.enabled is expected
    assert any("is text, taken as" in warning for warning in loaded.warnings) is ('"' in text)


@pytest.mark.parametrize(
    "setting",
    [
        one
        for one in all_settings()
        if one.kind not in ("token", "text", "regex", "patterns", "pem", "database", "file")
    ],
    ids=lambda one: one.key,
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


@settings(max_examples=150)
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
