"""Severities."""

from __future__ import annotations

import pytest

from masthead.kernel.errors import InvalidRequest
from masthead.pagerduty import Severity, parse_severity


def test_severities_are_ranked():
    """Critical comes first."""
    assert [one.rank for one in sorted(Severity, key=lambda one: one.rank)] == [0, 1, 2, 3]
    assert Severity.CRITICAL.rank == 0


@pytest.mark.parametrize("text", ["Critical", "critical", "CRITICAL"])
def test_case_does_not_matter(text):
    """People write it as they like."""
    assert parse_severity(text) is Severity.CRITICAL


@pytest.mark.parametrize("text", ["high", "", None, 1, ["critical"]])
def test_a_wrong_severity_names_the_four(text):
    """The error says what can be used instead."""
    with pytest.raises(InvalidRequest, match="critical, error, warning or info"):
        parse_severity(text)
