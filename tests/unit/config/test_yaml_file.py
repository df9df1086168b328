"""What people paste: the seed's own text, character by character, and every other trap of YAML."""

from __future__ import annotations

import pytest

#: The seed's first fenced block, which its author never closed, with its non-breaking space and trailing spaces.
SEED = """\
```
spec:
  spinnakerConfig:
    profiles:
      deck:
        settings-local.js:
          window.spinnakerSettings.feature.pagerDuty = true;
\u00a0Administrators will also need to make the following changes to the Gate and Echo services in the ```SpinnakerService.yml```
spec:
  spinnakerConfig:
    profiles:
      echo:
        pager-duty:\x20
          enabled: true\x20
          token: ***
      gate:\x20
        pagerDuty:
          base-url: https://api.pagerduty.com\x20
          enabled: true\x20
          token: ***
```
"""
LINES = SEED.split("\n")
FIRST = "\n".join(LINES[1:7]) + "\n"
SECOND = "\n".join(LINES[8:20]) + "\n"
GATE = "pagerDuty:\n  enabled: true\n  token: canary\n"


def with_tokens(text):
    return text.replace("***", "u+canary-Token_1")


def test_the_seeds_whole_block_is_refused_with_all_that_is_wrong(refused):
    """Fence, prose, a second spec and both placeholders: one line each, in one go."""
    lines = refused("SpinnakerService.yml", SEED)
    assert [line.partition(": ")[0] for line in lines] == [
        f"SpinnakerService.yml:{number}" for number in (1, 8, 9, 15, 20, 21)
    ]
    assert "code fence" in lines[0]
    assert "prose" in lines[1]
    assert "first in line 2" in lines[2]
    assert lines[3].startswith("SpinnakerService.yml:15: echo.pager-duty.token: ***")
    assert lines[4].startswith("SpinnakerService.yml:20: gate.pagerDuty.token: ***")
    assert "code fence" in lines[5]


def test_the_seeds_block_with_windows_line_ends_says_the_same(refused):
    """Line ends are nobody's fault."""
    text = SEED.replace("\n", "\r\n")
    assert len(refused("SpinnakerService.yml", text)) == 6


def test_the_seeds_second_snippet_works_with_its_trailing_spaces(read):
    """Only the tokens are put in."""
    settings = read("SpinnakerService.yml", with_tokens(SECOND)).settings
    assert (settings.events.enabled, settings.rest.enabled) == (True, True)
    assert settings.rest.token.read().reveal() == "u+canary-Token_1"


def test_the_seeds_snippets_as_two_documents_of_one_file_work(read):
    """Three dashes between them make two documents."""
    settings = read("SpinnakerService.yml", FIRST + "---\n" + with_tokens(SECOND)).settings
    assert (settings.deck.feature_pager_duty, settings.rest.enabled) == (True, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FIRST + with_tokens(SECOND), "7: spec: the key stands twice, first in line 1"),
        ("pagerDuty:\n  enabled: true\n  token: ***\n", "3: pagerDuty.token: *** is a placeholder"),
        ("spec:\n  spinnakerConfig:\n    profiles:\n      gate:\n        pagerDuty:\n          token: ***\n", "6: gate.pagerDuty.token: ***"),
        ("pagerDuty:\n  enabled: true\n  token: *** # ours\n", "3: pagerDuty.token: *** is a placeholder"),
        ("pagerDuty:\n  enabled: true\n  token: '***'\n", "3: gate.pagerDuty.token: *** is a placeholder"),
        ("pagerDuty:\n  enabled: true\n  token: ****\n", "3: pagerDuty.token: *** is a placeholder"),
        ("pagerDuty:\n  enabled: true\n  token: *canary\n", "3: token: YAML takes what begins with * for an alias"),
        (GATE + "  enabled: false\n", "4: pagerDuty.enabled: the key stands twice, first in line 2"),
        (GATE + "```\n", "4: a code fence"),
        (GATE + "Then restart Spinnaker\n", "4: this is prose"),
        (GATE + "* After applying the changes, log in\n", "4: this is prose"),
        ("Put this in your file:\n" + GATE, "1: this is prose"),
        (GATE.replace("  enabled", "\tenabled"), "2: a tab indents"),
        (GATE.replace("enabled: ", "enabled:\t"), "2: a tab indents"),
        (GATE.replace("  enabled", "\u00a0\u00a0enabled"), "2: a non-breaking space"),
        (GATE.replace("enabled: true", "enabled:\u00a0true"), "2: a non-breaking space"),
        (GATE.replace("  enabled", "\u200b  enabled"), "2: a zero width space (U+200B)"),
        (GATE.replace("  enabled", "\u2003enabled"), "2: an em space (U+2003)"),
        ("\u200b" + GATE, "1: a zero width space (U+200B)"),
        ("\ufeff\ufeff" + GATE, "1: a zero width no-break space (U+FEFF)"),
        (GATE.replace("true", "true\u202f"), "2: a narrow no-break space (U+202F)"),
        (GATE.replace("canary", '"canary'), "3: not YAML: a quotation mark opens here"),
        (GATE.replace("token:", "token"), "3: not YAML: this line is no `key: value`"),
        (GATE.replace("true", "!foo true"), "2: gate.pagerDuty.enabled: has the tag !foo"),
        ("- a\n", "1: not a mapping"),
    ],
)  # fmt: skip
def test_each_trap_names_file_line_key_and_remedy(refused, text, expected):
    """The first line told is the one to correct."""
    assert refused("gate.yml", text)[0].startswith(f"gate.yml:{expected}")


def test_what_is_wrong_with_many_lines_is_told_once(refused):
    """At the first of them, with the numbers of the others."""
    text = "a:\n\tb: 1\n\tc: 1\n\td: 1\ne:\n\tf: 1\n"
    (told,) = refused("gate.yml", text)
    assert told.startswith("gate.yml:2: a tab indents this line")
    assert told.endswith("use spaces (the same in lines 3 to 4, 6)")


def test_a_placeholder_is_told_once(refused):
    """Not again as a token that cannot be used, nor as one that is missing."""
    assert len(refused("gate.yml", "pagerDuty:\n  enabled: true\n  token: ***\n")) == 1


def test_text_of_others_is_left_alone_while_traps_are_looked_for(refused):
    """What a block scalar holds is no YAML, whatever it looks like."""
    block = "x: |\n  ```\n  Then some words of prose\n  token: ***\n\n  \tindented\n"
    lines = refused("gate.yml", block + "pagerDuty:\n  enabled: true\n  token: ***\n")
    assert [line.partition(": ")[0] for line in lines] == ["gate.yml:9"]


@pytest.mark.parametrize("text", ["# only a comment\n", "---\n", " \n\n"])
def test_a_file_that_says_nothing_is_refused(refused, text):
    """It is more likely a mistake than a wish."""
    assert refused("gate.yml", text)[0].startswith("gate.yml: empty")


@pytest.mark.parametrize("depth", [400, 5_000])
def test_a_nest_that_is_too_deep_is_refused(refused, depth):
    """Never a traceback."""
    text = f"x: {'{a: ' * depth}1{'}' * depth}\n"
    assert "nested more than 100 levels" in refused("gate.yml", text)[0]


@pytest.mark.parametrize(
    "extra",
    [
        "x: &a\n  b: *a\n",
        "x: 2020-13-45\n",
        "x: !vault secret\n",
        "? [a, b]\n: c\n",
        "x: |\n  ```\n  Some prose that ends in a full stop.\n  token: ***\n  \tindented\n",
        "x: 'non-breaking\u00a0space'\n",
        "x: 'Attention\u00a0: une panne'\n",
        "x: '\U0001f469\u200d\U0001f4bb'\n",
        "x: some text\n  that goes on in the next line of words\n",
        "---\n",
    ],
)
def test_what_is_not_ours_passes_quietly(read, extra):
    """A real profile has much in it that is none of our business."""
    assert read("gate.yml", GATE + extra).settings.rest.enabled is True


BOMBS = {
    "lists": "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True)),
    "mappings": "a: &a {x: 1}\n" + "".join(f"{b}: &{b} {{x: *{a}, y: *{a}}}\n" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True)),
    "itself": "x: &x {<<: *x, y: [*x]}\n",
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_aliases_of_aliases_are_read_once(read, bomb):
    """A few lines cannot become millions."""
    assert read("gate.yml", bomb + GATE).settings.rest.enabled is True


def test_merges_of_merges_are_bounded(refused):
    """Each copies the keys of all before it."""
    text = "k0: &k0 {a: 1}\n" + "".join(f"k{i}: &k{i} {{<<: *k{i - 1}, x{i}: 1}}\n" for i in range(1, 600))
    (told,) = refused("gate.yml", text + GATE)
    assert "<<: merges more than 100,000 keys in all" in told


def test_a_chain_of_aliases_that_is_too_deep_is_refused(refused):
    """Each hides in a key, where it is read only when somebody names it."""
    deep = "x: &k0 {a: 1}\n" + "".join(f"? &k{i} {{a: *k{i - 1}}}\n: x\n" for i in range(1, 3000))
    assert "nested more than" in refused("gate.yml", f"{deep}y: *k2999\n{GATE}")[0]


def test_anchors_and_merge_keys_work(read):
    """As Spring reads them; what stands in the mapping itself wins."""
    text = "base: &base\n  enabled: true\n  token: other\npagerDuty:\n  <<: *base\n  token: canary\n"
    settings = read("gate.yml", text).settings
    assert settings.rest.enabled is True
    assert settings.rest.token.read().reveal() == "canary"


@pytest.mark.parametrize("token", ["0012345", "12345678", "1e10", "2020-01-01", "0x1F"])
def test_a_token_of_digits_stays_as_it_was_written(read, token):
    """YAML would make a number or a date of it."""
    settings = read("gate.yml", f"pagerDuty:\n  enabled: true\n  token: {token}\n").settings
    assert settings.rest.token.read().reveal() == token
