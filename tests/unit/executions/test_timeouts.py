"""How long stages and tasks may take, and how that is said."""

from __future__ import annotations

import pytest

from masthead.executions.model import Execution, ExecutionType, Stage, TaskExecution
from masthead.executions.timeouts import in_words, limits_of, overdue_text


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 seconds"),
        (999, "0 seconds"),
        (1000, "1 second"),
        (60_000, "1 minute"),
        (300_000, "5 minutes"),
        (3_661_000, "1 hour 1 minute 1 second"),
        (3_601_000, "1 hour 0 minutes 1 second"),
        (172_800_000, "2 days"),
    ],
)
def test_durations_are_said_as_orca_says_them(milliseconds, words):
    """Zeros at both ends are left out, one is singular."""
    assert in_words(milliseconds) == words


def limits(*, timeout_s=None, is_overridable=False, parent=None, paused=None, **context):
    stage = Stage(id="s", type="t", name="n", start_time=1000, context=context)
    task = TaskExecution(id="1", name="t", start_time=2000, implementing_class="a.b.SomeTask")
    execution = Execution(id="X", type=ExecutionType.PIPELINE, application="a", stages=[stage], paused=paused)
    if parent is not None:
        execution.stages.append(Stage(id="p", type="t", name="p", context=parent))
        stage.parent_stage_id = "p"
    found = limits_of(execution, stage, task, timeout_s=timeout_s, is_overridable=is_overridable)
    return found, stage, task


def test_a_task_that_takes_too_long_says_how_long_it_was_held():
    """In Orca's words; the pause is not part of the time that it took."""
    found, stage, task = limits(timeout_s=5, paused={"pauseTime": 3000, "pausedMs": 60_000})
    assert overdue_text(found, stage, task, now_ms=66_999) is None
    assert overdue_text(found, stage, task, now_ms=67_000) == (
        "SomeTask of stage n timed out after 5 seconds. pausedDuration: 1 minute, elapsedTime: 5 seconds,"
        " timeoutValue: 5 seconds"
    )


def test_the_earlier_of_stage_and_task_timeout_counts():
    """The stage's runs from the stage's start, the task's from the task's."""
    assert limits()[0].ends_at is None
    assert limits(timeout_s=5)[0].ends_at == 7000
    assert limits(timeout_s=5, stageTimeoutMs=4000)[0].ends_at == 5000
    assert limits(timeout_s=5, stageTimeoutMs=9000)[0].ends_at == 7000


def test_an_overridable_task_takes_the_stages_timeout_for_its_own():
    """A longer stageTimeoutMs then lengthens the task's time."""
    assert limits(timeout_s=5, is_overridable=True, stageTimeoutMs=9000)[0].task_ends_at == 11_000


def test_a_synthetic_stage_has_its_parents_timeout():
    """The nearest parent that names one counts."""
    assert limits(parent={"stageTimeoutMs": 4000})[0].ends_at == 5000


@pytest.mark.parametrize("field", ["stageTimeoutMs", "backoffPeriodMs"])
@pytest.mark.parametrize("value", [1e300, 2**62, -1e300, "${0.0 / 0}"])
async def test_a_time_that_no_calendar_has_keeps_nothing_from_running(bench, field, value):
    """The stage ends, or waits for what it waits for."""
    run = await bench.pipeline(
        {"type": "webhook", "url": "https://ci.example.com/", field: value}, {"type": "noop"}
    )
    stage = run["stages"][0]
    is_over = field == "stageTimeoutMs" and value == -1e300
    assert stage["status"] == ("TERMINAL" if is_over else "RUNNING")
    if not is_over:
        assert stage["context"]["webhook"]["error"].endswith("will retry.")
    else:
        assert stage["context"]["exception"]["details"]["errors"] == [
            "Stage webhook timed out after 0 seconds"
        ]


def test_what_is_no_number_is_no_timeout():
    """A text or a boolean is passed over."""
    assert limits(stageTimeoutMs="4000")[0].ends_at is None
    assert limits(stageTimeoutMs=True)[0].ends_at is None


def test_nothing_is_said_before_the_time_is_over():
    """And afterwards Orca's sentence for a task."""
    found, stage, task = limits(timeout_s=5)
    assert overdue_text(found, stage, task, now_ms=6999) is None
    assert overdue_text(found, stage, task, now_ms=7000) == (
        "SomeTask of stage n timed out after 5 seconds. pausedDuration: 0 seconds,"
        " elapsedTime: 5 seconds, timeoutValue: 5 seconds"
    )
