"""Looking services and people up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.catalog.index import Index
from masthead.catalog.model import read_oncall, read_service
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.kernel.secret import Secret
from unit.catalog.documents import key_of, oncall, service


def index(*documents: dict, oncalls: tuple[dict, ...] = ()) -> Index:
    return Index(map(read_service, documents), map(read_oncall, oncalls))


SHOP = index(
    service("Checkout", "v2", "mail", "v1"),
    service("Checkout EU"),
    service("Basket", teams=[{"summary": "Ångström"}]),
    service("basket", id="PSMALL"),
    oncalls=(
        oncall("basket", "Zoe", level=2),
        oncall("basket", "Ann"),
        oncall("Checkout", "Bo"),
        oncall("lonely", None, escalation_policy=None),
    ),
)


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("PCHECKOUT", "PCHECKOUT"),
        ("pcheckout", "PCHECKOUT"),
        ("Checkout", "PCHECKOUT"),
        (" checkout ", "PCHECKOUT"),
        ("eu", "PCHECKOUT EU"),
        ("Basket", "PBASKET"),
        ("basket", "PSMALL"),
        (key_of("Checkout0"), "PCHECKOUT"),
        (key_of("Checkout1"), "PCHECKOUT"),
    ],
)
def test_one_service_is_found(text, id_):
    """By id, whole name, part of one name only, or any of its keys; the very spelling wins."""
    assert SHOP.find(text).id == id_


def test_several_are_named():
    """With their ids, so that one can be chosen; not more than ten."""
    with pytest.raises(InvalidRequest, match=r"'check' means several .*Checkout \(PCHECKOUT\), Checkout EU"):
        SHOP.find("check")
    with pytest.raises(InvalidRequest, match="Basket"):
        SHOP.find("BASKET")
    many = index(*(service(f"db{number}") for number in range(12)))
    with pytest.raises(InvalidRequest, match="and 2 more"):
        many.find("db")


def test_none_says_why():
    """How many are known, and what the caller knows about the catalog."""
    with pytest.raises(NotFound, match=r"'nope' among the 4 .* The token is wrong\."):
        SHOP.find("nope", why_missing="The token is wrong.")


@pytest.mark.parametrize("text", ["", "  "])
def test_nothing_is_not_everything(text):
    """An empty name must not choose the only service there is."""
    with pytest.raises(InvalidRequest, match="Name a PagerDuty service"):
        index(service("only")).find(text)


def test_a_foreign_key_is_not_repeated():
    """Somebody who pastes a key of another account does not find it in the log."""
    with pytest.raises(NotFound) as raised:
        SHOP.find("c0ffee5eed1dea5a0123456789abcdef")
    assert "c0ffee" not in raised.value.message


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["Checkout", "Checkout EU", "Basket", "basket"]),
        ("CHECK", ["Checkout", "Checkout EU"]),
        ("check eu", ["Checkout EU"]),
        ("ångström", ["Basket"]),
        ("ann", ["Basket"]),
        ("ann platform", []),
        ("zoe ANN", ["Basket"]),
        ("checkout policy", ["Checkout", "Checkout EU"]),
        ("psmall", ["basket"]),
        ("nothing", []),
    ],
)
def test_search_looks_into_everything_that_people_know(text, names):
    """Names, policies, teams, ids and who is on call; every word counts, case does not."""
    assert [service.name for service in SHOP.search(text)] == names


def test_every_key_leads_back():
    """Also one that takes no events of ours."""
    found, integration = SHOP.service_of_key(Secret(key_of("Checkout1")))
    assert (found.name, integration.type) == ("Checkout", "generic_email_inbound_integration")
    assert SHOP.service_of_key(Secret("x")) is None


def test_oncalls_stand_by_policy_and_level():
    """Level 1 is paged first."""
    assert [one.user_name for one in SHOP.oncalls_of("EPBASKET")] == ["Ann", "Zoe"]
    assert [one.user_name for one in SHOP.oncalls_of(None)] == ["Nobody"]
    assert SHOP.oncalls_of("unknown") == ()
    assert [one.policy_name for one in SHOP.oncalls] == [
        "",
        "basket policy",
        "basket policy",
        "Checkout policy",
    ]


def test_a_service_is_known_by_its_id():
    """Exactly."""
    assert SHOP.service("PBASKET").name == "Basket"
    assert SHOP.service("pbasket") is None


@pytest.mark.parametrize("text", ["PWEB", "pweb"])
def test_an_id_that_two_accounts_have_is_not_guessed(text):
    """With its account it means one service."""
    both = Index([read_service(service("web"), account=account) for account in ("us", "eu")])
    with pytest.raises(InvalidRequest, match=r"means several .*web \(us/PWEB\), web \(eu/PWEB\)"):
        both.find(text)
    with pytest.raises(InvalidRequest, match=r"several have it: account/id or account/name\.$"):
        both.find("web")
    assert both.find("us/web").account == "us"
    assert both.find(f"eu/{text}").account == "eu"
    assert both.service("PWEB").account == "us"


@given(st.lists(st.text(max_size=6), max_size=6), st.text(max_size=8))
def test_search_finds_what_a_plain_look_finds(names, text):
    """The precomputed texts change nothing."""
    found = index(*(service(name, teams=[], id=str(place)) for place, name in enumerate(names))).search(text)
    words = text.casefold().split()
    plain = [
        str(place)
        for place, name in enumerate(names)
        if all(word in f"{name}\n{place}\n{name} policy".casefold() for word in words)
    ]
    assert [service.id for service in found] == plain
