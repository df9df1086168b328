"""One run: its state, the machine that moves it, its control, and the stage types that do the work."""

from masthead.executions.model import JUDGMENT, ExecutionType
from masthead.executions.ports import ApplicationsPort, PagingPort, PipelinesPort, Services
from masthead.executions.reading import Run
from masthead.executions.service import BURST, Executions
from masthead.executions.stages.registry import STAGE_TYPES, StageTypes
from masthead.executions.status import Status

__all__ = [
    "BURST",
    "JUDGMENT",
    "STAGE_TYPES",
    "ApplicationsPort",
    "ExecutionType",
    "Executions",
    "PagingPort",
    "PipelinesPort",
    "Run",
    "Services",
    "StageTypes",
    "Status",
]
