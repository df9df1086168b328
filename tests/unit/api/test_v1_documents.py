"""Documents of our own API."""

from __future__ import annotations

from dataclasses import replace

import pytest

from masthead.api.v1.documents import owner_document, service_document
from masthead.catalog.model import read_service
from masthead.config import Settings
from masthead.config.settings import DeckSettings
from masthead.ownership import Owner


@pytest.mark.parametrize(
    ("html_url", "account", "expected"),
    [
        ("https://acme.pagerduty.com/x", "other", "https://acme.pagerduty.com/x"),
        (None, "acme.eu", "https://acme.eu.pagerduty.com/service-directory/P1"),
        (None, "", None),
    ],
)
def test_a_services_link_is_pagerdutys_own_or_built_from_the_account_name(html_url, account, expected):
    """Deck's accountName stands in where html_url is not known."""
    service = read_service({"id": "P1", "name": "One", "html_url": html_url})
    settings = replace(Settings(), deck=DeckSettings(account_name=account))
    assert service_document(service, (), settings=settings)["url"] == expected


@pytest.mark.parametrize(
    ("unknown", "warning"),
    [
        (None, "Nobody is on call for this service, as far as the catalog knows."),
        (
            "PagerDuty's on-calls are being read; ask again in a moment.",
            "Who is on call for this service is not known: PagerDuty's on-calls are being read; ask again in a moment.",
        ),
    ],
)
def test_nobody_is_said_to_be_on_call_only_when_the_on_calls_were_read(unknown, warning):
    """Without the list nobody can tell."""
    service = read_service({"id": "P1", "name": "One", "status": "active"})
    owner = Owner("demo", "One", service, (), unknown)
    assert owner_document(owner, settings=Settings())["warning"] == warning
