"""What Orca's profile says of webhooks and of URLs, and the lists among it."""

from __future__ import annotations

import re

import pytest

from masthead.config import render_report
from masthead.kernel.secret import Secret

ORCA = """
user-configured-url-restrictions:
  allowed-hostnames-regex: .+\\.acme\\.com
  allowedSchemes: [https]
  reject-localhost: false
  rejectedIps: [10.1.2.3, 10.2.0.0/16]
  allowedNetworks: 10.3.0.0/16
  excluded-domains-from-environment: [NAMESPACE]
  http-client-properties:
    timeout-millis: 30000
webhook:
  stage:
    enabled: true
  connect-timeout-ms: 1500
  readTimeoutMs: 2500
  max-response-bytes: 0
  default-retry-status-codes: [429, 409]
  verify-redirects: false
  trust: {enabled: true, trustPem: ca.pem}
  identity:
    identity-store: ignored.p12
  allowed-requests-enabled: true
  allowed-requests:
    - http-methods: [get, POST]
      match-strategy: PATTERN_MATCHES
      url-pattern: https://ci\\.acme\\.com/.*
      safe-to-retry: true
  preconfigured:
    - label: Deploy
      type: deployWithCi
      url: https://ci.acme.com/${parameterValues['job']}
      method: post
      payload: '{"user": "${trigger.user}", "token": "${CI_TOKEN}"}'
      customHeaders: {X-One: 1, X-Two: [a, b]}
      sensitiveHeaders:
        Authorization: ["${CI_TOKEN}"]
      parameters:
        - {name: job, label: Job, default-value: build, type: string, order: 1}
      permissions: {WRITE: [ops]}
      fail-fast-status-codes: [404]
      waitForCompletion: "true"
server:
  port: 8083
"""


def test_orcas_profile_is_read_by_its_own_names(read):
    """In any spelling; what is Orca's own stays there, what is ignored is not accused."""
    loaded = read("orca.yml", ORCA, {"CI_TOKEN": "s3cret"})
    urls, webhook = loaded.settings.urls, loaded.settings.webhook
    assert loaded.warnings == ()
    assert urls.allowed_hostnames_regex == r".+\.acme\.com"
    assert (urls.allowed_schemes, urls.reject_localhost) == (("https",), False)
    assert (urls.rejected_ips, urls.allowed_networks) == (("10.1.2.3", "10.2.0.0/16"), ("10.3.0.0/16",))
    assert urls.excluded_domains_from_environment == ("NAMESPACE",)
    assert (webhook.connect_timeout_s, webhook.read_timeout_s) == (1.5, 2.5)
    assert webhook.max_response_bytes == 2_000_000
    assert webhook.default_retry_status_codes == (429, 409)
    assert (webhook.trust_pem, webhook.identity_cert_pem) == (Secret("ca.pem"), None)
    assert loaded.settings.server.port == 8084
    (allowed,) = webhook.allowed_requests
    assert allowed.matches("get", "https://ci.acme.com/x")
    assert not allowed.matches("PUT", "https://ci.acme.com/x")
    assert not allowed.matches("GET", "https://ci.acme.com.example/x")
    assert allowed.safe_to_retry


def test_a_preconfigured_webhook_keeps_its_expressions(read):
    """Only names that the environment has are replaced; what is sensitive is a secret from there on."""
    loaded = read("orca.yml", ORCA, {"CI_TOKEN": "s3cret"})
    (hook,) = loaded.settings.webhook.preconfigured
    assert (hook.type, hook.label, hook.enabled) == ("deployWithCi", "Deploy", True)
    assert hook.properties == {
        "url": "https://ci.acme.com/${parameterValues['job']}",
        "customHeaders": {"X-One": ["1"], "X-Two": ["a", "b"]},
        "method": "POST",
        "payload": '{"user": "${trigger.user}", "token": "s3cret"}',
        "failFastStatusCodes": [404],
        "waitForCompletion": True,
    }
    assert hook.sensitive_headers == {"Authorization": (Secret("s3cret"),)}
    assert hook.parameters == (
        {"name": "job", "label": "Job", "defaultValue": "build", "type": "string", "order": 1},
    )
    assert hook.permissions == {"WRITE": ("ops",)}
    report = render_report(loaded)
    assert re.search(r"webhook.preconfigured +deployWithCi +.*orca\.yml:29", report)
    assert "s3cret" not in report


def test_the_same_stands_in_our_own_file(read):
    """With sections of their own, or the name upstream has."""
    text = "user-configured-url-restrictions:\n  rejectMetadata: false\nwebhook:\n  timeoutSeconds: 5s\n"
    settings = read("masthead.yml", text).settings
    assert (settings.urls.reject_metadata, settings.webhook.timeout_s) == (False, 5.0)
    assert read("masthead.yml", "urls:\n  rejectMetadata: false\n").settings.urls.reject_metadata is False


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("  preconfigured: 3", "webhook.preconfigured: must be a list of mappings"),
        ("  preconfigured: [{label: x}]", "webhook.preconfigured: entry [0].type: must be the name"),
        ("  preconfigured: [{type: x}, {type: x}]", "webhook.preconfigured: the type x stands twice"),
        ("  preconfigured: [{type: x, method: FETCH}]", "webhook.preconfigured: entry [0].method: must be one of GET"),
        ("  preconfigured: [{type: x, customHeaders: 3}]", "webhook.preconfigured: entry [0].customHeaders: must be a mapping"),
        ("  preconfigured: [{type: x, waitForCompletion: 3}]", "webhook.preconfigured: entry [0].waitForCompletion: must be true"),
        ("  preconfigured: [{type: x, retryStatusCodes: [9]}]", "webhook.preconfigured: entry [0].retryStatusCodes: must be a list"),
        ("  preconfigured: [{type: x, statusUrlResolution: y}]", "webhook.preconfigured: entry [0].statusUrlResolution: must be one"),
        ("  preconfigured: [{type: x, parameters: [{label: y}]}]", "webhook.preconfigured: entry [0].parameters: must be a list"),
        ("  allowedRequests: [{httpMethods: [GET]}]", "webhook.allowedRequests: entry [0]: urlPrefix must not be null with STARTS_WITH strategy"),
        ("  allowedRequests: [{httpMethods: [GET], matchStrategy: PATTERN_MATCHES}]", "webhook.allowedRequests: entry [0]: urlPattern must not be null with PATTERN"),
        ("  allowedRequests: [{httpMethods: [GET], matchStrategy: PATTERN_MATCHES, urlPattern: '('}]", "webhook.allowedRequests: entry [0].urlPattern: must be a regular"),
        ("  allowedRequests: [{urlPrefix: x}]", "webhook.allowedRequests: entry [0].httpMethods: must list"),
        ("  defaultRetryStatusCodes: [foo]", "webhook.defaultRetryStatusCodes: must be a list of HTTP statuses"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_place(refused, lines, expected):
    """Also in Orca's profile."""
    for name, prefix in (("masthead.yml", ""), ("orca-local.yml", "orca.")):
        assert refused(name, f"webhook:\n{lines}\n")[0].startswith(f"{name}:2: {prefix}{expected}")


@pytest.mark.parametrize("value", ["10.1.0.0/99", "[a.example]", "{a: b}"])
def test_networks_are_networks(refused, value):
    """A typing error would otherwise allow or refuse something else."""
    assert (
        "urls.allowedNetworks: must be a list"
        in refused("masthead.yml", f"urls:\n  allowedNetworks: {value}\n")[0]
    )


def test_what_nobody_knows_is_named(warned):
    """A field that is misspelled, and a setting."""
    text = "webhook:\n  preconfigured: [{type: x, sucessStatuses: OK}]\n  maxResponsBytes: 1000\n"
    for name, prefix in (("masthead.yml", ""), ("orca.yml", "orca.")):
        misspelled, unknown = warned(name, text)
        assert misspelled.startswith(
            f"{name}:2: {prefix}webhook.preconfigured[0].sucessStatuses: unknown and ignored"
        )
        assert unknown.startswith(
            f"{name}:3: {prefix}webhook.maxResponsBytes: unknown and ignored; did you mean max"
        )
