"""From a stage's fields to a request: method, headers, body.

Source: Spinnaker compatibility facts, sections 4.7.1 and 4.7.4 ("Body encoding", "Headers").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from yarl import URL

from masthead.config.webhooks import PreconfiguredWebhook
from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import TaskContext
from masthead.executions.webhooks import Webhooks
from masthead.outbound import Request

__all__ = [
    "METHODS",
    "flag",
    "is_permitted",
    "method_of",
    "request_of",
    "require_allowed",
    "status_codes",
    "webhooks_of",
]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
#: What Spinnaker's services tell each other; nobody outside is to be told, or to be believed.
_SPINNAKER = "x-spinnaker-"
_FORM = "application/x-www-form-urlencoded"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: A body on these is not sent: OkHttp refuses them.
_WITHOUT_BODY = ("GET", "HEAD")


def webhooks_of(work: TaskContext) -> Webhooks:
    """Give what the settings say of webhooks.

    Raises:
        TaskFailed: this installation has no webhook stages.
    """
    if work.services.webhooks is None:
        raise TaskFailed("Webhook stages are switched off here (webhook.enabled).")
    return work.services.webhooks


def method_of(value: Any, *, default: str = "POST") -> str:
    """Give the method that a field names, in any case.

    Raises:
        TaskFailed: it is none.
    """
    method = default if value is None or value == "" else str(value).upper()
    if method not in METHODS:
        raise TaskFailed(f"`method` must be one of {', '.join(METHODS)}.")
    return method


def request_of(
    work: TaskContext, url: str, method: str, payload: Any = None, *, source: str = "url"
) -> Request:
    """Give the request of a stage.

    Args:
        work: Its ``customHeaders``, and for a preconfigured webhook the headers that are not shown.
        url: Where to.
        method: Upper case.
        payload: What becomes the body; None for none.
        source: The stage's field that *url* is of.

    Raises:
        TaskFailed: a header cannot be sent, the settings allow no such request, or an expression in *url* did not resolve.
    """
    webhooks = webhooks_of(work)
    _require_resolved(work, source)
    require_allowed(webhooks, method, url)
    headers = _headers(work.context.get("customHeaders"))
    hook = webhooks.hook_of(work.stage)
    if hook is not None and hook.sensitive_headers:
        taken = {name.lower() for name in hook.sensitive_headers}
        headers = {name: values for name, values in headers.items() if name.lower() not in taken}
        if _is_for_operator(hook, work.context, url, source):
            headers |= {
                name: tuple(each.reveal() for each in values)
                for name, values in hook.sensitive_headers.items()
            }
    if payload is None or method in _WITHOUT_BODY:
        return Request(url, method, headers)
    kind = next((values[0] for name, values in headers.items() if name.lower() == "content-type"), None)
    if kind is None:
        kind = "application/json"
        headers["Content-Type"] = (kind,)
    return Request(url, method, headers, _body(payload, kind))


def is_permitted(work: TaskContext) -> bool:
    """Tell whether the one in whose name a stage runs may run it: one of a preconfigured type may ask for a role."""
    hook = webhooks_of(work).hook_of(work.stage)
    return hook is None or not work.services.asks_roles() or hook.lets("WRITE", work.caller.roles)


def _is_for_operator(hook: PreconfiguredWebhook, context: Mapping[str, Any], url: str, source: str) -> bool:
    """Tell whether *url* may see the headers that the operator keeps to the operator's own.

    Where the URL is the operator's, one that the stage names besides does not see them. One that an answer named does if it
    is on the same host, or if it was the operator who said where in the answer it stands.
    """
    if source == "url" or "url" not in hook.properties:
        return True
    if source == "cancelEndpoint":
        return source in hook.properties
    if flag(context.get("monitorOnly")):
        return False
    return "statusUrlResolution" in hook.properties or URL(url).host == URL(str(context.get("url"))).host


def _require_resolved(work: TaskContext, name: str) -> None:
    """Refuse to call what the expressions of the field *name* were to say, and did not."""
    pending = (work.stage.unevaluated or {}).get(name)
    if pending is not None and work.context.get(name) == pending["shown"]:
        raise TaskFailed(f"`{name}` holds an expression that did not resolve: {pending['shown']}")


def require_allowed(webhooks: Webhooks, method: str, url: str) -> None:
    """Refuse a request that is not on the operator's list, where there is one.

    Raises:
        TaskFailed: in Orca's words.
    """
    if webhooks.allowed is not None and webhooks.rule_for(method, url) is None:
        raise TaskFailed(
            f"http method '{method}', uri: '{url}' not allowed (webhook.allowedRequests)",
            exception_type="IllegalArgumentException",
        )


def status_codes(context: Mapping[str, Any], name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Give a field's list of HTTP statuses; numbers may be texts.

    Raises:
        TaskFailed: it is none.
    """
    value = context.get(name)
    if value is None:
        return default
    if not isinstance(value, list) or not all(str(each).strip().isdecimal() for each in value):
        raise TaskFailed(f"`{name}` must be a list of HTTP statuses, such as [404, 503].")
    return tuple(int(each) for each in value)


def flag(value: Any) -> bool:
    """Tell whether a field says true, as a boolean or as text."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _headers(given: Any) -> dict[str, tuple[str, ...]]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise TaskFailed('`customHeaders` must be an object, such as {"X-Team": "ops"}.')
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in given.items():
        if name.lower().startswith(_SPINNAKER):
            continue
        values = tuple(_header(name, each) for each in (value if isinstance(value, list) else [value]))
        if not _NAME.fullmatch(name):
            raise TaskFailed("`customHeaders` has a name that cannot be a header's.")
        headers[name] = values
    return headers


def _header(name: str, value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        raise TaskFailed(f"`customHeaders`: the header {name} must have a text as its value.")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if any(ord(each) < ord(" ") and each != "\t" for each in text) or "\x7f" in text:
        raise TaskFailed(f"`customHeaders`: the header {name} has a line end or another control character.")
    return text.strip()


def _body(payload: Any, kind: str) -> bytes:
    """Encode *payload*: texts as they are, maps as forms where the type says so, all else as JSON."""
    if isinstance(payload, str):
        return payload.encode()
    if isinstance(payload, dict) and kind.partition(";")[0].strip().lower() == _FORM:
        pairs = [
            (name, each)
            for name, value in payload.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        return urlencode([(name, _form_text(value)) for name, value in pairs]).encode()
    return msgspec.json.encode(payload)


def _form_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
