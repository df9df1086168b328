"""The environment wins over all files."""

from __future__ import annotations

import pytest

from masthead.config import load
from masthead.config.settings import all_settings
from masthead.kernel.errors import ConfigurationInvalid

SAMPLES = {
    "text": ("some words", "some words"),
    "boolean": ("true", True),
    "number": ("0.5", 0.5),
    "integer": ("12", 12),
    "seconds": ("2m", 120.0),
    "url": ("https://api.eu.pagerduty.com/", "https://api.eu.pagerduty.com"),
    "ports": ("echo=8089,orca=8083", {"echo": 8089, "orca": 8083}),
}


@pytest.mark.parametrize("setting", all_settings(), ids=lambda one: one.variable)
def test_every_setting_can_be_given_by_its_variable(setting):
    """The name is derived from the declaration."""
    if setting.kind == "token":
        loaded = load([], {setting.variable: "canary"})
        assert getattr(getattr(loaded.settings, setting.section), setting.name).read().reveal() == "canary"
        return
    written, expected = SAMPLES.get(setting.kind, (setting.choices[-1:] or ("",))[:1] * 2)
    loaded = load(
        [], {setting.variable: written} | ({"PAGERDUTY_TOKEN": "x"} if setting.section == "rest" else {})
    )
    assert getattr(getattr(loaded.settings, setting.section), setting.name) == expected
    assert loaded.sources[setting.key][-1].source.file == f"environment variable {setting.variable}"


def test_one_token_serves_both_sides_and_turns_the_list_on():
    """PAGERDUTY_TOKEN is all that a trial needs."""
    settings = load([], {"PAGERDUTY_TOKEN": "canary"}).settings
    assert settings.rest.enabled is True
    assert settings.rest.token.read() == settings.events.token.read()


def test_a_variable_of_its_own_wins_over_the_common_token():
    """The narrower name is the later word."""
    settings = load([], {"PAGERDUTY_TOKEN": "common", "MASTHEAD_REST_TOKEN": "own"}).settings
    assert (settings.rest.token.read().reveal(), settings.events.token.read().reveal()) == ("own", "common")


def test_a_token_file_can_be_named(tmp_path):
    """As a mounted secret is."""
    (tmp_path / "token").write_text("canary\n")
    settings = load([], {"MASTHEAD_REST_TOKEN_FILE": str(tmp_path / "token")}).settings
    assert settings.rest.token.read().reveal() == "canary"


def test_an_empty_variable_counts_as_not_given():
    """Compose files pass unset variables on as empty."""
    loaded = load([], {"PAGERDUTY_TOKEN": "", "MASTHEAD_SERVER_PORT": "", "MASTHEAD_REST_ENABLED": ""})
    assert loaded.sources == {}


def test_links_that_kubernetes_makes_for_services_are_not_ours():
    """A Service named masthead or masthead-server must not stop its own pod."""
    environ = {
        "MASTHEAD_SERVER_PORT": "tcp://10.0.0.1:8084",
        "MASTHEAD_SERVICE_HOST": "10.0.0.1",
        "MASTHEAD_PORT_8084_TCP": "tcp://10.0.0.1:8084",
    }
    loaded = load([], environ)
    assert loaded.settings.server.port == 8084
    assert [warning.partition(":")[0] for warning in loaded.warnings] == [
        "environment variable MASTHEAD_SERVER_PORT"
    ]


def test_a_misspelled_variable_is_named_and_its_value_is_not():
    """MASTHEAD_SERVER and MASTHEAD_USER belong to the command line."""
    environ = {"MASTHEAD_REST_TOKN": "canary", "MASTHEAD_SERVER": "http://x", "MASTHEAD_USER": "me"}
    assert load([], environ).warnings == (
        "environment variable MASTHEAD_REST_TOKN: unknown and ignored; did you mean MASTHEAD_REST_TOKEN?",
    )


def test_a_wrong_value_names_its_variable():
    """There is no file and line to name."""
    with pytest.raises(
        ConfigurationInvalid, match=r"^environment variable MASTHEAD_REST_IN_FLIGHT: rest.inFlight: must"
    ):
        load([], {"MASTHEAD_REST_IN_FLIGHT": "many"})
