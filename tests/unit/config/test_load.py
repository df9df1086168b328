"""The files that administrators have, and every trap in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from masthead.config import load, render_report
from masthead.kernel.errors import ConfigurationInvalid

DECK = """\
spec:
  spinnakerConfig:
    profiles:
      deck:
        settings-local.js:
          window.spinnakerSettings.feature.pagerDuty = true;
"""
SERVICES = """\
spec:
  spinnakerConfig:
    profiles:
      echo:
        pager-duty:
          enabled: true
          token: echo-token-canary
      gate:
        pagerDuty:
          base-url: https://api.pagerduty.com
          enabled: true
          token: gate-token-canary
"""
MERGED = DECK + SERVICES.partition("profiles:\n")[2]
HEADS = [
    "",
    "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\nmetadata:\n  name: spinnaker\n",
    "apiVersion: spinnaker.armory.io/v1alpha2\nkind: SpinnakerService\n",
]


def write(folder: Path, **files: str) -> list[Path]:
    paths = []
    for name, text in files.items():
        path = folder / name.replace("_", ".").replace("..", "-")
        path.write_text(text)
        paths.append(path)
    return paths


def refusal(paths: list[Path], environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationInvalid) as caught:
        load(paths, environ or {})
    assert "canary" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("head", HEADS)
def test_the_seeds_snippets_in_two_files_configure_it(tmp_path, head):
    """With and without apiVersion and kind, with a token put in."""
    loaded = load(write(tmp_path, deck_yml=head + DECK, services_yml=head + SERVICES), {})
    settings = loaded.settings
    assert (settings.events.enabled, settings.rest.enabled) == (True, True)
    assert settings.deck.feature_pager_duty is True
    assert settings.rest.token.read().reveal() == "gate-token-canary"
    assert settings.events.token.read().reveal() == "echo-token-canary"
    assert loaded.warnings == ()
    assert loaded.missing == ()


@pytest.mark.parametrize("head", HEADS)
def test_the_seeds_snippets_merged_into_one_file_configure_it(tmp_path, head):
    """As an administrator merges them by hand."""
    loaded = load(write(tmp_path, all_yml=head + MERGED), {})
    assert (loaded.settings.events.enabled, loaded.settings.rest.enabled) == (True, True)
    assert loaded.warnings == ()


def test_two_spec_blocks_in_one_file_are_refused_with_both_lines(tmp_path):
    """YAML would silently forget the first."""
    message = refusal(write(tmp_path, all_yml=DECK + SERVICES))
    assert f"all.yml:{DECK.count(chr(10)) + 1}: spec" in message
    assert "line 1" in message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (SERVICES.replace("gate-token-canary", "***"), 12, "placeholder"),
        (SERVICES.replace("echo-token-canary", "'***'"), 7, "placeholder"),
        ("```\n" + SERVICES, 1, "code fence"),
        (DECK + "Administrators will also need to make the following changes to the Gate and Echo services\n", 7, "prose"),
        (SERVICES.replace("          enabled", "\tenabled"), 6, "tab"),
        ("- a\n- b\n", 1, "not a mapping"),
        ("just: [broken\n", 2, "not YAML"),
        ("something: else\n", 1, "not a configuration that Masthead knows"),
        (SERVICES.replace("enabled: true\n          token: gate", "enabled: 7\n          token: gate"), 11, "true or false"),
        (SERVICES.replace("https://api.pagerduty.com", "api.pagerduty.com"), 10, "https://api.pagerduty.com"),
        (SERVICES.replace("gate-token-canary", "${NOT_SET}"), 12, "NOT_SET"),
        (SERVICES.replace("          token: gate-token-canary\n", ""), 11, "without a token"),
        (SERVICES + "  spinnakerConfig: {}\n", 13, "twice"),
    ],
)  # fmt: skip
def test_each_trap_names_file_line_and_remedy(tmp_path, text, line, words):
    """Never a traceback, never the token."""
    message = refusal(write(tmp_path, trap_yml=text))
    assert f"trap.yml:{line}:" in message
    assert words in message


def test_a_comment_in_an_unpiped_script_is_refused(tmp_path):
    """YAML folds it into the next line, where it swallows what follows."""
    text = DECK.replace("          window", "          // turn it on\n          window")
    assert "settings-local.js: |" in refusal(write(tmp_path, deck_yml=text))


def test_an_empty_and_an_unreadable_file_are_refused(tmp_path):
    """Both in one message: everything wrong is told at once."""
    message = refusal([*write(tmp_path, empty_yml="  \n"), tmp_path / "absent.yml"])
    assert "empty.yml: empty" in message
    assert "absent.yml: cannot be read" in message


def test_the_deck_script_is_read_but_never_run(tmp_path):
    """Dots, brackets, objects and comments are understood; the rest is named and means nothing."""
    script = """\
// ours
window.spinnakerSettings.feature.pagerDuty = true; /* on */
window.spinnakerSettings['pagerDuty'] = {accountName: 'acme', "defaultSubject": "Wake up", required: true};
window.spinnakerSettings.gateUrl = computeGateUrl();
if (location.hash) { alert(1); }
"""
    loaded = load(write(tmp_path, settings__local_js=script), {})
    deck = loaded.settings.deck
    assert (deck.feature_pager_duty, deck.account_name, deck.default_subject, deck.required) == (
        True,
        "acme",
        "Wake up",
        True,
    )
    assert [w.split(":")[1] for w in loaded.warnings] == ["4", "5"]


@pytest.mark.parametrize("spelling", ["pager-duty", "pagerDuty", "pagerduty", "pager_duty"])
def test_every_spelling_of_the_block_is_the_same_key(tmp_path, spelling):
    """As Spring binds them."""
    gate = f"{spelling}:\n  baseUrl: https://api.eu.pagerduty.com\n  enabled: true\n  token: x\n"
    loaded = load(write(tmp_path, gate__local_yml=gate), {})
    assert loaded.settings.rest.base_url == "https://api.eu.pagerduty.com"


def test_later_files_and_the_environment_win_and_the_report_shows_it(tmp_path):
    """Secrets are only set or not set."""
    paths = write(
        tmp_path,
        all_yml=SERVICES,
        masthead_yml="events:\n  timeoutSeconds: 5s\n  endpoint: https://events.eu.pagerduty.com\n",
    )
    loaded = load(paths, {"MASTHEAD_EVENTS_TIMEOUT_SECONDS": "7", "PAGERDUTY_TOKEN": "env-token-canary"})
    assert loaded.settings.events.timeout_s == 7
    assert loaded.settings.rest.token.read().reveal() == "env-token-canary"
    report = render_report(loaded)
    assert "canary" not in report
    assert "environment variable MASTHEAD_EVENTS_TIMEOUT_SECONDS (over " in report
    assert "masthead.yml:3" in report


def test_placeholders_take_the_environment_or_their_default(tmp_path):
    """As Spring resolves them."""
    gate = "pagerDuty:\n  enabled: true\n  base-url: ${PD_URL:https://api.eu.pagerduty.com}\n  token: ${PD_TOKEN}\n"
    loaded = load(write(tmp_path, gate_yml=gate), {"PD_TOKEN": "from-env"})
    assert loaded.settings.rest.base_url == "https://api.eu.pagerduty.com"
    assert loaded.settings.rest.token.read().reveal() == "from-env"


def test_a_token_file_is_read_again_when_it_changes(tmp_path):
    """A rotated token needs no restart."""
    (tmp_path / "token").write_text("first\n")
    paths = write(tmp_path, gate_yml="pagerDuty:\n  enabled: true\n  token-file: token\n")
    token = load(paths, {}).settings.rest.token
    assert token.read().reveal() == "first"
    (tmp_path / "token").write_text("second-one\n")
    assert token.read().reveal() == "second-one"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SERVICES.replace("          token: echo-token-canary\n", ""), "sending events needs none"),
        (SERVICES.replace("enabled: true\n          token: echo", "enabled: false\n          token: echo"), "nobody is paged"),
        (SERVICES, "feature.pagerDuty: not true"),
        (SERVICES.replace("enabled: true\n          token: echo", 'enabled: "true"\n          token: echo'), "taken as true"),
        (SERVICES.replace("endpoint", "x").replace("token: echo", "tokne: echo"), "did you mean token?"),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_a_warning(tmp_path, text, words):
    """It can be used all the same."""
    loaded = load(write(tmp_path, all_yml=text), {})
    assert any(words in warning for warning in loaded.warnings)


def test_without_any_configuration_it_says_what_is_missing():
    """And how to give it."""
    loaded = load([], {})
    assert loaded.settings.events.enabled is False
    assert any("MASTHEAD_EVENTS_ENABLED" in line for line in loaded.missing)
    assert any("PAGERDUTY_TOKEN" in line for line in loaded.missing)


def test_other_profiles_and_documents_pass_quietly(tmp_path):
    """A real manifest has much more in it."""
    text = (
        MERGED
        + "      clouddriver: {kubernetes: {enabled: true}}\n---\napiVersion: v1\nkind: Secret\nspec: {}\n"
    )
    loaded = load(write(tmp_path, all_yml=text), {})
    assert loaded.settings.events.enabled is True
