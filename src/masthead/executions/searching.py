"""Finding executions by what started them, finding what failed in them, and evaluating expressions in them.

Source: Spinnaker compatibility facts, sections 4.2.2 and 4.2.4; 7.5 (51) for the pages that Orca leaves empty.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from masthead.executions import store
from masthead.executions.evaluation import Expressions, Neighbours
from masthead.executions.matching import Search
from masthead.executions.model import Document, Execution, Stage
from masthead.executions.reading import Reading, not_found
from masthead.executions.status import Status
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.pipelines.expressions import Version, evaluate_variables, resolve

__all__ = ["Searching"]

#: Executions read at once while searching.
_CHUNK = 200
#: Executions that one search looks at, newest (or oldest) first: some seconds of reading at most.
_LOOKED_AT = 20_000
#: Executions whose failures are looked for, from one on into its children.
_FAMILY = 100
#: Seconds that one search compares triggers.
_PATIENCE_S = 5.0
_TOO_LONG = (
    "Comparing the triggers with the one that is searched for takes too long: ask for less, or more exactly."
)
#: Variables that are evaluated at once.
_MOST_VARIABLES = 1000


class Searching(Reading):
    """What can be found out about executions; nothing here changes one."""

    _expressions: Expressions

    async def search(self, search: Search, *, expand: bool = False) -> list[Document]:
        """Give the runs of pipelines that match, newest first; it looks at 20,000 at most.

        Raises:
            InvalidRequest: comparing the triggers takes too long.
        """
        found: list[Document] = []
        left = _PATIENCE_S
        wanted = search.start + search.size
        for offset in range(0, _LOOKED_AT, _CHUNK):

            def work(connection: Connection, offset: int = offset) -> list[Document]:
                return store.made_between(connection, search, limit=_CHUNK, offset=offset)

            chunk = await self._database.read(work)
            began = self._clock.monotonic()
            found += await asyncio.to_thread(_matching, search, chunk, self._look(began + left))
            left -= self._clock.monotonic() - began
            if len(chunk) < _CHUNK or len(found) >= wanted:
                break
        return [self._view(each, expand=expand) for each in found[search.start : wanted]]

    def _look(self, ends: float) -> Callable[[], None]:
        """Give what raises once a search has compared for too long."""

        def look() -> None:
            if self._clock.monotonic() > ends:
                raise InvalidRequest(_TOO_LONG, pointer="/trigger")

        return look

    async def made_lately(self, search: Search, *, limit: int) -> list[Document]:
        """Give the newest runs of pipelines by what *search* asks of them but their triggers, newest first, in short.

        However many are stored: it goes on after ``search.after``, and leaves ``start`` and ``size`` alone.
        """
        ids = await self._database.read(
            lambda connection: store.ids_made_between(connection, search, limit=limit)
        )
        return await self.by_ids(ids, expand=False)

    async def awaiting(self, ids: Sequence[str]) -> set[str]:
        """Give those of these runs that wait for somebody's judgment now."""
        return await self._database.read(lambda connection: store.awaiting(connection, ids))

    async def correlated(self, correlation_id: str) -> list[Document]:
        """Give the executions with this correlation id, newest first."""
        found = await self._database.read(lambda connection: store.correlated(connection, correlation_id))
        return [self._view(each) for each in found]

    async def failed_stages(self, execution_id: str, *, deck: str = "", limit: int = 1) -> list[Document]:
        """Give the innermost stages that failed, of a run and of the runs that it started, nearest first.

        Args:
            execution_id: Where to begin.
            deck: Address of Deck, for links.
            limit: At most so many.

        Raises:
            NotFound: there is no such execution.
        """
        waiting: deque[tuple[Document, Document | None]] = deque()
        waiting.append((await self.get_pipeline(execution_id), None))
        found: list[Document] = []
        looked_at = 0
        while waiting and len(found) < limit and looked_at < _FAMILY:
            looked_at += 1
            execution, parent = waiting.popleft()
            for stage in _failed_leaves(execution):
                child = await self._child(stage)
                if child is not None and any(_failed_leaves(child)):
                    waiting.append((child, execution))
                    continue
                found.append(_failure(stage, execution, parent, child, deck))
        return found[:limit]

    async def _child(self, stage: Document) -> Document | None:
        child_id = (stage.get("context") or {}).get("executionId")
        if stage.get("type") != "pipeline" or not isinstance(child_id, str):
            return None
        try:
            return await self.get_pipeline(child_id)
        except NotFound:
            return None

    # -- expressions --------------------------------------------------------------------------------

    async def evaluate(self, execution_id: str, expression: str, *, stage_id: str | None = None) -> Document:
        """Give what *expression* comes to in an execution, at a stage if one is named.

        Returns:
            ``result``, and ``detail``: what did not resolve, or None.

        Raises:
            NotFound: there is no such execution or stage.
        """
        execution = await self._execution(execution_id)
        stage = _stage(execution, stage_id) if stage_id is not None else _beside()
        context = self._expressions.context_of(execution, stage)
        found = await resolve({"expression": expression}, context, self._neighbours())
        return {"result": found.value["expression"], "detail": found.summary or None}

    async def evaluate_variables(
        self,
        execution_id: str,
        variables: Sequence[Document],
        *,
        requisites: Sequence[str] = (),
        version: str | None = None,
    ) -> Document:
        """Give what the variables of an ``evaluateVariables`` stage would come to.

        Args:
            execution_id: In which execution.
            variables: Each with ``key`` and ``value``.
            requisites: RefIds of the stages before it.
            version: Of expressions; the execution's if not given.

        Raises:
            NotFound: there is no such execution.
            InvalidRequest: there is no such version, or there are too many variables.
        """
        if version is not None and version.lower() not in (*Version, "v2"):
            raise InvalidRequest(f"SpEL evaluator version {version} is not supported")
        if len(variables) > _MOST_VARIABLES:
            raise InvalidRequest(f"At most {_MOST_VARIABLES:,} variables are evaluated at once.")
        execution = await self._execution(execution_id)
        execution.spel_evaluator = version or execution.spel_evaluator
        context = self._expressions.context_of(execution, _beside(requisites))
        is_sequential = Version.of(execution.spel_evaluator) is Version.V4
        found = await evaluate_variables(variables, context, self._neighbours(), is_sequential=is_sequential)
        return {"result": found.variables, "detail": found.summary or None}

    def _neighbours(self) -> Neighbours:
        """Give whom an expression may ask that only somebody who reads has written: nobody on the network."""
        return Neighbours(self._services, reads_urls=False)

    async def _execution(self, execution_id: str) -> Execution:
        execution = await self._database.read(lambda connection: store.find(connection, execution_id))
        if execution is None:
            raise not_found(execution_id)
        return execution


def _stage(execution: Execution, stage_id: str) -> Stage:
    found = next((stage for stage in execution.stages if stage.id == stage_id), None)
    if found is None:
        raise NotFound(f"Stage {stage_id} not found in execution {execution.id}")
    return found


def _beside(requisites: Sequence[str] = ()) -> Stage:
    """Give a stage that is not in the execution, so that expressions read the execution's context."""
    return Stage(id="expression", type="", name="", requisite_stage_ref_ids=list(requisites))


def _failed_leaves(execution: Document) -> Iterator[Document]:
    failed = [stage for stage in execution["stages"] if Status(stage["status"]) in _FAILED]
    parents = {stage.get("parentStageId") for stage in failed}
    return (stage for stage in failed if stage["id"] not in parents)


_FAILED = (Status.TERMINAL, Status.STOPPED, Status.FAILED_CONTINUE)


def _failure(
    stage: Document, execution: Document, parent: Document | None, child: Document | None, deck: str
) -> Document:
    found: dict[str, Any] = {
        "stageId": stage["id"],
        "stageName": stage.get("name"),
        "stageType": stage.get("type"),
        "stageStatus": stage["status"],
        "stageException": (stage.get("context") or {}).get("exception"),
    }
    for prefix, one in (("parentPipeline", parent), ("pipeline", execution), ("childPipeline", child)):
        if one is not None:
            found |= {
                f"{prefix}ExecutionId": one["id"],
                f"{prefix}ExecutionName": one.get("name"),
                f"{prefix}ExecutionUrl": f"{deck.rstrip('/')}/#/applications/{one['application']}/executions/details/{one['id']}",
                f"{prefix}Application": one["application"],
            }
    return {key: value for key, value in found.items() if value is not None}


def _matching(search: Search, executions: Sequence[Document], look: Callable[[], None]) -> list[Document]:
    return [each for each in executions if search.matches(each, look)]
