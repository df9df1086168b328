"""The simulator as a process: its one line, the port, the data file, its end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import httpx
import pytest

from masthead.simulator.organisation import DataInvalid
from masthead.simulator.run import TlsInvalid, bind, serve

CODE = "from pathlib import Path; from masthead.simulator.run import serve; serve(port=0, data_path={path})"


def test_it_says_where_it_is_and_ends_when_told(tmp_path):
    """One line names the address; SIGTERM ends it."""
    data = tmp_path / "a file.json"
    data.write_text(json.dumps({"extends": "example", "tokens": [{"token": "only"}]}))
    code = CODE.format(path=f"Path({str(data)!r})")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
        assert line.startswith("PagerDuty simulator")
        answer = httpx.get(f"{url}/abilities", headers={"Authorization": "Token token=only"})
        other = httpx.get(f"{url}/abilities", headers={"Authorization": "Token token=other"})
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)
        assert process.stdout.read() == ""
    assert (answer.status_code, other.status_code) == (200, 401)


def test_a_taken_port_is_an_error():
    """A port that is not free is an OSError before anything is said."""
    said = []
    with bind("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        serve(port=taken.getsockname()[1], announce=said.append)
    assert said == []


def test_a_bad_file_is_an_error(tmp_path):
    """A data file that cannot be used is an error that names it, before anything is said."""
    data = tmp_path / "broken.json"
    data.write_text("{")
    with pytest.raises(DataInvalid, match=r"broken\.json"):
        serve(port=0, data_path=data)


def test_files_of_tls_that_cannot_be_used_are_an_error(tmp_path):
    """Absent, no PEM, a key alone: told before the simulator says that it is there, and never as a taken port."""
    absent, broken = tmp_path / "absent.pem", tmp_path / "broken.pem"
    broken.write_text("nothing")
    said = []
    for given, words in (
        ({"tls_cert": absent}, "absent.pem cannot be read: No such file"),
        ({"tls_cert": broken, "tls_key": absent}, "absent.pem cannot be read: No such file"),
        ({"tls_cert": broken}, "broken.pem and the same file hold no certificate"),
        ({"tls_key": broken}, "broken.pem is a key without a certificate"),
    ):
        with pytest.raises(TlsInvalid, match=words):
            serve(port=0, announce=said.append, **given)
    assert said == []
