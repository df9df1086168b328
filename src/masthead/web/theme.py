"""The theme switch, for browsers without script; with script the same cookie is set at once."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.web.forms import read_form
from masthead.web.rendering import THEME_COOKIE, THEMES, Renderer

__all__ = ["local_path", "theme_routes"]

_YEAR_S = 365 * 24 * 3600


def theme_routes(renderer: Renderer) -> Sequence[Route]:
    """Give the route that sets the theme and leads back."""

    async def chosen(request: Request) -> Response:
        # A page stands open after its session has ended, and its theme may be changed all the same.
        form = await read_form(request, needs_token=False)
        answer = renderer.redirect(local_path(form.text("back")))
        theme = form.text("theme")
        if theme in THEMES:
            is_https = request.url.scheme == "https"
            answer.set_cookie(
                THEME_COOKIE, theme, max_age=_YEAR_S, path="/ui/", samesite="lax", secure=is_https
            )
        return answer

    return [Route("/ui/theme", chosen, methods=["POST"], name="theme")]


def local_path(wanted: str) -> str:
    """Give *wanted* if it is a page of ours, else the overview: no form leads a browser elsewhere."""
    is_ours = wanted.startswith("/ui/") and "\\" not in wanted and "\n" not in wanted
    return wanted if is_ours else "/ui/"
