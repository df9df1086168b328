"""How a page is made: one environment for all templates, what every page shows, and the headers that every page has.

A page and its fragments share one template file: a fragment is one ``{% block %}`` of it, rendered alone for htmx.
Templates have ``ui`` (the macros of ``macros.html``), ``asset("ui.css")`` (an address that changes with the content),
and of the request ``path``, ``csrf``, ``caller``, ``theme`` and ``nav``. No inline script or style, no request to
another host, no integration key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

import jinja2
from jinja2.bccache import Bucket
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.web.excerpts import first_facts, json_excerpt
from masthead.web.files import Assets
from masthead.web.remedies import remedy_of

__all__ = ["THEMES", "THEME_COOKIE", "Renderer", "is_fragment", "query"]

_HERE = Path(__file__).parent
#: Everything from this host and nothing written into the page itself. What cannot be known here (a login page of
#: another host, an image) is not allowed.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "HX-Request, Cookie",
}
#: An address in a text, without what ends the sentence that it stands in.
_ADDRESS = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]}])")
THEMES = ("system", "light", "dark")
THEME_COOKIE = "masthead_theme"
#: What the next page says once, after a form was posted: "kind:sentence", quoted.
_SAID_COOKIE = "masthead_said"
_SAID_S = 60


@dataclass(frozen=True)
class _Way:
    """An entry of the navigation."""

    title: str
    path: str
    #: Whether it concerns PagerDuty, which ``feature.pagerDuty: false`` hides.
    is_paging: bool = False
    #: Another place that belongs to it.
    more: str = ""


_WAYS = (
    _Way("Applications", "/ui/applications"),
    _Way("Page", "/ui/page", is_paging=True),
    _Way("Services", "/ui/services", is_paging=True),
    _Way("Pages sent", "/ui/pages", is_paging=True),
    _Way("Pipelines", "/ui/pipelines", more="/ui/executions"),
    _Way("On call", "/ui/oncall", is_paging=True),
    _Way("Settings", "/ui/settings"),
)


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of a page; a page that it shows whole (back, a boosted link) is no part."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-Request-Type", "partial") == "partial"


class _Compiled(jinja2.BytecodeCache):
    """Templates as they were compiled, for every renderer of this process: compiling costs far more than rendering."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill *bucket*, if its template was compiled before."""
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what *bucket* holds."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


class Renderer:
    """Renders templates of this package."""

    def __init__(self, *, version: str, shows_paging: bool = True, assets: Assets | None = None) -> None:
        """Build it.

        Args:
            version: Shown at the foot of every page.
            shows_paging: Whether pages lead to what concerns PagerDuty (Deck's ``feature.pagerDuty``).
            assets: Scripts and styles; by default those of this package.
        """
        self.assets = assets or Assets.of_package()
        self._shows_paging = shows_paging
        self._nav: tuple[_Way, ...] = ()
        self._paths: frozenset[str] = frozenset()
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=_COMPILED,
        )
        self._environment.globals |= {
            "version": version,
            "shows_paging": shows_paging,
            "asset": self.assets.address,
            "leads_to": self._leads_to,
            "query": query,
        }
        self._environment.filters |= {
            "instant": _instant,
            "iso": _iso,
            "duration": duration,
            "count": _count,
            "path": _path,
            "short": _short,
            "marked": _marked,
            "linked": _linked,
            "first_facts": first_facts,
            "json_excerpt": json_excerpt,
            "remedy": remedy_of,
        }
        self._environment.globals["ui"] = self._environment.get_template("macros.html").module

    def offer(self, paths: Collection[str]) -> None:
        """Let the navigation lead to those of its places that are among *paths*, the routes that there are."""
        self._paths = frozenset(paths)
        self._nav = tuple(
            way for way in _WAYS if way.path in paths and (self._shows_paging or not way.is_paging)
        )

    def _leads_to(self, path: str) -> bool:
        return path in self._paths

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """Give a whole page."""
        context = self._context(request) | values
        answer = HTMLResponse(self._environment.get_template(template).render(context), status, _HEADERS)
        if context["said"] is not None:
            answer.delete_cookie(_SAID_COOKIE, path="/ui/")
        return answer

    def fragment(
        self, request: Request, template: str, block: str, status: int = 200, reswap: str = "", **values: Any
    ) -> Response:
        """Give one ``{% block %}`` of a template, for htmx to put in its place; *reswap* tells it how."""
        found = self._environment.get_template(template)
        context = found.new_context(self._context(request) | values)
        headers = _HEADERS | {"HX-Reswap": reswap} if reswap else _HEADERS
        return HTMLResponse("".join(found.blocks[block](context)), status, headers)

    def redirect(self, path: str, *, say: str = "", kind: str = "succeeded") -> Response:
        """Lead a browser on after a posted form, so that loading the page anew posts nothing twice.

        Args:
            path: A path of this host.
            say: What the next page says once, as a live message; nothing when empty.
            kind: The message's status: succeeded, failed, warning or neutral.
        """
        answer = RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})
        if say:
            value = quote(f"{kind}:{say}")
            answer.set_cookie(
                _SAID_COOKIE, value, max_age=_SAID_S, path="/ui/", httponly=True, samesite="strict"
            )
        return answer

    def told(self, sentence: str, *, kind: str = "failed", status: int = 200) -> Response:
        """Answer htmx with a live message and nothing to put anywhere."""
        said = json.dumps({"masthead:say": {"kind": kind, "text": sentence}})
        return HTMLResponse("", status, _HEADERS | {"HX-Trigger": said, "HX-Reswap": "none"})

    def _context(self, request: Request) -> dict[str, Any]:
        path = request.url.path
        caller: Caller = request.scope.get("masthead.caller", ANONYMOUS)
        theme = request.cookies.get(THEME_COOKIE, "system")
        return {
            "path": path,
            "address": f"{path}?{request.url.query}" if request.url.query else path,
            "nav": [(way.title, way.path, _is_within(path, way.path, way.more)) for way in self._nav],
            "caller": caller,
            "has_session": "masthead.entered" in request.scope,
            "csrf": request.scope.get("masthead.csrf") or "",
            "theme": theme if theme in THEMES else "system",
            "themes": THEMES,
            "said": _said(request),
        }


def _is_within(path: str, *places: str) -> bool:
    return any(place and (path == place or path.startswith(f"{place}/")) for place in places)


def _said(request: Request) -> tuple[str, str] | None:
    kind, _, sentence = unquote(request.cookies.get(_SAID_COOKIE, "")).partition(":")
    known = kind in ("succeeded", "failed", "warning", "neutral")
    return (kind, sentence) if known and sentence and request.method == "GET" else None


def query(given: Mapping[str, Any], **changes: Any) -> str:
    """Give *given* as a query with some fields changed; None and "" leave one out."""
    together = dict(given) | changes
    kept = {name: value for name, value in together.items() if value not in (None, "", (), [])}
    return f"?{urlencode(kept, doseq=True)}" if kept else "?"


def _instant(when: datetime | None) -> str:
    """Give an instant as people read it in a table."""
    return "" if when is None else when.strftime("%Y-%m-%d %H:%M:%S")


def _iso(when: datetime | None) -> str:
    """Give an instant for ``<time datetime>``."""
    return "" if when is None else when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(span: timedelta | float) -> str:
    """Give a span as its two largest units: "850 ms", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if seconds < 1:
        return f"{max(round(seconds * 1000), 0)} ms"
    whole = int(seconds)
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    place = next(at for at, (size, _) in enumerate(units) if whole >= size)
    size, unit = units[place]
    first = f"{whole // size} {unit}"
    if place == len(units) - 1:
        return first
    size_2, unit_2 = units[place + 1]
    rest = whole % size // size_2
    return f"{first} {rest} {unit_2}" if rest else first


def _count(number: int, one: str, many: str = "") -> str:
    """Give a number with its noun: "1 service", "10,000 services"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _marked(text: str, words: Sequence[str]) -> Markup:
    """Give *text* with each of *words* (in lower case) marked where it stands in it; escaped."""
    if not words or not text:
        return escape(text)
    found = re.compile(
        "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE
    )
    parts, at = [], 0
    for match in found.finditer(text):
        parts += [escape(text[at : match.start()]), Markup("<mark>"), escape(match[0]), Markup("</mark>")]
        at = match.end()
    return Markup("").join([*parts, escape(text[at:])])


def _linked(text: str) -> Markup:
    """Give *text* with the web addresses in it as links; escaped. They tell no other site where one came from."""
    parts = _ADDRESS.split(text)
    return Markup("").join(
        Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(part) if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )


def _short(text: object, length: int) -> str:
    """Give *text* in at most *length* characters; the last is "…" when something is left out, also within a word."""
    whole = str(text)
    return whole if len(whole) <= length else f"{whole[: length - 1].rstrip()}…"


def _path(text: object) -> str:
    """Give *text* as one part of an address's path."""
    return quote(str(text), safe="")
