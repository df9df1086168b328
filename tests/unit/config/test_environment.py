"""The environment wins over all files."""

from __future__ import annotations

import pytest

from masthead.config import load
from masthead.config.settings import all_settings
from masthead.config.webhooks import AllowedRequest, PreconfiguredWebhook
from masthead.kernel.errors import ConfigurationInvalid
from masthead.kernel.secret import Secret

SAMPLES = {
    "text": ("some words", "some words"),
    "regex": ("[A-Z]+", "[A-Z]+"),
    "file": ("/etc/masthead/users", "/etc/masthead/users"),
    "boolean": ("true", True),
    "number": ("0.5", 0.5),
    "database": ("/var/lib/masthead.db", "/var/lib/masthead.db"),
    "seconds": ("2m", 120.0),
    "url": ("https://api.eu.pagerduty.com/", "https://api.eu.pagerduty.com"),
    "words": ("one two", ("one", "two")),
    "networks": ("10.1.0.0/16, 10.2.0.1", ("10.1.0.0/16", "10.2.0.1")),
    "patterns": (r".+\.corp", (r".+\.corp",)),
    "codes": ("429,503", (429, 503)),
    "zone": ("Europe/Berlin", "Europe/Berlin"),
    "pem": ("ca.pem", Secret("ca.pem")),
    "requests": (
        '[{"httpMethods": ["get"], "urlPrefix": "https://a"}]',
        (AllowedRequest(frozenset({"GET"}), prefix="https://a"),),
    ),
    "webhooks": ('[{"type": "t", "label": "l"}]', (PreconfiguredWebhook("t", "l"),)),
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
    if setting.kind == "integer":
        written, expected = f"{setting.least:.0f}", setting.least
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
    environ |= {"MASTHEAD_DB_PORT": "tcp://10.0.0.1:5432", "MASTHEAD_DB_SERVICE_PORT_SQL": "5432"}
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


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("MASTHEAD_DATABASE", "did you mean MASTHEAD_SERVER_DATABASE?"),
        ("MASTHEAD_PORT", "did you mean MASTHEAD_SERVER_PORT?"),
        ("MASTHEAD_TOKEN", "did you mean PAGERDUTY_TOKEN?"),
        ("MASTHEAD_PAGERDUTY_TOKEN", "did you mean PAGERDUTY_TOKEN?"),
        ("MASTHEAD_SERVER_POTR", "did you mean MASTHEAD_SERVER_PORT?"),
        ("MASTHEAD_FOO", "Masthead's variables are called MASTHEAD_<SECTION>_<SETTING>"),
        ("PAGERDUTY_TOKN", "did you mean PAGERDUTY_TOKEN?"),
    ],
)
def test_every_variable_that_looks_like_ours_and_is_not_is_told(name, hint):
    """With the nearest name that is known, and without its value."""
    (told,) = load([], {name: "8000canary"}).warnings
    assert told.startswith(f"environment variable {name}: ")
    assert told.endswith(hint)
    assert "canary" not in told


def test_other_programs_variables_are_none_of_our_business():
    """PagerDuty's other clients have their own."""
    environ = {"PAGERDUTY_USER": "x", "PAGERDUTY_TOKN": "x", "PAGERDUTY_TOKEN": "x"}
    assert load([], environ | {"MASTHEAD_EVENTS_ENABLED": "true"}).warnings == ()


def test_what_is_wrong_with_the_common_token_is_told_once(tmp_path):
    """Though it is the token of both sides."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load([], {"PAGERDUTY_TOKEN": "can\u00e4ry"})
    assert caught.value.message.startswith("environment variable PAGERDUTY_TOKEN: token: holds a character")
    assert "\n" not in caught.value.message
    (tmp_path / "token").write_text("canary\n")
    settings = load([], {"PAGERDUTY_TOKEN_FILE": str(tmp_path / "token")}).settings
    assert settings.rest.token.read() == settings.events.token.read()
