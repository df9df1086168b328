"""bench/: what its figures say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _bench_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "bench"))


def test_a_figure_holds_up_to_its_limit():
    """The limit itself is still kept, from either side."""
    from line import at_least, at_most

    assert [at_most(2, "n", value, "x").holds for value in (1.9, 2, 2.1)] == [True, True, False]
    assert [at_least(3, "n", value, "x").holds for value in (2.9, 3, 3.1)] == [False, True, True]


def test_a_line_has_the_five_fields_of_the_results():
    """A figure that nothing is asked of has no limit and no verdict."""
    from line import figure

    assert figure("n", 1.23456, "µs").document() == {
        "name": "n",
        "value": 1.235,
        "unit": "µs",
        "limit": None,
        "holds": None,
    }


def test_the_cost_of_a_process_counts_all_its_threads():
    """What this process has used, as the system itself tells."""
    from programs import cost_of, peak_mb

    told = os.times()
    cost = cost_of(os.getpid())
    assert told.user - 0.02 <= cost.user_s
    assert told.system - 0.02 <= cost.system_s
    assert peak_mb(os.getpid()) > 1


def test_a_missing_program_is_named(monkeypatch):
    """With the command that installs it."""
    import programs
    from line import Absent

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(programs, "_MORE_PATHS", "")
    with pytest.raises(Absent, match=r"^nginx is not installed \(make bench ARGS=--install-peers\)$"):
        programs.path_of("nginx")


def test_every_measure_has_its_section_in_the_reference():
    """docs/reference/benchmarks.md."""
    sys.path.insert(0, str(ROOT / "tests"))
    from run import MEASURES

    text = (ROOT / "docs" / "reference" / "benchmarks.md").read_text()
    assert [name for name in MEASURES if f"\n## {name}\n" not in text] == []


def test_the_filled_audit_holds_distinct_pages_in_the_order_of_time(tmp_path):
    """Ids are ULIDs of their instants, every row fits the schema, and nothing is pending."""
    import sqlite3

    from audit import fill
    from sqlalchemy import create_engine

    from masthead.storage.schema import metadata

    file = tmp_path / "a.db"
    engine = create_engine(f"sqlite:///{file}")
    metadata.create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(file)
    connection.execute("INSERT INTO installation (name, value) VALUES ('dedup-secret', 'x')")
    connection.commit()
    fill(file, pages=50)
    ids = [row[0] for row in connection.execute("SELECT id FROM page ORDER BY created_at")]
    states = connection.execute(
        "SELECT state, count(*) FROM delivery JOIN attempt ON id = delivery_id GROUP BY 1"
    )
    assert ids == sorted(set(ids))
    assert len(ids) == 50
    assert states.fetchall() == [("accepted", 50)]
    connection.close()
