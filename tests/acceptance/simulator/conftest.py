"""A simulator on a port of its own, with and without TLS."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
import trustme

from masthead.simulator.app import Simulator, create_app
from masthead.simulator.run import bind, build_server


@dataclass(frozen=True)
class Served:
    """A simulator that is being served."""

    url: str
    app: Simulator

    def get(self, path, **params):
        return httpx.get(self.url + path, params=params or None).json()

    def post(self, path, body):
        answer = httpx.post(self.url + path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def served(*, certificate=None):
    """Serve a new simulator in a thread until the block ends."""
    app = create_app()
    with bind("127.0.0.1", 0) as taken:
        scheme = "https" if certificate else "http"
        app.world.address = f"{scheme}://127.0.0.1:{taken.getsockname()[1]}"
        server = build_server(app, tls_cert=certificate)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        try:
            yield Served(app.world.address, app)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def simulator():
    with served() as running:
        yield running


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def trusting(authority):
    """A TLS context that trusts the tests' own authority and nobody else."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def secure_simulator(authority, tmp_path):
    """A simulator that speaks https only."""
    certificate = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with served(certificate=certificate) as running:
        yield running
