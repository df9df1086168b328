"""What is wrong with the fields of a webhook before it is stored; a field with an expression is left for the run.

Source: Spinnaker compatibility facts, section 4.7.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from masthead.executions.stages.webhook.asking import METHODS, flag
from masthead.executions.stages.webhook.create import RESOLUTIONS
from masthead.outbound import UrlRefused, parse_url
from masthead.pipelines import Problem
from masthead.pipelines.expressions import holds_expression
from masthead.pipelines.json_path import JsonPathInvalid, parse_json_path

__all__ = ["webhook_problems"]

_SCHEMES = ("http", "https")
_FIRST_STATUS, _LAST_STATUS = 100, 599
_CODES = "must be a list of HTTP statuses, such as [404, 503]."


def webhook_problems(stage: Mapping[str, Any], *, needs_url: bool = True) -> Iterator[Problem]:
    """Say what is wrong with *stage*, each with a pointer from the stage on.

    Args:
        stage: As pipelines write it.
        needs_url: False where an operator may have set the URL.
    """
    for name, check in _CHECKS.items():
        value = stage.get(name)
        if value is None or value == "" or holds_expression({name: value}):
            continue
        sentence = check(value)
        if sentence is not None:
            yield Problem(f"/{name}", f"`{name}` {sentence}")
    is_alone, is_waiting = flag(stage.get("monitorOnly")), flag(stage.get("waitForCompletion"))
    if is_alone and not is_waiting:
        yield Problem(
            "/monitorOnly", "Can't specify monitorOnly = true and waitForCompletion = false at the same time"
        )
    if needs_url and not stage.get("url") and not (is_alone and stage.get("statusEndpoint")):
        yield Problem("/url", "`url` is missing: it says whom to call.")
    if (
        is_waiting
        and stage.get("statusUrlResolution") == "webhookResponse"
        and not stage.get("statusUrlJsonPath")
    ):
        yield Problem(
            "/statusUrlJsonPath",
            "`statusUrlJsonPath` is missing: it says where the answer has the status URL.",
        )


def _url(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be text."
    try:
        url = parse_url(value)
    except UrlRefused as error:
        return f"must be a URL such as https://ci.example.com/jobs: {error.message}."
    return None if url.scheme in _SCHEMES else "must begin with https:// or http://."


def _method(value: Any) -> str | None:
    return None if str(value).upper() in METHODS else f"must be one of {', '.join(METHODS)}."


def _codes(value: Any) -> str | None:
    if not isinstance(value, list):
        return _CODES
    is_fine = all(
        not isinstance(each, bool)
        and str(each).strip().isdecimal()
        and _FIRST_STATUS <= int(each) <= _LAST_STATUS
        for each in value
    )
    return None if is_fine else _CODES


def _path(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be text."
    try:
        parse_json_path(value)
    except JsonPathInvalid as error:
        return f"does not parse. {error.message}"
    return None


def _resolution(value: Any) -> str | None:
    return None if value in RESOLUTIONS else f"must be one of {', '.join(RESOLUTIONS)}."


def _headers(value: Any) -> str | None:
    is_fine = isinstance(value, dict) and all(
        each is not None and not isinstance(each, dict) for each in value.values()
    )
    return None if is_fine else 'must be an object of texts, such as {"X-Team": "ops"}.'


def _words(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be words, separated by commas."


def _seconds(value: Any) -> str | None:
    is_fine = not isinstance(value, bool) and str(value).strip().isdecimal()
    return None if is_fine else "must be a whole number of seconds."


def _retries(value: Any) -> str | None:
    is_fine = isinstance(value, dict) and all(
        str(code).isdecimal()
        and isinstance(each, dict)
        and str(each.get("maxAttempts", 0)).lstrip("-").isdecimal()
        for code, each in value.items()
    )
    return (
        None if is_fine else 'must map statuses to a number of attempts, such as {"404": {"maxAttempts": 3}}.'
    )


_CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "url": _url,
    "method": _method,
    "customHeaders": _headers,
    "failFastStatusCodes": _codes,
    "webhookRetryStatusCodes": _codes,
    "statusUrlResolution": _resolution,
    "statusUrlJsonPath": _path,
    "statusEndpoint": _url,
    "statusJsonPath": _path,
    "progressJsonPath": _path,
    "successStatuses": _words,
    "canceledStatuses": _words,
    "terminalStatuses": _words,
    "retryStatusCodes": _codes,
    "retries": _retries,
    "waitBeforeMonitor": _seconds,
    "cancelEndpoint": _url,
    "cancelMethod": _method,
}
