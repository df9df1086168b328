"""The way in and out: the login page, and the button that ends a session."""

from __future__ import annotations

import math
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.access import Access, Entered
from masthead.access.cookies import (
    LEFT,
    SESSION,
    VISITOR,
    after_logout,
    cookie_values,
    deletion,
    set_cookie,
)
from masthead.kernel.errors import TooManyAttempts, Unauthenticated
from masthead.web.domain import WebServices
from masthead.web.forms import Form, read_form
from masthead.web.rendering import Renderer, duration

__all__ = ["login_routes", "safe_next"]

_START = "/ui/"
_LOGIN = "/ui/login"
#: A longer address is nowhere anybody was.
_LONGEST_NEXT = 4000
#: Largest form of a login in bytes: a name, a password, an address.
_MOST_BYTES = 20_000


def safe_next(given: str) -> str:
    """Give the path of this host to go to after the login: *given*, or the overview when it leads elsewhere.

    Browsers take a backslash for a slash, and what begins with two of them for another host.
    """
    is_fit = given.isprintable() and len(given) <= _LONGEST_NEXT and "\\" not in given
    if not is_fit or not given.startswith("/") or given.startswith("//"):
        return _START
    return _START if given.partition("?")[0].partition("#")[0].rstrip("/") == _LOGIN else given


def login_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the routes of the login page and of the log-out button."""
    door = _Door(services.access, renderer)
    return [
        Route(_LOGIN, door.show, methods=["GET"], name="login page"),
        Route(_LOGIN, door.log_in, methods=["POST"], name="log in"),
        Route("/ui/logout", door.log_out, methods=["POST"], name="log out"),
    ]


class _Door:
    def __init__(self, access: Access, renderer: Renderer) -> None:
        self._access = access
        self._renderer = renderer

    async def show(self, request: Request) -> Response:
        wanted = safe_next(request.query_params.get("next", ""))
        if "masthead.entered" in request.scope:
            return self._renderer.redirect(wanted)
        has_ended = bool(request.scope.get("masthead.has-ended"))
        is_out = "out" in request.query_params
        return self._page(request, 401 if has_ended else 200, next=wanted, has_ended=has_ended, is_out=is_out)

    async def log_in(self, request: Request) -> Response:
        form = await read_form(request, most_bytes=_MOST_BYTES)
        if self._access.is_open:
            return self._renderer.redirect(_START)
        wanted = safe_next(form.raw("next"))
        try:
            entered = await self._enter(request, form)
        except Unauthenticated:
            problem, status, headers = "The name or the password is wrong.", 403, {}
        except TooManyAttempts as error:
            wait_s = math.ceil(error.retry_after)
            problem, status = f"Too many attempts. Wait {duration(wait_s)}, then try again.", 429
            headers = {"Retry-After": str(wait_s)}
        else:
            return self._let_in(request, entered, wanted)
        answer = self._page(request, status, next=wanted, problem=problem, name=form.text("name"))
        answer.headers.update(headers)
        return answer

    async def log_out(self, request: Request) -> Response:
        await read_form(request, most_bytes=_MOST_BYTES)
        entered: Entered | None = request.scope.get("masthead.entered")
        left = await self._access.leave(entered.session) if entered else ""
        lasts_s = self._access.sessions.left_lasts_s
        answer = self._renderer.redirect(f"{_LOGIN}?out=1")
        for line in after_logout(left, is_secure=self._is_secure(request), lasts_s=lasts_s):
            answer.headers.append("set-cookie", line)
        return answer

    async def _enter(self, request: Request, form: Form) -> Entered:
        headers, is_secure = request.scope["headers"], self._is_secure(request)
        earlier = (
            value for name in (SESSION, LEFT) for value in cookie_values(headers, name, is_secure=is_secure)
        )
        return await self._access.enter(
            form.text("name"),
            form.raw("password"),
            address=request.scope["masthead.caller"].address,
            before=next(earlier, ""),
        )

    def _let_in(self, request: Request, entered: Entered, wanted: str) -> Response:
        answer, is_secure = self._renderer.redirect(wanted), self._is_secure(request)
        lasts_s = self._access.sessions.cookie_lasts_s
        session = set_cookie(SESSION, entered.cookie or "", is_secure=is_secure, lasts_s=lasts_s)
        answer.headers.append("set-cookie", session)
        for name in (VISITOR, LEFT):
            answer.headers.append("set-cookie", deletion(name, is_secure=is_secure))
        return answer

    def _page(self, request: Request, status: int, **values: object) -> Response:
        shown = {"next": _START, "name": "", "problem": "", "has_ended": False, "is_out": False, **values}
        shown |= {"is_open": self._access.is_open, "insecure": self._access.settings.insecure}
        return self._renderer.page(request, "login.html", status, **shown)

    def _is_secure(self, request: Request) -> bool:
        return self._access.is_secure(request.url.scheme)
