"""settings-local.js: parsed, never executed; by itself and inside a manifest."""

from __future__ import annotations

import pytest

SET = "window.spinnakerSettings"
MANIFEST = "spec:\n  spinnakerConfig:\n    profiles:\n      deck:\n        settings-local.js:"
LINE = f"          {SET}.feature.pagerDuty = true;\n"


@pytest.mark.parametrize(
    "statement",
    [
        f"{SET}.feature.pagerDuty = true;",
        f"{SET}.feature['pagerDuty'] = true",
        'window["spinnakerSettings"].feature.pagerDuty = (true);',
        "spinnakerSettings.feature.pagerDuty = true;",
        f"{SET}.feature = {{ /* ours */ pagerDuty: true, }};",
        f"{SET} = {{feature: {{'pagerDuty': true}}}};",
        f"{SET}.feature.pagerDuty = false;\n{SET}.feature.pagerDuty = true;",
    ],
)
def test_every_way_to_assign_is_read(read, statement):
    """Dots, brackets, objects; the last assignment wins."""
    assert read("settings-local.js", statement).settings.deck.feature_pager_duty is True


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        (r'"a\"b\u00e9\n"', 'a"bé\n'),
        (r'"\ud83d\ude00"', "😀"),
        ("'it is late'", "it is late"),
        ("`plain`", "plain"),
        ("'${not} a placeholder ${'", "${not} a placeholder ${"),
        ("-1", "-1"),
        ("null", "Urgent Issue"),
    ],
)
def test_literals_mean_what_javascript_means(read, literal, expected):
    """Escapes too."""
    loaded = read("settings-local.js", f"{SET}.pagerDuty.defaultSubject = {literal};")
    assert loaded.settings.deck.default_subject == expected


@pytest.mark.parametrize(
    "statement",
    [
        f"{SET}.feature.pagerDuty = !0;",
        f"{SET}.feature.pagerDuty = ;",
        f"{SET}.feature.pagerDuty = isOn('canary');",
        f"{SET}.pagerDuty.defaultSubject = `${{canary}}`;",
        f"{SET}.a = 10n;",
        f"{SET}.feature.pagerDuty ||= 'canary';",
        "if (location.hash) { alert('canary'); }",
        "var x = 'canary';",
        f"{SET}.x = {'(' * 3000}1{')' * 3000};",
    ],
)
def test_anything_else_is_reported_and_means_nothing(warned, statement):
    """The report stops before any value, which may be a secret."""
    warnings = warned("settings-local.js", f"// ours\n{statement}\n")
    assert len(warnings) == 1
    assert warnings[0].startswith("settings-local.js:2: not understood and ignored: ")


def test_what_begins_with_a_value_is_reported_by_its_line_alone(warned):
    """No word of a parser's, which tells nobody anything; a directive sets nothing and is no news."""
    script = '"use strict";\n{{{\n'
    assert warned("settings-local.js", script) == ["settings-local.js:2: not understood and ignored"]


def test_numbers_of_every_kind_are_read(read):
    """They are none of ours, but they stand there."""
    script = "".join(
        f"{SET}.x = {number};\n" for number in ("1e5", "017", "0x1F", "1_000", ".5", "[1, {a: 2}]")
    )
    read("settings-local.js", script)


def test_names_are_exact_as_in_javascript(warned):
    """Deck would not see another spelling, so it is not taken for ours."""
    script = f"{SET}.feature.pagerduty = true;\n{SET}.pagerDuty.defaultSubjekt = 'x';\n"
    assert warned("settings-local.js", script) == [
        "settings-local.js:1: feature.pagerduty: unknown and ignored; did you mean pagerDuty?",
        "settings-local.js:2: pagerDuty.defaultSubjekt: unknown and ignored; did you mean defaultSubject?",
    ]


def test_each_value_of_an_object_knows_its_own_line(read):
    """So that the report leads to it."""
    loaded = read(
        "settings-local.js", f"{SET}.pagerDuty = {{\n  accountName: 'acme',\n  required: true,\n}};\n"
    )
    assert [loaded.sources[f"deck.{name}"][-1].source.line for name in ("accountName", "required")] == [2, 3]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{MANIFEST}\n          // turn it on\n{LINE}", 6),
        (f"{MANIFEST}\n{LINE.rstrip()} // on\n{LINE}", 6),
        (f"{MANIFEST}\n{LINE}          // more\n{LINE}", 7),
        (f"{MANIFEST} >\n          // turn it on\n{LINE}", 6),
    ],
)
def test_a_comment_that_swallows_the_rest_is_refused(refused, text, line):
    """YAML folds the lines of everything but a block scalar."""
    told = refused("all.yml", text)[0]
    assert told.startswith(f"all.yml:{line}: settings-local.js: YAML folds")
    assert "write `settings-local.js: |`" in told


@pytest.mark.parametrize(
    "text",
    [
        f"{MANIFEST}\n{LINE}",
        f"{MANIFEST}\n{LINE.rstrip()} // on\n",
        f"{MANIFEST}\n          /* on */\n{LINE}",
        f'{MANIFEST}\n{LINE}          {SET}.gateUrl = "http://gate";\n',
        f"{MANIFEST} |\n          // turn it on\n{LINE}          /***\n           * Prose that ends here.\n           ***/\n",
        f"{MANIFEST} |-\n          // turn it on\n{LINE}",
    ],
)
def test_comments_that_swallow_nothing_are_fine(read, text):
    """Also addresses, which only look like comments."""
    assert read("all.yml", text).settings.deck.feature_pager_duty is True


def test_a_script_that_yaml_took_for_a_mapping_is_refused(refused):
    """A colon and a space in un-piped text."""
    text = f"{MANIFEST}\n          {SET}.pagerDuty = {{required: true}};\n"
    assert "must be text; write `settings-local.js: |`" in refused("all.yml", text)[0]


def test_the_lines_of_a_block_scalar_are_those_of_the_manifest(read):
    """The report names the file's line, not the script's."""
    loaded = read("all.yml", f"{MANIFEST} |\n          // on\n{LINE}")
    assert loaded.sources["deck.featurePagerDuty"][-1].source.line == 7
