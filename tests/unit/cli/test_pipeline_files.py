"""Saving a pipeline from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from masthead.cli.pipelines import _read, save_pipeline


def test_a_pipeline_of_the_same_name_is_replaced(client, scripted):
    """Names are the same in any case, as Front50 sees them; the stored id goes along."""
    scripted.answers["GET", "/applications/my%20app/pipelineConfigs"] = [{"name": "Release", "id": "P1"}]
    scripted.answers["POST", "/pipelines"] = None
    save_pipeline(client, {"application": "my app", "name": "release"})

    assert json.loads(scripted.asked[-1].content) == {"application": "my app", "name": "release", "id": "P1"}


def test_an_id_in_the_file_is_kept(client, scripted):
    """Whoever writes an id knows which pipeline is meant."""
    scripted.answers["POST", "/pipelines"] = None
    save_pipeline(client, {"application": "demo", "name": "release", "id": "P9"})

    assert [request.method for request in scripted.asked] == ["POST"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "a JSON object is needed"),
        (None, "cannot be read"),
        ('{"name": "\\ud800"}', "not UTF-8 text"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "too deep"),
    ],
)
def test_a_file_that_is_no_pipeline_is_wrong_usage(tmp_path: Path, text, problem):
    """The message names the file and what is wrong."""
    file = tmp_path / "p.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(typer.BadParameter, match=f"p.json.*{problem}"):
        _read(file)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path):
    """Editors on Windows write one."""
    file = tmp_path / "p.json"
    file.write_bytes(b'\xef\xbb\xbf{"name": "night"}')

    assert _read(file) == {"name": "night"}
