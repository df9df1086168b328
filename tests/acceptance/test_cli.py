"""The command line against a real server: what people see, and the status that scripts see."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from support.processes import free_port, masthead, running, simulator, wait_until

#: Every key of the simulator's built-in data begins so.
KEY = re.compile(r"c0ffee")


class House:
    """A simulator, a Masthead with an application, and commands that ask it."""

    def __init__(self, pagerduty, server) -> None:
        self.pagerduty = pagerduty
        self.server = server
        self.said = ""

    def run(self, *arguments: str, status: int = 0, text: str | None = None, **environ: str) -> str:
        """Run a command; give what it printed, errors last."""
        done = subprocess.run(
            [sys.executable, "-m", "masthead", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            input=text,
            env={
                **os.environ,
                "MASTHEAD_SERVER": self.server.url,
                "MASTHEAD_USER": "ann@example.com",
                **environ,
            },
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        assert "Traceback" not in said
        self.said += said
        return said


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    database = str(tmp_path_factory.mktemp("cli") / "m.db")
    with running(simulator()) as pagerduty, running(masthead(pagerduty.url, database)) as server:
        wait_until(lambda: server.get("/v1/catalog")["services"])
        house = House(pagerduty, server)
        house.run(
            "application", "save", "demo", "--email", "d@example.com", "--pagerduty-service", "Checkout"
        )
        yield house
        assert not KEY.search(house.said), "a command showed an integration key"


def pipeline(name: str, /, **stage: object) -> str:
    return json.dumps({"application": "demo", "name": name, "stages": [{"refId": "1", **stage}]})


def test_services_say_who_is_on_call_and_what_cannot_be_paged(house):
    """One line a service; all of them have a reason or a person."""
    lines = house.run("services").splitlines()

    assert lines[0].split() == [
        "SERVICE",
        "ID",
        "STATUS",
        "POLICY",
        "ON",
        "CALL",
        "NOW",
        "CAN",
        "BE",
        "PAGED",
    ]
    assert any(re.match(r"Checkout .* yes *$", line) for line in lines)
    assert any("yes, but it is disabled" in line for line in lines)
    assert any("no: it has no integration" in line for line in lines)


def test_text_searches_and_json_is_for_programs(house):
    """The same list, narrowed; a program reads every field."""
    found = json.loads(house.run("services", "checkout", "--json"))

    assert [one["name"] for one in found["services"]] == ["Checkout"]
    assert json.loads(house.run("oncall", "--json"))["oncalls"]
    assert "Storefront" in house.run("oncall", "checkout")


def test_the_catalog_tells_its_age_and_can_be_asked_to_look_again(house):
    """Age beside every cached fact."""
    house.run("catalog", "refresh")

    assert re.search(r"services +\d+ +read \d+ seconds ago", house.run("catalog"))
    assert json.loads(house.run("catalog", "--json"))["isComplete"] is True


def test_trouble_with_pagerduty_stands_below_the_list(house):
    """What is known is shown, and on standard error why it is not fresh."""
    house.pagerduty.post("/simulator/faults", {"target": "rest", "status": 401})
    try:
        assert "401" in house.run("catalog", "refresh", status=1)
        said = house.run("services")
    finally:
        house.pagerduty.ask("DELETE", "/simulator/faults")
        house.run("catalog", "refresh")

    assert "Checkout" in said
    assert "401" in said.splitlines()[-1] or "token" in said.splitlines()[-1]


def test_an_application_is_saved_shown_listed_and_deleted(house):
    """With the service's name wherever the key would stand."""
    said = house.run(
        "application", "save", "shop", "--email", "s@example.com", "--pagerduty-service", "PSEARCH"
    )
    assert re.search(r"shop pages Search \(PSEARCH\)\. On call now: \w+", said)

    assert re.search(r"^pages +Search \(PSEARCH\)$", house.run("application", "show", "shop"), re.MULTILINE)
    assert re.search(r"^shop +s@example.com +Search *$", house.run("application", "list"), re.MULTILINE)
    assert (
        json.loads(house.run("application", "show", "shop", "--json"))["pagerDuty"]["service"]["id"]
        == "PSEARCH"
    )
    house.run("application", "delete", "shop")
    assert "not found" in house.run("application", "show", "shop", status=1)
    house.run("application", "delete", "shop", status=1)


@pytest.mark.parametrize("service", ["p", "no such", "Wiki"])
def test_a_service_that_is_not_one_leaves_everything_as_it_was(house, service):
    """An ambiguous one lists the candidates; neither a new application nor a change is stored."""
    for name in ("demo", "brandnew"):
        said = house.run(
            "application", "save", name, "--email", "other@example.com", "--pagerduty-service", service,
            status=1,
        )  # fmt: skip
        assert "is saved" not in said
        if service == "p":
            assert "PPAYAPI" in said
            assert "PREPORT" in said

    shown = house.run("application", "show", "demo")
    assert "PCHKOUT" in shown
    assert "d@example.com" in shown
    house.run("application", "show", "brandnew", status=1)


def test_the_user_stands_in_the_history(house):
    """MASTHEAD_USER, or --user after the command."""
    house.run("application", "save", "demo", "--description", "by bob", "--user", "bob@example.com")
    history = json.loads(house.run("application", "history", "demo", "--json"))

    assert [one["who"] for one in history][:2] == ["bob@example.com", "ann@example.com"]
    assert history[0]["changed"] == ["description"]
    assert history[-1]["changed"] == ["created"]


def test_a_history_says_what_was_changed(house):
    """The service without its key; a deletion too, and what comes after it is new."""
    for more in (["--email", "o@example.com"], ["--pagerduty-service", "Search"], []):
        house.run("application", "save", "old", *more)
    house.run("application", "delete", "old")
    house.run("application", "save", "old", "--email", "o@example.com")
    history = json.loads(house.run("application", "history", "old", "--json"))

    changed = [["created"], ["deleted"], ["nothing"], ["PagerDuty service"], ["created"]]
    assert [one["changed"] for one in history] == changed
    assert "No application was ever called nowhere." in house.run("application", "history", "nowhere")


def test_a_pipeline_of_no_application_is_saved_with_a_warning(house):
    """As Front50 does; whoever mistyped the name reads it."""
    said = house.run("pipeline", "save", "-", text='{"application": "dmeo", "name": "x", "stages": []}')
    assert "Warning: there is no application dmeo yet." in said


def test_a_terminal_of_few_letters_is_no_reason_to_fail(house):
    """What it cannot show becomes a question mark."""
    house.run("application", "save", "demo", "--description", "on the Straße 東京")
    assert "on the Stra?e ??" in house.run("application", "show", "demo", PYTHONIOENCODING="ascii")


def test_a_name_beyond_ascii_is_read_back_as_it_was(house):
    """From the environment into the history."""
    house.run("application", "save", "demo", "--description", "by Zoë", MASTHEAD_USER="Zoë 東京")
    history = json.loads(house.run("application", "history", "demo", "--json"))

    assert history[0]["who"] == "Zoë 東京"


def test_a_pipeline_is_saved_over_its_namesake_and_watched_to_its_end(house):
    """Exit status 0 follows SUCCEEDED; the lines say who was paged."""
    stage = {
        "type": "pageApplicationOwner",
        "name": "Tell them",
        "applications": ["demo"],
        "message": "watched",
    }
    for _ in range(2):
        house.run("pipeline", "save", "-", text=pipeline("night", **stage))
    listed = house.run("pipeline", "list", "demo")
    assert listed.count("night") == 1
    assert json.loads(house.run("pipeline", "show", "demo", "night"))["stages"][0]["message"] == "watched"

    said = house.run("pipeline", "run", "demo", "night", "--parameter", "a=b", "--watch")
    assert "  Tell them: SUCCEEDED" in said
    assert re.search(r"Checkout: PagerDuty accepted the page; on call: \w+", said)


def test_the_exit_status_follows_an_execution_that_fails(house):
    """1, and the reason stands below its stage."""
    house.run("pipeline", "save", "-", text=pipeline("broken", type="noSuchStage", name="Odd"))
    said = house.run("pipeline", "run", "demo", "broken", "--watch", status=1)

    assert "Odd: TERMINAL" in said
    assert "noSuchStage" in said
    assert "The execution ended: TERMINAL" in said


def test_a_page_that_wakes_nobody_says_so(house):
    """PagerDuty takes events of a disabled service and opens nothing: exit status 1, and why."""
    said = house.run("page", "--service", "Coupon Engine", "--message", "x", status=1)
    assert "Coupon Engine: no incident was opened: the service is disabled" in said
    assert "woke nobody for Coupon Engine" in said
    said = house.run("page", "--service", "Legacy Mailer", "--message", "x")
    assert "but nobody is on call for it" in said


def test_a_page_without_a_message_says_what_the_operator_set(house):
    """Deck's default subject; the terminal tells which."""
    said = house.run("page", "demo")
    assert "it says 'Urgent Issue' (pagerDuty.defaultSubject)" in said
    assert "Urgent Issue" in json.dumps(house.pagerduty.get("/simulator/events")[-1])


def test_a_page_says_what_pagerduty_said_and_who_is_on_call(house):
    """The task is the one that Deck would post, in the user's name."""
    said = house.run(
        "page", "demo", "--message", "by hand", "--severity", "error", "--detail", "runbook=none"
    )
    assert re.fullmatch(
        r"Checkout: PagerDuty accepted the page; on call: (\w+ \w+)\n"
        r"  Checkout: incident #\d+ is triggered, assigned to \1\n",
        said,
    )

    event = house.pagerduty.get("/simulator/events")[-1]
    assert "ann@example.com" in json.dumps(event)
    assert "runbook" in json.dumps(event)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["page", "nowhere", "--message", "x"], "There is no application called nowhere."),
        (["page", "spinnaker", "--message", "x"], "does not have a pager duty service key"),
        (["page", "demo", "--message", "x", "--severity", "bad"], "use critical, error, warning or info"),
        (["pipeline", "run", "demo", "nowhere"], "Pipeline config (id: nowhere) not found"),
        (["task", "show", "nowhere"], "No orchestration found for nowhere"),
        (["application", "save", "new"], "Application must have a non-empty email"),
    ],
)
def test_what_the_server_refuses_is_one_sentence_and_status_1(house, arguments, sentence):
    """The message of its body, nothing around it."""
    said = house.run(*arguments, status=1)

    assert sentence in said
    assert said.count("\n") == 1


def test_a_task_can_be_looked_at(house):
    """As JSON; a changed application shows its service instead of the key."""
    application = {"name": "tasked", "email": "t@example.com", "pdApiKey": "c0ffee000000000000000000search02"}
    job = {"type": "createApplication", "application": application}
    path = house.server.post("/tasks", {"application": "tasked", "job": [job]})["ref"]
    wait_until(lambda: house.server.get(path)["status"] == "SUCCEEDED")
    shown = json.loads(house.run("task", "show", path.rpartition("/")[2]))

    assert shown["status"] == "SUCCEEDED"
    assert {"key": "application.name", "value": "tasked"} in shown["variables"]
    assert [one["value"]["pdApiKey"] for one in shown["variables"] if one["key"] == "newState"] == ["Search"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["page"],
        ["task", "show", "a/b"],
        ["page", "show", "a/b"],
        ["page", "demo", "--message", "x", "--detail", "nothing"],
        ["pipeline", "save", "/no/such/file.json"],
        ["pipeline", "run", "demo", "night", "--parameter", "nothing"],
        ["pipeline", "save", "-"],
        ["application", "show", "../tasks"],
        ["application", "show", ""],
        ["pipeline", "list", "../tasks"],
        ["page", "demo", "--message", "half \udcff"],
        ["--user", "two\nlines", "services"],
        ["serve", "--also", "echo"],
        ["serve", "--also", "echo=99999"],
        ["serve", "--port", "99999"],
        ["serve", "--host", "\udcff"],
        ["simulate", "--port", "99999"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_status_2(house, arguments):
    """With the command's own name in the usage line."""
    assert "Usage: masthead" in house.run(*arguments, status=2, text='{"name": "\\ud800"}')


def test_no_server_is_one_sentence_and_status_69(house):
    """It says where it looked and what to start."""
    nobody = f"http://127.0.0.1:{free_port()}"
    for arguments in (
        ["services", "--server", nobody],
        ["--server", nobody, "page", "demo", "--message", "x"],
    ):
        said = house.run(*arguments, status=69)
        assert f"No Masthead answers at {nobody}" in said
        assert "masthead serve" in said
        assert said.count("\n") == 1


def test_another_program_on_the_port_is_not_taken_for_masthead(house):
    """The simulator, for example."""
    assert "is it Masthead?" in house.run("services", "--server", house.pagerduty.url, status=1)


def test_configuration_that_cannot_be_used_is_status_78(house, tmp_path):
    """From check, serve and db alike, with file and line; warnings alone are no error."""
    wrong = tmp_path / "echo.yml"
    wrong.write_text("pager-duty:\n  enabled: true\n  token: ***\n")
    for command in (["config", "check"], ["serve", "--config"]):
        assert "echo.yml:3" in house.run(*command, str(wrong), status=78)
    house.run("db", "migrate", "nonsense://x", status=78)

    wrong.write_text('pager-duty:\n  enabled: "true"\n  token: abcdefgh12345678\n')
    assert "abcdefgh12345678" not in house.run("config", "check", str(wrong))


def test_a_taken_port_is_status_69(house, tmp_path):
    """And named, with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = house.run("serve", "--port", port, "--database", str(tmp_path / "m.db"), status=69)

    assert port in said
    assert "--port" in said


def test_a_database_is_brought_to_this_release(house, tmp_path):
    """Again is no harm."""
    for _ in range(2):
        assert "schema" in house.run("db", "migrate", f"sqlite:///{tmp_path}/m.db")


def test_asking_for_help_loads_neither_the_server_nor_an_http_client():
    """The command line starts fast, and the server is not made to carry its client."""
    code = "import sys, masthead.cli.main; print([m for m in sys.modules if m in ('httpx', 'rich', 'masthead.server', 'starlette', 'sqlalchemy')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_the_operators_rules_hold_where_they_are_meant_to(house, tmp_path):
    """Front50's rule for names at every door; Deck's wish for a service where Masthead itself saves."""
    front50, deck = tmp_path / "front50.yml", tmp_path / "settings-local.js"
    front50.write_text(
        "validation.application-name-validator: {validation-regex: '[A-Z]+', validation-message: Letters only.}\n"
    )
    deck.write_text("window.spinnakerSettings.pagerDuty = {required: true};\n")
    files = ["--config", str(front50), "--config", str(deck)]
    with running(masthead(house.pagerduty.url, str(tmp_path / "m.db"), more=files)) as strict:
        wait_until(lambda: strict.get("/v1/catalog")["services"])

        def save(*arguments: str, status: int) -> str:
            mail = ["--email", "o@example.com", "--server", strict.url]
            return house.run("application", "save", *arguments, *mail, status=status)

        assert "Letters only." in save("shop2", "--pagerduty-service", "Search", status=1)
        assert "must have a PagerDuty service" in save("shop", status=1)
        save("shop", "--pagerduty-service", "Search", status=0)
        strict.post("/front50/v2/applications", {"name": "other", "email": "o@example.com"})
