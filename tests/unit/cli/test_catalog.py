"""What PagerDuty has, read whole."""

from __future__ import annotations

import pytest

from masthead.cli.catalog import everything


@pytest.mark.parametrize("count", [0, 1, 1000, 1001, 2500])
@pytest.mark.parametrize("what", ["services", "oncalls"])
def test_a_list_is_read_to_its_end(client, scripted, what, count):
    """A company may have more than any answer holds; none is left out without a word."""
    for at in range(0, count + 1, 1000):
        path = f"/v1/{what}?q=x&limit=1000&offset={at}"
        part = list(range(at, min(at + 1000, count)))
        scripted.answers["GET", path] = {what: part, "total": count, "catalog": {"at": at}}
    found = everything(client, what, "x")
    assert found[what] == list(range(count))
    assert found["total"] == count
    assert len(scripted.asked) == max(-(-count // 1000), 1)


def test_a_list_that_shrinks_meanwhile_has_an_end(client, scripted):
    """A refresh between two parts may leave fewer than were promised."""
    for at, part in ((0, list(range(1000))), (1000, [])):
        path = f"/v1/services?limit=1000&offset={at}"
        scripted.answers["GET", path] = {"services": part, "total": 1500, "catalog": {}}
    assert len(everything(client, "services", "")["services"]) == 1000
