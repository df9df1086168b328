"""How often a password may be tried."""

from __future__ import annotations

import pytest

from masthead.access.attempts import Attempts
from masthead.kernel.errors import TooManyAttempts


@pytest.fixture
def attempts(clock):
    return Attempts(clock, per_user=4, per_address=3, window_s=60)


async def test_an_address_may_try_so_often(attempts, clock):
    """For any users, within the sliding window; then it is told how long to wait."""
    for name in "abc":
        attempts.begin(name, "10.0.0.1")
        await clock.advance(10)
    with pytest.raises(TooManyAttempts) as caught:
        attempts.begin("d", "10.0.0.1")
    assert caught.value.retry_after == 30
    attempts.begin("d", "10.0.0.2")
    await clock.advance(30)
    attempts.begin("d", "10.0.0.1")
    with pytest.raises(TooManyAttempts):
        attempts.begin("d", "10.0.0.1")


def test_a_user_may_be_tried_so_often_from_everywhere(attempts):
    """Many addresses are no way around."""
    for number in range(4):
        attempts.begin("ann", f"10.0.0.{number}")
    with pytest.raises(TooManyAttempts):
        attempts.begin("ann", "10.0.0.9")
    attempts.begin("bob", "10.0.0.9")


def test_one_address_cannot_lock_a_user_out_elsewhere(attempts):
    """Its own limit ends it first."""
    for _ in range(3):
        attempts.begin("ann", "10.0.0.1")
    with pytest.raises(TooManyAttempts):
        attempts.begin("ann", "10.0.0.1")
    attempts.begin("ann", "10.0.0.2")


def test_many_addresses_cannot_lock_a_user_out_where_he_has_logged_in(attempts):
    """At three in the morning the one who is woken gets in."""
    attempts.begin("ann", "10.9.9.9").succeeded()
    for number in range(4):
        attempts.begin("ann", f"10.0.0.{number}")
    attempts.begin("ann", "10.9.9.9").succeeded()


def test_what_succeeds_is_forgiven(attempts):
    """Any number of right passwords."""
    for _ in range(20):
        attempts.begin("ann", "10.0.0.1").succeeded()


def test_attempts_count_from_their_beginning(attempts):
    """Many at once are no way around: none of them has failed yet."""
    under_way = [attempts.begin("ann", "10.0.0.1") for _ in range(3)]
    with pytest.raises(TooManyAttempts):
        attempts.begin("ann", "10.0.0.1")
    under_way[0].succeeded()
    attempts.begin("ann", "10.0.0.1")


def test_names_of_any_length_cost_no_memory(attempts):
    """What is too long to be a user's name is one name."""
    for number in range(4):
        attempts.begin(f"{number}" * 5000, f"10.0.0.{number}")
    with pytest.raises(TooManyAttempts):
        attempts.begin("9" * 5000, "10.0.0.9")


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8::1", "2001:db8::2"), ("::ffff:10.0.0.1", "10.0.0.1"), ("odd", "odd")]
)
def test_what_one_attacker_commands_counts_as_one(attempts, one, other):
    """Sixty-four bits of IPv6 are one connection at home."""
    for _ in range(3):
        attempts.begin("a", one)
    with pytest.raises(TooManyAttempts):
        attempts.begin("b", other)
