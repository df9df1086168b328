"""What single values cannot show: settings that do not go together, and what is missing to page."""

from __future__ import annotations

from masthead.config.account_checks import check_accounts
from masthead.config.given import ENVIRONMENT, Gathered
from masthead.config.hosts import EU, check_addresses, of_two_regions
from masthead.config.settings import Settings
from masthead.config.tree import Problems, Source

__all__ = ["check", "missing"]


def check(settings: Settings, gathered: Gathered, problems: Problems) -> None:
    """Tell what does not go together; a key whose own error was told is not accused twice."""
    _check_gate(settings, gathered, problems)
    _check_echo(settings, gathered, problems)
    _check_regions(settings, gathered, problems)
    check_addresses(gathered, problems)
    check_accounts(settings, gathered, problems)


def missing(settings: Settings) -> tuple[str, ...]:
    """Say what keeps Masthead from paging, and how to give it."""
    sentences = []
    if not settings.events.enabled:
        sentences.append(
            "Paging is off: set pager-duty.enabled: true in Echo's profile, or MASTHEAD_EVENTS_ENABLED=true."
        )
    if not any(one.can_read for one in settings.pagerduty_accounts):
        sentences.append(
            "PagerDuty's services are not listed: give a REST API token in Gate's profile (pagerDuty.token, enabled: true), "
            f"or PAGERDUTY_TOKEN.{_guess(settings)}"
        )
    return tuple(sentences)


def _guess(settings: Settings) -> str:
    """Say by which Events API keys go out while no catalog knows them; Spinnaker itself only ever had those of v1."""
    if not settings.events.enabled or settings.events.unknown_key_protocol == "v1":
        return ""
    return (
        " Without it every key is sent to Events API v2; where the applications have keys of v1, as Spinnaker offers them, "
        "set events.unknownKeyProtocol: v1."
    )


def _check_gate(settings: Settings, gathered: Gathered, problems: Problems) -> None:
    rest = settings.rest
    if rest.enabled and rest.token is None and "rest.token" not in gathered.failed:
        in_store = gathered.elsewhere.get("rest.token")
        token = gathered.named("rest.token", beside="rest.enabled")
        problems.error(
            in_store or _place(gathered, "rest.enabled"),
            f"{token}: names Spinnaker's secret store, which Masthead does not read; "
            "give the token by PAGERDUTY_TOKEN or by token-file"
            if in_store
            else f"{token}: Gate is enabled without a token; add `token:` (or token-file, or PAGERDUTY_TOKEN)",
        )
    was_given = any(key.startswith("rest.") for key in gathered.given)
    if was_given and not rest.enabled and "rest.enabled" not in gathered.failed:
        problems.warn(
            _place(gathered, "rest.enabled", "rest.token", "rest.baseUrl"),
            f"{gathered.named('rest.enabled', beside='rest.baseUrl')}: not true, so no services are listed",
        )


def _check_echo(settings: Settings, gathered: Gathered, problems: Problems) -> None:
    events, rest = settings.events, settings.rest
    is_without = events.enabled and events.token is None and not settings.accounts
    if is_without and "events.token" not in gathered.failed:
        token = gathered.named("events.token", beside="events.enabled")
        problems.warn(_place(gathered, "events.enabled"), f"{token}: not set; sending events needs none")
    is_half = rest.enabled and rest.token is not None and not events.enabled
    if is_half and "events.enabled" not in gathered.failed:
        problems.warn(
            _place(gathered, "rest.token"),
            "echo.pager-duty.enabled: not true, so services are listed but nobody is paged",
        )
    feature = settings.deck.feature_pager_duty
    if events.enabled and not feature and (feature is False or _has_files(gathered)):
        problems.warn(
            _place(gathered, "deck.featurePagerDuty", "events.enabled"),
            "feature.pagerDuty: not true in settings-local.js, so Deck shows no paging (the API pages all the same)",
        )


def _check_regions(settings: Settings, gathered: Gathered, problems: Problems) -> None:
    events, rest = settings.events, settings.rest
    if not (events.enabled and rest.enabled):
        return
    if hosts := of_two_regions(events.endpoint, rest.base_url):
        problems.warn(
            _place(gathered, "events.endpoint", "rest.baseUrl"),
            f"{gathered.named('events.endpoint', beside='events.enabled')}: {hosts[0]} and Gate's {hosts[1]} are of "
            f"different regions; a key of one is unknown to the other. For the EU write {_of_the_eu(hosts[0], gathered)}",
        )


def _of_the_eu(events_host: str, gathered: Gathered) -> str:
    """Give the line that is missing where one side names the EU: the other has the default, or names the US."""
    if not events_host.endswith(EU):
        return f"{gathered.named('events.endpoint', beside='events.enabled')}: https://events{EU}"
    return f"{gathered.named('rest.baseUrl', beside='rest.token')}: https://api{EU}"


def _has_files(gathered: Gathered) -> bool:
    places = (one.source for given in gathered.given.values() for one in given)
    return any(not place.file.startswith(ENVIRONMENT) for place in places)


def _place(gathered: Gathered, *keys: str) -> Source | str:
    return next((place for key in keys if (place := gathered.place(key)) is not None), "configuration")
