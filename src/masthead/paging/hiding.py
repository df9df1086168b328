"""A page's own keys in its words: a key stands in its delivery's column only, so that texts show its end in its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace as replace_fields

from msgspec.structs import replace

from masthead.kernel.caller import Caller
from masthead.kernel.secret import KEY_LIKE, SHORTEST_KEY, Secret, hide_everywhere
from masthead.paging.model import Draft, Link

__all__ = ["holds_key", "without_keys", "without_keys_in"]

#: So many keys are looked for one by one, within words, too; more as words: each costs a look through all that is said.
_FEW = 16


def holds_key(keys: Sequence[Secret], texts: Iterable[str]) -> bool:
    """Tell whether one of *keys* stands in *texts*; asked for every page, so a plain search."""
    said = "\x00".join(texts)
    if len(keys) <= _FEW:
        for key in keys:
            one = key.reveal()
            if one in said and len(one) >= SHORTEST_KEY:
                return True
        return False
    own = {key.reveal() for key in keys}
    return not own.isdisjoint(KEY_LIKE.findall(said))


def without_keys(draft: Draft, caller: Caller) -> tuple[Draft, Caller]:
    """Give *draft* and *caller* with ``key …1234`` wherever one of the draft's keys stands in what they say."""
    hide = _hide(draft.keys)
    hidden = replace(
        draft,
        message=hide(draft.message),
        details=hide_everywhere(draft.details, hide),
        links=tuple(Link(hide(link.href), hide(link.text)) for link in draft.links),
        application=hide(draft.application),
        execution_id=draft.execution_id and hide(draft.execution_id),
        client=draft.client and hide(draft.client),
        client_url=draft.client_url and hide(draft.client_url),
    )
    return hidden, replace_fields(caller, user=hide(caller.user))


def without_keys_in(text: str, keys: Sequence[Secret]) -> str:
    """Give *text* with ``key …1234`` wherever one of *keys* stands in it."""
    return _hide(keys)(text) if holds_key(keys, [text]) else text


def _hide(keys: Sequence[Secret]) -> Callable[[str], str]:
    labels = {key.reveal(): key.label for key in keys if len(key.reveal()) >= SHORTEST_KEY}
    if not labels:
        return lambda text: text
    pattern = re.compile("|".join(map(re.escape, labels))) if len(labels) <= _FEW else KEY_LIKE
    return lambda text: pattern.sub(lambda found: labels.get(found[0], found[0]), text)
