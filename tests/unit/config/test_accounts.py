"""Several PagerDuty accounts below ``accounts:``."""

from __future__ import annotations

import pytest

from masthead.config import Settings, load, render_report

SWITCH = "events:\n  enabled: true\n"
TWO = """\
accounts:
  us:
    token: us-token-canary
    accountName: acme
  eu:
    region: eu
    client-id: app
    client-secret: eu-secret-canary
    account-name: acme.eu
"""


def accounts_of(settings: Settings) -> dict[str, tuple[str, str]]:
    return {one.name: (one.events_url, one.rest_url) for one in settings.pagerduty_accounts}


def test_without_accounts_the_blocks_are_the_only_one(read):
    """Called default, with everything that Echo's and Gate's blocks say."""
    text = "events:\n  token: e-canary\nrest:\n  token: canary\n  baseUrl: https://x.y\ndeck:\n  accountName: acme\n"
    settings = read("masthead.yml", text).settings
    (only,) = settings.pagerduty_accounts
    assert (only.name, only.rest_url, only.account_name) == ("default", "https://x.y", "acme")
    assert (only.token.read().reveal(), only.events_token.read().reveal()) == ("canary", "e-canary")
    assert settings.account_name_of("default") == "acme"
    (bare,) = Settings().pagerduty_accounts
    assert not bare.can_read


def test_each_account_has_its_region_and_its_credentials(read):
    """By name; the first is the default account."""
    loaded = read("masthead.yml", SWITCH + TWO)
    us, eu = loaded.settings.pagerduty_accounts
    assert accounts_of(loaded.settings) == {
        "us": ("https://events.pagerduty.com", "https://api.pagerduty.com"),
        "eu": ("https://events.eu.pagerduty.com", "https://api.eu.pagerduty.com"),
    }
    assert (us.token.read().reveal(), us.client_id, us.can_read) == ("us-token-canary", None, True)
    assert (eu.client_id, eu.client_secret.read().reveal(), eu.can_read) == ("app", "eu-secret-canary", True)
    assert eu.account_scope == "as_account-eu.acme"
    assert loaded.missing == ()
    assert not any("accounts" in warning or "events.token" in warning for warning in loaded.warnings)


def test_a_list_of_accounts_means_the_same(read):
    """Each with its name."""
    text = (
        "accounts:\n- name: us\n  token: canary\n- name: eu\n  default: true\n  region: eu\n  token: canary2\n"
        "  scopes: [services.read, oncalls.read]\n"
    )
    settings = read("masthead.yml", SWITCH + text).settings
    assert [one.name for one in settings.accounts] == ["us", "eu"]
    assert [one.name for one in settings.pagerduty_accounts] == ["eu", "us"]
    assert settings.accounts[1].scopes == ("services.read", "oncalls.read")


def test_gates_block_stays_an_account_beside_the_others(read):
    """Whoever adds the EU keeps what he has; without a token the block is none."""
    settings = read("masthead.yml", SWITCH + "rest:\n  token: canary\n" + TWO).settings
    assert [one.name for one in settings.pagerduty_accounts] == ["default", "us", "eu"]
    settings = read("masthead.yml", SWITCH + "rest:\n  enabled: false\n  token: canary\n" + TWO).settings
    assert [one.name for one in settings.pagerduty_accounts] == ["us", "eu"]


def test_own_hosts_win_over_the_regions(read):
    """For a simulator or a proxy."""
    text = "accounts:\n  eu:\n    region: eu\n    token: canary\n    endpoint: http://one\n    base-url: http://two/\n"
    assert accounts_of(read("masthead.yml", text).settings) == {"eu": ("http://one", "http://two")}


def test_accounts_merge_over_files_and_the_environment_wins(tmp_path):
    """Key by key, as everything does."""
    (tmp_path / "masthead.yml").write_text(SWITCH + TWO)
    (tmp_path / "masthead-local.yml").write_text(
        "accounts:\n  us:\n    base-url: http://x\n  ap:\n    token: canary3\n"
    )
    (tmp_path / "secret").write_text("from-a-file-canary\n")
    files = [tmp_path / "masthead.yml", tmp_path / "masthead-local.yml"]
    environ = {
        "MASTHEAD_ACCOUNTS_US_TOKEN": "from-env-canary",
        "MASTHEAD_ACCOUNTS_EU_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
    }
    loaded = load(files, environ)
    us, eu, ap = loaded.settings.accounts
    assert (us.token.read().reveal(), us.rest_url, us.account_name) == ("from-env-canary", "http://x", "acme")
    assert (eu.client_secret.read().reveal(), ap.name) == ("from-a-file-canary", "ap")
    assert (
        loaded.sources["accounts.us.token"][-1].source.file
        == "environment variable MASTHEAD_ACCOUNTS_US_TOKEN"
    )


def test_a_secret_may_stand_in_a_file(read, tmp_path):
    """The token's and the app's."""
    (tmp_path / "t").write_text("canary\n")
    text = "accounts:\n  us:\n    token-file: t\n  eu:\n    clientId: a\n    clientSecretFile: t\n    accountName: x\n"
    us, eu = read("masthead.yml", text).settings.accounts
    assert us.token.read().reveal() == eu.client_secret.read().reveal() == "canary"


def test_the_report_shows_every_account_and_no_secret(read):
    """With the hosts that follow from the region, and who is the default."""
    report = render_report(read("masthead.yml", SWITCH + TWO))
    assert "canary" not in report
    lines = {line.split()[0]: line for line in report.split("\n") if line.startswith("accounts.")}
    assert " set " in lines["accounts.us.token"]
    assert "https://api.eu.pagerduty.com" in lines["accounts.eu.baseUrl"]
    assert lines["accounts.eu.region"].endswith("masthead.yml:8")
    assert report.endswith(
        "Nothing is missing: pages go out by https://events.pagerduty.com (us), https://events.eu.pagerduty.com (eu); "
        "services are listed from https://api.pagerduty.com (us), https://api.eu.pagerduty.com (eu); "
        "unknown keys are sent by us."
    )


OAUTH = "accounts:\n  eu:\n    clientId: app\n    clientSecret: canary\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accounts: 3\n", "1: accounts: must be accounts by name"),
        ("accounts:\n  eu: 3\n", "2: accounts.eu: must be a mapping of settings"),
        ("accounts:\n- token: canary\n", "2: accounts: each account of the list needs a name"),
        ("accounts:\n- canary\n", "2: accounts: each account of the list needs a name"),
        ("accounts:\n  'e u': {token: canary}\n", "2: accounts: the name of an account begins with a letter"),
        ("accounts:\n- name: eu\n  token: a\n- name: eu\n  token: b\n", "4: accounts.eu: is the same account as in line 2"),
        ("accounts:\n  eu-1: {token: a}\n  eu_1: {token: b}\n", "3: accounts.eu_1: is the same account as in line 2"),
        ("accounts:\n  eu:\n    token: '***'\n", "3: accounts.eu.token: *** is a placeholder"),
        ("accounts:\n- name: eu\n  token: ***\n", "3: accounts.token: *** is a placeholder"),
        ("accounts:\n  eu:\n    region: ap\n    token: x\n", "3: accounts.eu.region: must be one of us, eu"),
        ("accounts:\n  eu:\n    token: canary\n    clientId: x\n", "3: accounts.eu.token: a token and an OAuth app are given"),
        ("accounts:\n  eu:\n    clientId: x\n", "3: accounts.eu.clientSecret: an OAuth app needs clientId and"),
        (OAUTH.replace("    clientId: app\n", ""), "3: accounts.eu.clientId: an OAuth app needs clientId and"),
        (OAUTH, "3: accounts.eu.accountName: an OAuth app needs it"),
        (OAUTH + "    scopes: [{a: b}]\n    accountName: x\n", "5: accounts.eu.scopes: must be a list of words"),
        ("accounts:\n  a: {token: x, default: true}\n  b: {token: y, default: true}\n", "3: accounts.b.default: accounts.a.default is true as well"),
        ("rest:\n  token: x\naccounts:\n  default: {token: y}\n", "4: accounts.default: Gate's block has a token"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(refused, text, expected):
    """With the line and what to write; once."""
    (told,) = refused("masthead.yml", text)
    assert told.startswith(f"masthead.yml:{expected}")


def test_a_secret_is_given_once(refused, tmp_path):
    """Itself or by its file."""
    (tmp_path / "t").write_text("canary\n")
    for name in ("token", "clientSecret"):
        text = f"accounts:\n  eu:\n    clientId: app\n    accountName: x\n    {name}: canary\n    {name}-file: t\n"
        expected = f"masthead.yml:6: accounts.eu.{name}-file: {name} is given too, in line 5; keep one"
        assert expected in refused("masthead.yml", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accounts:\n  eu:\n    region: eu\n", "masthead.yml:2: accounts.eu.token: not set"),
        ("accounts:\n  eu:\n    token: x\n    base-url: https://api.eu.pagerduty.com\n", "masthead.yml:4: accounts.eu: events.pagerduty.com and"),
        ("accounts:\n  a: {token: canary}\n  b: {token: canary}\n", "masthead.yml:3: accounts.b.token: is also the token of the account a"),
        ("accounts:\n  a:\n    token: x\n    tokne: y\n", "masthead.yml:4: accounts.a.tokne: unknown and ignored; did you mean token?"),
        ("acounts:\n  a: {token: x}\nevents: {}\n", "masthead.yml:1: acounts: unknown and ignored; did you mean accounts?"),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_told(warned, text, expected):
    """It can be used all the same."""
    assert warned("masthead.yml", text)[0].startswith(expected)


def test_an_oauth_app_may_name_its_account_by_a_scope(read):
    """Then its name in Deck is not needed."""
    text = OAUTH + "    scopes: as_account-eu.acme services.read\n"
    (eu,) = read("masthead.yml", text).settings.accounts
    assert eu.scopes == ("as_account-eu.acme", "services.read")


def test_without_any_token_it_is_still_missing(read):
    """An account that only sends lists nothing."""
    assert any(
        "services are not listed" in line
        for line in read("masthead.yml", "accounts:\n  a: {region: eu}\n").missing
    )
