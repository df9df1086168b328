"""What lint prints is read by somebody who is tired."""

from __future__ import annotations

import pytest
import typer

from masthead.cli.lint import lint

RUN = lint.__wrapped__


def finding(application="shop", severity="error", rule="service-disabled", **more):
    texts = {"sentence": f"PagerDuty service {rule} is so.", "remedy": "Do: this."}
    place = {"application": application, "pipeline": None, "stage": None}
    return {**place, "severity": severity, "rule": rule, **texts, **more}


def report(*findings, **more):
    counts = {f"{kind}s": sum(one["severity"] == kind for one in findings) for kind in ("error", "warning")}
    return {
        "findings": list(findings),
        **counts,
        "applications": 1,
        "pipelines": 0,
        "keysChecked": None,
        **more,
    }


def test_nothing_wrong_is_one_line_and_status_zero(client, scripted, capsys):
    """It says how much was looked at, so that nobody takes an empty installation for a sound one."""
    scripted.answers["GET", "/v1/lint"] = report(applications=10_000, pipelines=1)
    RUN(client)
    assert capsys.readouterr().out == "Nothing is wrong with 10,000 applications and 1 pipeline.\n"


def test_each_place_has_its_problems_below_it_and_the_sum_stands_last(client, scripted, capsys):
    """The remedy on a line of its own; status 1 because of the error."""
    scripted.answers["GET", "/v1/lint?application=shop&application=pay"] = report(
        finding(None, "warning", "catalog"),
        finding("pay"),
        finding("pay", "warning", "email"),
        finding("shop", pipeline="Deploy", stage="Tell"),
    )
    with pytest.raises(typer.Exit) as end:
        RUN(client, ["shop", "pay"])
    assert end.value.exit_code == 1
    assert capsys.readouterr().out.splitlines() == [
        "all applications",
        "  warning  PagerDuty service catalog is so.",
        "           → Do: this.",
        "",
        "pay",
        "  error    PagerDuty service service-disabled is so.",
        "           → Do: this.",
        "  warning  PagerDuty service email is so.",
        "           → Do: this.",
        "",
        "shop, pipeline Deploy, stage Tell",
        "  error    PagerDuty service service-disabled is so.",
        "           → Do: this.",
        "",
        "2 errors, 2 warnings in 1 application and 0 pipelines.",
    ]


def test_warnings_alone_are_no_failure(client, scripted, capsys):
    """A script that waits for errors goes on."""
    scripted.answers["GET", "/v1/lint"] = report(finding(severity="warning"))
    RUN(client)
    assert capsys.readouterr().out.endswith("0 errors, 1 warning in 1 application and 0 pipelines.\n")


def test_errors_are_not_lost_among_many_warnings(client, scripted, capsys):
    """These are counted by rule, with a few names."""
    many = [finding(f"app{number}", "warning", "no-service") for number in range(3000)]
    scripted.answers["GET", "/v1/lint"] = report(*many, finding("zoo"), finding("x", "warning", "email"))
    with pytest.raises(typer.Exit):
        RUN(client)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "zoo"
    assert lines[4].startswith("3,001 warnings, by rule")
    assert lines[5].split() == ["no-service", "3,000", *(f"app{n}," for n in range(8)), "…"]
    assert lines[6].split() == ["email", "1", "x"]


def test_keys_are_checked_when_asked_for(client, scripted, capsys):
    """By the route that may send something, and the sum says how many."""
    scripted.answers["POST", "/v1/lint"] = report(keysChecked=1)
    RUN(client, check_keys=True)
    assert scripted.asked[0].content == b'{"applications":[]}'
    assert "; PagerDuty was asked about 1 key." in capsys.readouterr().out


def test_programs_get_everything_and_the_same_status(client, scripted, capsys):
    """As the server gave it."""
    scripted.answers["GET", "/v1/lint"] = report(finding())
    with pytest.raises(typer.Exit):
        RUN(client, as_json=True)
    assert '"rule": "service-disabled"' in capsys.readouterr().out
