"""One REST call: who makes it, what it asks for, and how a list is cut into pages.

Source of the rules: PagerDuty's developer documentation, "Authentication", "Pagination", "Errors" and
"Rate Limits".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from starlette.datastructures import QueryParams

from masthead.simulator.incidents import Agent
from masthead.simulator.organisation import Token
from masthead.simulator.wire import Answer, json_answer
from masthead.simulator.world import World

__all__ = [
    "MOST_OFFSET",
    "PAGE_DEFAULT",
    "PAGE_MOST",
    "Call",
    "Refusal",
    "invalid",
    "not_found",
    "parse_instant",
]

T = TypeVar("T")

PAGE_DEFAULT = 25
PAGE_MOST = 100
#: ``offset + limit`` beyond this is refused.
MOST_OFFSET = 10_000


class Refusal(Exception):
    """The call cannot be answered as asked; carries PagerDuty's error body."""

    def __init__(
        self, status: int, message: str, code: int | None = None, *, errors: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.errors = status, message, code, errors

    def answer(self) -> Answer:
        """Give the answer that says so."""
        error: dict[str, Any] = {"message": self.message}
        if self.code is not None:
            error["code"] = self.code
        if self.errors:
            error["errors"] = list(self.errors)
        return json_answer(self.status, {"error": error})


def invalid(*errors: str) -> Refusal:
    """Refuse input, saying what is wrong with it."""
    return Refusal(400, "Invalid Input Provided", 2001, errors=errors)


def not_found() -> Refusal:
    """Say that nothing has this id."""
    return Refusal(404, "Not Found", 2100)


def parse_instant(text: str, name: str) -> datetime:
    """Read an ISO 8601 instant; without a zone it is UTC.

    Raises:
        Refusal: It is none.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"{name} is not a valid ISO 8601 date") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


class Call(msgspec.Struct):
    """An authenticated call, as an endpoint sees it."""

    world: World
    token: Token
    query: QueryParams
    path: dict[str, str]
    #: The ``From`` header; empty when there is none.
    sender: str = ""
    raw: bytes = b""

    def many(self, name: str) -> list[str]:
        """Give the values of ``name[]`` (or plain ``name``) in the query."""
        return self.query.getlist(f"{name}[]") + self.query.getlist(name)

    def includes(self, name: str) -> bool:
        """Say whether *name* is asked for by ``include[]``."""
        return name in self.many("include")

    def flag(self, name: str) -> bool:
        """Say whether *name* is ``true`` in the query."""
        return self.query.get(name, "").lower() == "true"

    def body(self, wrapper: str) -> dict[str, Any]:
        """Give the object that the request's body holds under *wrapper*.

        Raises:
            Refusal: The body is not of this shape.
        """
        try:
            document = msgspec.json.decode(self.raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise invalid("The body is not valid JSON") from error
        inner = document.get(wrapper) if isinstance(document, dict) else None
        if not isinstance(inner, dict):
            raise invalid(f"{wrapper.replace('_', ' ').capitalize()} cannot be empty")
        return inner

    def author(self) -> Agent:
        """Give the user in whose name the call changes something.

        Raises:
            Refusal: An account-level token without a valid ``From`` header.
        """
        directory = self.world.directory
        user = directory.find_user(self.sender) if self.sender else directory.users.get(self.token.user)
        if user is None:
            text = "Requester User Not Found" if self.sender else "From header is required"
            raise Refusal(400, text, 1008 if self.sender else 2001, errors=[text])
        return Agent.of_user(user)

    def page(self, name: str, items: Sequence[T], render: Callable[[T], Any]) -> Answer:
        """Answer with the page of *items* that the query asks for, under the key *name*.

        Raises:
            Refusal: The page lies beyond what PagerDuty gives, or its numbers are none.
        """
        limit = min(self._number("limit", PAGE_DEFAULT), PAGE_MOST)
        offset = self._number("offset", 0)
        if offset + limit > MOST_OFFSET:
            raise invalid(f"Offset plus limit must not be greater than {MOST_OFFSET}")
        shown = items[offset : offset + limit]
        document = {
            name: [render(item) for item in shown],
            "limit": limit,
            "offset": offset,
            "total": len(items) if self.flag("total") else None,
            "more": offset + limit < len(items),
        }
        return json_answer(200, document)

    def _number(self, name: str, default: int) -> int:
        text = self.query.get(name)
        if text is None or text == "":
            return default
        if not (text.isascii() and text.isdecimal()):
            raise invalid(f"{name.capitalize()} must be a non-negative integer")
        return int(text)
