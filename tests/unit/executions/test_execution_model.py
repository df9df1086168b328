"""The execution's JSON."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from masthead.executions.model import Execution, ExecutionType, from_document, to_document
from masthead.executions.status import Status

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
UNKNOWN = st.dictionaries(st.text(max_size=5).map(lambda key: f"x-{key}"), JSON, max_size=3)


@given(ours=UNKNOWN, stages=UNKNOWN, tasks=UNKNOWN, context=st.dictionaries(st.text(max_size=5), JSON))
def test_unknown_fields_are_kept_and_written_back(ours, stages, tasks, context):
    """What another version wrote survives; nulls outside contexts are left out."""
    task = {"id": "1", "name": "t", "status": "RUNNING", "implementingClass": "C", **tasks}
    stage = {"id": "s", "type": "t", "name": "n", "status": "RUNNING", "context": context, "tasks": [task]}
    document = {"id": "X", "type": "PIPELINE", "application": "a", "stages": [{**stage, **stages}], **ours}
    written = to_document(from_document(document))
    for given_fields, kept in (
        (ours, written),
        (stages, written["stages"][0]),
        (tasks, written["stages"][0]["tasks"][0]),
    ):
        for key, value in given_fields.items():
            assert kept.get(key) == value
            assert (key in kept) is (value is not None)
    assert written["stages"][0]["context"] == context
    assert to_document(from_document(written)) == written


def test_a_new_execution_has_orcas_fields_and_no_nulls():
    """What Orca always writes is there, what is not known is left out."""
    execution = Execution(id="X", type=ExecutionType.PIPELINE, application="a")
    document = to_document(execution)
    assert document == {
        "id": "X",
        "type": "PIPELINE",
        "application": "a",
        "status": "NOT_STARTED",
        "canceled": False,
        "limitConcurrent": False,
        "maxConcurrentExecutions": 0,
        "keepWaitingPipelines": False,
        "authentication": {},
        "origin": "unknown",
        "trigger": {},
        "notifications": [],
        "initialConfig": {},
        "systemNotifications": [],
        "stages": [],
    }


def test_statuses_mean_what_orca_says():
    """The table of statuses: complete, halt, fine, successful, failure."""
    table = {
        status.value: "".join(
            letter
            for letter, holds in (
                ("c", status.is_complete),
                ("h", status.is_halt),
                ("f", status.is_fine),
                ("s", status.is_successful),
                ("x", status.is_failure),
                ("a", status.is_active),
            )
            if holds
        )
        for status in Status
    }
    assert table == {
        "NOT_STARTED": "",
        "RUNNING": "a",
        "PAUSED": "a",
        "SUSPENDED": "a",
        "REDIRECT": "a",
        "BUFFERED": "a",
        "SUCCEEDED": "cfs",
        "SKIPPED": "cfs",
        "FAILED_CONTINUE": "cfx",
        "STOPPED": "chsx",
        "TERMINAL": "chx",
        "CANCELED": "ch",
    }
