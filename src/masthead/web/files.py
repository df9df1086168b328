"""Scripts and styles: held in memory, served under an address that changes with their content, kept by browsers for good."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

__all__ = ["Assets", "asset_route"]

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class _File:
    body: bytes
    media_type: str
    digest: str

    @cached_property
    def zipped(self) -> bytes:
        """Give the body as it goes over the wire, made when somebody first asks for it."""
        return gzip.compress(self.body, mtime=0)


class Assets:
    """The built files by their names."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Args: files: By name, for instance ``ui.css``; the ending says what it is."""
        self._files = {
            name: _File(
                body,
                _TYPES[Path(name).suffix],
                hashlib.sha256(body).hexdigest()[:12],
            )
            for name, body in files.items()
        }

    @classmethod
    @cache
    def of_package(cls) -> Assets:
        """Give the files that ship with Masthead, read once."""
        return cls({one.name: one.read_bytes() for one in _STATIC.iterdir() if one.suffix in _TYPES})

    def address(self, name: str) -> str:
        """Give the address of a file.

        Raises:
            KeyError: there is no such file; ``make assets`` makes them.
        """
        return f"/ui/static/{self._files[name].digest}/{name}"

    def answer(self, request: Request) -> Response:
        """Serve a file: for good under its present address, once under an older one."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        is_present = request.path_params["digest"] == file.digest
        headers = {
            "Cache-Control": _FOR_GOOD if is_present else "no-cache",
            "Content-Type": file.media_type,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if re.search(r"\bgzip\b", request.headers.get("Accept-Encoding", "")):
            return Response(file.zipped, headers=headers | {"Content-Encoding": "gzip"})
        return Response(file.body, headers=headers)


def asset_route(assets: Assets) -> BaseRoute:
    """Give the route of all files."""

    async def served(request: Request) -> Response:
        return assets.answer(request)

    return Route("/ui/static/{digest}/{name}", served, methods=["GET"], name="scripts and styles")
