"""``#`` functions that turn one form of data into another.

Source: Spinnaker compatibility facts, section 4.10.4.
"""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import HelperFailed, shown
from masthead.pipelines.expressions.functions.yaml_text import load_documents
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add, number_of, whole_of
from masthead.pipelines.expressions.syntax.templates import PREFIX
from masthead.pipelines.expressions.values import INT_LIMIT, NotEvaluated, Value, java_text, plain

__all__ = ["DATA", "read_json", "read_properties", "read_yaml"]

DATA: Methods = {}
_PROPERTY = re.compile(r"((?:\\.|[^\\=: \t\f])+)[ \t\f]*[=: \t\f]?[ \t\f]*(.*)", re.DOTALL)
#: Characters of JSON that cost as much as one step: numbers take long to read.
_JSON_STEP = 10
_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)


@add(DATA, "toJson", Kind.ANY)
def _to_json(running: Running, value: Value) -> str:
    text = msgspec.json.encode(plain(value, running.budget)).decode("utf-8")
    running.budget.text(len(text))
    if PREFIX in text and not isinstance(value, NotEvaluated):
        raise HelperFailed("result for toJson cannot contain an expression")
    return text


@add(DATA, "doNotEval", Kind.ANY)
def _do_not_evaluate(_: Running, value: Value) -> NotEvaluated:
    return NotEvaluated(value)


@add(DATA, "fetchReference", Kind.TEXT)
def _fetch_reference(_: Running, text: str) -> str:
    return text


@add(DATA, "toInt", Kind.TEXT)
def _to_int(_: Running, text: str) -> int:
    number = whole_of(text)
    if not -INT_LIMIT <= number < INT_LIMIT:
        raise HelperFailed(f'For input string: "{shown(text)}"')
    return number


@add(DATA, "toFloat", Kind.TEXT)
def _to_float(_: Running, text: str) -> float:
    return number_of(text)


@add(DATA, "toBoolean", Kind.ANY)
def _to_boolean(running: Running, value: Value) -> bool:
    return java_text(value, running.budget).lower() == "true"


@add(DATA, "toBase64", Kind.TEXT)
def _to_base64(running: Running, text: str) -> str:
    running.budget.text(2 * len(text))
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


@add(DATA, "fromBase64", Kind.TEXT)
def _from_base64(running: Running, text: str) -> str:
    running.budget.text(len(text))
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise HelperFailed(f"Illegal base64: {shown(text)}") from error


@add(DATA, "alphanumerical", Kind.TEXT)
def _alphanumerical(running: Running, text: str) -> str:
    running.budget.text(len(text))
    return re.sub("[^A-Za-z0-9]", "", text)


@add(DATA, "readJson", Kind.TEXT)
def read_json(running: Running, text: str) -> Value:
    """Give the list or map that *text* is in JSON.

    Raises:
        HelperFailed: it is neither.
    """
    running.budget.text(len(text))
    running.budget.spend(len(text) // _JSON_STEP)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise HelperFailed(f"#readJson({shown(text)}) failed: {error}") from error
    if not isinstance(value, (list, dict)):
        raise HelperFailed(f"#readJson({shown(text)}) failed: it is neither a list nor a map")
    return plain(value, running.budget)


@add(DATA, "readYaml", Kind.TEXT)
def read_yaml(running: Running, text: str) -> Value:
    """Give what *text* holds in YAML, which must be one document.

    Raises:
        HelperFailed: it is no YAML, several documents, or has a tag that makes something of it.
    """
    documents = _documents(running, text, "readYaml")
    if len(documents) > 1:
        raise HelperFailed(f"#readYaml({shown(text)}) failed: expected a single document, found more")
    return documents[0] if documents else None


@add(DATA, "readAllYaml", Kind.TEXT)
def _read_all_yaml(running: Running, text: str) -> list[Value]:
    return _documents(running, text, "readAllYaml")


def _documents(running: Running, text: str, name: str) -> list[Value]:
    try:
        return load_documents(text, running.budget)
    except ValueError as error:
        raise HelperFailed(f"#{name}({shown(text)}) failed: {error}") from error


def read_properties(text: str) -> dict[str, str]:
    """Read Java's properties: ``key=value`` or ``key: value``; ``#`` and ``!`` begin a comment, a backslash joins lines.

    Source: Java's documentation, ``java.util.Properties.load``.
    """
    found: dict[str, str] = {}
    pieces: list[str] = []
    for line in (*_LINE_END.split(text), ""):
        present = line.lstrip(" \t\f")
        if not pieces and (not present or present[0] in "#!"):
            continue
        goes_on = (len(present) - len(present.rstrip("\\"))) % 2 == 1
        pieces.append(present[:-1] if goes_on else present)
        if not goes_on:
            match = _PROPERTY.fullmatch("".join(pieces))
            pieces = []
            if match is not None:
                found[_unescaped(match[1])] = _unescaped(match[2])
    return found


def _unescaped(text: str) -> str:
    meant = _ESCAPED.sub(lambda found: _meant(found[1]), text)
    # Two escapes may stand for one character.
    return meant.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _meant(escape: str) -> str:
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    return {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}.get(escape, escape)
