"""What expressions are evaluated in: the root object, the execution, and answers from outside.

Evaluating is a calculation and waits for nobody. A function that needs the outside (``#fromUrl``,
``#pipelineId``, …) asks the answers it was given; what is not among them is noted as wanted, and whoever
evaluates fetches it and evaluates again (``document.resolve``).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from masthead.kernel.clock import Clock, SystemClock
from masthead.kernel.errors import MastheadError
from masthead.pipelines.expressions.bounds import Budget, Limits
from masthead.pipelines.expressions.errors import HelperFailed
from masthead.pipelines.expressions.values import sound

__all__ = [
    "NO_ANSWERS",
    "Answer",
    "EvaluationContext",
    "FakeOutside",
    "Lookup",
    "Nothing",
    "Outside",
    "Running",
    "Source",
    "Version",
    "Wanted",
]

_SYSTEM_CLOCK = SystemClock()


class Version(StrEnum):
    """When a pipeline's expressions are evaluated; an unknown or missing version is v3.

    Source: Spinnaker compatibility facts, section 4.10.6 (v2 is v3 under an old name).
    """

    V3 = "v3"
    V4 = "v4"

    @classmethod
    def of(cls, written: object) -> Version:
        """Give the version that a pipeline's ``spelEvaluator`` says."""
        return cls.V4 if isinstance(written, str) and written.strip().lower() == cls.V4 else cls.V3


class Source(StrEnum):
    """Where an answer comes from."""

    URL = "url"
    APPLICATION = "application"
    PIPELINE_ID = "pipeline id"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question to the outside; equal questions have one answer."""

    source: Source
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the outside said: a value, or the sentence why there is none."""

    value: Any = None
    refusal: str | None = None


class _NoAnswers(dict[Lookup, Answer]):
    """Answers every question with a refusal."""

    def get(self, key: Lookup, default: Any = None) -> Any:
        """Refuse."""
        del key, default
        return Answer(refusal="Nothing outside of the execution can be asked here.")


#: For evaluating where nobody can be waited for.
NO_ANSWERS: Mapping[Lookup, Answer] = _NoAnswers()


class Wanted(Exception):
    """An answer is needed to go on; never leaves this package."""

    def __init__(self, lookup: Lookup) -> None:
        super().__init__()
        self.lookup = lookup


class Outside(Protocol):
    """What expressions may ask of the rest of Masthead and of the network."""

    async def text_of_url(self, url: str) -> str:
        """GET *url* under the same restrictions as the webhook stage.

        Raises:
            MastheadError: it is not allowed, or there is no answer.
        """
        ...

    async def application(self, name: str) -> dict[str, Any] | None:
        """Give an application without its integration key, or None."""
        ...

    async def pipeline_id(self, application: str, name: str) -> str | None:
        """Give the id of the application's pipeline of that name, or None."""
        ...


@dataclass(slots=True)
class FakeOutside:
    """An outside made of dictionaries, which remembers what it was asked."""

    urls: dict[str, str | MastheadError] = field(default_factory=dict)
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: (application, pipeline name) → id.
    pipeline_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def text_of_url(self, url: str) -> str:
        """Give the text; raise what is there instead of one."""
        self.asked.append(("url", url))
        answer = self.urls.get(url, MastheadError("There is nothing at this address."))
        if isinstance(answer, MastheadError):
            raise answer
        return answer

    async def application(self, name: str) -> dict[str, Any] | None:
        """Give the application."""
        self.asked.append(("application", name))
        return self.applications.get(name)

    async def pipeline_id(self, application: str, name: str) -> str | None:
        """Give the id."""
        self.asked.append(("pipeline id", application, name))
        return self.pipeline_ids.get((application, name))


class Nothing:
    """An outside that is not there: every question fails with the same sentence."""

    async def text_of_url(self, url: str) -> str:
        """Refuse."""
        del url
        raise MastheadError("Expressions here cannot read from a URL.")

    async def application(self, name: str) -> dict[str, Any] | None:
        """Refuse."""
        del name
        raise MastheadError("Expressions here cannot look up applications.")

    async def pipeline_id(self, application: str, name: str) -> str | None:
        """Refuse."""
        del application, name
        raise MastheadError("Expressions here cannot look up pipelines.")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationContext:
    """Everything an expression can read. Nothing in it is ever changed.

    Attributes:
        root: The root object: names without ``#`` are looked up in it. Any mapping; a missing key is null.
        execution: The execution's JSON, for the functions that read it; None where there is none (tasks).
        stage_id: Id of the stage that runs, for ``#currentStage()``.
        user: In whose name it runs.
        allow_unknown_keys: False makes a missing key of a map an error, as when a pipeline starts.
        answers: What the outside has said so far.
        clock: Where "now" and the time limit come from.
        chance: Where ``Math.random`` and the like come from.
        limits: How much an expression may use.
    """

    root: Mapping[str, Any]
    execution: Mapping[str, Any] | None = None
    stage_id: str | None = None
    user: str = "anonymous"
    allow_unknown_keys: bool = True
    answers: Mapping[Lookup, Answer] = field(default_factory=dict)
    clock: Clock = _SYSTEM_CLOCK
    chance: random.Random = field(default_factory=random.SystemRandom)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Running:
    """One evaluation under way: handed to every method and function."""

    context: EvaluationContext
    budget: Budget

    @property
    def execution(self) -> Mapping[str, Any]:
        """Give the execution.

        Raises:
            HelperFailed: there is none.
        """
        if self.context.execution is None:
            raise HelperFailed("An execution context is required for this function")
        return self.context.execution

    def ask(self, source: Source, *arguments: str) -> Any:
        """Give what the outside answered.

        Raises:
            HelperFailed: it refused.
            Wanted: it was not asked yet.
        """
        lookup = Lookup(source, tuple(map(sound, arguments)))
        answer = self.context.answers.get(lookup)
        if answer is None:
            raise Wanted(lookup)
        if answer.refusal is not None:
            raise HelperFailed(answer.refusal)
        return answer.value
