"""``#`` functions that ask the network or the rest of Masthead, and those that Masthead does not have.

Source: Spinnaker compatibility facts, section 4.10.4.
"""

from __future__ import annotations

from typing import Any

from masthead.pipelines.expressions.context import Running, Source
from masthead.pipelines.expressions.errors import HelperFailed, shown
from masthead.pipelines.expressions.functions.data import read_json, read_properties, read_yaml
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add
from masthead.pipelines.expressions.values import Value

__all__ = ["MISSING", "OUTSIDE"]

OUTSIDE: Methods = {}
#: Orca's functions about clouds, which Masthead does not deploy to.
MISSING = ("canaryConfigNameToId", "cfServiceKey", "deployedServerGroups", "manifestLabelValue")


@add(OUTSIDE, "fromUrl", Kind.TEXT)
def _from_url(running: Running, url: str) -> str:
    try:
        return str(running.ask(Source.URL, url))
    except HelperFailed as error:
        raise HelperFailed(f"{error.message} - #from({shown(url)}) failed") from error


@add(OUTSIDE, "jsonFromUrl", Kind.TEXT)
def _json_from_url(running: Running, url: str) -> Value:
    return read_json(running, _from_url(running, url))


@add(OUTSIDE, "yamlFromUrl", Kind.TEXT)
def _yaml_from_url(running: Running, url: str) -> Value:
    return read_yaml(running, _from_url(running, url))


@add(OUTSIDE, "propertiesFromUrl", Kind.TEXT)
def _properties_from_url(running: Running, url: str) -> dict[str, str]:
    try:
        text = _from_url(running, url)
    except HelperFailed as error:
        raise HelperFailed(f"{error.message} - #propertiesFromUrl({shown(url)}) failed") from error
    running.budget.text(len(text))
    running.budget.items(text.count("\n") + text.count("\r"))
    return read_properties(text)


@add(OUTSIDE, "pipelineId", Kind.TEXT)
def _pipeline_id(running: Running, name: str) -> str:
    application = str(running.execution.get("application"))
    found = running.ask(Source.PIPELINE_ID, application, name)
    if found is None:
        raise HelperFailed(
            f"Pipeline with name '{shown(name)}' could not be found on application {application}"
        )
    return str(found)


@add(OUTSIDE, "pipelineIdOrNull", Kind.TEXT)
def _pipeline_id_or_null(running: Running, name: str) -> Any:
    return running.ask(Source.PIPELINE_ID, str(running.execution.get("application")), name)


@add(OUTSIDE, "pipelineIdInApplication", Kind.TEXT, Kind.TEXT)
def _pipeline_id_in(running: Running, name: str, application: str) -> Any:
    return running.ask(Source.PIPELINE_ID, application, name)


@add(OUTSIDE, "applicationMetadata", Kind.TEXT)
def _application(running: Running, name: str) -> Any:
    sentence = f"Application metadata for application '{shown(name)}' could not be retrieved"
    try:
        found = running.ask(Source.APPLICATION, name)
    except HelperFailed as error:
        raise HelperFailed(f"{error.message} - {sentence}") from error
    if found is None:
        raise HelperFailed(sentence)
    return found


def _add_missing(name: str) -> None:
    @add(OUTSIDE, name, rest=Kind.ANY)
    def _missing(_: Running, *arguments: Value) -> Value:
        del arguments
        raise HelperFailed(f"#{name} is about a cloud, and Masthead deploys to none")


for _name in MISSING:
    _add_missing(_name)
