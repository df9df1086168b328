"""In front of every door: who asks, and whether anybody else than this machine may.

With users everything needs a session or HTTP Basic, but for the few paths in :data:`PUBLIC` and what the login page
looks like: a path that nobody thought of is closed. Without users only requests of this machine, and meant for it, are
taken. What a door reads afterwards: ``masthead.caller``, for pages ``masthead.csrf`` (the token of their forms), and
``masthead.entered`` where the caller has a session.

It stands inside of Cors, which answers preflights (they carry no cookie), marks the refusals for Deck, and has
refused what pages of other origins want to do.
"""

from __future__ import annotations

import hmac
import json
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masthead.access import Access, Entered, User
from masthead.access.cookies import SESSION, VISITOR, cookie_values, set_cookie
from masthead.api.answers import empty
from masthead.api.cors import split_address
from masthead.api.errors import answer_error
from masthead.api.headers import header, headers_of
from masthead.api.health import PATHS as HEALTH_PATHS
from masthead.api.services import Services
from masthead.kernel.caller import Caller
from masthead.kernel.errors import AccessDenied, MastheadError, TooManyAttempts, Unauthenticated

__all__ = ["PUBLIC", "Guard"]

#: Answered to everybody: whether it lives, and the way in and out.
PUBLIC = frozenset(
    {
        *(door + path for door in ("", "/orca", "/echo", "/front50") for path in HEALTH_PATHS),
        "/ui/login",
        "/ui/theme",
        "/auth/loggedOut",
    }
)
#: Other systems post here, and can start only what waits for just this; Gate asks them for nothing (compat 2.5).
_WEBHOOKS = ("/webhooks/", "/echo/webhooks/")
_LOGIN = "/ui/login"
_PAGES = "/ui/"
_STATIC = "/ui/static/"
_METRICS = "/metrics"
_SAFE = ("GET", "HEAD", "OPTIONS")
#: RFC 7617. A browser's script gets another word, on which no browser opens a window that asks for a password.
_ENDED = "Your session has ended, so nothing was done. Log in again in another tab, then send this once more."
_BASIC, _QUIET = 'Basic realm="Masthead", charset="UTF-8"', 'Session realm="Masthead"'


class Guard:
    """Lets through who may ask."""

    def __init__(self, app: ASGIApp, *, services: Services, has_pages: bool) -> None:
        """Args: has_pages: Whether there is a login page to send people to."""
        self._app = app
        self._services = services
        self._access: Access = services.access
        self._is_open = self._access.is_open
        self._this_machine = None if self._access.settings.insecure else self._access.this_machine
        self._has_pages = has_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self._pass_other(scope, receive, send)
            return
        try:
            if self._is_open:
                send = self._admit_anonymous(scope, send)
            else:
                send = await self._admit(scope, send)
        except Unauthenticated as error:
            await self._ask_for_login(error, scope, receive, send)
        except (AccessDenied, TooManyAttempts) as error:
            await answer_error(error, scope, at=self._services.clock.now())(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _pass_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse websockets: there are none here, and nobody may find that out by asking."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    def _admit_anonymous(self, scope: Scope, send: Send) -> Send:
        if self._this_machine is not None:
            address = (scope.get("client") or ("",))[0]
            if refusal := self._this_machine.refusal(header(scope, b"host"), address):
                raise AccessDenied(refusal)
        return self._with_visitor(scope, send) if scope["path"].startswith(_PAGES) else send

    async def _admit(self, scope: Scope, send: Send) -> Send:
        headers = headers_of(scope)
        if b"cookie" in headers and (entered := self._entered(scope)):
            return self._admit_session(scope, send, entered)
        given = headers.get(b"authorization")
        try:
            self._name(scope, await self._by_header(scope, given))
        except MastheadError:
            if not self._is_public(scope):
                raise
        return self._with_visitor(scope, send) if scope["path"].startswith(_PAGES) else send

    def _is_public(self, scope: Scope) -> bool:
        path, settings = scope["path"], self._access.settings
        if path == _METRICS:
            return settings.open_metrics
        if path.startswith(_WEBHOOKS):
            return settings.open_webhooks and scope["method"] == "POST"
        return path in PUBLIC or _is_static(path)

    def _entered(self, scope: Scope) -> Entered | None:
        is_secure = self._access.is_secure(scope["scheme"])
        return self._access.by_cookie(cookie_values(scope["headers"], SESSION, is_secure=is_secure))

    def _admit_session(self, scope: Scope, send: Send, entered: Entered) -> Send:
        token = self._access.sessions.form_token(entered.session.seed)
        if scope["path"].startswith(_PAGES):
            scope["masthead.csrf"] = token
        elif scope["method"] not in _SAFE:
            _check_intended(scope, token)
        self._name(scope, entered.user)
        scope["masthead.entered"] = entered
        if entered.cookie is None or _is_static(scope["path"]):
            return send
        lasts_s = self._access.sessions.cookie_lasts_s
        return self._setting(scope, send, SESSION, entered.cookie, lasts_s=lasts_s)

    async def _by_header(self, scope: Scope, given: bytes | None) -> User:
        if given is None:
            raise Unauthenticated
        user = self._access.by_remembered(given)
        return user or await self._access.by_basic(given, address=scope["masthead.caller"].address)

    def _name(self, scope: Scope, user: User) -> None:
        """Put the user in the place of the caller whom nobody had named yet."""
        nobody: Caller = scope["masthead.caller"]
        scope["masthead.caller"] = Caller(
            user.name, nobody.origin, nobody.address, nobody.request_id, (), user.roles
        )

    def _with_visitor(self, scope: Scope, send: Send) -> Send:
        """Give the forms of somebody without a session a token, which a cookie of the browser's own proves."""
        if _is_static(scope["path"]):
            return send
        sessions = self._access.sessions
        is_secure = self._access.is_secure(scope["scheme"])
        for cookie in cookie_values(scope["headers"], VISITOR, is_secure=is_secure):
            if seed := sessions.visitor(cookie):
                scope["masthead.csrf"] = sessions.form_token(seed)
                return send
        seed, cookie = sessions.new_visitor()
        scope["masthead.csrf"] = sessions.form_token(seed)
        return self._setting(scope, send, VISITOR, cookie)

    def _setting(
        self, scope: Scope, send: Send, name: str, value: str, *, lasts_s: int | None = None
    ) -> Send:
        """Have the answer set a cookie, unless the page sets or ends the same one itself."""
        is_secure = self._access.is_secure(scope["scheme"])
        line = set_cookie(name, value, is_secure=is_secure, lasts_s=lasts_s)

        async def setting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if not any(
                    one.startswith(line.partition("=")[0] + "=") for one in headers.getlist("set-cookie")
                ):
                    headers.append("set-cookie", line)
            await send(message)

        return setting

    async def _ask_for_login(
        self, error: Unauthenticated, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Lead people to the login page, and answer programs with 401."""
        is_form = self._has_pages and scope["path"].startswith(_PAGES) and scope["method"] not in _SAFE
        is_htmx = b"hx-request" in headers_of(scope)
        if is_form and not is_htmx:
            await self._show_login(scope, receive, send)
            return
        response = answer_error(error, scope, at=self._services.clock.now())
        response.headers["Cache-Control"] = "no-store"
        if is_form:
            said = {"masthead:say": {"kind": "failed", "text": _ENDED}}
            response = empty(status=403, headers={"HX-Trigger": json.dumps(said), "HX-Reswap": "none"})
        elif self._has_pages and _is_navigation(scope):
            response.status_code = 303
            response.headers["Location"] = f"{_LOGIN}?next={quote(_address(scope), safe='')}"
        else:
            is_script = is_htmx or b"sec-fetch-mode" in headers_of(scope)
            response.headers["WWW-Authenticate"] = _QUIET if is_script else _BASIC
        await response(scope, receive, send)

    async def _show_login(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a form whose sender has no session any more with the login page: nothing of it was done."""
        shown = {
            **scope,
            "method": "GET",
            "path": _LOGIN,
            "raw_path": _LOGIN.encode(),
            "query_string": f"next={quote(_address_of_page(scope), safe='')}".encode(),
            "masthead.has-ended": True,
        }
        await self._app(shown, receive, self._with_visitor(shown, send))


def _check_intended(scope: Scope, token: str) -> None:
    """Refuse what a browser sends along with a cookie but no page of an allowed origin asked for.

    Cors has judged the Origin, which every browser sends with such a request; without one the token must be there.
    """
    if b"origin" not in headers_of(scope) and not hmac.compare_digest(
        headers_of(scope).get(b"x-csrf-token", b""), token.encode()
    ):
        raise AccessDenied(
            "A session alone may not change anything here: send HTTP Basic, or the header X-CSRF-Token of a page."
        )


def _is_static(path: str) -> bool:
    return path.startswith(_STATIC) and ".." not in path


def _is_navigation(scope: Scope) -> bool:
    """Whether a person waits for a page: by the path, or because the browser says so."""
    if scope["method"] not in _SAFE or b"hx-request" in headers_of(scope):
        return False
    mode = header(scope, b"sec-fetch-mode")
    is_page = scope["path"].startswith(_PAGES) or scope["path"] in ("/", "/ui", "/auth/redirect")
    return mode == "navigate" or (is_page and mode == "")


def _address(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return quote(scope["path"], safe="/:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")


def _address_of_page(scope: Scope) -> str:
    """Give the page that a form or a script stood on, if it was one of ours; else the overview."""
    told = header(scope, b"hx-current-url") or header(scope, b"referer")
    parts = split_address(told)
    is_ours = parts.netloc == header(scope, b"host") and parts.path.startswith(_PAGES)
    return parts.path + (f"?{parts.query}" if parts.query else "") if is_ours else _PAGES
