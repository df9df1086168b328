"""What a page would do before anybody asks for it: who would be woken, and the bodies that would be sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import msgspec

from masthead.applications import Applications, application_id
from masthead.catalog import Catalog
from masthead.kernel.caller import Caller
from masthead.kernel.clock import Clock
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.kernel.secret import KEY_LIKE, Secret, hide_everywhere
from masthead.ownership import problems
from masthead.ownership.judge import Judge, Target
from masthead.ownership.problems import Problem, Weight, is_clear
from masthead.pagerduty import Event, Protocol, encode_event

__all__ = ["Body", "Preflight", "Preflights", "describe_bodies"]


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a page to some applications, services and keys would do."""

    #: Each key once, in the order in which they would be told.
    targets: tuple[Target, ...]
    #: What is wrong with the whole, or with something that was named and leads to no key.
    problems: tuple[Problem, ...] = ()

    @property
    def is_clear(self) -> bool:
        """Whether there is somebody to tell, and nothing is known that keeps any target from waking somebody.

        What nobody can tell, such as whom an event orchestration pages, is a warning and stands in no way.
        """
        own = (one for target in self.targets for one in target.problems)
        return bool(self.targets) and is_clear((*self.problems, *own))


@dataclass(frozen=True, slots=True)
class Body:
    """One event as PagerDuty would get it."""

    #: What stands in the key's place.
    label: str
    protocol: Protocol
    #: The JSON document, with *label* in the key's place.
    document: dict[str, Any]
    #: Bytes of the body with its key.
    size: int


def describe_bodies(
    events: Sequence[Event],
    label: Callable[[Secret], str],
    is_key: Callable[[Secret], bool] = lambda _: False,
) -> list[Body]:
    """Give the bodies that *events* go out with, shortened as they would be, with no key in them, wherever somebody put one.

    Args:
        events: What would be sent.
        label: Gives what people see in a key's place, for instance :meth:`Ownership.label`.
        is_key: Tells whether something is a key, though none of these events is for it.

    Raises:
        InvalidRequest: an event cannot be written as JSON.
    """
    own = {event.routing_key for event in events}

    def hide(found: re.Match[str]) -> str:
        key = Secret(found[0])
        return label(key) if key in own or is_key(key) else found[0]

    return [_body(event, label(event.routing_key), partial(KEY_LIKE.sub, hide)) for event in events]


def _body(event: Event, label: str, hide: Callable[[str], str]) -> Body:
    # Its own place is written anew without the key, not searched for it: what was never written cannot be overlooked.
    body = msgspec.json.decode(encode_event(msgspec.structs.replace(event, routing_key=Secret(label))))
    return Body(label, event.protocol, hide_everywhere(body, hide), len(encode_event(event)))


class Preflights:
    """Finds out what a page would do."""

    def __init__(
        self,
        applications: Applications,
        catalog: Catalog,
        clock: Clock,
        *,
        unknown_key_protocol: Protocol = Protocol.V2,
        prefer_v1: bool = False,
        is_enabled: bool = True,
    ) -> None:
        """Build it.

        Args:
            applications: Whose keys are looked up.
            catalog: What keys and services are judged by.
            clock: What decides who is on call now.
            unknown_key_protocol: The Events API of keys that the catalog does not know.
            prefer_v1: Which key of a service is offered.
            is_enabled: Whether pages are sent at all.
        """
        self._applications = applications
        self._catalog = catalog
        self._clock = clock
        self._unknown_key_protocol = unknown_key_protocol
        self._prefer_v1 = prefer_v1
        self._is_enabled = is_enabled

    def judge(self) -> Judge:
        """Give one that judges by what is known now."""
        return Judge(
            self._catalog,
            now=self._clock.now(),
            unknown_key_protocol=self._unknown_key_protocol,
            prefer_v1=self._prefer_v1,
        )

    def general(self, judge: Judge) -> list[Problem]:
        """Say what is wrong whomever a page is for."""
        return [*([] if self._is_enabled else [problems.paging_off()]), *judge.general()]

    async def preflight(
        self,
        *,
        applications: Sequence[str] = (),
        services: Sequence[str] = (),
        keys: Sequence[Secret] = (),
        caller: Caller,
    ) -> Preflight:
        """Say what a page to all of these would do; nothing is sent and nothing is stored.

        Args:
            applications: Names, in any case.
            services: Each an id, a name, or a part of one service's name only.
            keys: Integration keys.
            caller: In whose name.

        Returns:
            Every key once: those given first, then the services' and the applications'. What leads to no key is told
            in ``problems``; nothing is raised for it.
        """
        del caller  # where READ will be checked
        judge = self.judge()
        search = _Search(judge, self.general(judge))
        for key in keys:
            search.add(key)
        for text in services:
            self._add_service(search, text)
        await self._add_applications(search, applications)
        return Preflight(tuple(search.found.values()), tuple(search.problems))

    def _add_service(self, search: _Search, text: str) -> None:
        try:
            service = self._catalog.find_service(text)
        except (NotFound, InvalidRequest) as error:
            search.problems.append(problems.no_such_service(error.message))
            return
        integration = service.usable(prefer_v1=self._prefer_v1)
        if integration is not None and integration.key is not None:
            search.add(integration.key)
        else:
            search.problems.append(problems.unusable_service(service))

    async def _add_applications(self, search: _Search, names: Sequence[str]) -> None:
        documents = await self._applications.find_many(names)
        spellings: dict[str, str] = {}
        for name in names:
            spellings.setdefault(application_id(name), name)
        for name in spellings.values():
            document = documents.get(name)
            if document is None:
                search.problems.append(problems.no_such_application(name))
            elif key := self._applications.pd_api_key(document):
                search.add(key, application=name)
            else:
                search.problems.append(problems.no_service(name, Weight.ERROR))


@dataclass
class _Search:
    judge: Judge
    problems: list[Problem]
    found: dict[Secret, Target] = field(default_factory=dict)

    def add(self, key: Secret, *, application: str | None = None) -> None:
        target = self.found.get(key) or self.judge.target(key)
        if application is not None:
            target = replace(target, applications=(*target.applications, application))
        self.found[key] = target
