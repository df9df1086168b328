"""What an execution, a stage or a task is doing: Orca's statuses and what each of them means.

Source: Spinnaker compatibility facts, section 4.4.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Status"]


class Status(StrEnum):
    """Orca's status names, with the questions that the state machine asks of them."""

    NOT_STARTED = "NOT_STARTED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    SUSPENDED = "SUSPENDED"
    REDIRECT = "REDIRECT"
    BUFFERED = "BUFFERED"
    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED_CONTINUE = "FAILED_CONTINUE"
    STOPPED = "STOPPED"
    TERMINAL = "TERMINAL"
    CANCELED = "CANCELED"

    @property
    def is_complete(self) -> bool:
        """Whether nothing more happens."""
        return self in _COMPLETE

    @property
    def is_halt(self) -> bool:
        """Whether what comes after must not start."""
        return self in _HALT

    @property
    def is_fine(self) -> bool:
        """Whether what comes after may start."""
        return self in _FINE

    @property
    def is_successful(self) -> bool:
        """Whether Orca counts it as a success (a stopped branch does)."""
        return self in _SUCCESSFUL

    @property
    def is_failure(self) -> bool:
        """Whether Orca counts it as a failure (a stopped branch does, a cancelled one does not)."""
        return self in _FAILURE

    @property
    def is_active(self) -> bool:
        """Whether it began and has not ended."""
        return self is not Status.NOT_STARTED and self not in _COMPLETE


_FINE = frozenset({Status.SUCCEEDED, Status.SKIPPED, Status.FAILED_CONTINUE})
_HALT = frozenset({Status.STOPPED, Status.TERMINAL, Status.CANCELED})
_COMPLETE = _FINE | _HALT
_SUCCESSFUL = frozenset({Status.SUCCEEDED, Status.SKIPPED, Status.STOPPED})
_FAILURE = frozenset({Status.FAILED_CONTINUE, Status.STOPPED, Status.TERMINAL})
