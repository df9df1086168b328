"""What may be reached: upstream's rules, and the ways around them that are closed."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.outbound import GuardedClient, Restrictions, UnknownHost, UrlRefused, parse_url
from masthead.outbound.addresses import is_own, literal
from masthead.outbound.fakes import FakeResolver

PUBLIC = "93.184.216.34"


async def judged(url: str, *addresses: str, **rules) -> str:
    """Give the refusal of *url* whose host has *addresses*, or empty text."""
    resolver = FakeResolver()
    try:
        host = parse_url(url).raw_host
        resolver.set(host, addresses or (PUBLIC,))
        await GuardedClient(Restrictions(**rules), resolver=resolver).check(url)
    except UrlRefused as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("https://www.test.com", ""),
        ("https://201.152.178.212.example.com/a?b#c", ""),
        ("http://foobar.com:8080", ""),
        ("https://a_b.example.com/", ""),
        ("https://h\u00fcbsch.example/", ""),
        ("https://ci.example.com/job/My Job/build?cause=by hand#f", ""),
        ("https://ci .example.com/", "URI not valid: https://ci .example.com/"),
        ("https://ci.example.com:80 /", "URI not valid: https://ci.example.com:80 /"),
        ("https://ci.example.com\\ @orca/", "URI not valid: "),
        ("https://ci.example.com/a\tb", "URI not valid: "),
        ("https://ci.example.com/a\u00a0b", "URI not valid: "),
        ("https://orca", "Host not allowed: orca (user-configured-url-restrictions.allowedHostnamesRegex)"),
        ("https://spin-orca:8083/x", "Host not allowed: spin-orca"),
        ("https://orca.spinnaker", "Host not allowed: orca.spinnaker"),
        ("https://printer.local", "Host not allowed: printer.local"),
        ("https://printer.local.", "Host not allowed: printer.local."),
        ("https://a.LocalDomain", "Host not allowed: a.localdomain"),
        ("https://metadata.google.internal", "Host not allowed: metadata.google.internal"),
        ("https://fred:pass@orca.spinnaker/", "Host not allowed: orca.spinnaker"),
        ("https://www.example.com@orca/", "Host not allowed: orca"),
        ("https://orca#@www.example.com/", "Host not allowed: orca"),
        ("https://orca?@www.example.com/", "Host not allowed: orca"),
        ("https://192.168.1.1", "Verbatim IP addresses are not allowed"),
        ("https://8.8.8.8", "Verbatim IP addresses are not allowed"),
        ("https://8.8.8.8.", "Verbatim IP addresses are not allowed"),
        ("https://2130706433", "Verbatim IP addresses are not allowed"),
        ("https://0x7f.1", "Verbatim IP addresses are not allowed"),
        ("https://0177.0.0.1", "Verbatim IP addresses are not allowed"),
        ("https://[::1]:8080/", "Verbatim IP addresses are not allowed"),
        ("https://[::ffff:7f00:1]/", "Verbatim IP addresses are not allowed"),
        ("https://\uff11\uff12\uff17.0.0.1/", "Verbatim IP addresses are not allowed"),
        ("https://127\u30020.0.1/", "Verbatim IP addresses are not allowed"),
        ("ftp://www.example.com/", "unsupported URI scheme ftp://www.example.com/"),
        ("file:///etc/passwd", "non absolute URI file:///etc/passwd"),
        ("/relative", "non absolute URI /relative"),
        ("www.example.com", "non absolute URI www.example.com"),
        ("https://", "non absolute URI"),
        ("https:///path", "non absolute URI"),
        ("https://www.example.com:99999/", "URI not valid"),
        ("https://www.example.com:0/", "URI not valid"),
        ("https://www.exam ple.com/", "URI not valid"),
        ("https://www.example.com/a\r\nHost: orca", "URI not valid"),
        ("", "non absolute URI"),
    ],
)  # fmt: skip
async def test_urls_are_judged_as_upstream_does(url, refusal):
    """The beginning of each refusal is upstream's; names of one word, internal domains and bare addresses are refused."""
    found = await judged(url)
    assert found.startswith(refusal)
    assert bool(found) == bool(refusal)


@pytest.mark.parametrize(
    ("address", "setting"),
    [
        ("127.0.0.1", "rejectLocalhost"),
        ("127.8.9.1", "rejectLocalhost"),
        ("0.0.0.0", "rejectLocalhost"),
        ("::1", "rejectLocalhost"),
        ("::", "rejectLocalhost"),
        ("::ffff:127.0.0.1", "rejectLocalhost"),
        ("::127.0.0.1", "rejectLocalhost"),
        ("64:ff9b::127.0.0.1", "rejectLocalhost"),
        ("2002:7f00:1::", "rejectLocalhost"),
        ("2001:0:1::80ff:fffe", "rejectLocalhost"),
        ("169.254.169.254", "rejectMetadata"),
        ("::ffff:169.254.169.254", "rejectMetadata"),
        ("64:ff9b::a9fe:a9fe", "rejectMetadata"),
        ("fd00:ec2::254", "rejectMetadata"),
        ("100.100.100.200", "rejectMetadata"),
        ("168.63.129.16", "rejectMetadata"),
        ("169.254.1.1", "rejectLinkLocal"),
        ("fe80::1", "rejectLinkLocal"),
        ("fe80::1%1", "rejectLinkLocal"),
        ("224.0.0.1", "allowedNetworks"),
        ("240.0.0.1", "allowedNetworks"),
        ("10.1.2.3", ""),
        ("192.168.4.4", ""),
        ("fd12::1", ""),
        (PUBLIC, ""),
        ("2606:4700::1111", ""),
    ],
)
async def test_the_address_behind_a_name_decides(address, setting):
    """A public name does not help: loopback, link-local and metadata are refused in every form, private networks are not."""
    found = await judged("https://www.example.com/", address)
    assert found.endswith(f"(user-configured-url-restrictions.{setting})" if setting else "")
    assert found.startswith("Host not allowed: www.example.com, which is" if setting else "")
    assert bool(found) == bool(setting)


async def test_one_bad_address_among_good_ones_refuses_the_name():
    """Which of its addresses would be taken is nobody's guess."""
    assert "rejectLocalhost" in await judged("https://www.example.com/", PUBLIC, "127.0.0.1")


async def test_the_address_of_an_interface_is_this_machine(monkeypatch):
    """As upstream: what this machine is reached by from outside counts as localhost, also wrapped."""
    monkeypatch.setattr("masthead.outbound.addresses._leads_here", lambda one: str(one) == "10.9.8.7")
    assert is_own(ipaddress.ip_address("::ffff:10.9.8.7"))
    assert not is_own(ipaddress.ip_address("10.9.8.6"))
    assert "this machine" in await judged("https://www.example.com/", "10.9.8.7")
    assert await judged("https://www.example.com/", "10.9.8.6") == ""


@pytest.mark.parametrize(
    ("address", "rules", "setting"),
    [
        ("10.1.2.3", {"reject_private_networks": True}, "rejectPrivateNetworks"),
        ("100.64.0.1", {"reject_private_networks": True}, "rejectPrivateNetworks"),
        ("fd12::1", {"reject_private_networks": True}, "rejectPrivateNetworks"),
        ("::ffff:10.1.2.3", {"reject_private_networks": True}, "rejectPrivateNetworks"),
        (PUBLIC, {"reject_private_networks": True}, ""),
        ("10.1.2.3", {"reject_private_networks": True, "allowed_networks": ["10.1.0.0/16"]}, ""),
        ("10.1.2.3", {"allowed_networks": ["10.1.0.0/16"]}, ""),
        ("10.2.2.3", {"allowed_networks": ["10.1.0.0/16"]}, "allowedNetworks"),
        (PUBLIC, {"allowed_networks": ["10.1.0.0/16"]}, ""),
        ("127.0.0.1", {"allowed_networks": ["0.0.0.0/0"]}, "rejectLocalhost"),
        ("169.254.169.254", {"allowed_networks": ["0.0.0.0/0"]}, "rejectMetadata"),
        ("169.254.169.254", {"reject_link_local": False}, "rejectMetadata"),
        ("169.254.169.254", {"reject_link_local": False, "reject_metadata": False}, ""),
        ("127.0.0.1", {"reject_localhost": False}, ""),
    ],
)  # fmt: skip
async def test_an_operator_narrows_and_widens(address, rules, setting):
    """The list allowedNetworks names the private networks that may be reached; it opens neither loopback nor metadata."""
    found = await judged("https://www.example.com/", address, **rules)
    assert found.endswith(f"(user-configured-url-restrictions.{setting})" if setting else "")
    assert bool(found) == bool(setting)


async def test_rejected_ips_are_compared_with_the_addresses():
    """Upstream compares them with the text of the host, so that every name got around them."""
    rules = {"rejected_ips": ["93.184.0.0/16"]}
    assert (await judged("https://www.example.com/", **rules)).startswith(
        "Address not allowed: www.example.com"
    )
    assert await judged("https://www.example.com/", "8.8.8.8", **rules) == ""


async def test_an_allowed_localhost_needs_no_pattern():
    """The rules for names are skipped for addresses that were allowed explicitly, as upstream does, and for no others."""
    assert await judged("http://localhost:8080/", "127.0.0.1", "::1", reject_localhost=False) == ""
    assert (await judged("http://intranet/", "10.0.0.1", reject_localhost=False)).startswith(
        "Host not allowed"
    )


async def test_verbatim_addresses_can_be_allowed():
    """Then the address alone decides."""
    assert await judged("https://8.8.8.8/", reject_verbatim_ips=False) == ""
    assert "rejectLocalhost" in await judged("https://127.1/", reject_verbatim_ips=False)
    assert "rejectMetadata" in await judged("https://[::ffff:a9fe:a9fe]/", reject_verbatim_ips=False)


async def test_names_are_narrowed():
    """By a pattern of one's own, by domains from the environment and by extra patterns; an empty pattern refuses all."""
    rules = {
        "excluded_domains_from_environment": ["NAMESPACE", "UNSET"],
        "environment": {"NAMESPACE": "team"},
    }
    assert "excludedDomains" in await judged("https://orca.team", **rules)
    assert await judged("https://orca.teams", **rules) == ""
    assert "extraExcludedPatterns" in await judged(
        "https://a.corp.example", extra_excluded_patterns=[r".+\.corp\.example"]
    )
    assert "allowedHostnamesRegex" in await judged(
        "https://a.example", allowed_hostnames_regex=r".+\.acme\.com"
    )
    assert (await judged("https://a.example", allowed_hostnames_regex="")).startswith(
        "Allowed Hostnames are not set, external HTTP requests are not enabled."
    )


async def test_a_refused_name_is_not_even_looked_up():
    """Its look-up would tell a name server what somebody tried."""
    resolver = FakeResolver()
    with pytest.raises(UrlRefused):
        await GuardedClient(Restrictions(), resolver=resolver).check("https://orca/")
    assert resolver.asked == []
    with pytest.raises(UnknownHost):
        await GuardedClient(Restrictions(), resolver=resolver).check("https://gone.example/")
    with pytest.raises(UrlRefused, match="allowedHostnamesRegex"):
        await GuardedClient(Restrictions(reject_localhost=False), resolver=resolver).check("https://orca/")


async def test_a_refusal_repeats_no_secret():
    """User, password and query of a URL may be secrets; messages go into executions that many can read."""
    for url in (
        "ftp://ann:pass@www.example.com/a?token=t",
        "ann:pass@host?token=t",
        "https://:pass@:99999?token=t",
    ):
        found = await judged(url)
        assert found
        assert "token=t" not in found
    assert "pass" not in await judged("ftp://ann:pass@www.example.com/a?token=t")


@given(st.integers(0, 0xFFFF_FFFF))
def test_every_spelling_of_an_address_is_recognised(number):
    """Decimal, octal, hexadecimal and shortened forms are the address they stand for."""
    address = ipaddress.IPv4Address(number)
    a, b, c, d = address.packed
    spellings = [
        str(address), str(number), hex(number), oct(number).replace("0o", "0"), f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}", f"0x{a:x}.{b:#o}.{c}.{d}".replace("0o", "0"), f"{address}.",
    ]  # fmt: skip
    assert {literal(each) for each in spellings} == {address}


def test_the_system_knows_its_own_addresses():
    """Loopback is one; what belongs to others, to nobody or to a group is none."""
    assert is_own(ipaddress.ip_address("127.0.0.1"))
    for other in ("93.184.216.34", "224.0.0.1", "255.255.255.255", "2606:4700::1111", "fe80::1"):
        assert not is_own(ipaddress.ip_address(other)), other


def test_a_space_behind_the_host_is_sent_as_browsers_do():
    """In the path and in the query; what is written with a percent sign stays."""
    url = parse_url(" https://ci.example.com/job/My Job/?cause=by hand&x=a%20b+c ")
    assert str(url) == "https://ci.example.com/job/My%20Job/?cause=by%20hand&x=a%20b+c"
