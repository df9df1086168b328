"""How results are shown: tables and sentences for people, JSON for programs.

Messages, names and answers are what others wrote, and a terminal obeys what stands in them: an escape sequence clears the screen and
writes another text in its place. So everything that commands print goes through here, and shows such characters instead.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

__all__ = ["age", "as_json", "indented", "instant", "moment", "names", "say", "table", "visible"]

#: What a terminal obeys: C0 but for tab and line feed, DEL, C1, and what turns the direction of text (ECMA-48, Unicode UAX #9).
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def say(text: object = "", *, err: bool = False) -> None:
    """Print *text* for people, at once, without what a terminal would obey."""
    print(visible(str(text)), file=sys.stderr if err else sys.stdout, flush=True)


def visible(text: str) -> str:
    """Give *text* with a picture in the place of each control character (␛ for ESC), or U+FFFD where there is none."""
    return _OBEYED.sub(_picture, text.replace("\r\n", "\n"))


def indented(line: str) -> str:
    """Give *line* with what follows its line ends indented further, so that no text of others begins a line of ours."""
    indent = " " * (len(line) - len(line.lstrip(" ")) + 4)
    return line.replace("\n", f"\n{indent}")


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code == 0x7F:
        return "\u2421"
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def as_json(value: Any) -> None:
    """Print *value* as JSON; what a terminal obeys is escaped, which JSON itself asks of C0 only."""
    print(_OBEYED.sub(_escaped, json.dumps(value, indent=2, ensure_ascii=False)))


def instant(milliseconds: object) -> str:
    """Give Spinnaker's milliseconds as people read them, to the second, in UTC."""
    text = str(milliseconds or "")
    return f"{datetime.fromtimestamp(int(text) / 1000, UTC):%Y-%m-%d %H:%M:%S}" if text.isdigit() else ""


def moment(iso: str | None) -> str:
    """Give an ISO 8601 instant to the minute, in UTC; empty for none, the text itself if it is no instant."""
    try:
        return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M}" if iso else ""
    except ValueError:
        return str(iso)


def age(seconds: float | None) -> str:
    """Say how long ago something was, in the largest unit that fits; "never" for None."""
    if seconds is None:
        return "never"
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit} ago"
    return f"{int(seconds)} seconds ago"


def names(on_call: Iterable[dict[str, Any]]) -> str:
    """Give those of level 1, whom PagerDuty tells first; empty when there is nobody."""
    return ", ".join(str(person["user"]) for person in on_call if person.get("level") == 1)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, whole: Collection[str] = ()
) -> None:
    """Print *rows* under *columns*, or the sentence *empty* when there are none; what is copied stays *whole*, never folded."""
    filled = [["" if cell is None else visible(str(cell)) for cell in row] for row in rows]
    if not filled:
        print(empty)
    elif sys.stdout.isatty():
        _print_folded(columns, filled, whole)
    else:
        _print_lines([list(columns), *filled])


def _print_folded(columns: Sequence[str], rows: Sequence[Sequence[str]], whole: Collection[str]) -> None:
    """Print a table as wide as the terminal; what is longer is folded within its column."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        width = max(cell_len(row[place]) for row in rows) if column in whole else None
        shown.add_column(column, overflow="fold", min_width=width, no_wrap=column in whole)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console(highlight=False, soft_wrap=False).print(shown)


def _print_lines(rows: Sequence[Sequence[str]]) -> None:
    """Print each row on one line, however long: what reads a pipe counts lines, and there may be ten thousand."""
    from rich.cells import cell_len

    cells = [[" ".join(cell.split("\n")) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())
