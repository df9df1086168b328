"""Bodies: read within limits, checked before anything is done."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from masthead.api.body import Limits, check_media_type, decode, read_body
from masthead.api.errors import Refused
from masthead.kernel.errors import InvalidRequest

LIMITS = Limits(body_bytes=20, body_depth=3)


def receiving(*messages):
    waiting = list(messages)

    async def receive():
        return waiting.pop(0)

    return receive


def chunk(body: bytes, *, more: bool = False) -> dict:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_parts_is_put_together():
    """Chunks come as they like."""
    receive = receiving(chunk(b'{"a"', more=True), chunk(b":1}"))
    assert await read_body({"type": "http", "headers": []}, receive, LIMITS) == b'{"a":1}'


async def test_a_body_that_says_it_is_far_too_large_is_not_read():
    """Content-Length is believed when it condemns."""
    scope = {"type": "http", "headers": [(b"content-length", b"81")]}
    with pytest.raises(Refused) as refused:
        await read_body(scope, receiving(), LIMITS)
    assert refused.value.status == 400


async def test_a_body_that_is_a_little_too_large_is_heard_out():
    """Who is cut off while sending hears of a reset connection, and not why."""
    scope = {"type": "http", "headers": [(b"content-length", b"21")]}
    left = [chunk(b"x" * 15, more=True), chunk(b"x" * 6)]

    async def receive() -> dict:
        return left.pop(0)

    with pytest.raises(Refused) as refused:
        await read_body(scope, receive, LIMITS)
    assert (refused.value.status, left) == (400, [])


async def test_a_body_that_grows_too_large_is_refused_on_the_way():
    """Without Content-Length the bytes are counted."""
    receive = receiving(chunk(b"x" * 15, more=True), chunk(b"x" * 6, more=True))
    with pytest.raises(Refused) as refused:
        await read_body({"type": "http", "headers": []}, receive, LIMITS)
    assert refused.value.status == 400
    assert "20 bytes" in refused.value.message


async def test_a_client_that_goes_away_is_no_body():
    """Half a body is never used."""
    receive = receiving(chunk(b'{"a":1}', more=True), {"type": "http.disconnect"})
    with pytest.raises(ClientDisconnect):
        await read_body({"type": "http", "headers": []}, receive, LIMITS)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "needs a body"),
        (b" \n", "needs a body"),
        (b"{", "not JSON: input data was truncated"),
        (b'{"a":\n  1 2}', "line 2, column 5"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":"\xed\xa0\x80 surrogate"}', "not UTF-8"),
        (b'{"a":"x\x00y"}', "not JSON"),
        (b'{"a":NaN}', "not JSON"),
        (b'{"a":1e999}', "not JSON"),
        (b"[" * 100_000, "deep"),
    ],
)
def test_what_is_not_json_is_refused_in_words(body, says):
    """The sentence says what is wrong, and where when that is known."""
    with pytest.raises(InvalidRequest, match=says):
        decode(body, LIMITS)


def test_the_deepest_place_allowed_passes_and_one_more_is_pointed_at():
    """Depth counts objects and lists; the pointer leads to the first that is too deep."""
    assert decode(b'{"a":{"b":{"c":1}}}', LIMITS) == {"a": {"b": {"c": 1}}}
    with pytest.raises(InvalidRequest) as refused:
        decode(b'{"a":{"b/b":[{"d":1}]}}', LIMITS)
    assert refused.value.pointer == "/a/b~1b/0"


def test_many_shallow_objects_are_not_deep():
    """Only nesting counts, not number."""
    assert len(decode(b"[{},{},{},{},{}]", LIMITS)) == 5


def test_nul_characters_are_pointed_at():
    """No database keeps them in text."""
    with pytest.raises(InvalidRequest) as refused:
        decode(b'{"a":["x","\\u0000"]}', LIMITS)
    assert refused.value.pointer == "/a/1"
    with pytest.raises(InvalidRequest, match="name"):
        decode(b'{"a\\u0000":1}', LIMITS)


def test_the_words_backslash_u0000_are_not_a_nul_character():
    """A backslash that is itself escaped is text like any other."""
    assert decode(b'{"a":"\\\\u0000"}', LIMITS) == {"a": "\\u0000"}


@given(st.binary(max_size=40))
def test_no_body_does_worse_than_being_refused(body):
    """Whatever the bytes, there is a document or InvalidRequest."""
    with contextlib.suppress(InvalidRequest):
        decode(body, LIMITS)


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "application/json",
        "application/json;charset=utf-8",
        "APPLICATION/JSON",
        "application/context+json",
    ],
)
def test_json_by_any_of_its_names_is_taken(kind):
    """Orca and Deck use several."""
    check_media_type(kind or "")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_other_media_types_are_refused(kind):
    """The types that a web page may send unasked are among them."""
    with pytest.raises(Refused) as refused:
        check_media_type(kind)
    assert refused.value.status == 415


ROOM = " " * 16_000


@pytest.mark.parametrize(
    "number", ["9" * 1001, "-" + "9" * 1001, "0." + "1" * 1001, "9" * 4000, "9" * 1001 + "e5"]
)
def test_numbers_of_thousands_of_digits_are_refused(number):
    """Thousands of them took seconds of everybody's time; Jackson takes none of them either."""
    for body in (f'{ROOM}{{"a":[1,{number}]}}', f'{ROOM}{{"a":"{number}","b":{number}}}'):
        with pytest.raises(InvalidRequest, match="more than 1,000 characters"):
            decode(body.encode(), LIMITS)


@pytest.mark.parametrize("value", ["9" * 1000, '"' + "9" * 5000 + '"', '"\\\\"' + ',"' + "9" * 5000 + '"'])
def test_digits_of_a_text_are_no_number(value):
    """And a number may be as long as any that is meant."""
    assert decode(f'{ROOM}{{"a":[{value}]}}'.encode(), LIMITS)["a"]


def test_what_holds_long_digits_and_is_no_json_is_refused_in_the_usual_words():
    """The look for long numbers says nothing of it."""
    for body in (
        f'{ROOM}{{"a":"{"9" * 2000}"',
        f'{ROOM}"{"9" * 2000}\\xff"',
        ROOM + "[" * 100_000 + "9" * 2000,
    ):
        with pytest.raises(InvalidRequest, match=r"JSON|deep|characters"):
            decode(body.encode("latin-1"), LIMITS)
