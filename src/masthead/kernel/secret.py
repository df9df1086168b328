"""Values that must not be seen: they hide themselves wherever they are printed."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["KEY_LIKE", "SHORTEST_KEY", "Secret", "hide_everywhere"]

#: Characters of what is taken for a key in somebody's words: PagerDuty's have 32 letters and digits (PagerDuty facts, A.2), a
#: simulated one perhaps fewer.
SHORTEST_KEY = 16
KEY_LIKE = re.compile(rf"[0-9A-Za-z]{{{SHORTEST_KEY},}}")

_SHOWN = 4


class Secret:
    """A key or token that shows itself only to who calls :meth:`reveal`.

    Its text, representation and every format are the same mask, so that a log line, an error or an
    f-string cannot leak it. Two secrets are equal when their values are; it can be a key of a mapping.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the value; only for what goes to PagerDuty, into its own column, or to Deck."""
        return self._value

    @property
    def label(self) -> str:
        """Give ``key …1234``: enough to recognise a key, too little to use it; no digits of a short one."""
        tail = self._value[-_SHOWN:] if len(self._value) >= _SHOWN * 4 else ""
        return f"key …{tail}"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __str__(self) -> str:
        return "••••"

    def __repr__(self) -> str:
        return "Secret(••••)"

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a Secret is not pickled: it would leave the process in clear")


def hide_everywhere(value: Any, hide: Callable[[str], str]) -> Any:
    """Give *value*, a JSON document, with every text and every name in it as *hide* gives it."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, (list, tuple)):
        return [hide_everywhere(one, hide) for one in value]
    if isinstance(value, Mapping):
        return {hide(name): hide_everywhere(one, hide) for name, one in value.items()}
    return value
