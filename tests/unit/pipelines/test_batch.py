"""The result of many pipelines saved at once."""

from __future__ import annotations

import pytest

from masthead.kernel.errors import InvalidRequest, StorageUnavailable
from masthead.pipelines.batch import batch_result


def test_saved_and_refused_are_told_apart():
    """Front50's result, with the reason beside each refused document."""
    documents = [{"name": "a"}, {"name": "b", "x": 1}, 5]
    assert batch_result(documents, [{"name": "a"}, InvalidRequest("no"), InvalidRequest("none")]) == {
        "successful_pipelines_count": 1,
        "successful_pipelines": ["a"],
        "failed_pipelines_count": 2,
        "failed_pipelines": [{"name": "b", "x": 1, "errorMsg": "no"}, {"errorMsg": "none"}],
    }


def test_a_failing_database_is_no_fault_of_a_pipeline():
    """What is wrong with the whole is raised."""
    with pytest.raises(StorageUnavailable):
        batch_result([{}, {}], [InvalidRequest("no"), StorageUnavailable()])
