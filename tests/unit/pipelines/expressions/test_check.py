"""What can be said before anything runs."""

from __future__ import annotations

import pytest

from masthead.pipelines.expressions import Look, Problem, check, check_document, unparsed


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("no expression", []),
        ("${a.b} and ${#stage('x').status == 'SUCCEEDED'}", []),
        ("${T(java.time.LocalDate).now()} ${new Date()}", []),
        ("${a b}", ["'b' is not expected at character 3 of a b"]),
        ("${a", ["No ending suffix '}' for expression starting at character 0: ${a"]),
        ("${#stge('x')}", ["The function 'stge' could not be found"]),
        (
            "${#deployedServerGroups()}",
            ["#deployedServerGroups is about a cloud, and Masthead deploys to none"],
        ),
        ("${T(java.lang.System)}", ["Type cannot be found 'java.lang.System': expressions may not use it"]),
        ("${x + new File()}", ["Type cannot be found 'File': expressions may not use it"]),
    ],
)
def test_one_text(text, sentences):
    """Each problem is a sentence."""
    assert [problem.sentence for problem in check(text)] == sentences


def test_a_document_is_checked_with_pointers():
    """Keys too; slashes and tildes are escaped."""
    document = {"stages": [{"ok": "${x}", "a/b~c": ["${("]}], "${": 1}
    assert [problem.pointer for problem in check_document(document)] == ["/stages/0/a~1b~0c/0", "/${"]
    assert all(isinstance(problem, Problem) for problem in check_document(document))


def test_only_so_much_of_a_document_is_looked_at():
    """So that saving it cannot take minutes; what is wrong further on is found when it runs."""
    wrong, right = "${1 +}", "${'" + "x" * 90 + "'}"
    assert len(unparsed([right, wrong, right, wrong], "/stages", Look(110))) == 1
    assert len(check_document([right] * 1_100 + [wrong])) == 0
    assert len(check_document(["plain text " * 20_000, wrong])) == 1
    look = Look(10)
    assert len(unparsed({"a": wrong}, "/stages/0", look)) == 1
    assert len(unparsed({"a": wrong}, "/stages/1", look)) == 0
