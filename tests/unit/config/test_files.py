"""Which kind of file it is, which keys mean the same, and what passes quietly."""

from __future__ import annotations

import pytest

from masthead.config import load

GATE = "pagerDuty:\n  enabled: true\n  token: canary\n"
PROFILES = "spec:\n  spinnakerConfig:\n    profiles:\n"


@pytest.mark.parametrize("name", ["gate.yml", "gate-local.yml", "gate-prod.yaml", "GATE.yml"])
def test_a_profile_is_known_by_its_name(read, name):
    """Also with Spinnaker's suffixes."""
    assert read(name, GATE).settings.rest.enabled is True


@pytest.mark.parametrize(
    "text",
    [
        "pager-duty.enabled: true\npager-duty.token: canary\n",
        "pagerDuty:\n  token: canary\n  baseUrl: https://api.pagerduty.com\n",
        "pager_duty:\n  TOKEN: canary\n",
    ],
)
def test_spellings_that_spring_takes_are_taken(read, text):
    """Dotted keys too; a token alone turns Gate's side on, as in Gate."""
    settings = read("gate.yml", text).settings
    assert settings.rest.enabled is True
    assert settings.rest.token.read().reveal() == "canary"


def test_a_switch_that_is_off_stays_off_with_a_token(read):
    """Whoever writes false means it."""
    assert read("gate.yml", GATE.replace("true", "false")).settings.rest.enabled is False


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("gate.yml", GATE + "pager-duty:\n  enabled: false\n", "4: pager-duty: is the same key as pagerDuty in line 1"),
        ("gate.yml", GATE + "  Token: canary2\n", "4: gate.pagerDuty.Token: is the same key as gate.pagerDuty.token in line 3"),
        ("gate.yml", GATE + "  token-file: /x\n", "4: gate.pagerDuty.token-file: token is given too, in line 3"),
        ("gate.yml", "pagerDuty.token: x\npager-duty:\n  token: y\n", "3: gate.pager-duty.token: is the same key as"),
        ("all.yml", PROFILES + "      gate: {}\n      Gate: {}\n", "5: Gate: is the same key as gate in line 4"),
        ("all.yml", PROFILES + "      gate: {}\nSpec: {}\n", "5: Spec: is the same key as spec in line 1"),
        ("all.yml", PROFILES + "  spinnaker-config: {}\n", "4: spinnaker-config: is the same key as spinnakerConfig"),
        ("masthead.yml", "rest:\n  in-flight: 1\n  inFlight: 2\n", "3: rest.inFlight: is the same key as rest.in-flight"),
        ("all.yml", "spec:\n  Then this:\n  spinnakerConfig:\n    profiles:\n      gate: {}\n", "2: this is prose"),
        ("all.yml", "spinnakerConfig:\n  profiles: {}\n", "1: spinnakerConfig: a manifest has it below spec"),
        ("all.yml", GATE, "1: pagerDuty: Echo and Gate both have this block"),
        ("gate.yml", "pagerDuty: true\n", "1: gate.pagerDuty: must be a mapping"),
        ("all.yml", PROFILES + "      gate: canary-canary-canary\n", "4: profiles.gate: must be a mapping, is text of 20"),
        ("all.yml", "spec:\n  spinnakerConfig:\n    profiles: [gate]\n", "3: spec.spinnakerConfig.profiles: must be"),
        ("masthead.yml", "server: 3\n", "1: server: must be a mapping"),
        ("other.yml", "something: else\n", "1: not a configuration that Masthead knows"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(refused, name, text, expected):
    """With the line and what to write."""
    assert refused(name, text)[0].startswith(f"{name}:{expected}")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("gate.yml", "pagerDuty:\n", "gate.yml:1: gate.pagerDuty: empty"),
        ("all.yml", PROFILES, "all.yml:3: spec.spinnakerConfig.profiles: missing or empty"),
        ("all.yml", "spec:\n  x: 1\n", "all.yml:2: spec.spinnakerConfig.profiles: missing or empty"),
        ("all.yml", "apiVersion: x/v1\n" + PROFILES + "      gate: {}\n", "all.yml:1: apiVersion: x/v1 is none of"),
        ("fiat-local.yml", "server:\n  port: 8083\n", "fiat-local.yml: holds nothing for Masthead"),
        ("secret.yml", "apiVersion: v1\nkind: Secret\ndata: {}\n", "secret.yml: holds nothing for Masthead"),
        ("all.yml", "Add:\n" + PROFILES + "      gate: {}\n", "all.yml:1: Add: unknown and ignored; known are apiVersion"),
        ("all.yml", PROFILES + "      echo:\n      pager-duty:\n        enabled: true\n", "all.yml:5: profiles.pager-duty: stands beside"),
        ("all.yml", PROFILES + "      gaet:\n        pager-duty:\n          enabled: true\n", "all.yml:5: profiles.gaet.pager-duty: ignored; this block is read below echo and gate"),
        ("all.yml", PROFILES + "      spinnaker:\n        pagerDuty.token: x\n", "all.yml:5: profiles.spinnaker.pagerDuty.token: ignored; this block"),
        ("all.yml", PROFILES + "      dekc:\n        settings-local.js: x\n", "all.yml:5: profiles.dekc.settings-local.js: ignored; this script is read below deck"),
        ("all.yml", "foo: 1\n---\n" + PROFILES + "      gate: {}\n", "all.yml:1: this document is none that Masthead knows"),
        ("all.yml", "- a\n---\n" + PROFILES + "      gate: {}\n", "all.yml:1: this document is not a mapping, and is skipped"),
        ("all.yml", "kind: SpinnakerServices\n" + PROFILES + "      gate: {}\n", "all.yml:1: kind: SpinnakerServices is not"),
        ("echo.yml", "pagerdutty: {enabled: true}\n", "echo.yml:1: echo.pagerdutty: unknown and ignored; did you mean pager-duty?"),
        ("gate.yml", "pager-dutys.token: x\n", "gate.yml:1: gate.pager-dutys.token: unknown and ignored; did you mean pager-duty?"),
        ("masthead.yml", "serverr:\n  port: 1\n", "masthead.yml:1: serverr: unknown and ignored; did you mean server?"),
        ("masthead.yml", "server:\n  prot: 1\n", "masthead.yml:2: server.prot: unknown and ignored; did you mean port?"),
        ("gate.yml", "pagerDuty:\n  enabled: false\n  zone: x\n", "gate.yml:3: gate.pagerDuty.zone: unknown and ignored; known"),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_told(warned, name, text, expected):
    """It can be used all the same."""
    assert warned(name, text)[0].startswith(expected)


def test_other_objects_beside_the_manifest_pass_quietly(warned):
    """A folder's manifests are often one file."""
    objects = (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: spinnaker}\n---\n"
        "apiVersion: v1\nkind: Secret\n---\nkind: ConfigMap\ndata: {a b: c}\n---\n"
    )
    deck = "      deck:\n        settings-local.js: window.spinnakerSettings.feature.pagerDuty = true;\n"
    assert warned("all.yml", objects + PROFILES + deck + "      orca: {pagerDuty: 3}\n      fiat:\n") == []


def test_a_profile_of_another_service_moves_nothing(read):
    """Its server.port is not ours."""
    assert read("clouddriver.yml", "server:\n  port: 7002\n").settings.server.port == 8084


def test_files_merge_key_by_key_and_the_later_wins(tmp_path):
    """A second file need not repeat the first."""
    first, second = tmp_path / "gate.yml", tmp_path / "gate-local.yml"
    first.write_text(GATE + "  base-url: https://api.eu.pagerduty.com\n")
    second.write_text("pager-duty:\n  token: other\n")
    rest = load([first, second], {}).settings.rest
    assert (rest.token.read().reveal(), rest.base_url) == ("other", "https://api.eu.pagerduty.com")


def test_everything_wrong_in_several_files_is_told_in_their_order(tmp_path):
    """One correction, one more try."""
    names = ["echo.yml", "gate.yml"]
    for name in names:
        (tmp_path / name).write_text("pagerDuty:\n  enabled: 7\n  token: '***'\n")
    with pytest.raises(
        Exception, match=r"echo.yml:2: .*\n.*echo.yml:3: .*\n.*gate.yml:2: .*\n.*gate.yml:3: "
    ):
        load([tmp_path / name for name in names], {})


def test_a_list_as_kubectl_writes_it_is_read(read):
    """``kubectl get spinsvc -o yaml`` wraps the manifest."""
    manifest = (PROFILES + "      gate:\n        " + GATE.replace("\n", "\n        ")).replace("\n", "\n  ")
    text = f"apiVersion: v1\nkind: List\nitems:\n- kind: SpinnakerService\n  {manifest}"
    assert read("all.yml", text).settings.rest.token.read().reveal() == "canary"


def test_a_file_that_no_configuration_can_be_is_refused(refused):
    """A path that was meant for something else."""
    assert refused("gate.yml", "# x\n" * 2_600_000) == [
        "gate.yml: larger than 10 MB, as no configuration is; check the path"
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("front50.yml", "validation:\n  application-name-validator:\n    validation-regex: '[A-Z]+'\n    validation-message: Letters.\n"),
        ("front50-local.yml", "validation.applicationNameValidator.validationRegex: '[A-Z]+'\nvalidation.applicationNameValidator:\n  validationMessage: Letters.\n"),
        ("all.yml", PROFILES + "      front50:\n        validation:\n          application-name-validator: {validation-regex: '[A-Z]+', validation-message: Letters.}\n"),
        ("masthead.yml", "applications:\n  nameRegex: '[A-Z]+'\n  nameMessage: Letters.\n"),
    ],
)  # fmt: skip
def test_front50s_rule_for_names_is_read(read, name, text):
    """Nested and dotted; the rest of Front50's profile passes quietly."""
    loaded = read(name, text + ("spinnaker: {s3: {enabled: true}}\n" if name.startswith("front50") else ""))
    assert (loaded.settings.applications.name_regex, loaded.settings.applications.name_message) == (
        "[A-Z]+",
        "Letters.",
    )
    assert not any("front50" in warning for warning in loaded.warnings)


def test_an_alias_of_what_it_stands_in_is_no_trap(read):
    """Of the whole document, too."""
    text = "validation: &v\n  applicationNameValidator: {validation-regex: x}\n  again: *v\n"
    assert read("front50.yml", text).settings.applications.name_regex == "x"


def test_a_rule_that_is_no_regular_expression_is_refused(refused):
    """At start, not with the first application."""
    text = "validation.application-name-validator.validation-regex: '['\n"
    (told,) = refused("front50.yml", text)
    assert told.startswith(
        "front50.yml:1: front50.validation.application-name-validator.validation-regex: must be"
    )
