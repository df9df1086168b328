"""What can keep a page from waking the right people: each rule with its sentence and what to do about it.

Sentences stand for themselves (they name the application or the service) and hold no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from masthead.catalog import Integration, Service
from masthead.kernel.secret import Secret
from masthead.telemetry.logs import redact

__all__ = ["Problem", "Rule", "Weight", "is_clear"]


class Weight(StrEnum):
    """What a problem means for a page."""

    #: Nobody would be woken, or PagerDuty would refuse the page.
    ERROR = "error"
    #: Somebody may be woken, later or otherwise than expected; or nobody can tell.
    WARNING = "warning"


class Rule(StrEnum):
    """What is wrong, as programs know it."""

    PAGING_OFF = "paging-off"
    CATALOG = "catalog"
    NO_SUCH_APPLICATION = "no-such-application"
    NO_SUCH_SERVICE = "no-such-service"
    NO_SERVICE = "no-service"
    NOBODY_NAMED = "nobody-named"
    EMAIL = "email"
    KEY_FORM = "key-form"
    KEY_UNKNOWN = "key-unknown"
    KEY_REFUSED = "key-refused"
    KEY_UNCHECKED = "key-unchecked"
    INTEGRATION_TYPE = "integration-type"
    SERVICE_UNUSABLE = "service-unusable"
    SERVICE_DISABLED = "service-disabled"
    SERVICE_MAINTENANCE = "service-maintenance"
    NO_POLICY = "no-policy"
    NOBODY_ON_CALL = "nobody-on-call"
    LEVEL_1_EMPTY = "level-1-empty"
    ON_CALL_UNKNOWN = "on-call-unknown"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a page from waking the right people."""

    rule: Rule
    severity: Weight
    sentence: str
    remedy: str


def is_clear(found: Iterable[Problem]) -> bool:
    """Whether none of *found* is an error."""
    return not any(one.severity is Weight.ERROR for one in found)


# -- the installation -------------------------------------------------------------------------------


def paging_off() -> Problem:
    """Say that nothing is sent at all."""
    return Problem(
        Rule.PAGING_OFF,
        Weight.ERROR,
        "Paging is off: no page is sent to anybody.",
        "Set pager-duty.enabled: true in Echo's profile, or MASTHEAD_EVENTS_ENABLED=true.",
    )


def catalog_in_trouble(explanation: str, *, is_blind: bool) -> Problem:
    """Say why judgements are uncertain, or impossible (*is_blind*)."""
    if is_blind:
        sentence = "Masthead does not know PagerDuty's services, so nobody can tell who would be woken."
        return Problem(Rule.CATALOG, Weight.ERROR, sentence, explanation)
    sentence = "What Masthead knows of PagerDuty is old or not whole."
    return Problem(Rule.CATALOG, Weight.WARNING, sentence, explanation)


# -- applications and names -------------------------------------------------------------------------


def no_such_application(name: str) -> Problem:
    """Say that nobody called so can be paged."""
    return Problem(
        Rule.NO_SUCH_APPLICATION,
        Weight.ERROR,
        f"There is no application called {redact(name)!r}.",
        "Correct the name; masthead application list shows those there are.",
    )


def no_such_service(sentence: str) -> Problem:
    """Pass on why a text means no one service."""
    return Problem(Rule.NO_SUCH_SERVICE, Weight.ERROR, sentence, "masthead services lists those there are.")


def no_service(application: str, severity: Weight) -> Problem:
    """Say that the application has no integration key."""
    return Problem(
        Rule.NO_SERVICE,
        severity,
        f"Application {application!r} has no PagerDuty service, so a page for it reaches nobody.",
        f"Choose one: masthead application save {application} --pagerduty-service NAME",
    )


def unusable_service(service: Service) -> Problem:
    """Say why no key is offered for the service."""
    return Problem(
        Rule.SERVICE_UNUSABLE,
        Weight.ERROR,
        f"PagerDuty service {service.name!r} cannot be paged: {service.unusable_reason}.",
        "Once that is done: masthead catalog refresh.",
    )


def doubtful_email(application: str, email: str) -> Problem:
    """Say that nobody can write to the owner."""
    return Problem(
        Rule.EMAIL,
        Weight.WARNING,
        f"The owner's e-mail of application {application!r} is no address: {redact(email)!r}.",
        f"Correct it: masthead application save {application} --email ADDRESS",
    )


def nobody_named() -> Problem:
    """Say that a stage pages nobody."""
    return Problem(
        Rule.NOBODY_NAMED,
        Weight.ERROR,
        "The stage names no application and no integration key, so it will fail.",
        "Name applications in the stage.",
    )


# -- keys -------------------------------------------------------------------------------------------


def malformed_key(key: Secret) -> Problem:
    """Say that PagerDuty would refuse it at sight."""
    return Problem(
        Rule.KEY_FORM,
        Weight.ERROR,
        f"What stands in the place of an integration key ({key.label}) is none: a key has 32 letters and digits.",
        "Copy the integration key from the service's page in PagerDuty, or choose the service by its name.",
    )


def unknown_key(key: Secret, *, is_whole: bool, may_be_orchestration: bool) -> Problem:
    """Say that no service has the key, as far as is known."""
    sentence = f"No PagerDuty service that Masthead knows has this integration key ({key.label})"
    if may_be_orchestration:
        return Problem(
            Rule.KEY_UNKNOWN,
            Weight.WARNING,
            f"{sentence}. It looks like an event orchestration's: then PagerDuty's rules decide who is paged.",
            "Look at the orchestration in PagerDuty; masthead lint --check-keys asks whether PagerDuty takes the key.",
        )
    if not is_whole:
        return Problem(
            Rule.KEY_UNKNOWN,
            Weight.WARNING,
            f"{sentence}, but it does not know all of them.",
            "masthead catalog says what is missing.",
        )
    return Problem(
        Rule.KEY_UNKNOWN,
        Weight.ERROR,
        f"{sentence}: most likely the integration was deleted.",
        "Choose the service again; masthead lint --check-keys asks whether PagerDuty still takes the key.",
    )


def taken_but_unknown(key: Secret) -> Problem:
    """Say that PagerDuty takes a key of which nobody knows the service."""
    return Problem(
        Rule.KEY_UNKNOWN,
        Weight.WARNING,
        f"PagerDuty takes this integration key ({key.label}), but no service that Masthead knows has it: "
        "nobody can tell who would be woken.",
        "Let Masthead's token see that service, or choose another.",
    )


def refused_key(of: str, text: str) -> Problem:
    """Pass on what PagerDuty said of the key; *of* tells which, with a space before it."""
    return Problem(
        Rule.KEY_REFUSED,
        Weight.ERROR,
        f"PagerDuty refuses the integration key{of}: {text}",
        "Choose the service again.",
    )


def unchecked_key(of: str, text: str) -> Problem:
    """Say that PagerDuty gave no answer about the key."""
    return Problem(
        Rule.KEY_UNCHECKED,
        Weight.WARNING,
        f"The integration key{of} could not be checked: {text}",
        "Try again in a minute.",
    )


# -- services and people ----------------------------------------------------------------------------


def wrong_integration(service: Service, integration: Integration, better: Integration | None) -> Problem:
    """Say that the key is of an integration that takes none of our events."""
    kind = integration.type.removesuffix("_reference").removesuffix("_inbound_integration") or "unknown"
    return Problem(
        Rule.INTEGRATION_TYPE,
        Weight.ERROR,
        f"The key is that of integration {integration.name!r} of PagerDuty service {service.name!r}, "
        f"which takes no events from Masthead: its type is {kind}, not Events API v1 or v2.",
        f"Choose the service again: Masthead then takes the key of its integration {better.name!r}."
        if better
        else "Add an Events API v2 integration to the service in PagerDuty, then choose the service again.",
    )


def disabled(service: Service) -> Problem:
    """Say that events lead to nothing."""
    return Problem(
        Rule.SERVICE_DISABLED,
        Weight.ERROR,
        f"PagerDuty service {service.name!r} is disabled: PagerDuty takes events and opens no incident.",
        "Enable it in PagerDuty, or choose another service.",
    )


def in_maintenance(service: Service) -> Problem:
    """Say that events lead to nothing for a while."""
    return Problem(
        Rule.SERVICE_MAINTENANCE,
        Weight.ERROR,
        f"PagerDuty service {service.name!r} is in maintenance: PagerDuty takes events and opens no incident.",
        "If people should be woken now, end the maintenance window in PagerDuty.",
    )


def no_policy(service: Service) -> Problem:
    """Say that the service tells nobody."""
    return Problem(
        Rule.NO_POLICY,
        Weight.ERROR,
        f"PagerDuty service {service.name!r} has no escalation policy, so nobody is told.",
        "Give it an escalation policy in PagerDuty.",
    )


def nobody_on_call(service: Service) -> Problem:
    """Say that every level is empty."""
    return Problem(
        Rule.NOBODY_ON_CALL,
        Weight.ERROR,
        f"Nobody is on call now for PagerDuty service {service.name!r} (escalation policy {service.policy_name!r}): "
        "PagerDuty takes events and opens no incident.",
        "Put somebody on call in PagerDuty.",
    )


def level_1_empty(service: Service, number: int, names: Sequence[str]) -> Problem:
    """Say who is told in the place of level 1."""
    return Problem(
        Rule.LEVEL_1_EMPTY,
        Weight.WARNING,
        f"Nobody is on call now at level 1 for PagerDuty service {service.name!r} (escalation policy "
        f"{service.policy_name!r}); the first who are told are those of level {number}: {', '.join(names)}.",
        "Put somebody on call at level 1 in PagerDuty.",
    )


def on_call_unknown(service: Service) -> Problem:
    """Say that the list of on-calls is missing."""
    return Problem(
        Rule.ON_CALL_UNKNOWN,
        Weight.WARNING,
        f"Nobody can tell who is on call now for PagerDuty service {service.name!r}.",
        "masthead catalog says what is missing.",
    )
