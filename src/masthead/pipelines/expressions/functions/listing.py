"""What the ``#`` functions are called and take, for whoever lists them: Orca's ``/capabilities/expressions``.

Source: Spinnaker compatibility facts, section 4.2.2.
"""

from __future__ import annotations

import inspect
from typing import Any

from masthead.pipelines.expressions.context import Version
from masthead.pipelines.expressions.functions import FUNCTIONS, MISSING
from masthead.pipelines.expressions.methods.signature import Kind, Method

__all__ = ["capabilities"]

_DOCS = {
    "alphanumerical": "The text without anything but letters and digits.",
    "applicationMetadata": "The application, with its service's name in the place of its key.",
    "currentStage": "The stage that runs.",
    "currentUser": "The user in whose name it runs.",
    "doNotEval": "The value, which toJson then takes whatever it holds.",
    "fetchReference": "The text: there is no artifact store.",
    "fromBase64": "The text of a base64 text.",
    "fromUrl": "The text at a URL.",
    "judgement": "What was chosen in the manual judgment of that name.",
    "judgment": "What was chosen in the manual judgment of that name.",
    "jsonFromUrl": "The list or map at a URL.",
    "pipelineId": "The id of a pipeline of this application.",
    "pipelineIdInApplication": "The id of a pipeline, or null.",
    "pipelineIdOrNull": "The id of a pipeline of this application, or null.",
    "propertiesFromUrl": "The properties at a URL, as a map.",
    "readAllYaml": "A list of all documents of a YAML text.",
    "readJson": "The list or map of a JSON text.",
    "readYaml": "What a YAML text holds.",
    "resolvedArtifacts": "All artifacts of the trigger.",
    "stage": "The first stage of that name or id.",
    "stageByRefId": "The stage of that refId.",
    "stageExists": "Whether there is a stage of that name or id.",
    "toBase64": "The base64 of a text.",
    "toBoolean": "True for the text true.",
    "toFloat": "The number of a text.",
    "toInt": "The whole number of a text.",
    "toJson": "The JSON text of a value.",
    "triggerResolvedArtifact": "The trigger's first artifact of that name.",
    "triggerResolvedArtifactByType": "The trigger's first artifact of that type.",
    "yamlFromUrl": "What the YAML at a URL holds.",
}


def capabilities() -> dict[str, Any]:
    """Give the functions that can be called, by name, and the versions of expressions."""
    functions = [
        {"name": name, "description": _DOCS[name], "parameters": _parameters(ways[0])}
        for name, ways in sorted(FUNCTIONS.items())
        if name not in MISSING
    ]
    return {"functions": functions, "spelEvaluators": [{"versionKey": each.value} for each in Version]}


def _parameters(way: Method) -> list[dict[str, str]]:
    names = list(inspect.signature(way.run).parameters)[1:]
    return [
        {"name": name, "type": "Object" if kind is Kind.ANY else str(kind.value).rpartition(".")[2]}
        for name, kind in zip(names, way.takes, strict=True)
        if isinstance(kind, Kind)
    ]
