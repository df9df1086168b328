"""Why no answer came, in one plain phrase with the host: what libraries say of it is for programmers."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

import aiohttp

from masthead.kernel.errors import Reason

__all__ = ["no_answer"]

_BROKEN_OFF = "broke the connection off before it had answered"


def no_answer(error: BaseException, url: str) -> tuple[Reason, str]:
    """Say what kept *url* from answering.

    Args:
        error: What the request raised: aiohttp's, httptools' or the system's.
        url: What was asked; only its host is told.

    Returns:
        TIMEOUT or NETWORK, and a phrase that begins with the host and has no full stop; no secret is in it, because
        nothing of the error's own text is, but what the system and TLS say of the connection.
    """
    host = urlsplit(url).netloc.rpartition("@")[2] or "the host"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return (
            Reason.NETWORK,
            f"{host} was not reached: the proxy {error.host}:{error.port} takes no connection",
        )
    if isinstance(error, TimeoutError):
        return Reason.TIMEOUT, f"{host} did not answer in time"
    return Reason.NETWORK, f"{host} {_what_happened(_innermost(error))}"


def _innermost(error: BaseException) -> BaseException:
    """Give the system's own error behind that of aiohttp."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return error.certificate_error
    return error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error


def _what_happened(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not trusted here ({error.verify_message.rstrip('.')})"
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    if isinstance(error, OSError) and error.strerror:
        return f"was not reached ({error.strerror})"
    return f"gave no answer that can be read ({type(error).__name__})"


#: The first that fits counts.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "is a name that no name server here knows"),
    (ssl.SSLError, "does not speak TLS as it should"),
    (ConnectionRefusedError, "refused the connection"),
    (aiohttp.ClientPayloadError, _BROKEN_OFF),
    (aiohttp.ServerDisconnectedError, _BROKEN_OFF),
    (ConnectionError, _BROKEN_OFF),
    (ValueError, "was not asked: the token or the address holds a character that no request can carry"),
)
