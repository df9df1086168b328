"""Ports and signals of the demo."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from masthead.cli.children import ended_by_signals, free_port


def test_sigterm_ends_through_the_clean_up():
    """As Ctrl-C does; afterwards the signal means again what it meant before."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_port_that_is_taken_gives_another():
    """Bound, never listened on: a look at the machine without touching it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]

        assert free_port(number) not in (number, 0)
