"""The pipeline's JSON: shapes, ids, unknown keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.kernel.errors import IncompletePipeline, InvalidRequest
from masthead.pipelines.document import accept, stamp, tombstone, whole_index

NAMED = {"name": "release", "application": "demo"}
OF_OURS = {"id", "name", "application", "schema", "triggers", "stages", "index", "regenerateCronTriggerIds"}
OF_THE_SERVER = {"createTs", "updateTs", "lastModified", "lastModifiedBy"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_unknown_keys_are_kept_and_nulls_left_out(document):
    """What Masthead does not know is written back; a null at the top is as good as absent."""
    from masthead.kernel.ids import SequentialIds

    unknown = {k: v for k, v in document.items() if k not in OF_OURS | OF_THE_SERVER}
    accepted = accept({**unknown, **NAMED}, SequentialIds()).document
    assert {k: v for k, v in accepted.items() if k not in OF_OURS} == {
        k: v for k, v in unknown.items() if v is not None
    }


@pytest.mark.parametrize(
    "document",
    [{}, {"name": "x"}, {"application": "x"}, {**NAMED, "name": " "}, {**NAMED, "application": None}],
)
def test_name_and_application_are_required(document, ids):
    """Front50's sentence, word for word."""
    with pytest.raises(IncompletePipeline) as caught:
        accept(document, ids)
    assert caught.value.message == "A pipeline requires name and application fields"


def test_a_new_pipeline_gets_id_schema_and_empty_lists(ids):
    """What Front50 fills in, and the name trimmed."""
    assert accept({**NAMED, "name": " release ", "schema": ""}, ids).document == {
        "id": "00000000000000000000000001",
        "name": "release",
        "application": "demo",
        "schema": "1",
        "triggers": [],
        "stages": [],
    }
    assert accept({**NAMED, "id": "mine"}, ids).id == "mine"
    assert accept({**NAMED, "id": ""}, ids).id


def test_cron_triggers_have_ids(ids):
    """Missing ones are given; a known pipeline keeps those it has."""
    triggers = [{"type": "cron", "id": "old"}, {"type": "cron"}, {"type": "webhook"}]
    accepted = accept({**NAMED, "id": "p", "triggers": triggers}, ids).document["triggers"]
    assert accepted[0]["id"] == "old"
    assert accepted[1]["id"]
    assert "id" not in accepted[2]
    assert "id" not in triggers[1]


@pytest.mark.parametrize("more", [{}, {"id": "p", "regenerateCronTriggerIds": True}])
def test_a_copied_pipeline_gets_new_cron_ids(ids, more):
    """A new pipeline, or one that asks for it, shares no cron id with the one it was copied from."""
    document = accept({**NAMED, **more, "triggers": [{"type": "cron", "id": "old"}]}, ids).document
    assert document["triggers"][0]["id"] != "old"
    assert "regenerateCronTriggerIds" not in document


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ("x", ""),
        ({**NAMED, "name": ["x"]}, "/name"),
        ({**NAMED, "name": "a\0b"}, "/name"),
        ({**NAMED, "application": "\ud800"}, "/application"),
        ({**NAMED, "id": {}}, "/id"),
        ({**NAMED, "triggers": {}}, "/triggers"),
        ({**NAMED, "triggers": [{}, 1]}, "/triggers/1"),
        ({**NAMED, "index": "first"}, "/index"),
        ({**NAMED, "index": 1.5}, "/index"),
        ({**NAMED, "index": True}, "/index"),
        ({**NAMED, "index": 2**31}, "/index"),
    ],
)
def test_a_wrong_type_is_refused_with_its_pointer(document, pointer, ids):
    """What has not the right shape names its field."""
    with pytest.raises(InvalidRequest) as caught:
        accept(document, ids)
    assert caught.value.pointer == pointer


def test_an_index_may_be_digits():
    """A text of digits is a number; both ends of Java's Integer are numbers."""
    assert (whole_index("3"), whole_index(-(2**31)), whole_index(2**31 - 1)) == (3, -(2**31), 2**31 - 1)


def test_the_version_it_was_made_from_is_read_and_not_stored(ids):
    """UpdateTs of the request is only compared."""
    submitted = accept({**NAMED, "updateTs": 5, "createTs": "1", "lastModifiedBy": "eve"}, ids)
    assert submitted.update_ts == "5"
    assert not OF_THE_SERVER & set(submitted.document)
    assert accept(NAMED, ids).update_ts is None


def test_every_version_is_later_than_the_one_before():
    """Also when the clock stands or steps back; birth and place stay."""
    first = stamp(NAMED | {"id": "p"}, None, now=10, by="ann")
    assert (first["createTs"], first["updateTs"], first["lastModifiedBy"]) == ("10", "10", "ann")
    second = stamp(NAMED | {"id": "p"}, {**first, "index": 3}, now=4, by="ben")
    assert (second["createTs"], second["updateTs"], second["index"]) == ("10", "11", 3)
    assert stamp({**NAMED, "index": 7}, second, now=20, by="ben")["index"] == 7


def test_a_tombstone_holds_nothing_of_the_definition():
    """Who and when, no stages and so no keys."""
    stored = {**NAMED, "id": "p", "updateTs": "10", "stages": [{"keys": ["k"]}]}
    assert tombstone(stored, now=1, by="ben") == {
        **NAMED,
        "id": "p",
        "deleted": True,
        "updateTs": "11",
        "lastModifiedBy": "ben",
    }
