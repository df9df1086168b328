"""The caller, out of Spinnaker's headers."""

from __future__ import annotations

import pytest

from masthead.api.caller import read_caller
from masthead.kernel.ids import SequentialIds


def caller(**headers: str):
    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "headers": raw, "client": ("10.1.2.3", 4711)}
    return read_caller(scope, SequentialIds())


def test_without_headers_nobody_in_particular_asks():
    """The request still has an id and an address."""
    found = caller()
    assert found.is_anonymous
    assert (found.origin, found.address, len(found.request_id)) == ("api", "10.1.2.3", 26)


def test_the_headers_name_the_caller():
    """User, accounts, request id and origin are taken over."""
    found = caller(
        X_SPINNAKER_USER="ann@example.com",
        X_SPINNAKER_ACCOUNTS="prod, test,",
        X_SPINNAKER_REQUEST_ID="req-7",
        X_RateLimit_App="deck",
    )
    assert found.user == "ann@example.com"
    assert found.accounts == ("prod", "test")
    assert (found.request_id, found.origin) == ("req-7", "deck")


@pytest.mark.parametrize(("told", "origin"), [("Deck", "deck"), ("cli", "cli"), ("evil", "api"), ("", "api")])
def test_only_known_programs_are_an_origin(told, origin):
    """The origin is written into executions, so strangers do not choose it."""
    assert caller(X_RateLimit_App=told).origin == origin


def test_a_name_is_one_printable_line():
    """It is logged and shown: no control characters, no novels, UTF-8 understood."""
    assert caller(X_SPINNAKER_USER="a\tb\x1b[31m").user == "ab[31m"
    assert caller(X_SPINNAKER_USER="Jürgen").user == "Jürgen"
    assert len(caller(X_SPINNAKER_USER="x" * 5000).user) == 255
