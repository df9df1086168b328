"""The documentation says what is there: settings, commands, metrics, links."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
import typer
import yaml
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from masthead.cli.main import app
from masthead.telemetry.metrics import Metrics
from masthead.telemetry.readings import Backlog, BudgetUse, CatalogSize, Readings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]


def load_script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_page_is_what_the_declarations_say():
    """Run scripts/settings_page.py after changing a setting."""
    script = load_script("settings_page")
    assert script.PAGE.read_text() == script.render()


def commands(group, prefix: str = ""):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("command", sorted(commands(typer.main.get_command(app))))
def test_every_command_has_a_heading(command):
    """In docs/reference/cli.md."""
    assert f"\n## {command}\n" in (ROOT / "docs" / "reference" / "cli.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    """A reader never meets a missing page."""
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


async def everything() -> Metrics:
    """Metrics of which every one is shown."""

    async def backlog() -> Backlog:
        return Backlog({"waiting": 1}, 1.0)

    async def one() -> int:
        return 1

    size = CatalogSize("default", 1, 1, 1.0, None)
    metrics = Metrics(readings=Readings(backlog, lambda: BudgetUse(0.5, 1), lambda: [size], one, one))
    metrics.paging.page_stored("v1", "info")
    metrics.paging.attempted("v2", "accepted", None, 0.1)
    return metrics


async def exposed() -> list[Family]:
    return list(text_string_to_metric_families((await (await everything()).expose())[0].decode()))


async def test_every_metric_has_a_heading_and_every_heading_a_metric():
    """In docs/reference/metrics.md, by the name under which it is queried."""
    names = {one.name + ("_total" if one.type == "counter" else "") for one in await exposed()}
    names = {"process_" if name.startswith("process_") else name for name in names}
    headings = re.findall(
        r"^## (\w+)$", (ROOT / "docs" / "reference" / "metrics.md").read_text(), re.MULTILINE
    )
    assert sorted(headings) == sorted(names)


def alert_rules() -> str:
    page = (ROOT / "docs" / "how-to" / "alert-on-masthead.md").read_text()
    return textwrap.dedent(re.search(r"```yaml\n(.*?)\n *```", page, re.DOTALL)[1])


async def test_the_alert_rules_ask_for_metrics_and_labels_that_are_there():
    """Else an alert never fires."""
    samples = [sample for family in await exposed() for sample in family.samples]
    labels = {sample.name: set(sample.labels) for sample in samples}
    for rule in yaml.safe_load(alert_rules())["groups"][0]["rules"]:
        names = re.findall(r"masthead_\w+", rule["expr"])
        assert names or rule["expr"].startswith("up{")
        asked = set(re.findall(r"(\w+)=\"", rule["expr"])) - {"job"}
        for by in re.findall(r"by \(([^)]*)\)", rule["expr"]):
            asked |= set(by.split(", "))
        for name in names:
            assert asked <= labels[name]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_alert_rules(tmp_path):
    """As its own tool reads them."""
    (tmp_path / "rules.yml").write_text(alert_rules())
    subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yml"], check=True)


def test_every_guarantee_names_a_test_that_is_there():
    """A promise without its test is a wish."""
    text = (ROOT / "docs/explanation/delivery-guarantees.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)
    assert len(named) > 20
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(), flags=re.MULTILINE)
    ]
    assert missing == []
