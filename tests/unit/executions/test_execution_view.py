"""What others see of an execution."""

from __future__ import annotations

from masthead.executions.view import hide_keys, pipeline_view, task_view
from masthead.kernel.secret import Secret

KEY = "0123456789abcdef0123456789abcdef"


def label(key: Secret) -> str:
    return "Checkout" if key.reveal() == KEY else key.label


def execution(*stages: dict, **fields) -> dict:
    return {"id": "X", "application": "demo", "status": "RUNNING", "stages": list(stages), **fields}


def test_private_fields_are_not_shown():
    """What only the store needs stays in the store."""
    task = {"id": "1", "name": "t", "againAt": 5}
    shown = pipeline_view(execution({"type": "wait", "tasks": [task]}, masthead={"address": "x"}), label)
    assert "masthead" not in shown
    assert shown["stages"][0]["tasks"] == [{"id": "1", "name": "t"}]


def test_a_task_is_shown_as_orchestration_view_model():
    """Name from the description, steps of all stages, contexts merged, later empties not replacing values."""
    stages = [
        {"type": "a", "context": {"x": 1, "y": "kept", "z": None}, "tasks": [{"id": "1", "name": "one"}]},
        {"type": "b", "context": {"x": 2, "y": ""}, "tasks": [{"id": "1", "name": "two"}]},
    ]
    view = task_view(execution(*stages, description="Send Page", buildTime=1), label)
    assert view["name"] == "Send Page"
    assert [step["name"] for step in view["steps"]] == ["one", "two"]
    assert view["variables"] == [
        {"key": "x", "value": 2},
        {"key": "y", "value": "kept"},
        {"key": "z", "value": None},
    ]
    assert view["execution"]["id"] == "X"
    assert view["buildTime"] == 1
    assert "endTime" not in view


def test_not_expanded_lists_leave_out_what_they_do_not_need():
    """A stage keeps its group; parent executions lose their stages, all the way up."""
    grandparent = {"id": "G", "stages": [1], "trigger": {}}
    parent = {"id": "P", "stages": [1], "trigger": {"parentExecution": grandparent}}
    stages = [
        {"type": "a", "context": {"group": "g", "x": 1}, "outputs": {"o": 1}, "tasks": [{"id": "1"}]},
        {"type": "b", "context": {"x": 1}},
    ]
    shown = pipeline_view(execution(*stages, trigger={"parentExecution": parent}), label, expand=False)
    assert shown["stages"] == [
        {"type": "a", "context": {"group": "g"}, "outputs": {}, "tasks": []},
        {"type": "b", "context": {}, "outputs": {}, "tasks": []},
    ]
    assert shown["trigger"]["parentExecution"]["stages"] == []
    assert shown["trigger"]["parentExecution"]["trigger"]["parentExecution"]["stages"] == []


def test_keys_are_hidden_wherever_spinnaker_puts_them():
    """An application's pdApiKey, a page stage's keys as written and as running, also behind an alias."""
    value = {
        "application": {"pdApiKey": KEY},
        "stages": [
            {"type": "pageApplicationOwner", "keys": [KEY, "unknown-key-0000000001"]},
            {"type": "pageApplicationOwner", "context": {"keys": [KEY]}},
            {"type": "custom", "context": {"alias": "pageApplicationOwner", "keys": [KEY]}},
            {"type": "other", "keys": ["not", "keys"]},
        ],
    }
    shown = hide_keys(value, label)
    assert shown["application"] == {"pdApiKey": "Checkout"}
    assert shown["stages"][0]["keys"] == ["Checkout", "key …0001"]
    assert shown["stages"][1]["context"]["keys"] == ["Checkout"]
    assert shown["stages"][2]["context"]["keys"] == ["Checkout"]
    assert shown["stages"][3]["keys"] == ["not", "keys"]
    assert value["application"]["pdApiKey"] == KEY


def test_states_that_hold_labels_already_stay_as_they_are():
    """A service's name is not taken for a key."""
    context = {"previousState": {"pdApiKey": "Checkout"}, "newState": {"pdApiKey": "Search"}}
    assert hide_keys(context, label) == context


def test_blank_keys_are_shown_blank():
    """An application whose key was emptied shows no label."""
    assert hide_keys({"pdApiKey": ""}, label) == {"pdApiKey": ""}
