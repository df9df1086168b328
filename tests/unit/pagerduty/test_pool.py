"""Connections of our own, against servers that answer in every way HTTP allows, and in some it does not."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl

import pytest
import trustme

from masthead import __version__
from masthead.pagerduty import pool
from masthead.pagerduty.pool import PooledPoster
from masthead.pagerduty.posting import Lost, Withheld

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each request with the next of a list of bytes; "" of them closes, None says nothing."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.heads: list[str] = []
        self.is_asked = asyncio.Event()
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader, writer):
        self.connections += 1
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                self.is_asked.set()
                await reader.readexactly(int(re.search(r"Content-Length: (\d+)", head)[1]))
                answer = self.answers.pop(0) if self.answers else OK
                if answer is None:
                    continue
                writer.write(answer)
                await writer.drain()
                if b"close" in answer or answer == b"" or b"HTTP/1.0" in answer:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def serving(server: Server, *, tls: ssl.SSLContext | None = None):
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    yield listener.sockets[0].getsockname()[1]
    listener.close()
    for writer in server.writers:
        writer.close()


@pytest.fixture
async def server():
    made = Server()
    async with serving(made) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
async def poster(server):
    made = PooledPoster(server.url + "/proxy/", timeout_s=5)
    yield made
    await made.close()


async def post(poster):
    return await poster.post("/v2/enqueue", b"{}", {"Content-Type": "application/json"})


async def test_a_request_says_what_http_asks_for(server, poster):
    """The path behind the endpoint's own, the host, who asks, and how long the body is."""
    await post(poster)
    lines = server.heads[0].split("\r\n")
    assert lines[0] == "POST /proxy/v2/enqueue HTTP/1.1"
    assert set(lines[1:]) >= {
        f"Host: {server.url.removeprefix('http://')}",
        f"User-Agent: Masthead/{__version__}",
        "Content-Type: application/json",
        "Content-Length: 2",
    }


@pytest.mark.parametrize(
    ("answer", "body", "connections"),
    [
        (OK, b"ok", 1),
        (b"HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", b"ok", 1),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok", 1),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + OK, b"ok", 1),
        (b"HTTP/1.1 202 A\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", b"ok", 2),
        (b"HTTP/1.1 202 A\r\nConnection: close\r\n\r\nok", b"ok", 2),
        (b"HTTP/1.0 202 A\r\n\r\nok", b"ok", 2),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", 2),
    ],
)
async def test_an_answer_may_have_any_form(server, poster, answer, body, connections):
    """With a length, in pieces, until the end, after notices; the connection is used again where it can be."""
    server.answers = [answer]
    reply = await post(poster)
    assert (reply.status, reply.body) == (204 if b"204" in answer else 202, body)
    assert (await post(poster)).body == b"ok"
    assert server.connections == connections


async def test_whether_it_may_be_sent_is_asked_last(server, poster, monkeypatch):
    """Once the connection has come about, which may take long; the connection stays for the next."""
    real, order = poster._connect, []

    async def connect():
        found = await real()
        order.append("connected")
        return found

    monkeypatch.setattr(poster, "_connect", connect)
    with pytest.raises(Withheld):
        await poster.post("/v2/enqueue", b"{}", {}, lambda: order.append("asked"))
    await post(poster)
    assert order == ["connected", "asked"]
    assert (len(server.heads), server.connections) == (1, 1)


async def test_headers_are_found_in_any_case(server, poster):
    """As HTTP has it."""
    server.answers = [b"HTTP/1.1 429 Slow\r\nreTRY-after: 3\r\nContent-Length: 0\r\n\r\n"]
    headers = (await post(poster)).headers
    assert headers["Retry-After"] == "3"
    assert headers.get("Date") is None
    assert sorted(headers) == ["content-length", "retry-after"]
    assert len(headers) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "closed before"),
        (b"HTTP/1.1 202 A\r\nContent-Length: 9\r\nX: close\r\n\r\nok", "closed before"),
        (b"what? close", "HttpParser"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_100_000, "too long"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000, "too long"),
    ],
)
async def test_what_is_no_answer_is_lost_and_may_have_arrived(server, poster, answer, words):
    """And the next request gets a connection of its own."""
    server.answers = [answer]
    with pytest.raises(Lost, match=words) as lost:
        await post(poster)
    assert lost.value.is_connected
    assert (await post(poster)).body == b"ok"


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore", b"garbage"])
async def test_nobody_gets_the_answer_of_another(server, poster, more):
    """A connection that says more than it was asked is not used again."""
    server.answers = [OK + more]
    with contextlib.suppress(Lost):
        await post(poster)
    assert (await post(poster)).body == b"ok"
    assert server.connections == 2


async def test_an_answer_that_nobody_asked_for_ends_the_connection(server, poster):
    """Servers say 408 on a connection that rested too long."""
    await post(poster)
    server.writers[0].write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    connection = poster._idle[0]
    await connection.gone
    assert (await post(poster)).status == 202
    assert server.connections == 2


async def test_a_connection_that_was_closed_while_it_rested_is_not_used(server, poster):
    """So that no request is lost to it."""
    await post(poster)
    connection = poster._idle[0]
    server.writers[0].close()
    await connection.gone
    assert (await post(poster)).status == 202
    assert server.connections == 2


async def test_a_connection_that_rested_for_long_is_not_used(server, poster, monkeypatch):
    """The other side may be about to close it."""
    await post(poster)
    monkeypatch.setattr(pool, "_KEEP_ALIVE_S", 0.0)
    await post(poster)
    assert server.connections == 2


async def test_a_request_that_is_given_up_takes_its_connection_along(server, poster):
    """Its answer may still come, and is nobody's."""
    server.answers = [None]
    asking = asyncio.ensure_future(post(poster))
    await server.is_asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await post(poster)).body == b"ok"
    assert server.connections == 2


async def test_silence_ends_with_the_time(server):
    """It may have arrived."""
    server.answers = [None]
    poster = PooledPoster(server.url, timeout_s=2)
    with pytest.raises(Lost) as lost:
        await post(poster)
    assert (type(lost.value.error), lost.value.is_connected) == (TimeoutError, True)
    await poster.close()


async def test_a_host_that_took_no_connection_is_let_be_for_a_moment(server, monkeypatch):
    """After two failures in a row, and as long as there is no connection that rests; then it is tried again."""
    monkeypatch.setattr(pool, "_AWAY_S", 1000)
    poster, connect = PooledPoster(server.url, timeout_s=5), pool._Host.connect
    asked = []

    async def refused(host):
        asked.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(pool._Host, "connect", refused)
    for failures in (1, 2, 2, 2):
        with pytest.raises(Lost, match="ConnectionRefusedError") as raised:
            await post(poster)
        assert (len(asked), raised.value.is_connected, poster.is_away) == (failures, False, failures > 1)
    poster._away_until = 0.0
    monkeypatch.setattr(pool._Host, "connect", connect)
    assert ((await post(poster)).status, poster.is_away) == (202, False)
    await poster.close()


async def test_closing_loses_what_is_under_way(server, poster):
    """A stop does not wait for the other side."""
    server.answers = [None]
    asking = asyncio.ensure_future(post(poster))
    await server.is_asked.wait()
    await poster.close()
    with pytest.raises(Lost) as lost:
        await asking
    assert lost.value.is_connected


@pytest.fixture
def authority():
    return trustme.CA()


async def test_https_asks_for_a_certificate_that_the_system_trusts(authority, monkeypatch, tmp_path):
    """The environment may name the authorities, as for every program that uses OpenSSL."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    served, tls = Server(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with serving(served, tls=tls) as port:
        poster = PooledPoster(f"https://127.0.0.1:{port}", timeout_s=5)
        assert [(await post(poster)).body for _ in range(2)] == [b"ok"] * 2
        assert served.connections == 1
        await poster.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "example.org"])
async def test_https_refuses_every_other_certificate(authority, monkeypatch, tmp_path, name):
    """Of an authority that nobody trusts, or for another host: nothing is sent."""
    (trustme.CA() if name == "127.0.0.1" else authority).cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    served, tls = Server(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(tls)
    async with serving(served, tls=tls) as port:
        poster = PooledPoster(f"https://127.0.0.1:{port}", timeout_s=5)
        with pytest.raises(Lost, match="CERTIFICATE_VERIFY_FAILED") as lost:
            await post(poster)
        await poster.close()
    assert not lost.value.is_connected
    assert served.heads == []


@pytest.fixture
async def names(monkeypatch, server):
    """What the host's name leads to: a list to change, and how often it was asked for."""
    port = int(server.url.rpartition(":")[2])
    known = [("127.0.0.1", port)]
    asked = []

    async def getaddrinfo(name, _port, **_):
        asked.append(name)
        await asyncio.sleep(0)
        if not known:
            raise socket.gaierror("no name server")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in known]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    return known, asked


@pytest.fixture
async def by_name(names):
    made = PooledPoster("http://events.test", timeout_s=5)
    yield made
    await made.close()


async def test_many_connections_ask_for_the_address_once(server, names, by_name):
    """A page to a hundred keys asks the name server one question."""
    await asyncio.gather(*(post(by_name) for _ in range(20)))
    assert server.connections > 1
    assert names[1] == ["events.test"]


async def test_the_next_address_is_tried(names, by_name):
    """Where the first refuses."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        names[0].insert(0, nobody.getsockname())
        assert (await post(by_name)).body == b"ok"


async def test_the_last_known_address_serves_while_no_name_server_answers(
    server, names, by_name, monkeypatch
):
    """A page does not wait for one to come back."""
    monkeypatch.setattr(pool, "_ADDRESSES_S", 0.0)
    monkeypatch.setattr(pool, "_KEEP_ALIVE_S", 0.0)
    await post(by_name)
    names[0].clear()
    assert (await post(by_name)).body == b"ok"
    assert server.connections == 2
    assert len(names[1]) == 2


async def test_a_host_that_was_never_known_is_lost(names, by_name):
    """It cannot have arrived, and the next request asks again."""
    names[0].clear()
    for _ in range(2):
        with pytest.raises(Lost, match="no name server") as lost:
            await post(by_name)
        assert not lost.value.is_connected
    assert len(names[1]) == 2


@pytest.mark.parametrize(
    ("endpoint", "is_reached"),
    [
        ("https://events.pagerduty.com", True),
        ("http://127.0.0.1:8080/prefix", True),
        ("http://[::1]:8080", True),
        ("https://ann:secret@host", False),
        ("https://bücher.example", False),
        ("ftp://host", False),
        ("host", False),
        ("https://host/?a=b", False),
    ],
)
def test_only_plain_endpoints_are_reached_straight(endpoint, is_reached):
    """For the others there is aiohttp."""
    assert PooledPoster.can_reach(endpoint) is is_reached
