"""What PagerDuty has, read whole."""

from __future__ import annotations

import pytest

from masthead.cli.catalog import everything, has_failed


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


def state(
    *, is_configured: bool = True, failed: str | None = None, trouble: bool = True, **more: object
) -> dict:
    """Give a catalog's state as the API shows it."""
    told = {"reason": "network", "text": "x", "since": None, "list": failed} if failed or trouble else None
    return {"isConfigured": is_configured, "trouble": told, **more}


FINE, BROKEN, BLIND = state(trouble=False), state(failed="services"), state(is_configured=False)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (FINE, False),
        (BROKEN, True),
        (state(failed="oncalls"), True),
        (state(failed=None), False),  # a permission is missing, and nothing failed for it
        (BLIND, True),
        (state(trouble=False, accounts={"us": FINE, "eu": FINE}), False),
        (state(trouble=False, accounts={"us": FINE, "eu": BLIND}), False),
        (state(failed="services", accounts={"us": FINE, "eu": BROKEN}), True),
        (state(failed=None, accounts={"us": state(failed=None), "eu": BROKEN}), True),
    ],
)
def test_a_refresh_that_brought_not_all_has_failed(found, expected):
    """One account that failed is enough; one without a token counts beside no other."""
    assert has_failed(found) is expected
