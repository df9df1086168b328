"""Forms that people post: read, guarded against other sites, and shown again with what was typed and what is wrong with it.

``form = await read_form(request)`` is the only way to read one. :class:`Errors` collects what is wrong by field;
the macros of ``macros.html`` show it beside the fields and in a summary that takes the focus.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from masthead.kernel.errors import AccessDenied, InvalidRequest

__all__ = ["CSRF_FIELD", "CSRF_HEADER", "Errors", "Form", "check_origin", "read_form"]

CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
#: Largest body of a form, in bytes; a pipeline of a few hundred stages has some hundred thousand.
_MOST_BYTES = 4_000_000
_MOST_FIELDS = 20_000
_URLENCODED = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form in the order in which they came; absent ones are empty."""

    def __init__(self, fields: Sequence[tuple[str, str]] = ()) -> None:
        """Args: fields: Names and values; a name may come several times."""
        self._fields: dict[str, list[str]] = defaultdict(list)
        for name, value in fields:
            self._fields[name].append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def raw(self, name: str) -> str:
        """Give the last value of *name* as typed, every line ended by a line feed; "" when absent."""
        values = self._fields.get(name)
        return values[-1].replace("\r\n", "\n") if values else ""

    def text(self, name: str) -> str:
        """Give the last value of *name* without blanks around it; "" when absent."""
        return self.raw(name).strip()

    def all(self, name: str) -> list[str]:
        """Give all values of *name* that are not empty, each once, in their order."""
        stripped = (value.strip() for value in self._fields.get(name, ()))
        return list(dict.fromkeys(value for value in stripped if value))

    def is_on(self, name: str) -> bool:
        """Whether a check box is ticked."""
        return self.text(name).lower() in ("on", "true", "1", "yes")


class Errors:
    """What is wrong with a form, by field; "" is the form as a whole. False when nothing is."""

    def __init__(self, found: Mapping[str, Sequence[str]] | None = None) -> None:
        """Args: found: Sentences by field."""
        self._found: dict[str, list[str]] = {name: list(those) for name, those in (found or {}).items()}

    def add(self, field: str, sentence: str) -> None:
        """Say that *field* is wrong."""
        self._found.setdefault(field, []).append(sentence)

    def of(self, field: str) -> Sequence[str]:
        """Give what is wrong with *field*."""
        return self._found.get(field, ())

    def __bool__(self) -> bool:
        return any(self._found.values())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Give every field with each of its sentences, in the order in which they were found."""
        return ((name, sentence) for name, those in self._found.items() for sentence in those)


async def read_form(request: Request, *, most_bytes: int = _MOST_BYTES, needs_token: bool = True) -> Form:
    """Read a posted form, after making sure that a page of ours sent it.

    Args:
        request: What was posted.
        most_bytes: The largest body.
        needs_token: Whether the page must be of this session; False for what changes nothing but this browser's looks.

    Raises:
        AccessDenied: another site sent it, or the page is of an earlier session.
        InvalidRequest: it is too large, or no form.
    """
    check_origin(request)
    kind = request.headers.get("Content-Type", _URLENCODED).partition(";")[0].strip().lower()
    if kind != _URLENCODED:
        raise InvalidRequest(f"A form comes as {_URLENCODED}.")
    form = Form(_fields(await _body(request, most_bytes)))
    if needs_token:
        _check_token(request, form)
    return form


def check_origin(request: Request) -> None:
    """Refuse what a page of another origin posts; programs send neither header and have no cookie to abuse.

    Raises:
        AccessDenied: another site sent it.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    is_ours = origin is None or _host_in(origin) == request.headers.get("Host", "").lower()
    if site not in (None, "same-origin", "none") or (site is None and not is_ours):
        raise AccessDenied("Forms are taken from Masthead's own pages only. Nothing was done.")


def _host_in(origin: str) -> str:
    """Give host and port of *origin*; a space, which no Host header is, for what cannot be one."""
    try:
        return urlsplit(origin).netloc.lower() or " "
    except ValueError:
        return " "


def _check_token(request: Request, form: Form) -> None:
    wanted = request.scope.get("masthead.csrf")
    if not wanted:
        return
    given = form.raw(CSRF_FIELD) or request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), str(wanted).encode()):
        raise AccessDenied(
            "This page was opened in an earlier session, so nothing was done. Go back, load the page anew and send it again. "
            "If it was another user's: who logs in under that name in another tab and loads this page anew sends what was typed."
        )


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise InvalidRequest(f"The form is larger than {most:,} bytes. Nothing was done.")
    return bytes(body)


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InvalidRequest("The form cannot be read. Nothing was done.") from error
