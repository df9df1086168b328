"""How a page is made: one environment for all templates, and the headers that every page has.

No script, no request to another host, no integration key.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from starlette.responses import HTMLResponse, Response

__all__ = ["STATIC", "Renderer"]

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Renderer:
    """Renders templates of this package."""

    def __init__(self, *, version: str, shows_paging: bool = True) -> None:
        """Build it.

        Args:
            version: Shown at the foot of every page.
            shows_paging: Whether pages lead to what concerns PagerDuty (Deck's ``feature.pagerDuty``).
        """
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["version"] = version
        self._environment.globals["shows_paging"] = shows_paging
        self._environment.filters["instant"] = _instant

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Give a page."""
        text = self._environment.get_template(template).render(values)
        return HTMLResponse(text, status_code=status, headers=_HEADERS)


def _instant(when: datetime | None) -> str:
    """Give an instant as people read it in a table."""
    return "" if when is None else when.strftime("%Y-%m-%d %H:%M:%S")
