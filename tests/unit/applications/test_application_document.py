"""The application's JSON: shapes, unknown attributes, merging."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.applications.document import accept, application_id, merge, pd_api_key, stamp
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret

SERVERS_OWN = {"createTs", "createdAt", "lastModified", "lastModifiedBy", "updateTs"}
NOT_ATTRIBUTES = SERVERS_OWN | {"permissions", "providerSettings"}
DECLARED = {"name", "email", "description", "cloudProviders", "trafficGuards"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def stamped(document, **changed):
    return stamp(document, **{"created_at": 1, "updated_at": 2, "by": "ann"} | changed)


def test_the_name_is_shown_trimmed_and_upper_cased():
    """Names are trimmed and in capitals, whatever was sent."""
    assert accept({"name": "  deMo "})["name"] == "DEMO"


@given(st.text())
def test_every_spelling_of_a_name_has_one_id(name):
    """A name, what is shown of it, and its id in capitals or not, all lead to the same row."""
    key = application_id(name)
    assert application_id(key) == key
    assert application_id(key.upper()) == key
    assert application_id(f" {name}\t") == application_id(name.strip())


def test_an_absent_name_is_empty_and_left_to_the_rules():
    """Without name nothing breaks before validation."""
    assert accept({})["name"] == ""
    assert accept({"name": None})["name"] == ""


@given(st.dictionaries(st.text(), JSON))
def test_unknown_attributes_come_back_as_they_were_sent(document):
    """What Masthead does not know is kept byte for byte in value, null included."""
    unknown = {k: v for k, v in document.items() if k not in DECLARED | NOT_ATTRIBUTES}
    kept = stamped(accept({**unknown, "name": "demo"}))
    assert {k: kept[k] for k in unknown} == unknown


@pytest.mark.parametrize("key", sorted(NOT_ATTRIBUTES))
def test_what_is_no_attribute_is_not_taken(key):
    """Deck's copies of settings, permissions and the server's own fields are not stored."""
    assert key not in accept({"name": "demo", key: "x"})


def test_cloud_providers_become_comma_joined_text():
    """A list and a text say the same."""
    assert accept({"cloudProviders": ["aws", "gce"]})["cloudProviders"] == "aws,gce"
    assert accept({"cloudProviders": "aws,gce"})["cloudProviders"] == "aws,gce"
    assert accept({"cloudProviders": []})["cloudProviders"] == ""


def test_traffic_guards_are_a_list_and_enabled_by_default():
    """A guard that does not say is enabled; without guards there is an empty list."""
    guards = accept({"trafficGuards": [{"account": "a"}, {"account": "b", "enabled": False}]})
    assert [guard["enabled"] for guard in guards["trafficGuards"]] == [True, False]
    assert stamped({"name": "DEMO"})["trafficGuards"] == []


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        ({"name": ["demo"]}, "/name"),
        ({"name": True}, "/name"),
        ({"email": {}}, "/email"),
        ({"description": []}, "/description"),
        ({"cloudProviders": [1]}, "/cloudProviders"),
        ({"cloudProviders": {}}, "/cloudProviders"),
        ({"trafficGuards": "x"}, "/trafficGuards"),
    ],
)
def test_a_wrong_type_is_refused_with_its_pointer(document, pointer):
    """What has not the declared type names its field."""
    with pytest.raises(InvalidRequest) as caught:
        accept(document)
    assert caught.value.pointer == pointer


def test_a_number_counts_as_text():
    """As for Front50, a number in a text's place is its digits."""
    assert accept({"name": 42})["name"] == "42"


def test_merging_keeps_what_was_not_sent_and_blanks_what_was():
    """Silence and declared nulls keep; an unknown attribute is blanked by null or by an empty text."""
    stored = {"name": "DEMO", "email": "a@b", "description": "d", "pdApiKey": "k", "slug": "s", "x": 1}
    sent = accept({"name": "demo", "email": None, "description": "", "pdApiKey": "", "slug": None})
    assert merge(sent, stored) == {
        "name": "DEMO",
        "email": "a@b",
        "description": "",
        "pdApiKey": "",
        "slug": None,
        "x": 1,
    }


def test_a_partial_save_keeps_the_traffic_guards():
    """Deck's Features section sends only a name and dataSources."""
    stored = stamped(accept({"name": "demo", "trafficGuards": [{"account": "a"}]}))
    assert merge(accept({"name": "demo", "dataSources": {}}), stored)["trafficGuards"]


def test_instants_are_texts_of_milliseconds():
    """Both createTs and updateTs are strings, as Front50 writes them."""
    whole = stamped({"name": "DEMO", "email": None}, created_at=10, updated_at=20, by="ann")
    assert (whole["createTs"], whole["updateTs"], whole["lastModifiedBy"]) == ("10", "20", "ann")
    assert "email" not in whole


@pytest.mark.parametrize("value", [None, "", "  ", 5, ["k"]])
def test_no_key_is_none(value):
    """An absent, blank or malformed pdApiKey is no key."""
    assert pd_api_key({"pdApiKey": value}) is None
    assert pd_api_key({}) is None


def test_the_key_is_a_secret():
    """The key leaves the document only as a Secret, without the blanks around it."""
    assert pd_api_key({"pdApiKey": " abc "}) == Secret("abc")
