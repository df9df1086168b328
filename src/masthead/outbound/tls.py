"""Whom outgoing requests trust, and who they say they are: from the settings to one TLS context.

The system's certificates are trusted, and those that the operator adds. Only PEM is read: what keytool keeps in a JKS or
PKCS#12 store is exported by one command, which the refusal names.

Source: Spinnaker compatibility facts, section 4.7.5 (``webhook.trust``, ``webhook.identity``).
"""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from masthead.kernel.errors import ConfigurationInvalid
from masthead.kernel.secret import Secret

__all__ = ["TlsSettings", "tls_context"]

_BEGIN = "-----BEGIN "
_EXPORT = (
    "holds no PEM; export it with `openssl pkcs12 -in STORE -out store.pem -nodes`"
    " (a JKS store first with `keytool -importkeystore -srckeystore STORE -destkeystore store.p12"
    " -deststoretype PKCS12`)"
)


@dataclass(frozen=True)
class TlsSettings:
    """Texts are PEM themselves or the path of a file that holds it; empty for none."""

    #: Certificates that are trusted besides the system's.
    trust: str = ""
    #: Our certificate, with its chain and perhaps its key.
    certificate: str = ""
    key: Secret | None = None
    key_password: Secret | None = None
    skips_hostname_verification: bool = False
    trusts_self_signed: bool = False


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """Give the context for every outgoing request.

    Raises:
        ConfigurationInvalid: a file cannot be read, or what stands there is not what it must be.
    """
    context = ssl.create_default_context()
    if settings.trust:
        _trust(context, settings.trust)
    if settings.certificate:
        _identify(context, settings)
    if settings.skips_hostname_verification or settings.trusts_self_signed:
        context.check_hostname = False
    if settings.trusts_self_signed:
        context.verify_mode = ssl.CERT_NONE
    return context


def _trust(context: ssl.SSLContext, trust: str) -> None:
    try:
        context.load_verify_locations(cadata=_pem(trust, "webhook.trust"))
    except ssl.SSLError as error:
        raise ConfigurationInvalid(
            f"webhook.trust: holds no certificate that can be read: {error.reason}"
        ) from error


def _identify(context: ssl.SSLContext, settings: TlsSettings) -> None:
    """Load certificate and key; the library reads them from a file only."""
    texts = [_pem(settings.certificate, "webhook.identity")]
    if settings.key is not None:
        texts.append(_pem(settings.key.reveal(), "webhook.identity.identityKeyPem"))
    password = settings.key_password.reveal() if settings.key_password is not None else ""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # readable by its owner only
        file.write("\n".join(texts))
        file.flush()
        try:
            context.load_cert_chain(file.name, password=lambda: password)
        except ssl.SSLError as error:
            raise ConfigurationInvalid(
                f"webhook.identity: certificate and key do not belong together, or the password is wrong ({error.reason})"
            ) from error


def _pem(text: str, key: str) -> str:
    if _BEGIN in text:
        return text
    try:
        found = Path(text).expanduser().read_text("latin-1")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path and no PEM"
        raise ConfigurationInvalid(f"{key}: the file cannot be read: {reason}") from error
    if _BEGIN not in found:
        raise ConfigurationInvalid(f"{key}: the file {_EXPORT}")
    return found
