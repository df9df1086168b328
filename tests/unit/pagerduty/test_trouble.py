"""What people read when no answer came."""

from __future__ import annotations

import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from masthead.kernel.errors import Reason
from masthead.pagerduty.trouble import no_answer

URL = "https://ann:secret@api.pagerduty.com/base"
KEY = ConnectionKey("api.pagerduty.com", 443, True, True, None, None, None)
PROXY = ConnectionKey("proxy.example.com", 3128, False, True, None, None, None)
UNTRUSTED = ssl.SSLCertVerificationError("certificate verify failed")
UNTRUSTED.verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "did not answer in time"),
        (aiohttp.ServerTimeoutError(), "did not answer in time"),
        (socket.gaierror(-2, "x"), "is a name that no name server here knows"),
        (aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "x")), "refused the connection"),
        (
            aiohttp.ClientConnectorCertificateError(KEY, UNTRUSTED),
            "shows a certificate that is not trusted here",
        ),
        (UNTRUSTED, "shows a certificate that is not trusted here (self-signed certificate)"),
        (ssl.SSLError(1, "x"), "does not speak TLS as it should"),
        (aiohttp.ServerDisconnectedError(), "broke the connection off before it had answered"),
        (ConnectionResetError(104, "x"), "broke the connection off before it had answered"),
        (OSError(113, "No route to host"), "was not reached (No route to host)"),
        (ValueError("Token token=abc"), "was not asked: the token or the address holds a character"),
        (BufferError("x"), "gave no answer that can be read (BufferError)"),
        (
            aiohttp.ClientProxyConnectionError(PROXY, OSError(111, "x")),
            "was not reached: the proxy proxy.example.com:3128 takes no connection",
        ),
    ],
)
def test_every_failure_is_one_phrase_with_the_host(error, words):
    """The host comes first, and nothing of what libraries say, nor of who asks."""
    reason, phrase = no_answer(error, URL)
    assert phrase.startswith(f"api.pagerduty.com {words}")
    assert reason is (Reason.TIMEOUT if isinstance(error, TimeoutError) else Reason.NETWORK)
    assert "secret" not in phrase
