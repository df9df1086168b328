"""PagerDuty's REST API, version 2, as far as a program that pages needs it."""

from __future__ import annotations

__all__: list[str] = []
