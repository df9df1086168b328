"""A dry run is read by somebody who is about to wake others."""

from __future__ import annotations

import contextlib
import json

import pytest
import typer

from masthead.cli import pages
from masthead.cli.preflight import preflight_lines


def target(**changes):
    return {
        "service": "Checkout",
        "serviceId": "PSVC01",
        "account": "default",
        "applications": ["shop", "cart"],
        "protocol": "v2",
        "escalationPolicy": {"id": "P", "name": "Shop policy"},
        "wouldWake": ["Ada"],
        "levels": [{"level": 1, "users": ["Ada"]}, {"level": 2, "users": ["Grace", "Linus"]}],
        "problems": [],
        "body": {"routing_key": "Checkout"},
        "bodyBytes": 1234,
        **changes,
    }


def document(*targets, problems=(), is_clear=True):
    return {"targets": list(targets), "problems": list(problems), "isClear": is_clear}


PROBLEM = {"rule": "r", "severity": "error", "sentence": "It is disabled.", "remedy": "Enable it."}


def test_people_come_first_then_bodies_and_the_verdict_last():
    """Names by level, the body as it would be sent, and in the last line who is woken."""
    assert "\n".join(preflight_lines(document(target()))).splitlines() == [
        "Checkout (PSVC01)",
        "  for      shop, cart",
        "  policy   Shop policy",
        "  level 1  Ada",
        "  level 2  Grace, Linus",
        "",
        "Body for Checkout (Events v2, 1,234 bytes; the key is hidden):",
        "{",
        '  "routing_key": "Checkout"',
        "}",
        "",
        "Nothing was sent. This page would wake Ada.",
    ]


def test_problems_stand_with_their_service_and_in_the_verdict():
    """What concerns all stands before the verdict."""
    disabled = target(wouldWake=[], levels=[], problems=[PROBLEM], account="eu", body=None)
    lines = list(preflight_lines(document(target(), disabled, problems=[PROBLEM], is_clear=False)))
    assert lines[-1] == "Nothing was sent. This page would wake Ada; mind the errors above."
    assert "  account  eu" in lines
    assert lines.count("  error    It is disabled.") == 1
    assert lines[-4:-1] == ["error    It is disabled.", "         → Enable it.", ""]


def test_everybody_is_named_once_and_nobody_is_said():
    """However many services they are on call for; and no names where nobody can tell."""
    both = document(target(wouldWake=["Ada", "Grace"]), target(wouldWake=["Ada", "Linus"]))
    assert list(preflight_lines(both))[-1] == "Nothing was sent. This page would wake Ada, Grace and Linus."
    unknown = document(target(wouldWake=[], levels=[]))
    assert list(preflight_lines(unknown))[-1].endswith("would wake nobody, as far as Masthead knows.")
    assert list(preflight_lines(document()))[-1] == "Nothing was sent. This page would go to nobody."


@pytest.mark.parametrize("is_clear", [True, False])
def test_the_status_says_whether_everybody_would_be_told(client, scripted, capsys, is_clear):
    """The page is asked for as it would be sent, and with --json the answer is printed as it came."""
    scripted.answers["POST", "/v1/pages?dryRun=true"] = document(target(), is_clear=is_clear)
    send = {"message": "m", "applications": ["shop"], "dry_run": True, "as_json": True}
    with contextlib.nullcontext() if is_clear else pytest.raises(typer.Exit):
        pages.send.__wrapped__(client, **send)
    assert json.loads(scripted.asked[0].content)["applications"] == ["shop"]
    assert len(scripted.asked) == 1
    assert json.loads(capsys.readouterr().out)["isClear"] == is_clear
