"""What is said about a cron line that cannot be read."""

from __future__ import annotations

__all__ = ["BadCronLine"]


class BadCronLine(ValueError):
    """A sentence that says which field of a cron line is wrong, and what stands there instead."""
