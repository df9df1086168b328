"""What a real connection sees: resets, half answers, many events, webhooks over HTTP."""

from __future__ import annotations

import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

EVENT = {
    "routing_key": "c0ffee00000000000000paymentsapi2",
    "event_action": "trigger",
    "dedup_key": "k",
    "payload": {"summary": "s", "severity": "error", "source": "x"},
}


def _request(simulator):
    """Give the bytes of a whole request that sends an event."""
    body = httpx.Request("POST", simulator.url, json=EVENT).content
    return f"POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _connect(simulator):
    host, port = simulator.url.partition("//")[2].split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def _read_all(connection):
    got = b""
    while part := connection.recv(65536):
        got += part
    return got


@pytest.mark.parametrize(("when", "opened"), [("before", 0), ("after", 1)])
def test_a_reset_is_a_reset(simulator, when, opened):
    """The connection ends with RST and without a byte, before or after the event was processed."""
    simulator.post("/simulator/faults", {"reset": True, "count": 1, "when": when})
    with _connect(simulator) as connection:
        connection.sendall(_request(simulator))
        with pytest.raises(ConnectionResetError):
            _read_all(connection)
    assert len(simulator.get("/simulator/incidents")) == opened


def test_a_reset_under_tls(secure_simulator, trusting):
    """Under TLS too."""
    url = secure_simulator.url
    httpx.post(f"{url}/simulator/faults", json={"reset": True, "count": 1}, verify=trusting)
    with (
        _connect(secure_simulator) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as wire,
    ):
        wire.sendall(_request(secure_simulator))
        # Below TLS, for Python's TLS shows a reset as an unexpected end.
        with socket.socket(fileno=os.dup(wire.fileno())) as bare:
            bare.settimeout(10)
            with pytest.raises(ConnectionResetError):
                _read_all(bare)
    assert httpx.get(f"{url}/simulator/incidents", verify=trusting).json() == []


def test_half_a_body_is_cut(simulator):
    """Status and length are those of the whole answer, and the connection ends in the middle of the body."""
    simulator.post("/simulator/faults", {"half_body": True, "count": 1})
    with _connect(simulator) as connection:
        connection.sendall(_request(simulator))
        head, _, body = _read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 202")
    assert b"content-length: 64" in head.lower()
    assert len(body) == 32
    simulator.post("/simulator/faults", {"half_body": True, "count": 1, "target": "rest"})
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{simulator.url}/services", headers={"Authorization": "Token token=t"})
    assert len(simulator.get("/simulator/incidents")) == 1


def test_a_caller_that_went_away_has_paged(simulator):
    """An event whose sender hung up before the answer is processed all the same."""
    simulator.post("/simulator/faults", {"delay_ms": 100, "when": "after", "count": 1})
    with _connect(simulator) as connection:
        connection.sendall(_request(simulator))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    assert len(simulator.get("/simulator/incidents")) == 1


def test_a_connection_carries_many_events(simulator):
    """Events one after another over one connection are all counted."""
    simulator.post("/simulator/settings", {"events_per_key": None})
    with httpx.Client(base_url=simulator.url) as client:
        statuses = {
            client.post("/v2/enqueue", json={**EVENT, "dedup_key": str(n)}).status_code for n in range(300)
        }
    assert statuses == {202}
    assert simulator.get("/simulator")["incidents"] == 300


def test_webhooks_travel(simulator):
    """A subscriber on a port of its own is told over HTTP, signed."""
    got = []
    told = threading.Event()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()
            told.set()

        def log_message(self, *_arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        subscription = {
            "delivery_method": {"url": f"http://127.0.0.1:{server.server_port}/hook?a=b"},
            "events": ["incident.triggered"],
            "filter": {"type": "account_reference"},
        }
        headers = {"Authorization": "Token token=t"}
        answer = httpx.post(
            f"{simulator.url}/webhook_subscriptions",
            json={"webhook_subscription": subscription},
            headers=headers,
        )
        assert answer.status_code == 201
        simulator.post("/v2/enqueue", EVENT)
        assert told.wait(10)
        server.shutdown()
        thread.join()
    (sent,) = got
    assert sent[0]["X-PagerDuty-Signature"].startswith("v1=")
