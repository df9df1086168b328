"""What the pages say to do about a problem names no command."""

from __future__ import annotations

import pytest

from masthead.kernel.secret import Secret
from masthead.ownership import problems
from masthead.ownership.problems import Problem, Weight
from masthead.web.remedies import remedy_of
from support.doors import CHECKOUT_KEY

KEY = Secret(CHECKOUT_KEY)
PROBLEMS = [
    problems.no_such_application("demo"),
    problems.no_such_service("There is none."),
    problems.no_service("demo", Weight.ERROR),
    problems.doubtful_email("demo", "nobody"),
    problems.malformed_key(KEY),
    problems.unknown_key(KEY, is_whole=True, may_be_orchestration=False),
    problems.unknown_key(KEY, is_whole=True, may_be_orchestration=True),
    problems.unknown_key(KEY, is_whole=False, may_be_orchestration=False),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda one: one.sentence)
def test_a_remedy_on_a_page_is_a_sentence_without_a_command(problem: Problem):
    """Who looks at a page cannot type there; the command line says the command."""
    remedy = remedy_of(problem)
    assert "masthead " not in remedy
    assert remedy.endswith(".")
    assert ("masthead " in problem.remedy) is (remedy != problem.remedy)
