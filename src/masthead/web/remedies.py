"""What to do about a problem, in the words of the pages: the domain's name commands, which nobody types there."""

from __future__ import annotations

import re

from masthead.ownership import Problem, Rule

__all__ = ["remedy_of"]

_MISSING = "Settings and diagnostics say what is missing."
#: Instead of a remedy that is nothing but a command.
_ON_PAGES = {
    Rule.NO_SUCH_SERVICE: "Services lists those there are.",
    Rule.NO_SERVICE: "Edit the application and choose one.",
    Rule.SERVICE_UNUSABLE: "Once that is done, ask PagerDuty now under Settings.",
    Rule.EMAIL: "Edit the application and correct it.",
    Rule.ON_CALL_UNKNOWN: _MISSING,
    Rule.KEY_UNKNOWN: _MISSING,
}
_COMMAND = re.compile(r"\bmasthead [a-z]")


def remedy_of(problem: Problem) -> str:
    """Give the remedy of *problem* without a command."""
    parts = problem.remedy.split("; ")
    kept = [part for part in parts if not _COMMAND.search(part)]
    if len(kept) == len(parts):
        return problem.remedy
    return f"{'; '.join(kept)}." if kept else _ON_PAGES[problem.rule]
