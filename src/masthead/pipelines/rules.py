"""What keeps a pipeline from being saved, beyond its shape.

Two rules are stricter than upstream: the stale check compares ``updateTs`` (upstream's cannot fire over REST),
and nobody can take over a pipeline of another application by naming its id. What ``checks.py`` knows is asked here
too, so that what can never run is not stored.

Source: Spinnaker compatibility facts, sections 3.5 and 7.4 (42, 44).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masthead.kernel.errors import InvalidRequest
from masthead.pipelines.checks import Checks
from masthead.pipelines.document import Submitted, application_id

__all__ = ["definition_error", "require_fresh", "require_own", "require_template"]


def require_template(document: Mapping[str, Any]) -> None:
    """Refuse a templated pipeline whose template would have to be stored here: there are none."""
    if document.get("type") != "templatedPipeline":
        return
    template = document.get("template")
    reference = template.get("reference") if isinstance(template, Mapping) else None
    if isinstance(reference, str) and reference.startswith("spinnaker://"):
        raise InvalidRequest(
            f"The pipeline template {reference} does not exist: pipeline templates are not stored here. "
            "Save the pipeline with its stages instead.",
            pointer="/template/reference",
        )


def require_own(submitted: Submitted, stored: Mapping[str, Any]) -> None:
    """Refuse to overwrite a pipeline that belongs to another application."""
    if application_id(stored["application"]) != submitted.application:
        raise InvalidRequest(
            f"The id {submitted.id} belongs to a pipeline of another application; "
            f"leave the id out to save this as a new pipeline of {submitted.document['application']}.",
            pointer="/id",
        )


def require_fresh(submitted: Submitted, stored: Mapping[str, Any]) -> None:
    """Refuse a pipeline that was made from another version than the stored one; one that says none passes."""
    if submitted.update_ts is None or submitted.update_ts == stored["updateTs"]:
        return
    message = (
        f"The submitted pipeline is stale.  submitted updateTs {submitted.update_ts} "
        f"does not match stored updateTs {stored['updateTs']}"
    )
    raise InvalidRequest(message, pointer="/updateTs", errors=(message,))


def definition_error(document: Mapping[str, Any], checks: Checks) -> InvalidRequest | None:
    """Give the error for a pipeline that cannot run, with every problem; the pointer is the first one's.

    It is given and not raised, so that the pipeline is looked at before the transaction and refused in its turn.
    """
    problems = checks.problems(document)
    if not problems:
        return None
    sentences = tuple(problem.sentence for problem in problems)
    pointers = tuple(problem.pointer for problem in problems)
    return InvalidRequest("\n".join(sentences), pointer=pointers[0], errors=sentences, pointers=pointers)
