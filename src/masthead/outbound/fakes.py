"""Fakes for tests: names that resolve as they are told, and a world that answers from a script."""

from __future__ import annotations

import ipaddress
from collections import defaultdict, deque
from collections.abc import Sequence

import msgspec

from masthead.outbound.addresses import Address
from masthead.outbound.client import Reply, Request
from masthead.outbound.problems import UnknownHost

__all__ = ["FakeOutbound", "FakeResolver", "reply"]


class FakeResolver:
    """Names and their addresses; several lists for one name are given one after the other, the last for ever."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._names: dict[str, deque[Sequence[str]]] = {}
        for name, addresses in names.items():
            self.set(name, addresses)

    def set(self, name: str, *answers: Sequence[str]) -> None:
        """Have *name* resolve to each of *answers* in turn."""
        self._names[name] = deque(answers)

    async def addresses(self, host: str) -> Sequence[Address]:
        """Give the next answer."""
        self.asked.append(host)
        if host not in self._names:
            raise UnknownHost(f"{host}: Name or service not known")
        answers = self._names[host]
        found = answers.popleft() if len(answers) > 1 else answers[0]
        return [ipaddress.ip_address(each) for each in found]


def reply(status: int = 200, body: object = b"", **headers: str) -> Reply:
    """Give an answer; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if not isinstance(body, bytes):
        named.setdefault("Content-Type", "application/json")
    return Reply(status, named, content, "")


class FakeOutbound:
    """Answers each URL from its own script, the last answer for ever; without one the host is unknown."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._script: defaultdict[str, deque[Reply | Exception]] = defaultdict(deque)

    def script(self, url: str, *answers: Reply | Exception) -> None:
        """Have *url* answer so, after what it was told before."""
        self._script[url].extend(answers)

    async def request(self, request: Request, *, max_response_bytes: int | None = None) -> Reply:
        """Give the next answer, or raise it."""
        del max_response_bytes
        self.requests.append(request)
        answers = self._script.get(request.url)
        if not answers:
            raise UnknownHost(f"{request.url}: Name or service not known")
        found = answers.popleft() if len(answers) > 1 else answers[0]
        if isinstance(found, Exception):
            raise found
        return Reply(found.status, found.headers, found.body, request.url)
