"""What ``masthead config check`` prints."""

from __future__ import annotations

import pytest

from masthead.config import load, render_report
from masthead.config.settings import all_settings


def line_of(report: str, key: str) -> str:
    return next(line for line in report.split("\n") if line.startswith(f"{key} "))


def test_every_setting_has_its_line():
    """Defaults as well."""
    report = render_report(load([], {}))
    assert all(line_of(report, setting.key).endswith("default") for setting in all_settings())


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:canary@host/db",
        "postgresql://user:can%40ary@host:5432/db?sslmode=require",
        "postgresql://host/db?user=me&password=canary",
        "postgresql://host/db?user=me&PASSWORD=canary&sslpassword=canary",
        "postgresql://user:can/ary@canary@host/db?application_name=a@b",
        "postgresql://user:canary@one,host:5433/db",
    ],
)
def test_the_password_of_a_database_is_masked(read, url):
    """The rest of its address is needed to recognise it."""
    line = line_of(render_report(read("masthead.yml", f'server:\n  database: "{url}"\n')), "server.database")
    assert "••••" in line
    assert "can" not in line.partition("  ")[2].partition("/masthead.yml")[0].replace("canary/", "")
    assert "host" in line


def test_a_text_of_several_lines_keeps_the_table(read):
    """One setting, one line."""
    report = render_report(read("masthead.yml", 'deck:\n  defaultDetails: "one\\ntwo"\n'))
    assert "one⏎two" in line_of(report, "deck.defaultDetails")


def test_a_whole_configuration_is_said_to_be_whole(read):
    """Whoever ran the check wants to hear that it passed."""
    text = "events:\n  enabled: true\nrest:\n  token: canary\n"
    assert render_report(read("masthead.yml", text)).endswith(
        "Nothing is missing: pages go out by https://events.pagerduty.com, "
        "services are listed from https://api.pagerduty.com."
    )
    assert "Nothing is missing" not in render_report(load([], {}))


def test_who_won_over_whom_is_shown(tmp_path):
    """The nearest loser first."""
    paths = []
    for name in ("gate.yml", "gate-local.yml"):
        paths.append(tmp_path / name)
        paths[-1].write_text("pagerDuty:\n  enabled: true\n  token: canary\n")
    report = render_report(load(paths, {"MASTHEAD_REST_ENABLED": "false"}))
    expected = f"environment variable MASTHEAD_REST_ENABLED (over {paths[1]}:2, {paths[0]}:2)"
    assert line_of(report, "rest.enabled").endswith(expected)
    assert "canary" not in report
    assert " set " in line_of(report, "rest.token")
