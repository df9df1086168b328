"""The Events APIs: v1, v2 and change events."""

from __future__ import annotations

__all__: list[str] = []
