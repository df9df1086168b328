"""The OpenAPI document, derived from the same table that the router is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from starlette.routing import Route

from masthead.api.ask import Ask
from masthead.api.routing import Operation, Routes, starlette_routes
from masthead.api.services import Services

__all__ = ["describe", "openapi_routes"]

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_TAGS = {
    "gate": "Gate: what Deck and spin call",
    "orca": "Orca: executions",
    "echo": "Echo: notifications and events",
    "front50": "Front50: applications and pipelines",
    "v1": "Masthead's own; no integration key anywhere",
    "health": "Health, as Spring's actuator",
    "metrics": "Metrics, for Prometheus",
}
_ERROR = {
    "type": "object",
    "required": ["timestamp", "status", "error", "message"],
    "properties": {
        "timestamp": {"description": "ISO 8601 with offset; milliseconds since 1970 under /orca"},
        "status": {"type": "integer"},
        "error": {"type": "string"},
        "exception": {"type": "string"},
        "message": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "string"}},
        "pointer": {"type": "string", "description": "JSON pointer of the field that is wrong"},
        "pointers": {
            "type": "array",
            "items": {"type": "string"},
            "description": "where what each of errors says stands",
        },
    },
}


def openapi_routes(operations: Iterable[tuple[str, Operation]], services: Services) -> Sequence[Route]:
    """Give the route that serves the document about *operations* (full path, operation) and about itself."""
    routes, described = Routes("v1"), tuple(operations)

    @cache
    def document() -> dict[str, Any]:
        own = routes.operations[0]
        return describe([*described, (own.path, own)], version=services.version)

    @routes.get("/v1/openapi.json", "This document: every route there is.")
    async def openapi(_: Ask) -> Any:
        return document()

    return starlette_routes(routes.operations, services)


def describe(operations: Iterable[tuple[str, Operation]], *, version: str) -> dict[str, Any]:
    """Give the OpenAPI 3.1 document about *operations*, each with its full path."""
    paths: dict[str, dict[str, Any]] = {}
    for path, operation in operations:
        methods = paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})
        methods.setdefault(operation.method.lower(), _operation(path, operation))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Masthead",
            "version": version,
            "description": "Gate's, Orca's, Echo's and Front50's routes as far as paging needs them, and /v1.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"basic": []}, {"session": []}, {}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A user and password, where Masthead has users",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "masthead-session",
                    "description": "Of somebody who logged in at /ui/login; over https the name begins with __Host-",
                },
            },
            "responses": {
                "Error": {
                    "description": "Spinnaker's error body",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
            },
        },
    }


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.door],
        "summary": operation.summary,
        "operationId": _operation_id(path, operation),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _PARAMETER.findall(path)
        ],
        "responses": {
            str(operation.status): {"description": "Not built" if operation.status == 501 else "Done"},
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if operation.method in ("POST", "PUT", "PATCH") and operation.is_built:
        described["requestBody"] = {"content": {"application/json": {"schema": {}}}}
    return described


def _operation_id(path: str, operation: Operation) -> str:
    words = re.findall(r"\w+", _PARAMETER.sub(r"\1", path))
    return "_".join([operation.method.lower(), *words]) or operation.method.lower()
