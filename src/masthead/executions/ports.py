"""What executions need from the rest: the few methods that stages and bursts call, as protocols.

The fakes for tests stand beside them, in ``fakes.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Protocol

from masthead.executions.model import Execution, Stage
from masthead.executions.status import Status
from masthead.executions.webhooks import Webhooks
from masthead.kernel.caller import Caller
from masthead.kernel.secret import Secret
from masthead.pagerduty import Severity
from masthead.paging import Draft, Page
from masthead.pipelines.expressions import EvaluationContext, Outside

__all__ = [
    "ApplicationsPort",
    "ExpressionsPort",
    "PagingPort",
    "PipelinesPort",
    "Services",
]

Document = dict[str, Any]


class PagingPort(Protocol):
    """See masthead.paging."""

    async def request(self, draft: Draft, caller: Caller) -> Page:
        """Store the page and begin to send it; the same identity gives the same page."""
        ...

    async def get(self, page_id: str) -> Page:
        """Give the page as it stands."""
        ...

    async def of_execution(self, execution_id: str) -> list[Page]:
        """Give the pages that an execution asked for, oldest first."""
        ...

    async def wait(self, page_id: str, timeout_s: float) -> Page:
        """Give the page once it is decided, or as it stands after *timeout_s* seconds."""
        ...

    def on_decided(self, tell: Callable[[Page], None]) -> None:
        """Have *tell* called when a page was decided on this machine."""
        ...


class ApplicationsPort(Protocol):
    """See masthead.applications."""

    async def find(self, name: str) -> Document | None:
        """Give the application's document, or None."""
        ...

    async def merge(self, name: str, document: Document, caller: Caller) -> Document:
        """Store *document* over what is there; a missing application is created."""
        ...

    async def delete(self, name: str, caller: Caller) -> None:
        """Remove the application and what hangs on it."""
        ...


class PipelinesPort(Protocol):
    """See masthead.pipelines."""

    async def of_application(
        self, application: str, *, name_filter: str | None = None, limit: int | None = None
    ) -> Sequence[Document]:
        """Give the pipelines of *application*, in their order."""
        ...

    async def get(self, pipeline_id: str) -> Document:
        """Give a pipeline, or raise NotFound."""
        ...

    async def save(self, document: Document, caller: Caller, *, stale_check: bool = False) -> Document:
        """Store a pipeline."""
        ...

    async def update(
        self, pipeline_id: str, document: Document, caller: Caller, *, stale_check: bool = False
    ) -> Document:
        """Store the next version of a pipeline, or raise NotFound."""
        ...

    async def batch_save(
        self, documents: list[Document], caller: Caller, *, stale_check: bool = False
    ) -> Document:
        """Store several and tell which succeeded."""
        ...

    async def delete(self, application: str, name: str, caller: Caller) -> None:
        """Remove a pipeline."""
        ...

    async def reorder(self, application: str, ids_to_indices: Mapping[str, int], caller: Caller) -> None:
        """Give the pipelines their places."""
        ...


class RunsPort(Protocol):
    """See masthead.executions.service: what a stage may do with other executions."""

    async def start_pipeline(self, config: Document, caller: Caller) -> str:
        """Start a pipeline; the same ``trigger.correlationId`` gives the one that runs already."""
        ...

    async def get_pipeline(self, execution_id: str) -> Document:
        """Give an execution, or raise NotFound."""
        ...

    async def status_of(self, execution_id: str) -> Status | None:
        """Give the status of an execution of either kind, or None when there is none."""
        ...

    async def cancel(self, execution_id: str, caller: Caller, reason: str | None = None) -> None:
        """Cancel an execution."""
        ...


class _NoRuns:
    """Stands in before there are executions."""

    async def start_pipeline(self, config: Document, caller: Caller) -> str:
        raise NotImplementedError

    async def get_pipeline(self, execution_id: str) -> Document:
        raise NotImplementedError

    async def status_of(self, execution_id: str) -> Status | None:
        raise NotImplementedError

    async def cancel(self, execution_id: str, caller: Caller, reason: str | None = None) -> None:
        raise NotImplementedError


_NO_RUNS = _NoRuns()


class ExpressionsPort(Protocol):
    """See masthead.executions.evaluation."""

    @property
    def outside(self) -> Outside:
        """Give whom expressions may ask."""
        ...

    def context_of(self, execution: Execution, stage: Stage) -> EvaluationContext:
        """Give what the expressions of *stage* read."""
        ...


class _NoExpressions:
    """Stands in before there are executions."""

    @property
    def outside(self) -> Outside:
        raise NotImplementedError

    def context_of(self, execution: Execution, stage: Stage) -> EvaluationContext:
        raise NotImplementedError


_NO_EXPRESSIONS = _NoExpressions()


@dataclass(frozen=True)
class Services:
    """What stage types may use."""

    applications: ApplicationsPort
    pipelines: PipelinesPort
    paging: PagingPort
    #: What people see in an integration key's place: its service's name, or ``key …1234``.
    key_label: Callable[[Secret], str]
    #: Severity of a page that names none.
    default_severity: Severity = Severity.CRITICAL
    #: The executions themselves, which put themselves here.
    runs: RunsPort = _NO_RUNS
    #: Reads the text at a URL that a user gave, guarded; None where expressions may not read URLs.
    read_url: Callable[[str], Awaitable[str]] | None = None
    #: What webhook stages go out by; None where they are switched off.
    webhooks: Webhooks | None = None
    #: For stage types that evaluate in their own way; executions put it here.
    expressions: ExpressionsPort = _NO_EXPRESSIONS
    #: Tells whether users have roles here; without users everybody may do everything.
    asks_roles: Callable[[], bool] = lambda: False
    #: Where the hours and days of execution windows are.
    window_zone: tzinfo = UTC
