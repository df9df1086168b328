"""Our cookies: the session's, that of a visitor who is not logged in, and the one that a logout leaves.

``SameSite=Lax``, not ``Strict``: a link to an execution in a chat or in an incident must open it for who is logged
in, and Lax sends the cookie along only when the link leads to a page, never with a form or a script of another site.
Over https the names begin with ``__Host-``: a browser then takes such a cookie from this very host only, so that no
neighbour below the same domain can plant one. (Sources: RFC 6265bis, sections 4.1.3.2 and 5.7.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["LEFT", "SESSION", "VISITOR", "after_logout", "cookie_values", "deletion", "set_cookie"]

SESSION = "masthead-session"
VISITOR = "masthead-visitor"
#: Opens nothing: forms that were open at the logout can be sent after the same user's next login.
LEFT = "masthead-left"
_PREFIX = "__Host-"
#: Most bytes of the Cookie headers that are looked through.
_LONGEST_HEADER = 32_768


def set_cookie(name: str, value: str, *, is_secure: bool, lasts_s: int | None = None) -> str:
    """Give a Set-Cookie header; without *lasts_s* the cookie lasts until the browser is closed."""
    lasts = "" if lasts_s is None else f"; Max-Age={lasts_s}"
    secure = "; Secure" if is_secure else ""
    return f"{_name(name, is_secure=is_secure)}={value}; Path=/; HttpOnly; SameSite=Lax{lasts}{secure}"


def deletion(name: str, *, is_secure: bool) -> str:
    """Give a Set-Cookie header that has the browser forget the cookie."""
    return set_cookie(name, "", is_secure=is_secure, lasts_s=0)


def after_logout(left: str, *, is_secure: bool, lasts_s: int) -> Iterator[str]:
    """Give the Set-Cookie headers of a logout: the session is forgotten, its forms are not yet."""
    yield deletion(SESSION, is_secure=is_secure)
    if left:
        yield set_cookie(LEFT, left, is_secure=is_secure, lasts_s=lasts_s)


def cookie_values(headers: Sequence[tuple[bytes, bytes]], name: str, *, is_secure: bool) -> Iterator[str]:
    """Give what the request's Cookie headers say for *name*; several, when somebody else set one of the same name."""
    wanted = f"{_name(name, is_secure=is_secure)}=".encode()
    for header, value in headers:
        if header == b"cookie" and wanted in value and len(value) <= _LONGEST_HEADER:
            for part in value.split(b";"):
                if part.strip().startswith(wanted):
                    yield part.strip()[len(wanted) :].decode("latin-1")


def _name(name: str, *, is_secure: bool) -> str:
    return _PREFIX + name if is_secure else name
