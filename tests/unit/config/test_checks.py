"""Settings that do not go together."""

from __future__ import annotations

import pytest

ECHO = "events:\n  enabled: true\n  token: x\n"
GATE = "rest:\n  enabled: true\n  token: x\n"
DECK = "deck:\n  featurePagerDuty: true\n"


def test_a_whole_configuration_has_no_warning(warned):
    """Nothing to say is the best report."""
    assert warned("masthead.yml", ECHO + GATE + DECK) == []


def test_two_regions_are_noticed(warned):
    """A key of one region is unknown to the other."""
    text = ECHO + "  endpoint: https://events.eu.pagerduty.com\n" + GATE + DECK
    (told,) = warned("masthead.yml", text)
    assert told.startswith(
        "masthead.yml:4: events.endpoint: events.eu.pagerduty.com and Gate's api.pagerduty.com"
    )
    assert told.endswith("For the EU write rest.baseUrl: https://api.eu.pagerduty.com")


def test_the_missing_half_of_the_eu_is_called_as_the_file_calls_it(warned):
    """Who knows Gate's address from elsewhere rarely knows that Echo has one too."""
    manifest = (
        "spec:\n  spinnakerConfig:\n    profiles:\n"
        "      deck: {settings-local.js: 'window.spinnakerSettings.feature.pagerDuty = true;'}\n"
        "      echo: {pager-duty: {enabled: true, token: canary}}\n"
        "      gate: {pagerDuty: {enabled: true, token: canary, base-url: 'https://api.eu.pagerduty.com'}}\n"
    )
    (told,) = warned("SpinnakerService.yml", manifest)
    assert told.startswith("SpinnakerService.yml:6: echo.pager-duty.endpoint: events.pagerduty.com and ")
    assert told.endswith("For the EU write echo.pager-duty.endpoint: https://events.eu.pagerduty.com")


@pytest.mark.parametrize(
    ("side", "address", "said"),
    [
        ("endpoint", "https://events.pagerduty.com/v2/enqueue", "itself; write https://events.pagerduty.com"),
        ("endpoint", "https://events.eu.pagerduty.com/generic", "itself; write https://events.eu.pagerduty.com"),
        ("endpoint", "https://api.pagerduty.com", "api.pagerduty.com is not where PagerDuty's Events API is; write https://events.pagerduty.com"),
        ("baseUrl", "https://api.pagerduty.com/services", "itself; write https://api.pagerduty.com"),
        ("baseUrl", "https://acme.pagerduty.com", "acme.pagerduty.com is not where PagerDuty's REST API is; write https://api.pagerduty.com"),
    ],
)  # fmt: skip
def test_an_address_at_which_no_api_is_is_told(warned, side, address, said):
    """Every page would be refused there; documents and browsers show such addresses."""
    text = {
        "endpoint": ECHO + f"  endpoint: {address}\n" + GATE,
        "baseUrl": ECHO + GATE + f"  baseUrl: {address}\n",
    }
    told = [one for one in warned("masthead.yml", text[side] + DECK) if f".{side}: " in one]
    assert any(said in one for one in told)


@pytest.mark.parametrize("side", ["endpoint", "baseUrl"])
def test_an_account_is_asked_for_the_same(warned, side):
    """Each has addresses of its own; a region that is new to us is none of our business."""
    text = (
        "events: {enabled: true}\naccounts:\n  acme:\n    token: x\n    "
        + side
        + ": https://%s.pagerduty.com\n"
    )
    (told,) = [one for one in warned("masthead.yml", text % "acme") if side in one]
    assert told.startswith(f"masthead.yml:5: accounts.acme.{side}: acme.pagerduty.com is not where ")
    prefix = {"endpoint": "events", "baseUrl": "api"}[side]
    assert not any(side in one for one in warned("masthead.yml", text % f"{prefix}.au"))


def test_the_eu_on_both_sides_and_a_simulator_are_fine(warned):
    """Only PagerDuty's own hosts have regions."""
    eu = (
        ECHO
        + "  endpoint: https://events.eu.pagerduty.com\n"
        + GATE
        + "  baseUrl: https://api.eu.pagerduty.com\n"
    )
    ours = ECHO + "  endpoint: http://127.0.0.1:8999\n" + GATE + "  baseUrl: http://127.0.0.1:8999\n"
    assert warned("masthead.yml", eu + DECK) == warned("masthead.yml", ours + DECK) == []


def test_the_deck_flag_that_is_off_is_told_where_it_stands(warned):
    """Or, when nobody wrote it, where Echo's side is turned on."""
    assert warned("masthead.yml", ECHO + GATE + DECK.replace("true", "false"))[0].startswith(
        "masthead.yml:8: feature"
    )
    assert warned("masthead.yml", ECHO + GATE)[0].startswith("masthead.yml:2: feature.pagerDuty: not true")


def test_without_files_nobody_is_asked_for_a_deck(read):
    """Who configures by the environment alone may have none."""
    environ = {"PAGERDUTY_TOKEN": "x", "MASTHEAD_EVENTS_ENABLED": "true"}
    assert read("masthead.yml", "server:\n", environ).warnings == ()


def test_two_sides_that_are_off_list_nothing(warned):
    """Nobody is told that services are listed while they are not."""
    off = (ECHO + GATE + DECK).replace("enabled: true", "enabled: false")
    assert warned("masthead.yml", off) == [
        "masthead.yml:5: rest.enabled: not true, so no services are listed"
    ]


def test_a_side_that_is_off_beside_its_settings_is_told(warned):
    """An address without token lists nothing."""
    told = warned("masthead.yml", "rest:\n  baseUrl: https://api.eu.pagerduty.com\n")
    assert told == ["masthead.yml:2: rest.enabled: not true, so no services are listed"]


def test_who_sends_without_a_catalog_is_told_by_which_api(read):
    """Spinnaker's applications have keys of Events v1, which PagerDuty may refuse at v2."""

    def said(text):
        return " ".join(read("masthead.yml", text).missing)

    assert said(ECHO).endswith("as Spinnaker offers them, set events.unknownKeyProtocol: v1.")
    for text in (ECHO + "  unknownKeyProtocol: v1\n", ECHO + GATE, "server: {}\n"):
        assert "unknownKeyProtocol" not in said(text)
