"""From the settings to the client for users' URLs, and to the stage types that an operator has set up."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from masthead.config import Settings
from masthead.executions.stages.registry import STAGE_TYPES, StageTypes
from masthead.executions.stages.webhook import WebhookStage, preconfigured_types
from masthead.executions.webhooks import Webhooks
from masthead.kernel.errors import ConfigurationInvalid
from masthead.outbound import (
    GuardedClient,
    Limits,
    Outbound,
    OutboundError,
    Request,
    Restrictions,
    TlsSettings,
    tls_context,
)

__all__ = ["open_outbound", "open_webhooks", "stage_types", "url_reader"]

#: Most bytes that an expression reads from a URL: its result becomes part of the execution.
_MOST_READ = 1_000_000
_FIRST_ERROR = 400
#: Beyond a request's own time, for its machine to store the answer.
_SLACK_S = 5.0


def open_outbound(settings: Settings) -> GuardedClient:
    """Give the client for URLs that users give.

    Raises:
        ConfigurationInvalid: a certificate or key cannot be read.
    """
    urls, webhook = settings.urls, settings.webhook
    restrictions = Restrictions(
        allowed_hostnames_regex=urls.allowed_hostnames_regex,
        allowed_schemes=urls.allowed_schemes,
        reject_localhost=urls.reject_localhost,
        reject_link_local=urls.reject_link_local,
        reject_metadata=urls.reject_metadata,
        reject_verbatim_ips=urls.reject_verbatim_ips,
        reject_private_networks=urls.reject_private_networks,
        allowed_networks=urls.allowed_networks,
        rejected_ips=urls.rejected_ips,
        excluded_domains=urls.excluded_domains,
        excluded_domains_from_environment=urls.excluded_domains_from_environment,
        extra_excluded_patterns=urls.extra_excluded_patterns,
        excluded_domain_template=urls.excluded_domain_template,
        environment=os.environ,
    )
    limits = Limits(
        connect_timeout_s=webhook.connect_timeout_s,
        read_timeout_s=webhook.read_timeout_s,
        timeout_s=webhook.timeout_s,
        max_request_bytes=webhook.max_request_bytes,
        max_response_bytes=webhook.max_response_bytes,
        follow_redirects=webhook.follow_redirects,
    )
    password = webhook.identity_key_password
    tls = TlsSettings(
        trust=webhook.trust_pem.reveal() if webhook.trust_pem else "",
        certificate=webhook.identity_cert_pem.reveal() if webhook.identity_cert_pem else "",
        key=webhook.identity_key_pem,
        key_password=password.read() if password is not None else None,
        skips_hostname_verification=webhook.insecure_skip_hostname_verification,
        trusts_self_signed=webhook.insecure_trust_self_signed,
    )
    return GuardedClient(restrictions, limits=limits, tls=tls_context(tls))


def open_webhooks(settings: Settings, outbound: Outbound) -> Webhooks | None:
    """Give what webhook stages go out by; None where they are switched off."""
    webhook = settings.webhook
    if not webhook.enabled:
        return None
    return Webhooks(
        outbound,
        default_retry_status_codes=webhook.default_retry_status_codes,
        allowed=webhook.allowed_requests if webhook.allowed_requests_enabled else None,
        preconfigured={hook.type: hook for hook in webhook.preconfigured if hook.enabled},
        patience_s=webhook.timeout_s + _SLACK_S,
    )


def stage_types(settings: Settings) -> StageTypes:
    """Give the stage types of this installation, the operator's own among them.

    Raises:
        ConfigurationInvalid: one of them has the name of a type that Masthead has.
    """
    webhook = settings.webhook
    if not webhook.enabled:
        return StageTypes(each for each in STAGE_TYPES.all() if each.type != WebhookStage.type)
    own = preconfigured_types(webhook.preconfigured)
    taken = next((each.type for each in own if STAGE_TYPES.find(each.type) is not None), None)
    if taken is not None:
        raise ConfigurationInvalid(
            f"webhook.preconfigured: the type {taken} is one of Masthead's own; give the webhook another"
        )
    return StageTypes((*STAGE_TYPES.all(), *own))


def url_reader(outbound: Outbound) -> Callable[[str], Awaitable[str]]:
    """Give what reads a URL for expressions: ``#fromUrl`` and its kin."""

    async def read(url: str) -> str:
        reply = await outbound.request(Request(url), max_response_bytes=_MOST_READ)
        if reply.status >= _FIRST_ERROR:
            raise OutboundError(f"the answer has the status {reply.status}")
        return reply.text()

    return read
