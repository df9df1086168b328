"""Every application and every stage that pages, looked at before it matters: would somebody be woken now?"""

from __future__ import annotations

import asyncio
import re
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from masthead.applications import SPINNAKER, Applications, application_id, pd_api_key
from masthead.kernel.caller import Caller
from masthead.kernel.errors import NotFound, NotSupported, Reason
from masthead.kernel.secret import Secret
from masthead.ownership import problems
from masthead.ownership.judge import Judge, Target
from masthead.ownership.preflight import Preflights
from masthead.ownership.problems import Problem, Rule, Weight
from masthead.pagerduty import Answer, Outcome, Protocol
from masthead.pipelines import Pipelines, is_enabled

__all__ = ["CheckKey", "Finding", "Lint", "Report"]


class CheckKey(typing.Protocol):
    """Asks PagerDuty whether it takes a key, without paging anybody."""

    async def __call__(self, key: Secret, protocol: Protocol, *, account: str) -> Answer:
        """Give the answer of *account*."""
        ...


Document = Mapping[str, Any]

_STAGE = "pageApplicationOwner"
#: Keys that PagerDuty is asked about at a time.
_CHECKS_AT_ONCE = 64
#: Enough to tell an address from a name; ``spinnaker@localhost`` is one.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and where it is."""

    problem: Problem
    #: None for what concerns the whole installation.
    application: str | None = None
    #: Name of the pipeline and of the stage, for what a stage names.
    pipeline: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at and what is wrong with it."""

    #: What concerns all first, then by application, pipeline and stage; errors before warnings.
    findings: tuple[Finding, ...]
    applications: int
    pipelines: int
    #: Keys that PagerDuty was asked about; None when it was not asked.
    keys_checked: int | None

    def count(self, severity: Weight) -> int:
        """Count the findings of a severity."""
        return sum(one.problem.severity is severity for one in self.findings)


@dataclass(frozen=True, slots=True)
class _Stage:
    """A stage that pages, as far as its definition tells."""

    application: str
    pipeline: str
    name: str
    is_enabled: bool
    applications: tuple[str, ...]
    keys: tuple[Secret, ...]
    #: Whether an expression decides, when it runs, whom it names.
    is_open: bool


class Lint:
    """Looks at applications and pipelines."""

    def __init__(
        self,
        applications: Applications,
        pipelines: Pipelines,
        preflights: Preflights,
        *,
        is_required: bool = False,
        check_key: CheckKey | None = None,
    ) -> None:
        """Build it.

        Args:
            applications: All of them are looked at, or those that are asked for.
            pipelines: Theirs are looked at.
            preflights: What judges keys.
            is_required: Whether an application without PagerDuty service is an error, as Deck's setting has it.
            check_key: How PagerDuty is asked about a key; None where it cannot be.
        """
        self._applications = applications
        self._pipelines = pipelines
        self._preflights = preflights
        self._is_required = is_required
        self._check_key = check_key

    async def report(
        self, caller: Caller, *, names: Sequence[str] = (), is_asking_pagerduty: bool = False
    ) -> Report:
        """Look at the applications *names*, or at all, with their pipelines.

        Args:
            caller: Who asks.
            names: In any case; none for all.
            is_asking_pagerduty: Ask PagerDuty of each key whether it takes it; that pages nobody.

        Raises:
            NotFound: an application of *names* does not exist.
            NotSupported: PagerDuty cannot be asked from here.
        """
        everything = {application_id(one["name"]): one for one in await self._applications.list_all(caller)}
        wanted = _expect_all(names, everything) if names else list(everything)
        pipelines = await self._pipelines_of(set(wanted) if names else None, caller)
        judge = self._preflights.judge()
        look = _Look(judge, everything, is_required=self._is_required)
        answers = await self._ask(look, wanted, pipelines) if is_asking_pagerduty else None
        # On a thread: ten thousand applications must not keep a page waiting.
        findings = await asyncio.to_thread(look.findings, wanted, pipelines, answers or {})
        return Report(
            findings=(*(Finding(one) for one in self._preflights.general(judge)), *findings),
            applications=len(wanted),
            pipelines=len(pipelines),
            keys_checked=None if answers is None else len(answers),
        )

    async def _pipelines_of(self, applications: set[str] | None, caller: Caller) -> list[dict[str, Any]]:
        found = await self._pipelines.list_all(caller)
        return [one for one in found if applications is None or _of(one) in applications]

    async def _ask(
        self, look: _Look, applications: Sequence[str], pipelines: Sequence[Document]
    ) -> dict[Secret, Answer]:
        """Ask PagerDuty of every key that may be one, a few at a time."""
        check, slots = self._check_key, asyncio.Semaphore(_CHECKS_AT_ONCE)
        if check is None:
            raise NotSupported("This Masthead cannot ask PagerDuty about keys.")

        async def ask(target: Target) -> Answer:
            async with slots:
                return await check(target.key, target.protocol, account=target.account)

        targets = await asyncio.to_thread(look.askable, applications, pipelines)
        answers = await asyncio.gather(*map(ask, targets))
        return {target.key: answer for target, answer in zip(targets, answers, strict=True)}


class _Look:
    """One look at everything that was read; touches no network and no database."""

    def __init__(self, judge: Judge, applications: Mapping[str, Document], *, is_required: bool) -> None:
        self._judge = judge
        self._applications = applications
        self._keys = {name: pd_api_key(document) for name, document in applications.items()}
        self._is_required = is_required
        self._answers: Mapping[Secret, Answer] = {}

    def askable(self, applications: Iterable[str], pipelines: Iterable[Document]) -> list[Target]:
        """Give where every key leads that is named and has the form of one, each key once."""
        keys = [key for name in applications if (key := self._keys[name])]
        keys += [key for stage in _stages(pipelines) for key in stage.keys]
        targets = map(self._judge.target, dict.fromkeys(keys))
        return [one for one in targets if Rule.KEY_FORM not in {problem.rule for problem in one.problems}]

    def findings(
        self, applications: Iterable[str], pipelines: Iterable[Document], answers: Mapping[Secret, Answer]
    ) -> list[Finding]:
        """Give what is wrong, by application, pipeline and stage, errors first."""
        self._answers = answers
        found = [finding for name in applications for finding in self._of_application(name)]
        found += [finding for stage in _stages(pipelines) for finding in self._of_stage(stage)]
        return sorted(found, key=_place)

    def _of_application(self, name: str) -> Iterator[Finding]:
        email = str(self._applications[name].get("email") or "")
        if not _EMAIL.fullmatch(email):
            yield Finding(problems.doubtful_email(name, email), name)
        key = self._keys[name]
        if key is not None:
            yield from (Finding(one, name) for one in self._of_key(key))
        elif name != SPINNAKER:
            severity = Weight.ERROR if self._is_required else Weight.WARNING
            yield Finding(problems.no_service(name, severity), name)

    def _of_stage(self, stage: _Stage) -> Iterator[Finding]:
        found = [*self._of_names(stage), *(one for key in stage.keys for one in self._of_key(key))]
        if not (stage.applications or stage.keys or stage.is_open):
            found.append(problems.nobody_named())
        for one in found:
            # What does not run cannot fail now.
            problem = one if stage.is_enabled else replace(one, severity=Weight.WARNING)
            yield Finding(problem, stage.application, stage.pipeline, stage.name)

    def _of_names(self, stage: _Stage) -> Iterator[Problem]:
        """Look whether the applications are there and have a service; the service is looked at with the application."""
        for name in stage.applications:
            known = application_id(name)
            if known not in self._applications:
                yield problems.no_such_application(name)
            elif self._keys[known] is None:
                yield problems.no_service(known, Weight.ERROR)

    def _of_key(self, key: Secret) -> list[Problem]:
        target = self._judge.target(key)
        answer = self._answers.get(key)
        if answer is None:
            return list(target.problems)
        # PagerDuty's word takes the place of what the catalog does not know.
        others = [one for one in target.problems if one.rule is not Rule.KEY_UNKNOWN]
        of = f" of PagerDuty service {target.label!r}" if target.service else f" ({target.label})"
        if answer.outcome is Outcome.ACCEPTED:
            is_a_riddle = target.service is None and not self._judge.is_blind
            return [problems.taken_but_unknown(key)] if is_a_riddle else others
        if answer.outcome is Outcome.REJECTED and answer.reason is Reason.KEY:
            return [problems.refused_key(of, answer.text), *others]
        return [*target.problems, problems.unchecked_key(of, answer.text)]


def _expect_all(names: Sequence[str], known: Mapping[str, Document]) -> list[str]:
    """Give the ids of *names*, each once."""
    for name in names:
        if application_id(name) not in known:
            raise NotFound(f"Application not found (id: {name})")
    return list(dict.fromkeys(map(application_id, names)))


def _stages(pipelines: Iterable[Document]) -> Iterator[_Stage]:
    for pipeline in pipelines:
        stages = pipeline.get("stages")
        for stage in stages if isinstance(stages, list) else ():
            if isinstance(stage, Mapping) and stage.get("type") == _STAGE:
                yield _read_stage(pipeline, stage)


def _read_stage(pipeline: Document, stage: Document) -> _Stage:
    names, keys = _texts(stage.get("applications")), _texts(stage.get("keys"))
    return _Stage(
        application=_of(pipeline),
        pipeline=str(pipeline.get("name") or ""),
        name=str(stage.get("name") or stage.get("refId") or _STAGE),
        is_enabled=is_enabled(pipeline),
        applications=tuple(one for one in names if not _is_expression(one)),
        keys=tuple(Secret(one) for one in keys if not _is_expression(one)),
        is_open=any(map(_is_expression, (*names, *keys))),
    )


def _texts(value: Any) -> list[str]:
    """Give the texts of a list, or of one that an expression will make a list."""
    given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [one.strip() for one in given if isinstance(one, str) and one.strip()]


def _is_expression(text: str) -> bool:
    return "${" in text


def _of(pipeline: Document) -> str:
    return application_id(str(pipeline.get("application") or ""))


def _place(finding: Finding) -> tuple[str, str, str, bool]:
    is_mild = finding.problem.severity is Weight.WARNING
    return finding.application or "", finding.pipeline or "", finding.stage or "", is_mild
