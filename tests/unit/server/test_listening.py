"""Where the server may listen."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from masthead.config import AccessSettings, ServerSettings, Settings
from masthead.kernel.errors import ConfigurationInvalid
from masthead.server.listening import find_place, listen, warning_of
from masthead.server.run import serve

OPEN = ["0.0.0.0", "::", "", "0", "::ffff:0.0.0.0", "192.0.2.1", "2001:db8::1", "0x0"]
CLOSED = ["127.0.0.1", "::1", "localhost", "127.0.0.5", "127.1", "::ffff:127.0.0.1"]


def settings(host: str, **access) -> Settings:
    return replace(Settings(), server=ServerSettings(host=host), access=AccessSettings(**access))


@pytest.mark.parametrize("host", CLOSED)
def test_this_machine_needs_no_users(host):
    """Names are judged by the number they lead to, which is then listened on."""
    place = find_place(settings(host))
    assert place.is_this_machine
    assert warning_of(settings(host), place) is None


@pytest.mark.parametrize("host", OPEN)
def test_without_users_nobody_else_is_listened_to(host):
    """However the address is written; the sentence names each remedy."""
    with pytest.raises(ConfigurationInvalid) as refused:
        find_place(settings(host))
    for remedy in ("masthead user add", "access.usersFile", "127.0.0.1", "--insecure"):
        assert remedy in refused.value.message


@pytest.mark.parametrize("host", OPEN)
def test_with_users_or_when_told_it_may_listen_anywhere(host):
    """And says what to mind."""
    insecure, guarded = settings(host, insecure=True), settings(host, users_file="/etc/users")
    assert "INSECURE" in warning_of(insecure, find_place(insecure))
    assert "https" in warning_of(guarded, find_place(guarded))


def test_what_is_listened_on_is_what_was_judged():
    """A name that leads elsewhere a moment later changes nothing."""
    place = find_place(settings("localhost"))
    with listen(place, 0) as listener:
        assert listener.getsockname()[0] == place.address == "127.0.0.1"


@pytest.mark.parametrize("host", ["no such host", "unix:/tmp/socket", "a\x00b", "x" * 300, "/tmp/socket"])
def test_what_is_no_address_is_said(host):
    """Before anything is started."""
    with pytest.raises(OSError, match="cannot be listened on"):
        find_place(settings(host))


@pytest.mark.parametrize("options", [{"also": {"echo": 0}}, {}])
def test_the_command_ends_with_78_before_it_opens_anything(options, capsys, tmp_path, monkeypatch):
    """Neither a port nor the database; the same for doors on ports of their own, which share the address."""
    monkeypatch.setattr(socket.socket, "bind", lambda *_: pytest.fail("it took a port"))
    database = tmp_path / "m.db"
    status = serve(host="0.0.0.0", port=0, database=f"sqlite:///{database}", **options)
    assert status == 78
    assert "--insecure" in capsys.readouterr().err
    assert not database.exists()


def test_a_broken_file_of_users_ends_the_start(capsys, tmp_path, monkeypatch):
    """With its line; nobody is let in by mistake."""
    (tmp_path / "users").write_text("# us\nann\n")
    monkeypatch.setenv("MASTHEAD_ACCESS_USERS_FILE", str(tmp_path / "users"))
    status = serve(port=0, database=f"sqlite:///{tmp_path}/m.db")
    assert status == 78
    assert "users:2: " in capsys.readouterr().err
