"""Keys in pipelines that people edit: what travels to the browser holds a stand-in for each, which the server turns back.

A stand-in names the key's service and ends with a keyed hash of it. What it stands for is found again among the keys of
the stored versions of the pipeline, those of PagerDuty's services, and those that somebody typed here lately; nothing
else has to be remembered, so that a draft survives the server's restart and may be saved through another machine.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from masthead.catalog import Catalog
from masthead.executions import StageTypes
from masthead.executions.stages.base import Kind
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret
from masthead.paging.hashing import KeyHasher

__all__ = ["Secrets"]

_STAND_IN = re.compile(r"<<hidden: ([^<>]*) ([0-9a-f]{32})>>")
#: What has the form of an integration key, wherever it stands.
_KEY = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{32}(?![0-9A-Za-z])")
#: Keys of documents whose texts are secrets, in lower case without separators.
_SECRET_NAMES = frozenset(
    {
        "pdapikey", "integrationkey", "routingkey", "servicekey", "apikey", "apitoken", "token", "accesstoken",
        "password", "secret", "clientsecret", "authorization",
    }
)  # fmt: skip
#: Typed keys that are remembered, of all people together.
_REMEMBERED = 1_000


class Secrets:
    """Puts stand-ins in the place of keys, and keys in the place of stand-ins."""

    def __init__(self, catalog: Catalog, hasher: KeyHasher, types: StageTypes) -> None:
        """Build it.

        Args:
            catalog: Whose services' keys are known wherever they stand.
            hasher: Gives the same hash on every machine and after every start.
            types: Say which fields of stages hold keys.
        """
        self._catalog = catalog
        self._hasher = hasher
        self._fields = {
            each.type: {one.name: one.kind is Kind.TEXTS for one in each.fields if one.is_secret}
            for each in types.all()
        }
        self._typed: OrderedDict[str, Secret] = OrderedDict()

    def hide(self, value: Any) -> Any:
        """Give the JSON *value* with a stand-in for every key in it; what was not known before is remembered."""
        return self._hidden(value, "")

    def reveal(self, value: Any, versions: Iterable[Any]) -> Any:
        """Give the JSON *value* with the keys in the place of their stand-ins.

        Args:
            value: What came from the browser.
            versions: The pipeline as stored, now and before.

        Raises:
            InvalidRequest: nobody knows any more what a stand-in stands for.
        """
        if not any(_STAND_IN.search(text) for text in _texts(value)):
            return value
        known = {self._hash(text): text for text in self._secrets_of(versions)}
        return self._revealed(value, known)

    # -- hiding -------------------------------------------------------------------------------------

    def _hidden(self, value: Any, name: str) -> Any:
        """Hide; *name* is the field of which every text is a secret, or empty."""
        if isinstance(value, str):
            return self._whole(value, name) if name else self._within(value)
        if isinstance(value, list):
            return [self._hidden(each, name) for each in value]
        if isinstance(value, Mapping):
            return {
                self._within(key): self._hidden(each, key if self._is_secret(value, key) else name)
                for key, each in value.items()
            }
        return value

    def _whole(self, text: str, name: str) -> str:
        """Hide a text that is a secret as it stands; an expression only names one."""
        if not text or "${" in text or _STAND_IN.fullmatch(text):
            return text
        return self._stand_in(text, name)

    def _within(self, text: str) -> str:
        """Hide the integration keys of PagerDuty's services inside *text*."""
        if len(text) < 32:
            return text
        return _KEY.sub(lambda found: self._known(found[0]), text)

    def _known(self, text: str) -> str:
        return text if self._catalog.service_of_key(Secret(text)) is None else self._stand_in(text, "key")

    def _stand_in(self, text: str, name: str) -> str:
        key = Secret(text)
        known = self._catalog.service_of_key(key)
        label = known[0].name if known else key.label if _KEY.fullmatch(text) else name
        digest = self._hash(text)
        if known is None:
            self._typed[digest] = key
            self._typed.move_to_end(digest)
            while len(self._typed) > _REMEMBERED:
                self._typed.popitem(last=False)
        return f"<<hidden: {re.sub('[<>]', '', label)} {digest}>>"

    def _hash(self, text: str) -> str:
        return self._hasher.key_hash(Secret(text))

    # -- revealing ----------------------------------------------------------------------------------

    def _secrets_of(self, versions: Iterable[Any]) -> Iterator[str]:
        """Give every text that :meth:`hide` would hide, of these documents, of services, and typed ones."""
        for service in self._catalog.services():
            for integration in service.integrations:
                if integration.key is not None:
                    yield integration.key.reveal()
        yield from (key.reveal() for key in self._typed.values())
        for version in versions:
            yield from self._secret_texts(version)

    def _secret_texts(self, value: Any, *, is_secret: bool = False) -> Iterator[str]:
        if isinstance(value, str):
            if is_secret and value:
                yield value
        elif isinstance(value, list):
            for each in value:
                yield from self._secret_texts(each, is_secret=is_secret)
        elif isinstance(value, Mapping):
            for key, each in value.items():
                yield from self._secret_texts(each, is_secret=is_secret or self._is_secret(value, key))

    def _is_secret(self, document: Mapping[str, Any], name: str) -> bool:
        """Tell whether the texts under *name* are secrets: by the stage's type or alias, or by what it is called.

        A field that holds a whole document may be the base64 of one, which nobody reads and which may hold keys.
        """
        for kind in (document.get("type"), document.get("alias")):
            holds_texts = self._fields.get(kind, {}).get(name) if isinstance(kind, str) else None
            if holds_texts or (holds_texts is False and isinstance(document[name], str)):
                return True
        return re.sub("[-_ ]", "", name).lower() in _SECRET_NAMES

    def _revealed(self, value: Any, known: Mapping[str, str]) -> Any:
        if isinstance(value, str):
            return _STAND_IN.sub(lambda found: _find(found, known), value)
        if isinstance(value, list):
            return [self._revealed(each, known) for each in value]
        if isinstance(value, Mapping):
            return {self._revealed(key, known): self._revealed(each, known) for key, each in value.items()}
        return value


def _find(found: re.Match[str], known: Mapping[str, str]) -> str:
    text = known.get(found[2])
    if text is None:
        raise InvalidRequest(
            f"What was hidden as {found[1]} is not known here any more: type it again, or name an application instead."
        )
    return text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
