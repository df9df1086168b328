"""How results are shown: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["as_json", "instant", "table"]


def as_json(value: Any) -> None:
    """Print *value* as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def instant(milliseconds: object) -> str:
    """Give Spinnaker's milliseconds as people read them, to the second, in UTC."""
    text = str(milliseconds or "")
    return f"{datetime.fromtimestamp(int(text) / 1000, UTC):%Y-%m-%d %H:%M:%S}" if text.isdigit() else ""


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print *rows* under *columns*, or the sentence *empty* when there are none."""
    filled = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not filled:
        print(empty)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in filled:
        shown.add_row(*(Text(cell) for cell in row))
    Console(highlight=False, soft_wrap=False).print(shown)
