"""Who asks: the caller out of Spinnaker's headers.

Where there are no users the name is believed as given; ``anonymous`` stands for nobody in particular. With users
no header names anybody: the guard puts the one who logged in into the caller's place.

Source: Spinnaker compatibility facts, section 0.3.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

from starlette.types import Scope

from masthead.api.headers import header
from masthead.kernel.caller import Caller
from masthead.kernel.ids import Ids

__all__ = ["REQUEST_ID", "in_name_of", "read_caller"]

REQUEST_ID = "X-SPINNAKER-REQUEST-ID"

#: Longest name, id or account that is taken over from a header.
_LONGEST = 255
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
#: Programs that say who they are in X-RateLimit-App: Deck, and our own command line.
_ORIGINS = ("deck", "cli")


def read_caller(scope: Scope, ids: Ids, *, is_believed: bool = True) -> Caller:
    """Give the caller of a request; the request id is made when the request brings none.

    Args:
        scope: The request.
        ids: Makes the request id.
        is_believed: Whether X-SPINNAKER-USER and X-SPINNAKER-ACCOUNTS say who asks; else it is anonymous as yet.
    """
    accounts = _text(scope, b"x-spinnaker-accounts") if is_believed else ""
    return Caller(
        user=(_text(scope, b"x-spinnaker-user") if is_believed else "") or "anonymous",
        origin=_origin(scope),
        address=(scope.get("client") or ("",))[0],
        request_id=_text(scope, b"x-spinnaker-request-id") or ids.new(),
        accounts=tuple(filter(None, map(str.strip, accounts.split(",")))) if accounts else (),
    )


def in_name_of(caller: Caller, name: str | None) -> Caller:
    """Give *caller* under the *name* that its body says, where nobody else says who it is.

    Only for where there are no users: such a name is proven as little as a header.
    """
    told = _line(name) if name and caller.is_anonymous else ""
    return replace(caller, user=told) if told else caller


def _origin(scope: Scope) -> str:
    told = _text(scope, b"x-ratelimit-app").lower()
    return told if told in _ORIGINS else "api"


def _text(scope: Scope, name: bytes) -> str:
    """Give a header as one line of text: UTF-8 where it is that, else Latin-1, as HTTP has it."""
    value = header(scope, name)
    if not value:
        return ""
    if not value.isascii():
        with contextlib.suppress(UnicodeError):
            value = value.encode("latin-1").decode("utf-8")
    return _line(value)


def _line(value: str) -> str:
    return _UNPRINTABLE.sub("", value).strip()[:_LONGEST]
