"""One request, as a handler sees it: the services, the caller, and parameters read with an error for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope

from masthead.api.body import check_media_type, decode, read_body, refuse_repeated
from masthead.api.headers import header
from masthead.api.services import Services
from masthead.kernel.caller import Caller
from masthead.kernel.errors import InvalidRequest, pointer_to
from masthead.telemetry.logs import redact

__all__ = ["Ask"]

_TRUE = ("true", "1", "yes", "on")
_SHOWN_LENGTH = 80
_FALSE = ("false", "0", "no", "off")


class Ask(Request):
    """A request with what is needed to answer it."""

    def __init__(self, scope: Scope, receive: Receive, services: Services) -> None:
        super().__init__(scope, receive)
        self.services = services

    @property
    def caller(self) -> Caller:
        """In whose name it is asked."""
        caller: Caller = self.scope["masthead.caller"]
        return caller

    def path(self, name: str) -> str:
        """Give a part of the path, trimmed."""
        return str(self.path_params[name]).strip()

    def text(self, name: str, default: str = "") -> str:
        """Give a query parameter; *default* when it is absent or empty."""
        return self.query_params.get(name, "").strip() or default

    def words(self, name: str) -> tuple[str, ...]:
        """Give a list parameter: commas, repetition or both; empty parts are left out."""
        given = ",".join(self.query_params.getlist(name))
        return tuple(filter(None, map(str.strip, given.split(","))))

    def number(self, name: str, default: int, *, minimum: int = 0) -> int:
        """Give a whole number out of the query.

        Raises:
            InvalidRequest: it is not a whole number, or below *minimum*.
        """
        given = self.number_or_none(name, minimum=minimum)
        return default if given is None else given

    def number_or_none(self, name: str, *, minimum: int = 0) -> int | None:
        """Give a whole number out of the query, or None when it is absent.

        Raises:
            InvalidRequest: it is not a whole number, or below *minimum*.
        """
        given = self.text(name)
        if not given:
            return None
        if not (given.isascii() and given.isdigit() and len(given) <= 9) or int(given) < minimum:
            raise InvalidRequest(f"The query parameter {name} must be a whole number, {minimum} or more.")
        return int(given)

    def flag(self, name: str, *, default: bool) -> bool:
        """Give a yes or no out of the query.

        Raises:
            InvalidRequest: it is neither.
        """
        given = self.text(name).lower()
        if given in _TRUE:
            return True
        if given in _FALSE:
            return False
        if given:
            raise InvalidRequest(f"The query parameter {name} must be true or false.")
        return default

    async def raw(self) -> bytes:
        """Give the body as it came, within the limits."""
        return await read_body(self.scope, self.receive, self.services.limits)

    async def document(self) -> Any:
        """Give the body's JSON document.

        Raises:
            Refused: 400, it is too large; or 415.
            InvalidRequest: it cannot be used.
        """
        check_media_type(header(self.scope, b"content-type"))
        return decode(await self.raw(), self.services.limits)

    async def object(self, *, unique: Sequence[str] = ()) -> dict[str, Any]:
        """Give the body, which must be an object that says each field of *unique* once at most."""
        check_media_type(header(self.scope, b"content-type"))
        body = await self.raw()
        document = _expect_object(decode(body, self.services.limits))
        refuse_repeated(body, unique)
        return document

    async def object_or_none(self) -> dict[str, Any] | None:
        """Give the body, which must be an object, absent or null."""
        body = await self.raw()
        if not body.strip():
            return None
        check_media_type(header(self.scope, b"content-type"))
        document = decode(body, self.services.limits)
        return None if document is None else _expect_object(document)

    async def expect_nothing(self) -> None:
        """Refuse a body that says anything: it may be empty or an empty object.

        Raises:
            InvalidRequest: it is neither.
        """
        body = await self.raw()
        if not body.strip():
            return
        for name in _expect_object(decode(body, self.services.limits)):
            pointer = pointer_to(redact(name[:_SHOWN_LENGTH]))
            raise InvalidRequest("Nothing can be said in the body here; leave it empty.", pointer=pointer)

    async def objects(self) -> list[dict[str, Any]]:
        """Give the body, which must be a list of objects."""
        document = await self.document()
        if not isinstance(document, list):
            raise InvalidRequest("The body must be a list of objects.", pointer="")
        for index, item in enumerate(document):
            if not isinstance(item, dict):
                raise InvalidRequest("The body must be a list of objects.", pointer=f"/{index}")
        return document


def _expect_object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be an object: {…}.", pointer="")
    return document
