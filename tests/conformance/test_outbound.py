"""The guarded client against real servers: whom it connects to, what it takes along, and what it bears."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import zlib

import pytest
import trustme

from masthead.kernel.errors import ConfigurationInvalid
from masthead.kernel.secret import Secret
from masthead.outbound import (
    GuardedClient,
    Limits,
    Request,
    RequestFailed,
    Restrictions,
    TlsSettings,
    TooLarge,
    UnknownHost,
    UrlRefused,
    tls_context,
)
from masthead.outbound.fakes import FakeResolver
from masthead.outbound.resolving import FixedResolver
from support.hosts import answer, hosting

LOCAL = Restrictions(reject_localhost=False, reject_verbatim_ips=False)


def client(restrictions: Restrictions = LOCAL, *, names=None, tls=None, **limits) -> GuardedClient:
    """A client for which localhost, and every name of *names*, is this machine."""
    resolver = FakeResolver(localhost=["127.0.0.1"])
    for name, addresses in (names or {}).items():
        resolver.set(name, *addresses)
    return GuardedClient(restrictions, limits=Limits(**limits), resolver=resolver, tls=tls)


@pytest.fixture
async def host():
    async with hosting() as made:
        yield made


async def test_a_request_is_sent_as_it_was_asked(host):
    """Method, path, query, headers and body arrive; what belongs to the connection is not the caller's."""
    headers = {
        "X-Token": "t", "X-Many": ("a", "b"), "Content-Type": "text/plain", "Content-Length": "9999",
        "Transfer-Encoding": "chunked", "Connection": "upgrade", "Accept": "text/html",
    }  # fmt: skip
    found = await client().request(Request(host.url("/a%2Fb?c=d+e#f"), "PATCH", headers, b"body"))
    assert (found.status, found.text()) == (200, "ok")
    (asked,) = host.asked
    assert (asked.method, asked.path, asked.body) == ("PATCH", "/a%2Fb?c=d+e", b"body")
    assert asked.header("Host") == f"localhost:{host.port}"
    assert (asked.header("X-Token"), asked.header("Accept")) == ("t", "text/html")
    assert [value for name, value in asked.headers if name == "X-Many"] == ["a", "b"]
    assert asked.header("Content-Length") == "4"
    assert asked.header("Transfer-Encoding") is None
    assert asked.header("User-Agent").startswith("Masthead/")
    assert asked.header("Connection") == "close"


async def test_user_and_password_of_a_url_are_not_sent(host):
    """As upstream's client; a header is the place for them."""
    await client().request(Request(host.url().replace("//", "//ann:secret@")))
    assert host.asked[0].header("Authorization") is None


async def test_the_connection_goes_to_the_address_that_was_judged(host):
    """A name that resolves to something else a moment later (DNS rebinding) is not looked up again."""
    made = client(names={"rebind.example": (["127.0.0.1"], ["192.0.2.9"])})
    found = await made.request(Request(host.url(name="rebind.example")))
    assert found.status == 200
    assert made._resolver.asked == ["rebind.example"]


async def test_a_name_that_turns_to_this_machine_is_refused(host):
    """Rebinding the other way: the second request is judged on what the name resolves to then."""
    made = client(
        Restrictions(), names={"rebind.example": (["93.184.216.34"], ["127.0.0.1"])}, connect_timeout_s=0.01
    )
    with pytest.raises(RequestFailed):
        await made.request(Request(host.url(name="rebind.example")))
    with pytest.raises(UrlRefused, match="rejectLocalhost"):
        await made.request(Request(host.url(name="rebind.example")))
    assert host.connections == 0


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/", "http://0x7f.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/"]
)
async def test_spellings_of_this_machine_reach_nothing(host, target):
    """By default no connection is even opened."""
    made = GuardedClient(Restrictions(reject_verbatim_ips=False))
    with pytest.raises(UrlRefused, match="rejectLocalhost"):
        await made.request(Request(target.format(port=host.port)))
    assert host.connections == 0


async def test_redirects_are_judged_one_by_one(host):
    """Also relative ones: upstream checks only absolute targets."""
    targets = {"/1": "/2", "/2": "//localhost:{port}/3", "/3": "http://metadata.example/secret"}
    host.answer = lambda asked: answer("302 Found", Location=targets[asked.path].format(port=host.port))
    made = client(names={"metadata.example": (["169.254.169.254"],)})
    with pytest.raises(UrlRefused, match="rejectMetadata"):
        await made.request(Request(host.url("/1")))
    assert [asked.path for asked in host.asked] == ["/1", "/2", "/3"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://localhost/", "http://[bad"])
async def test_a_redirect_leads_nowhere_else(host, target):
    """Other schemes, broken URLs and refused names end the request."""
    host.answer = answer("307 Temporary Redirect", Location=target)
    with pytest.raises(UrlRefused):
        await client().request(Request(host.url()))


async def test_headers_stay_with_their_origin(host):
    """A redirect to another origin takes no header and no credentials along, one within the origin does."""
    async with hosting() as other:
        host.answer = lambda asked: (
            answer("308 Permanent Redirect", Location="/here")
            if asked.path == "/"
            else answer("307 Temporary Redirect", Location=other.url("/there"), Set_Cookie="a=b")
        )
        headers = {"Authorization": "Bearer t", "X-Api-Key": "k", "Content-Type": "application/json"}
        await client().request(Request(host.url(), "POST", headers, b"{}"))
        assert host.asked[1].header("Authorization") == "Bearer t"
        (there,) = other.asked
        assert (there.method, there.body, there.header("Content-Type")) == ("POST", b"{}", "application/json")
        assert (there.header("Authorization"), there.header("X-Api-Key"), there.header("Cookie")) == (
            None,
        ) * 3


async def test_an_ordinary_redirect_becomes_a_get(host):
    """301, 302 and 303 drop the body, as OkHttp does."""
    host.answer = lambda asked: answer("303 See Other", Location="/2") if asked.path == "/" else answer()
    found = await client().request(Request(host.url(), "POST", {"Content-Type": "text/plain"}, b"x"))
    assert (found.status, found.url) == (200, host.url("/2"))
    assert (host.asked[1].method, host.asked[1].body) == ("GET", b"")
    assert host.asked[1].header("Content-Type") is None


async def test_redirects_end(host):
    """A circle is given up after 21 requests; without followRedirects nothing is followed."""
    host.answer = answer("302 Found", Location="/")
    with pytest.raises(RequestFailed, match="Too many follow-up requests: 21"):
        await client().request(Request(host.url()))
    assert len(host.asked) == 21
    with pytest.raises(RequestFailed, match="redirects disabled, not visiting /"):
        await client(follow_redirects=False).request(Request(host.url()))


async def test_cookies_are_not_kept(host):
    """Whoever answers marks nobody."""
    host.answer = answer(Set_Cookie="session=1")
    made = client()
    for _ in range(2):
        found = await made.request(Request(host.url()))
    assert found.headers["Set-Cookie"] == "session=1"
    assert host.asked[1].header("Cookie") is None


async def test_proxies_of_the_environment_are_not_used(host, monkeypatch):
    """A proxy would look names up by itself, so that what was judged is not what is reached."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await client().request(Request(host.url()))).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
async def test_answers_are_unpacked(host, encoding):
    """Both encodings that are asked for."""
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[encoding]
    host.answer = answer(body=pack(b"x" * 100_000), Content_Encoding=encoding)
    assert (await client().request(Request(host.url()))).body == b"x" * 100_000
    assert host.asked[0].header("Accept-Encoding") == "gzip, deflate"


async def test_a_large_answer_is_given_up(host):
    """Headers and body count, whether the length is announced or not."""
    host.answer = answer(body=b"x" * 1000)
    with pytest.raises(TooLarge, match="maxResponseBytes: 1000"):
        await client(max_response_bytes=1000).request(Request(host.url()))
    host.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001
    with pytest.raises(TooLarge):
        await client(max_response_bytes=1000).request(Request(host.url()))
    assert (await client(max_response_bytes=1100).request(Request(host.url()))).body == b"x" * 1001
    with pytest.raises(TooLarge):
        await client().request(Request(host.url()), max_response_bytes=1000)


async def test_a_decompression_bomb_goes_off_nowhere(host):
    """A few bytes that would become a gigabyte are unpacked only as far as the limit."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    host.answer = answer(body=bomb, Content_Encoding="gzip")
    with pytest.raises(TooLarge):
        await client(max_response_bytes=1_000_000).request(Request(host.url()))


async def test_what_follows_a_packed_answer_counts_too(host):
    """An answer that goes on after its packed part has ended is not read for ever."""
    host.answer = answer(body=gzip.compress(b"x") + bytes(2000), Content_Encoding="gzip")
    with pytest.raises(TooLarge):
        await client(max_response_bytes=1000).request(Request(host.url()))


def test_a_socket_is_made_for_judged_addresses_only():
    """The net below: whatever the library would connect to instead, there is no socket for it."""
    resolver = FixedResolver("www.example.com", [ipaddress.ip_address("93.184.216.34")])
    kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
    resolver.socket((*kind, ("93.184.216.34", 443))).close()
    with pytest.raises(OSError, match=r"127\.0\.0\.1 was not checked"):
        resolver.socket((*kind, ("127.0.0.1", 443)))


async def test_a_judged_host_is_the_only_one_that_resolves():
    """Nor does any other name get the addresses that were judged."""
    resolver = FixedResolver("www.example.com", [ipaddress.ip_address("93.184.216.34")])
    assert [each["host"] for each in await resolver.resolve("www.example.com", 443)] == ["93.184.216.34"]
    with pytest.raises(UrlRefused):
        await resolver.resolve("orca", 443)


async def test_a_large_request_is_not_sent(host):
    """In upstream's words."""
    made = client(max_request_bytes=200)
    with pytest.raises(
        TooLarge, match=r"byte\(s\) of headers and 150 byte\(s\) of body, maxRequestBytes: 200"
    ):
        await made.request(Request(host.url(), "POST", body=b"x" * 150))
    assert host.connections == 0


@pytest.mark.parametrize(
    "broken",
    [
        b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        answer(body=b"no gzip", Content_Encoding="gzip"), answer(body=gzip.compress(b"x" * 99, mtime=0)[:-9], Content_Encoding="gzip"),
        answer(body=b"?", Content_Encoding="br"),
    ],
)  # fmt: skip
async def test_half_an_answer_is_none(host, broken):
    """What breaks off, or is not what it says, fails; the request may have arrived."""
    host.answer = broken + b" " if broken == b"" else broken
    with pytest.raises(RequestFailed) as raised:
        await client(read_timeout_s=0.3).request(Request(host.url("/?token=t")))
    assert raised.value.may_have_arrived
    assert "token" not in raised.value.message


async def test_silence_ends(host):
    """The wait for the next bytes and the whole request have limits of their own; each is a timeout."""
    host.answer = None
    for limits in ({"read_timeout_s": 0.05}, {"timeout_s": 0.05}):
        with pytest.raises(RequestFailed) as raised:
            await client(**limits).request(Request(host.url()))
        assert raised.value.is_timeout
        assert raised.value.may_have_arrived


async def test_nobody_there_is_not_a_timeout(host):
    """A refused connection did not reach anybody; a name without address has a kind of its own."""
    port, host.port = host.port, 1
    with pytest.raises(RequestFailed, match=r"Connection refused|Connect call failed") as raised:
        await client().request(Request(host.url()))
    assert (raised.value.is_timeout, raised.value.may_have_arrived) == (False, False)
    with pytest.raises(UnknownHost, match=r"gone\.example: Name or service not known"):
        await client().request(Request(f"http://gone.example:{port}/"))


async def test_a_host_header_is_judged_too(host):
    """What stands before the other side may pass the request on to whom the header names."""
    made = client(Restrictions(reject_verbatim_ips=False), names={"www.example.com": (["93.184.216.34"],)})
    with pytest.raises(UrlRefused, match="excludedDomains"):
        await made.request(Request("http://www.example.com/", headers={"Host": "orca.internal"}))


# -- TLS --------------------------------------------------------------------------------------------


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
async def secure(authority):
    """Asks for the client's certificate, and takes those of the same authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    async with hosting(tls=context) as made:
        yield made


async def test_only_trusted_servers_are_spoken_to(secure, authority):
    """The system's authorities and those that were added; the name must be in the certificate."""
    request = Request(secure.url(scheme="https"), "POST", body=b"secret")
    with pytest.raises(
        RequestFailed, match=r"TLS failed: self-signed certificate|TLS failed: unable to get"
    ) as raised:
        await client().request(request)
    assert not raised.value.may_have_arrived
    tls = tls_context(TlsSettings(trust=authority.cert_pem.bytes().decode()))
    assert (await client(tls=tls).request(request)).status == 200
    made = client(tls=tls, names={"other.example": (["127.0.0.1"],)})
    with pytest.raises(RequestFailed, match="Hostname mismatch"):
        await made.request(Request(secure.url(scheme="https", name="other.example")))
    assert len(secure.asked) == 1


async def test_a_client_certificate_is_shown(secure, authority, tmp_path):
    """mTLS: certificate and key as PEM, in the settings or in files."""
    mine = authority.issue_cert("ops@example.com", common_name="masthead")
    certificate = tmp_path / "mine.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in mine.cert_chain_pems))
    trust = tmp_path / "ca.pem"
    trust.write_bytes(authority.cert_pem.bytes())
    key = Secret(mine.private_key_pem.bytes().decode())
    tls = tls_context(TlsSettings(trust=str(trust), certificate=str(certificate), key=key))
    await client(tls=tls).request(Request(secure.url(scheme="https")))
    assert (("commonName", "masthead"),) in secure.asked[0].certificate["subject"]


async def test_checks_can_be_switched_off_for_a_trial(secure, authority):
    """Upstream's two switches, for tests only."""
    trust = authority.cert_pem.bytes().decode()
    any_name = tls_context(TlsSettings(trust=trust, skips_hostname_verification=True))
    made = client(tls=any_name, names={"other.example": (["127.0.0.1"],)})
    assert (await made.request(Request(secure.url(scheme="https", name="other.example")))).status == 200
    anybody = tls_context(TlsSettings(trusts_self_signed=True))
    assert (await client(tls=anybody).request(Request(secure.url(scheme="https")))).status == 200


def test_what_is_no_pem_says_how_to_make_it(tmp_path, authority):
    """A JKS or PKCS#12 store, a missing file, and a key of another certificate."""
    store = tmp_path / "store.jks"
    store.write_bytes(b"\xfe\xed\xfe\xed")
    with pytest.raises(ConfigurationInvalid, match="openssl pkcs12"):
        tls_context(TlsSettings(trust=str(store)))
    with pytest.raises(ConfigurationInvalid, match="cannot be read: No such file"):
        tls_context(TlsSettings(certificate=str(tmp_path / "none")))
    one, two = authority.issue_cert("a.example"), authority.issue_cert("b.example")
    wrong = TlsSettings(
        certificate=one.cert_chain_pems[0].bytes().decode(), key=Secret(two.private_key_pem.bytes().decode())
    )
    with pytest.raises(ConfigurationInvalid, match="do not belong together"):
        tls_context(wrong)
