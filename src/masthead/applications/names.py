"""Which names and documents an application may have.

Two different sets of rules stand here: Front50's, held on every write, and the cloud providers', which only
Orca's createApplication/updateApplication jobs check.

Source: Spinnaker compatibility facts, sections 3.1 and 3.6.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from masthead.kernel.errors import ConfigurationInvalid, InvalidRequest, ValidationFailed

__all__ = ["NameRule", "check_name", "is_storable", "require_storable", "validate"]

#: provider -> (most characters, pattern over the whole name)
_PROVIDERS: dict[str, tuple[int, str]] = {
    "appengine": (58, r"^[a-z0-9]*$"),
    "aws": (250, r"^[a-zA-Z_0-9.]*$"),
    "dcos": (127, r"^[a-z0-9]*$"),
    "gce": (63, r"^([a-zA-Z][a-zA-Z0-9]*)?$"),
    "kubernetes": (63, r"^([a-zA-Z][a-zA-Z0-9-]*)$"),
    "openstack": (250, r"^[a-zA-Z_0-9.]*$"),
    "tencentcloud": (50, "^[a-zA-Z_0-9.\u4e00-\u9fa5-]*$"),
    "titus": (250, r"^[a-zA-Z_0-9.]*$"),
}
#: Control characters and half surrogates: no database stores them in a key on both of ours.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

#: Attributes of one application, nothing within them counted; Deck writes some thirty.
_MOST_ATTRIBUTES = 1000


@dataclass(frozen=True, slots=True)
class NameRule:
    """The operator's own rule for names: ``validation.application-name-validator`` of Front50.

    Attributes:
        regex: Must match the whole upper-cased name; empty allows every name.
        message: What people read when it does not; empty for Front50's own sentence.

    Raises:
        ConfigurationInvalid: the regex is none.
    """

    regex: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.regex)
        except re.error as error:
            raise ConfigurationInvalid(
                f"validation.application-name-validator.validation-regex: not a regular expression: {error}"
            ) from error

    def problem(self, name: str) -> str | None:
        """Say why *name* (upper-cased) is not allowed, or None when it is."""
        if not self.regex or re.fullmatch(self.regex, name):
            return None
        return self.message or f"Application name doesn't satisfy the validation regex: {self.regex}"


def validate(document: Mapping[str, Any], rule: NameRule) -> None:
    """Hold Front50's rules over a whole (merged) application.

    Raises:
        ValidationFailed: with one message for each broken rule.
        InvalidRequest: the name has characters that cannot be stored.
    """
    name, email = document.get("name") or "", document.get("email") or ""
    problems = []
    if not name:
        problems.append("Application must have a non-empty name")
    if not email.strip():
        problems.append("Application must have a non-empty email")
    if "/" in name or name in (".", ".."):
        problems.append(
            "Application name must not hold a slash, nor be only dots: no address could lead to it"
        )
    if name and (problem := rule.problem(name)):
        problems.append(problem)
    if len(document) > _MOST_ATTRIBUTES:
        problems.append(f"Application must not have more than {_MOST_ATTRIBUTES:,} attributes")
    if problems:
        raise ValidationFailed(tuple(problems))
    require_storable(name)


def is_storable(name: str) -> bool:
    """Whether *name* can be a key in both databases, and so whether an application of that name can exist."""
    return _UNSTORABLE.search(name) is None


def require_storable(name: str) -> None:
    """Refuse a *name* that is not :func:`is_storable` with InvalidRequest."""
    if not is_storable(name):
        raise InvalidRequest("An application's name has no control characters.", pointer="/name")


def check_name(name: str, cloud_providers: str | None) -> str | None:
    """Check *name* against what its cloud providers allow, as Orca's application jobs do.

    Args:
        name: As it was sent, in its own case.
        cloud_providers: Comma-joined; unknown providers are not checked, none checks nothing.

    Returns:
        The whole message of the failed task, or None when the name is fine.
    """
    providers = [provider.strip().lower() for provider in (cloud_providers or "").split(",")]
    problems = [problem for provider in providers if (problem := _provider_problem(name, provider))]
    return f"Invalid application name, errors: [{', '.join(problems)}]" if problems else None


def _provider_problem(name: str, provider: str) -> str | None:
    most, pattern = _PROVIDERS.get(provider, (len(name), ".*"))
    if provider not in _PROVIDERS or (len(name) <= most and re.fullmatch(pattern, name)):
        return None
    return (
        f"Invalid application name '{name}'. Must match {pattern} for cloud provider '{provider}' "
        f"and be less than {most} characters."
    )
