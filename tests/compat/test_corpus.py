"""Pipelines as people have them, run by the real engine, each with the execution it must come to.

A case (``corpus/NAME.json``) says what is run, who answers what, what people do when, and by hand what the documentation of the
stages promises (``expect``). ``NAME.expected.json`` is the whole execution, with names for ids and seconds since the start for
instants; ``MASTHEAD_WRITE_CORPUS=1`` writes it anew, to be read before it counts.
"""

from __future__ import annotations

import asyncio
import json
import os

import pytest

from support.corpus import Outcome, cases, open_corpus, value_at, write


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, Outcome | Exception]:
    """Every case, run once, one after the other on one engine."""

    async def run_all() -> dict[str, Outcome | Exception]:
        found: dict[str, Outcome | Exception] = {}
        async with open_corpus(tmp_path_factory.mktemp("corpus")) as corpus:
            for path in cases():
                try:
                    found[path.stem] = await corpus.run(json.loads(path.read_text()))
                except Exception as error:  # noqa: BLE001 - told by the case's own test
                    found[path.stem] = error
        return found

    return asyncio.run(run_all())


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.stem)
def test_a_pipeline_runs_as_documented(path, outcomes):
    """What was written by hand holds, and the execution is the one that was read and kept."""
    case, found = json.loads(path.read_text()), outcomes[path.stem]
    if isinstance(found, Exception):
        raise found
    expect = case["expect"]
    document = found.document()
    statuses = {each["refId"]: each["status"] for each in found.execution["stages"]}
    assert (found.execution["status"], statuses) == (expect["status"], expect["stages"])
    assert [page["message"] for page in found.pages] == expect.get("pages", [])
    assert found.requests == expect.get("requests", [])
    for place, value in expect.get("values", {}).items():
        assert value_at(found.execution, place) == value, place
    kept = path.with_name(f"{path.stem}.expected.json")
    if os.environ.get("MASTHEAD_WRITE_CORPUS"):
        write(kept, document)
    assert json.loads(json.dumps(document)) == json.loads(kept.read_text())


def test_the_corpus_is_whole():
    """Enough pipelines, each saying what it is about, and no expectation without its pipeline."""
    found = cases()
    assert len(found) >= 70
    assert all(json.loads(path.read_text())["about"] for path in found)
    kept = {path.name.removesuffix(".expected.json") for path in found[0].parent.glob("*.expected.json")}
    assert kept == {path.stem for path in found}
