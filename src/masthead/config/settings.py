"""Every setting, declared once: its default, its kind and its sentence; the rest is derived from here.

A setting ``events.timeout_s`` is ``events: {timeoutSeconds: …}`` in ``masthead.yml`` and
``MASTHEAD_EVENTS_TIMEOUT_SECONDS`` in the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from masthead.config.webhooks import AllowedRequest, PreconfiguredWebhook
from masthead.kernel.errors import ConfigurationInvalid
from masthead.kernel.secret import Secret

__all__ = [
    "DEFAULT_ACCOUNT",
    "SECTIONS",
    "AccessSettings",
    "AccountSettings",
    "ApplicationsSettings",
    "DeckSettings",
    "EchoSettings",
    "EventsSettings",
    "ExecutionsSettings",
    "PagingSettings",
    "RestSettings",
    "SchedulerSettings",
    "ServerSettings",
    "Setting",
    "Settings",
    "TokenSource",
    "UrlsSettings",
    "WebhookSettings",
    "account_settings",
    "all_settings",
    "token_doubt",
    "token_problem",
]

_DAY_S = 86_400.0
#: The account of Echo's and Gate's blocks.
DEFAULT_ACCOUNT = "default"
_REGIONS = {
    "us": ("https://events.pagerduty.com", "https://api.pagerduty.com"),
    "eu": ("https://events.eu.pagerduty.com", "https://api.eu.pagerduty.com"),
}


@dataclass(frozen=True)
class TokenSource:
    """Where a token comes from: the configuration itself, or a file that is read again when it changes."""

    literal: Secret | None = None
    file: Path | None = None
    _read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def read(self) -> Secret:
        """Give the token as it is now.

        Raises:
            ConfigurationInvalid: the file cannot be read or is empty.
        """
        if self.file is None:
            return self.literal or Secret("")
        try:
            return self._reread(self.file)
        except ConfigurationInvalid:
            if last := self._read.get("token"):
                return cast("Secret", last)  # a file that is being replaced is not a lost token
            raise

    def _reread(self, file: Path) -> Secret:
        try:
            status = file.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if self._read.get("seen") == seen:
                return cast("Secret", self._read["token"])
            text = file.read_text(encoding="utf-8-sig").strip()
        except OSError as error:
            raise ConfigurationInvalid(
                f"{file}: the token file cannot be read: {error.strerror}; check the path and its permissions"
            ) from error
        except UnicodeDecodeError:
            raise ConfigurationInvalid(
                f"{file}: the token file is not text; write the token alone into it"
            ) from None
        if problem := token_problem(text):
            raise ConfigurationInvalid(f"{file}: the token file {problem}; write the token alone into it")
        self._read.update(seen=seen, token=Secret(text))
        return cast("Secret", self._read["token"])


def token_problem(text: str) -> str | None:
    """Say why *text* cannot be sent as a token at all, never showing it; None when it can."""
    if not text:
        return "is empty"
    if set(text) == {"*"}:
        return "holds the placeholder ***"
    if not (text.isascii() and text.isprintable()):
        return "holds a character that no token has, such as a word processor's quotation mark or a line end"
    return None


def token_doubt(text: str) -> str | None:
    """Say why PagerDuty will hardly know *text* as a token, never showing it; None when it may."""
    if text.startswith(("$", "{{", "%")):
        return "begins like a variable, which is written ${NAME} here"
    if text != text.strip():
        return "has a space or a line end around it, which is left out"
    if " " in text:
        return "holds a space, which no token of PagerDuty has"
    if text.startswith("<") or text.endswith(">"):
        return "stands in angle brackets, which no token of PagerDuty has"
    return None


def _setting(
    default: Any,
    kind: str,
    doc: str,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
) -> Any:
    factory = {"default_factory": lambda: default} if isinstance(default, dict) else {"default": default}
    return field(
        **factory, metadata={"kind": kind, "doc": doc, "choices": choices, "least": least, "most": most}
    )


@dataclass(frozen=True)
class ServerSettings:
    """How the process listens and stores."""

    host: str = _setting("127.0.0.1", "text", "Address to listen on.")
    port: int = _setting(8084, "integer", "Port of all doors.", least=0, most=65_535)
    also: Mapping[str, int] = _setting(
        {},
        "ports",
        "Services at the root of ports of their own, each with its port.",
        choices=("gate", "orca", "echo", "front50"),
        least=0,
        most=65_535,
    )
    database: str | None = _setting(
        None, "database", "SQLite file or postgresql:// URL; a file of the user's own by default."
    )
    cors_origins: str = _setting(
        "http://localhost:*,http://127.0.0.1:*,http://[::1]:*",
        "text",
        "Origins whose web pages may call, separated by commas; Deck's address goes here.",
    )
    max_body_bytes: int = _setting(
        10_000_000, "integer", "Largest request body that is read.", least=1000, most=1_000_000_000
    )
    max_depth: int = _setting(200, "integer", "Deepest nesting of a request body.", least=10, most=500)
    trusted_proxies: str = _setting(
        "127.0.0.1,::1",
        "text",
        "Addresses of reverse proxies, separated by commas, whose X-Forwarded-For and X-Forwarded-Proto are believed; * for all.",
    )
    log_level: str = _setting(
        "INFO", "choice", "Least level that is logged.", choices=("DEBUG", "INFO", "WARNING", "ERROR")
    )


@dataclass(frozen=True)
class AccessSettings:
    """Who may ask."""

    users_file: str | None = _setting(
        None,
        "file",
        "File of users, written by masthead user; with it every door but /health and the login asks who it is.",
    )
    insecure: bool = _setting(
        False,
        "boolean",
        "Whether Masthead without users may listen on an address that others reach: everybody there may page.",
    )
    hosts: tuple[str, ...] = _setting(
        (),
        "words",
        "Names of this machine besides localhost for which requests are taken while there are no users.",
    )
    session_idle_s: float = _setting(
        43_200.0, "seconds", "A session ends when nothing was asked for so long.", least=60, most=30 * _DAY_S
    )
    session_longest_s: float = _setting(
        7 * _DAY_S,
        "seconds",
        "A session ends so long after its login at the latest.",
        least=60,
        most=365 * _DAY_S,
    )
    secure_cookies: bool = _setting(
        False,
        "boolean",
        "Whether cookies are for https only also where no proxy says by X-Forwarded-Proto that the browser uses it.",
    )
    open_metrics: bool = _setting(False, "boolean", "Whether /metrics is answered without a login.")
    open_webhooks: bool = _setting(
        False,
        "boolean",
        "Whether POST /webhooks/** is taken without a login, as Gate takes it: what comes may start pipelines.",
    )
    attempts_per_user: int = _setting(
        40, "integer", "Wrong passwords for one user within the window.", least=1, most=100_000
    )
    attempts_per_address: int = _setting(
        20, "integer", "Wrong passwords from one address within the window.", least=1, most=100_000
    )
    attempts_window_s: float = _setting(
        900.0,
        "seconds",
        "Length of the sliding window in which wrong passwords are counted.",
        least=1,
        most=_DAY_S,
    )


@dataclass(frozen=True)
class EventsSettings:
    """Echo's block: sending events."""

    enabled: bool = _setting(False, "boolean", "Whether pages are sent.")
    endpoint: str = _setting(
        "https://events.pagerduty.com", "url", "Events API; EU accounts: https://events.eu.pagerduty.com."
    )
    token: TokenSource | None = _setting(None, "token", "Sent along as Echo does; no Events API needs it.")
    timeout_s: float = _setting(10.0, "seconds", "Longest wait for one answer.", least=0.1, most=600)
    unknown_key_protocol: str = _setting(
        "v2", "choice", "Events API for keys that no known integration has.", choices=("v1", "v2")
    )
    prefer_v1: bool = _setting(
        False, "boolean", "Offer a service's Events v1 key where it has one, as Gate does."
    )
    default_severity: str = _setting(
        "critical",
        "choice",
        "Severity of pages that name none.",
        choices=("critical", "error", "warning", "info"),
    )


@dataclass(frozen=True)
class EchoSettings:
    """Echo's door."""

    wait_s: float = _setting(
        10.0,
        "seconds",
        "How long POST /notifications waits for PagerDuty before it answers 202.",
        least=0,
        most=600,
    )
    recognise_s: float = _setting(
        300.0,
        "seconds",
        "How long POST /notifications without source.executionId is recognised by its content, unless it reached nobody; 0 for never.",
        least=0,
        most=_DAY_S,
    )
    unhandled: str = _setting(
        "refuse", "choice", "A notification of a type that is not built or switched off: refuse it with 400, or drop it as upstream.",
        choices=("refuse", "drop"),
    )  # fmt: skip


@dataclass(frozen=True)
class RestSettings:
    """Gate's block: reading services and on-calls."""

    enabled: bool = _setting(False, "boolean", "Whether PagerDuty's services and on-calls are read.")
    base_url: str = _setting(
        "https://api.pagerduty.com", "url", "REST API; EU accounts: https://api.eu.pagerduty.com."
    )
    token: TokenSource | None = _setting(None, "token", "REST API token, read-only is enough.")
    in_flight: int = _setting(4, "integer", "Requests at a time.", least=1, most=100)
    refresh_s: float = _setting(300.0, "seconds", "Pause between two refreshes.", least=1, most=_DAY_S)
    refresh_jitter: float = _setting(
        0.1, "number", "Part of the pause by which it varies at random, 0 to 1.", least=0, most=1
    )
    timeout_s: float = _setting(30.0, "seconds", "Longest wait for one answer.", least=0.1, most=600)


@dataclass(frozen=True)
class DeckSettings:
    """What settings-local.js says of PagerDuty."""

    feature_pager_duty: bool | None = _setting(
        None, "boolean", "feature.pagerDuty; false hides paging in our pages and refuses nothing."
    )
    default_subject: str = _setting("Urgent Issue", "text", "Subject that the pager starts with.")
    default_details: str = _setting("", "text", "Details that the pager starts with.")
    required: bool = _setting(False, "boolean", "Whether an application must have a PagerDuty service.")
    account_name: str = _setting("", "text", "Builds links where PagerDuty's own are not known.")


@dataclass(frozen=True)
class ApplicationsSettings:
    """Front50's own rule for names of applications."""

    name_regex: str = _setting(
        "", "regex", "Must match the whole name of an application, in upper case; empty allows every name."
    )
    name_message: str = _setting(
        "", "text", "What people read when a name does not match; Front50's sentence if empty."
    )


@dataclass(frozen=True)
class SchedulerSettings:
    """When cron triggers fire."""

    time_zone: str = _setting(
        "America/Los_Angeles",
        "zone",
        "Time zone of cron triggers that name none, as Europe/Berlin. Echo calls it scheduler.cron.timezone.",
    )
    make_up_s: float = _setting(
        1800.0,
        "seconds",
        "A firing that nobody was there for is made up if it is not older; 0 makes up none.",
        least=0,
        most=7 * _DAY_S,
    )


@dataclass(frozen=True)
class ExecutionsSettings:
    """Runs of pipelines and tasks."""

    window_time_zone: str = _setting(
        "America/Los_Angeles",
        "zone",
        "Time zone of execution windows. Orca calls it tasks.execution-window.timezone.",
    )
    retention_days: int = _setting(
        90, "integer", "Days that executions which have ended are kept; 0 for ever.", least=0, most=36_500
    )


@dataclass(frozen=True)
class PagingSettings:
    """How long and how often a delivery is tried."""

    deadline_s: float = _setting(
        3600.0, "seconds", "After so long without success a delivery is given up.", least=1, most=30 * _DAY_S
    )
    retry_first_s: float = _setting(
        1.0,
        "seconds",
        "Longest wait before the second attempt; it doubles from there.",
        least=0.01,
        most=3600,
    )
    retry_longest_s: float = _setting(
        30.0, "seconds", "Longest wait between two attempts.", least=0.01, most=3600
    )
    budget: int = _setting(
        120, "integer", "Events that one key is sent within the window.", least=1, most=100_000
    )
    budget_window_s: float = _setting(60.0, "seconds", "Length of the sliding window.", least=0.1, most=3600)
    waiting_limit: int = _setting(
        100_000,
        "integer",
        "Deliveries that may wait; beyond it every door answers 503. Acknowledges and resolves may wait up to a tenth above it.",
        least=1,
        most=100_000_000,
    )
    proof_wait_s: float = _setting(
        60.0,
        "seconds",
        "How long an accepted page may take to open an incident before it opened none.",
        least=0.1,
        most=_DAY_S,
    )
    follow_s: float = _setting(
        86_400.0,
        "seconds",
        "How long an incident is followed until somebody acknowledges or resolves it.",
        least=0,
        most=30 * _DAY_S,
    )
    looks_per_minute: int = _setting(
        480,
        "integer",
        "REST requests a minute, for each account, that tell what became of pages; PagerDuty allows a token 960 in all.",
        least=1,
        most=10_000,
    )
    retention_days: int = _setting(
        365, "integer", "Days that decided pages are kept; 0 for ever.", least=0, most=36_500
    )


@dataclass(frozen=True)
class UrlsSettings:
    """Orca's ``user-configured-url-restrictions``: which URLs of users may be reached."""

    allowed_hostnames_regex: str = _setting(
        r".*\..+", "regex", "Must match the whole name of the host; empty refuses every host. The default asks for a dot."
    )  # fmt: skip
    allowed_schemes: tuple[str, ...] = _setting(("http", "https"), "words", "Schemes that may be used.")
    reject_localhost: bool = _setting(
        True, "boolean", "Refuse this machine: loopback and the addresses of its interfaces."
    )
    reject_link_local: bool = _setting(True, "boolean", "Refuse link-local addresses.")
    reject_metadata: bool = _setting(
        True, "boolean", "Refuse the metadata services of clouds, which hand out credentials."
    )
    reject_verbatim_ips: bool = _setting(
        True, "boolean", "Refuse URLs with an address in the place of a name, however it is written."
    )
    reject_private_networks: bool = _setting(
        False, "boolean", "Refuse names whose addresses are in private networks, but for allowedNetworks."
    )
    allowed_networks: tuple[str, ...] = _setting(
        (), "networks", "The private networks that may be reached; once any is named, no others. Public addresses are not concerned."
    )  # fmt: skip
    rejected_ips: tuple[str, ...] = _setting((), "networks", "Addresses and networks that are refused.")
    excluded_domains: tuple[str, ...] = _setting(
        ("spinnaker", "local", "localdomain", "internal"), "words", "Domains whose names are refused."
    )
    excluded_domains_from_environment: tuple[str, ...] = _setting(
        (), "words", "Variables of the environment whose values are such domains too."
    )
    extra_excluded_patterns: tuple[str, ...] = _setting(
        (), "patterns", "Regular expressions; a name that one matches as a whole is refused."
    )
    excluded_domain_template: str = _setting(
        r"(?=.+\.%s$).*\..+", "regex", "How an excluded domain becomes a regular expression, in place of %s."
    )


@dataclass(frozen=True)
class WebhookSettings:
    """Orca's ``webhook``: the webhook stage, and every other request to a URL of a user."""

    enabled: bool = _setting(
        True, "boolean", "Whether there are webhook stages; upstream's webhook.stage.enabled."
    )
    default_retry_status_codes: tuple[int, ...] = _setting(
        (429,), "codes", "Statuses after which a stage tries again, besides 5xx."
    )
    follow_redirects: bool = _setting(
        True, "boolean", "Whether redirects are followed; each target is judged anew."
    )
    connect_timeout_s: float = _setting(
        15.0, "seconds", "Longest wait for a connection.", least=0.1, most=600
    )
    read_timeout_s: float = _setting(
        20.0, "seconds", "Longest wait for the next bytes of an answer.", least=0.1, most=600
    )
    timeout_s: float = _setting(
        60.0, "seconds", "Longest time of a whole request, redirects included.", least=0.1, most=3600
    )
    max_request_bytes: int = _setting(
        5_000_000, "integer", "Largest request, headers and body.", least=1000, most=100_000_000
    )
    max_response_bytes: int = _setting(
        2_000_000, "integer", "Largest answer, headers and body, compressed or not; it becomes part of the execution.",
        least=1000, most=100_000_000,
    )  # fmt: skip
    allowed_requests_enabled: bool = _setting(
        False, "boolean", "Whether webhook stages may make only the requests of allowedRequests."
    )
    allowed_requests: tuple[AllowedRequest, ...] = _setting(
        (), "requests", "Mappings of httpMethods, matchStrategy (STARTS_WITH, PATTERN_MATCHES), urlPrefix or urlPattern, and safeToRetry."
    )  # fmt: skip
    trust_pem: Secret | None = _setting(
        None, "pem", "Certificates that are trusted besides the system's: PEM, or a file of it."
    )
    identity_cert_pem: Secret | None = _setting(
        None, "pem", "Our own certificate for servers that ask for one, with its chain and perhaps its key: PEM, or a file of it."
    )  # fmt: skip
    identity_key_pem: Secret | None = _setting(None, "pem", "Its key: PEM, or a file of it.")
    identity_key_password: TokenSource | None = _setting(None, "token", "The key's password.")
    insecure_skip_hostname_verification: bool = _setting(
        False, "boolean", "Take any name in a server's certificate; for trials only."
    )
    insecure_trust_self_signed: bool = _setting(
        False, "boolean", "Take any certificate of a server; for trials only."
    )
    preconfigured: tuple[PreconfiguredWebhook, ...] = _setting(
        (), "webhooks", "Stage types of one's own, each a webhook with fields that are set already."
    )


@dataclass(frozen=True)
class AccountSettings:
    """One of several PagerDuty accounts: an entry of ``accounts:`` in ``masthead.yml``."""

    #: The entry's key, or its ``name``.
    name: str
    default: bool = _setting(
        False,
        "boolean",
        "Whether keys that no account's catalog has are sent by this account; without any such it is the first account.",
    )
    region: str = _setting("us", "choice", "Whose hosts are taken.", choices=tuple(_REGIONS))
    endpoint: str | None = _setting(None, "url", "Events API; the region's if not set.")
    base_url: str | None = _setting(None, "url", "REST API; the region's if not set.")
    token: TokenSource | None = _setting(None, "token", "REST API token, read-only is enough.")
    client_id: str | None = _setting(
        None, "text", "Id of a scoped OAuth app, which gets its tokens by itself; in place of a token."
    )
    client_secret: TokenSource | None = _setting(None, "token", "The OAuth app's secret.")
    scopes: tuple[str, ...] = _setting(
        (), "words", "What the OAuth app asks for; all that Masthead can use if not set."
    )
    identity_url: str = _setting(
        "https://identity.pagerduty.com", "url", "Where OAuth tokens come from, the same for both regions."
    )
    account_name: str = _setting(
        "",
        "text",
        "Deck's accountName, the SUBDOMAIN of https://SUBDOMAIN.pagerduty.com: builds links, and an OAuth app needs it.",
    )
    #: Sent along with events, as Echo does; of Echo's own block only.
    events_token: TokenSource | None = None

    @property
    def events_url(self) -> str:
        """The Events API's address."""
        return self.endpoint or _REGIONS[self.region][0]

    @property
    def rest_url(self) -> str:
        """The REST API's address."""
        return self.base_url or _REGIONS[self.region][1]

    @property
    def can_read(self) -> bool:
        """Whether there is a token, or an app that gets one."""
        return self.token is not None or (self.client_id is not None and self.client_secret is not None)

    @property
    def account_scope(self) -> str:
        """The scope that names the account to PagerDuty's identity host: ``as_account-eu.acme``."""
        return f"as_account-{self.region}.{self.account_name.removesuffix('.eu')}"


@dataclass(frozen=True)
class Settings:
    """All of it."""

    server: ServerSettings = field(default_factory=ServerSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    events: EventsSettings = field(default_factory=EventsSettings)
    echo: EchoSettings = field(default_factory=EchoSettings)
    rest: RestSettings = field(default_factory=RestSettings)
    deck: DeckSettings = field(default_factory=DeckSettings)
    applications: ApplicationsSettings = field(default_factory=ApplicationsSettings)
    paging: PagingSettings = field(default_factory=PagingSettings)
    scheduler: SchedulerSettings = field(default_factory=SchedulerSettings)
    executions: ExecutionsSettings = field(default_factory=ExecutionsSettings)
    urls: UrlsSettings = field(default_factory=UrlsSettings)
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    #: As they are listed below ``accounts:``; see :attr:`pagerduty_accounts`.
    accounts: tuple[AccountSettings, ...] = ()

    @property
    def pagerduty_accounts(self) -> tuple[AccountSettings, ...]:
        """Every account, the default account first.

        Echo's and Gate's blocks are an account of their own, called default: the only one without ``accounts:``,
        and beside those where Gate's block has a token.
        """
        blocks = AccountSettings(
            DEFAULT_ACCOUNT,
            endpoint=self.events.endpoint,
            base_url=self.rest.base_url,
            token=self.rest.token if self.rest.enabled else None,
            account_name=self.deck.account_name,
            events_token=self.events.token,
        )
        if not self.accounts:
            return (blocks,)
        listed = (blocks, *self.accounts) if blocks.can_read else self.accounts
        return tuple(sorted(listed, key=lambda one: not one.default))

    def account_name_of(self, account: str) -> str:
        """Give Deck's name of *account*, empty when nobody gave it."""
        return next((one.account_name for one in self.pagerduty_accounts if one.name == account), "")


SECTIONS: Mapping[str, type] = {
    "server": ServerSettings,
    "access": AccessSettings,
    "events": EventsSettings,
    "echo": EchoSettings,
    "rest": RestSettings,
    "deck": DeckSettings,
    "applications": ApplicationsSettings,
    "paging": PagingSettings,
    "scheduler": SchedulerSettings,
    "executions": ExecutionsSettings,
    "urls": UrlsSettings,
    "webhook": WebhookSettings,
}


@dataclass(frozen=True)
class Setting:
    """One declared setting."""

    section: str
    #: The attribute, for example ``timeout_s``.
    name: str
    kind: str
    doc: str
    default: Any
    choices: tuple[str, ...]
    #: Smallest and largest value, for numbers.
    least: float | None
    most: float | None

    @property
    def words(self) -> str:
        """The name with its unit spelt out: ``timeout_seconds``."""
        return f"{self.name.removesuffix('_s')}_seconds" if self.kind == "seconds" else self.name

    @property
    def key(self) -> str:
        """As written in ``masthead.yml``: ``events.timeoutSeconds``."""
        head, *rest = self.words.split("_")
        return f"{self.section}.{head}{''.join(map(str.capitalize, rest))}"

    @property
    def variable(self) -> str:
        """As written in the environment: ``MASTHEAD_EVENTS_TIMEOUT_SECONDS``."""
        return re.sub(r"\W", "_", f"MASTHEAD_{self.section}_{self.words}").upper()


def all_settings() -> list[Setting]:
    """Give every setting, in the order of the sections."""
    return [one for section, cls in SECTIONS.items() for one in _declared(section, cls())]


def account_settings(account: str) -> list[Setting]:
    """Give every setting of one entry of ``accounts:``."""
    return _declared(f"accounts.{account}", AccountSettings(account))


def _declared(section: str, defaults: Any) -> list[Setting]:
    return [
        Setting(
            section,
            one.name,
            one.metadata["kind"],
            one.metadata["doc"],
            getattr(defaults, one.name),
            one.metadata["choices"],
            one.metadata["least"],
            one.metadata["most"],
        )
        for one in fields(defaults)
        if "kind" in one.metadata
    ]
