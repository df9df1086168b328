"""Which hosts are this machine."""

from __future__ import annotations

import pytest

from masthead.access.hosts import ThisMachine, is_loopback, name_of_host


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_what_only_this_machine_reaches(address):
    """All of 127/8, the one of IPv6, and both in one."""
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "", "localhost", "127.1", "1"]
)
def test_what_others_reach_or_is_no_number(address):
    """A name may lead anywhere, so it is none."""
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:8084", "localhost"), ("LocalHost", "localhost"), ("[::1]:8084", "::1"), ("127.0.0.1", "127.0.0.1"),
        ("localhost.", "localhost"), ("localhost:80:80", ""), ("localhost:x", ""), ("[::1", ""), ("[::1]x", ""), ("::1", ""),
    ],
)  # fmt: skip
def test_the_name_in_a_host_header(host, name):
    """Without its port; what cannot be one is no name."""
    assert name_of_host(host) == name


@pytest.mark.parametrize(
    "host",
    ["localhost:8084", "127.0.0.1:8084", "[::1]", "", "a.localhost", "masthead.lan:8084", "127.0.0.2:1"],
)
def test_requests_for_this_machine_are_taken(host):
    """By its loopback names and numbers, and by names that were told."""
    assert ThisMachine({"masthead.lan"}).refusal(host, "127.0.0.1") is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8084", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1",
        "localhost@evil.example", "evillocalhost", "0.0.0.0", "x" * 300,
    ],
)  # fmt: skip
def test_a_strangers_name_that_leads_here_is_refused(host):
    """As a page does that has its own name lead to 127.0.0.1 (DNS rebinding); said with the remedy, without the name."""
    machine = ThisMachine()
    assert machine.refusal("localhost", "127.0.0.1") is None
    refusal = machine.refusal(host, "127.0.0.1")
    assert "masthead user add" in refusal
    assert host not in refusal


def test_what_a_proxy_sends_for_others_is_refused():
    """The proxy stands on this machine, who asks does not."""
    machine = ThisMachine()
    assert machine.refusal("localhost", "10.1.2.3") is not None
    assert machine.refusal("localhost", "127.0.0.1") is None
    named = ThisMachine({"10.1.2.3"})
    assert named.refusal("10.1.2.3", "127.0.0.1") is None
    assert named.refusal("10.1.2.3", "10.1.2.3") is not None
    assert machine.refusal("localhost", "10.1.2.3") is not None
