"""Names: Front50's rules, the operator's regex, the cloud providers' tables."""

from __future__ import annotations

import pytest

from masthead.applications.names import NameRule, check_name, is_storable, validate
from masthead.kernel.errors import ConfigurationInvalid, InvalidRequest, ValidationFailed

ANY_NAME = NameRule()
WHOLE = {"name": "DEMO", "email": "team@example.com"}


def problems(document, rule=ANY_NAME) -> tuple[str, ...]:
    with pytest.raises(ValidationFailed) as caught:
        validate(document, rule)
    return caught.value.errors


def test_a_whole_application_passes():
    """A name and an e-mail are enough."""
    validate(WHOLE, ANY_NAME)


def test_name_and_email_must_not_be_empty():
    """Front50's two messages, word for word, both at once."""
    name, email = "Application must have a non-empty name", "Application must have a non-empty email"
    assert problems({}) == (name, email)
    assert problems({**WHOLE, "name": ""}) == (name,)
    assert problems({**WHOLE, "email": None}) == (email,)
    assert problems({**WHOLE, "email": " "}) == (email,)


def test_a_name_that_no_address_could_lead_to_is_refused():
    """A slash would lead to another address, and dots alone to none."""
    for name in ("A/B", "/", ".", ".."):
        (problem,) = problems({**WHOLE, "name": name})
        assert "must not hold a slash" in problem
    validate({**WHOLE, "name": "A.B"}, ANY_NAME)


def test_an_application_has_no_more_attributes_than_anybody_reads():
    """Hundreds of thousands of them held up everybody who listed applications."""
    attributes = {f"a{n}": n for n in range(1000 - len(WHOLE))}
    validate({**WHOLE, **attributes}, ANY_NAME)
    assert problems({**WHOLE, **attributes, "more": 1}) == (
        "Application must not have more than 1,000 attributes",
    )


def test_a_name_that_no_database_can_hold_is_refused():
    """NUL bytes and half surrogates in a name are the request's fault, not the database's."""
    for name in ("A\0B", "A\ud800", "A\nB"):
        assert not is_storable(name)
        with pytest.raises(InvalidRequest) as caught:
            validate({**WHOLE, "name": name}, NameRule())
        assert caught.value.pointer == "/name"


@pytest.mark.parametrize(
    ("regex", "name", "allowed"),
    [
        ("", "ANY THING", True),
        ("[A-Z]+", "DEMO", True),
        ("[A-Z]+", "DEMO1", False),
        ("[a-z]+", "DEMO", False),
        ("DEMO", "DEMONSTRATION", False),
    ],
)
def test_the_operators_regex_holds_over_the_whole_name(regex, name, allowed):
    """The regex is tested against the whole upper-cased name."""
    problem = NameRule(regex).problem(name)
    assert (problem is None) == allowed
    if problem:
        assert problem == f"Application name doesn't satisfy the validation regex: {regex}"


def test_the_operators_message_replaces_ours():
    """A validation message is shown instead of the regex."""
    rule = NameRule("[A-Z]+", "Letters only.")
    assert problems({**WHOLE, "name": "A1"}, rule) == ("Letters only.",)


def test_a_broken_regex_is_a_configuration_error():
    """The operator hears of it at start."""
    with pytest.raises(ConfigurationInvalid, match="validation-regex"):
        NameRule("[")


@pytest.mark.parametrize(
    ("provider", "good", "bad"),
    [
        ("appengine", "a1" * 29, "a1" * 29 + "a"),
        ("appengine", "demo", "Demo"),
        ("aws", "My_app.1", "my-app"),
        ("dcos", "demo1", "demo.1"),
        ("gce", "Demo1", "1demo"),
        ("gce", "", "de-mo"),
        ("kubernetes", "de-mo", "de.mo"),
        ("kubernetes", "d" * 63, "d" * 64),
        ("openstack", "a.b", "a b"),
        ("tencentcloud", "应用-1", "a!"),
        ("titus", "x" * 250, "x" * 251),
        ("aws", "demo", "demo\n"),
    ],
)
def test_each_cloud_provider_has_its_own_names(provider, good, bad):
    """Length and pattern of the provider's table decide."""
    assert check_name(good, provider) is None
    assert check_name(bad, provider) is not None


def test_unknown_and_absent_providers_check_nothing():
    """Without a known provider every name passes."""
    for providers in (None, "", "cloudfoundry"):
        assert check_name("any thing!", providers) is None


def test_the_message_names_every_provider_that_refuses():
    """Orca's text, word for word, one sentence a provider."""
    assert check_name("a!", "aws, kubernetes") == (
        "Invalid application name, errors: [Invalid application name 'a!'. Must match ^[a-zA-Z_0-9.]*$ for "
        "cloud provider 'aws' and be less than 250 characters., Invalid application name 'a!'. Must match "
        "^([a-zA-Z][a-zA-Z0-9-]*)$ for cloud provider 'kubernetes' and be less than 63 characters.]"
    )
