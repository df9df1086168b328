"""Which PagerDuty service pages for which application, who would be woken, and what keeps them from it."""

from masthead.ownership.judge import Level, Target
from masthead.ownership.lint import CheckKey, Finding, Lint, Report
from masthead.ownership.ownership import Owner, Ownership
from masthead.ownership.preflight import Body, Preflight, Preflights, describe_bodies
from masthead.ownership.problems import Problem, Rule, Weight

__all__ = [
    "Body",
    "CheckKey",
    "Finding",
    "Level",
    "Lint",
    "Owner",
    "Ownership",
    "Preflight",
    "Preflights",
    "Problem",
    "Report",
    "Rule",
    "Target",
    "Weight",
    "describe_bodies",
]
