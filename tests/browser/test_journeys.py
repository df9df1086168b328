"""What people come for, from the first screen to the last, by mouse and by keyboard."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from support.browsing import Look, violations
from support.entering import ANN, PASSWORDS
from support.processes import wait_until
from support.sites import ORGANISATION, Site, open_large_site, open_site

#: The stage of the page that started this project.
STAGE = {
    "applications": ["demo"],
    "details": {"from": "Overnight Monitoring Team"},
    "message": "[DEMO] Application ABC has completed",
    "name": "Trigger pager duty",
    "type": "pageApplicationOwner",
}


def paged(site: Site, message: str) -> list[dict]:
    """Give the pages that say *message*."""
    return [one for one in site.server.get("/v1/pages", text=message)["pages"] if one["message"] == message]


def incident(site: Site, title: str) -> dict:
    """Wait for the one incident of that title."""
    wait_until(lambda: any(one["title"] == title for one in site.incidents()))
    (found,) = [one for one in site.incidents() if one["title"] == title]
    return found


def confirm(page: Page, subject: str) -> None:
    """Fill in the dialog and send the page."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Subject").fill(subject)
    dialog.get_by_role("button", name=re.compile("^Page [0-9]+ service")).click()


@pytest.mark.slow
def test_log_in_choose_a_service_and_save(window, tmp_path):
    """By mouse: a wrong password says no more than it must; the application then pages the service that was chosen."""
    with open_site(tmp_path, has_users=True) as site:
        page = window(site, "/ui/applications/payments", expected=["status of 403"])
        page.get_by_label("Name").fill(ANN)
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert violations(page) == []
        page.get_by_label("Name").fill(ANN)
        page.get_by_label("Password").fill(PASSWORDS[ANN])
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="payments", level=1)).to_be_visible()

        page.get_by_role("link", name=re.compile("^Edit")).first.click()
        field = page.get_by_role("combobox", name="PagerDuty service")
        field.fill("grace")
        option = page.get_by_role("option", name=re.compile("^Login"))
        expect(option).to_contain_text("Hiroshi Tanaka")
        option.click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="payments", level=1)).to_be_visible()
        assert site.server.get("/v1/applications/payments/pagerduty-service")["service"]["name"] == "Login"

        page.get_by_role("button", name="Log out").click()
        page.goto("/ui/applications/payments")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.slow
def test_a_form_that_was_open_at_a_logout_is_sent_after_the_next_login(window, tmp_path):
    """As the login page says: log in in another tab, come back, load the page anew; nothing has to be typed again."""

    def log_in(page: Page) -> None:
        page.get_by_label("Name").fill(ANN)
        page.get_by_label("Password").fill(PASSWORDS[ANN])
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="Log out")).to_be_visible()

    with open_site(tmp_path, has_users=True) as site:
        page = window(site, "/ui/login", expected=["status of 401"])
        log_in(page)
        page.goto("/ui/applications/demo/pipelines")
        page.get_by_text("New pipeline…").click()
        page.get_by_role("textbox", name="Name", exact=True).fill("Typed before")
        other = page.context.new_page()
        other.goto("/ui/")
        other.get_by_role("button", name="Log out").click()
        expect(other.get_by_text("You are logged out.")).to_be_visible()
        page.get_by_role("button", name="Make the pipeline").click()
        expect(page.get_by_text("Your session has ended, so nothing was done.")).to_be_visible()
        assert site.server.get("/applications/demo/pipelineConfigs") == []
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="log in in another tab").click()
        log_in(opened.value)
        page.reload()
        expect(page.get_by_text("The pipeline Typed before is made.")).to_be_visible()
        (stored,) = site.server.get("/applications/demo/pipelineConfigs")
        assert stored["name"] == "Typed before"


@pytest.mark.slow
def test_write_the_stage_as_json_run_it_and_see_who_took_it(window, tmp_path):
    """The whole way: log in, a pipeline, its stage as JSON, a run, an incident, and the name of who acknowledged it."""
    with open_site(tmp_path, has_users=True) as site:
        page = window(site, "/ui/login")
        page.get_by_label("Name").fill(ANN)
        page.get_by_label("Password").fill(PASSWORDS[ANN])
        page.get_by_role("button", name="Log in").click()
        page.goto("/ui/applications/demo/pipelines")
        page.get_by_text("New pipeline…").click()
        page.get_by_role("textbox", name="Name", exact=True).fill("Overnight monitoring")
        page.get_by_role("button", name="Make the pipeline").click()
        page.get_by_label("What the new stage does").select_option("pageApplicationOwner")
        page.get_by_role("button", name=re.compile("^Add a stage")).click()
        page.get_by_role("button", name="Stage as JSON").click()
        text = page.get_by_role("textbox", name="Stage as JSON")
        text.click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(json.dumps(STAGE, indent=2))
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text(re.compile("[Ss]aved")).first).to_be_visible()
        (stored,) = site.server.get("/applications/demo/pipelineConfigs")
        assert {name: stored["stages"][0][name] for name in STAGE} == STAGE
        assert violations(page) == []

        page.get_by_role("link", name=re.compile("^Run")).click()
        expect(page.get_by_role("main")).to_contain_text("Benjamin Okafor")
        page.get_by_role("button", name=re.compile("^(Run|Start)")).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded", timeout=20_000)
        site.acknowledge(incident(site, STAGE["message"]), "Anna Lindqvist")
        expect(page.get_by_text(re.compile("acknowledged.*Anna Lindqvist")).first).to_be_visible(
            timeout=40_000
        )
        page.goto("/ui/")  # the stream ends before the server does


def test_choose_a_service_by_keyboard(browse, site):
    """Typed, arrows, Enter; a service that cannot be paged says why and is not chosen."""
    site.create(name="keys", pagerDutyService="Search")
    page = browse("/ui/applications/keys/edit", Look("dark", 390))
    field = page.get_by_role("combobox", name="PagerDuty service")
    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("wiki")
    expect(page.get_by_role("option", name=re.compile("^Wiki"))).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Control+A")
    page.keyboard.type("notif")
    expect(page.get_by_role("option", name=re.compile("^Notifications"))).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("Notifications")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="keys", level=1)).to_be_visible()
    assert site.server.get("/v1/applications/keys/pagerduty-service")["service"]["name"] == "Notifications"


def test_page_two_services_by_mouse_and_see_who_took_it(browse, site):
    """Everybody is named before; afterwards each service's fate is told, with the name of who acknowledged."""
    page = browse("/ui/page")
    page.get_by_role("checkbox", name="Checkout").check()
    page.get_by_role("searchbox", name="Service, policy").fill("hiroshi")
    expect(page.get_by_role("checkbox", name="Checkout")).to_be_visible()  # its second level is his
    page.get_by_role("searchbox", name="Service, policy").fill("overnight")
    expect(page.get_by_role("checkbox", name="Checkout")).to_have_count(0)
    page.get_by_role("checkbox", name="Overnight Batch").check()
    expect(page.get_by_role("group", name="Chosen services")).to_contain_text("2 services chosen")
    page.get_by_role("button", name="Page 2 services…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("will be woken")
    expect(dialog).to_contain_text("Checkout")
    assert violations(page) == []
    confirm(page, "By mouse")
    expect(page).to_have_url(re.compile("/ui/pages/01"))
    expect(page.get_by_role("row").filter(has_text="Checkout")).to_contain_text("triggered", timeout=20_000)
    both = [one for one in site.incidents() if one["title"] == "By mouse"]
    assert len(both) == 2
    for one in both:
        site.acknowledge(one, "Grace Mbeki")
    expect(page.get_by_text("acknowledged by Grace Mbeki").first).to_be_visible(timeout=30_000)


def test_page_a_service_by_keyboard(browse, site):
    """From the slash to the button, without a mouse."""
    page = browse("/ui/page", Look("dark", 1024))
    page.keyboard.press("/")
    page.keyboard.type("notif")
    box = page.get_by_role("checkbox", name="Notifications")
    expect(page.get_by_role("checkbox", name="Checkout")).to_have_count(0)
    box.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Page 1 service…").focus()
    page.keyboard.press("Enter")
    subject = page.get_by_role("dialog").get_by_label("Subject")
    subject.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/ui/pages/01"))
    assert incident(site, "By keyboard")["service"]


def test_a_form_posted_twice_pages_once(browse, site):
    """A double click, and going back to send the same form again."""
    page = browse("/ui/page?service=PCHKOUT", expected=["status of 409"])
    page.get_by_role("button", name="Page 1 service…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Subject").fill("Once only")
    form = dialog.locator("form").evaluate("form => new URLSearchParams(new FormData(form)).toString()")
    dialog.get_by_role("button", name="Page 1 service", exact=True).dblclick()
    expect(page).to_have_url(re.compile("/ui/pages/01"))
    again = page.request.post(
        "/ui/page/confirm", data=form, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert again.url == page.url
    assert len(paged(site, "Once only")) == 1
    assert incident(site, "Once only")


def test_a_page_that_fails_says_so_and_what_to_do(browse, site):
    """PagerDuty's own words, no tick, and a button that sends it again."""
    order = {
        "target": "events",
        "status": 400,
        "body": {"status": "invalid event", "errors": ["account is closed"]},
    }
    fault = site.pagerduty.post("/simulator/faults", order)
    page = browse("/ui/page?service=PCHKOUT")
    page.get_by_role("button", name="Page 1 service…").click()
    confirm(page, "It fails")
    expect(page.get_by_role("row").filter(has_text="Checkout")).to_contain_text("refused")
    expect(page.get_by_text("account is closed").first).to_be_visible()
    site.pagerduty.ask("DELETE", f"/simulator/faults/{fault['id']}")
    assert violations(page) == []
    page.get_by_role("button", name="Send 1 failed delivery again").click()
    assert incident(site, "It fails")


def test_a_pipeline_is_run_judged_and_its_incident_acknowledged(browse, site):
    """Live, without loading anew: parameters, the judgment, the page of the last stage and who took it."""
    page = browse("/ui/pipelines")
    page.get_by_role("row").filter(has_text="Nightly settlement").get_by_role(
        "link", name=re.compile("^Run")
    ).click()
    page.get_by_label("Region").fill("ap")
    page.get_by_role("button", name=re.compile("^(Run|Start)")).click()
    expect(page).to_have_url(re.compile("/ui/executions/"))
    page.get_by_role("button", name="Continue").click(timeout=20_000)
    one = incident(site, "Settlement in ap has ended")
    site.acknowledge(one, "Emil Novak")
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded", timeout=20_000)
    page.get_by_role("region", name="Stages and tasks").get_by_role("link", name="Tell the owners").click()
    expect(page.get_by_text(re.compile("acknowledged.*Emil Novak")).first).to_be_visible(timeout=40_000)
    assert violations(page) == []


@pytest.mark.slow
def test_an_empty_service_select_says_why_and_what_to_do(window, tmp_path):
    """With a wrong token: since when, and where to look."""
    organisation = {**ORGANISATION, "tokens": [{"token": "another"}]}
    with open_site(tmp_path, organisation=organisation, is_furnished=False, awaits_catalog=False) as site:
        site.create(name="empty")
        wait_until(lambda: site.server.get("/v1/catalog").get("servicesExplanation"))
        page = window(site, "/ui/applications/empty/edit")
        notice = page.get_by_text("The list of services is empty.").locator("..")
        expect(notice).to_contain_text("401")
        expect(notice.get_by_role("link")).to_be_visible()
        assert violations(page) == []
        page.goto("/ui/page")
        expect(page.get_by_role("heading", name="There is no service to page")).to_be_visible()
        assert violations(page) == []


@pytest.mark.slow
def test_a_lost_connection_shows_and_heals(window, tmp_path):
    """The server is killed and comes back; the page says so and goes on where it was, by itself."""
    with open_site(tmp_path) as site:
        asked = site.page("demo", "Lost and found")
        page = window(site, f"/ui/pages/{asked['id']}", expected=["ERR_CONNECTION", "Failed to fetch"])
        expect(page.get_by_role("status").filter(has_text="triggered")).to_be_visible(timeout=20_000)
        site.server.kill()
        expect(page.get_by_role("alert")).to_contain_text("does not answer", timeout=30_000)
        site.server.start()
        expect(page.get_by_role("alert")).to_be_hidden(timeout=30_000)
        site.acknowledge(incident(site, "Lost and found"), "Anna Lindqvist")
        expect(page.get_by_text("acknowledged by Anna Lindqvist").first).to_be_visible(timeout=60_000)


def test_without_script_a_page_is_sent_all_the_same(browse, site):
    """Filter, choose, confirm, send: plain forms."""
    page = browse("/ui/page", java_script_enabled=False)
    page.get_by_role("searchbox", name="Service, policy").fill("reporting")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("checkbox", name="Reporting").check()
    page.get_by_role("button", name="Page…").click()
    expect(page.get_by_role("heading", name="Page 1 service")).to_be_visible()
    page.get_by_label("Subject").fill("Without script")
    page.get_by_role("button", name="Page 1 service").click()
    expect(page.get_by_role("heading", name="Without script")).to_be_visible()
    assert incident(site, "Without script")


def test_an_execution_is_followed_by_one_stream_however_often_it_is_looked_at(browse, site):
    """A browser opens six connections to a host; a stream left behind by each click would soon stop the page."""
    execution = site.start("payments", "Nightly settlement", region="one stream")
    page = browse("/ui/pipelines")
    streams = []
    page.on(
        "request", lambda request: streams.append(request.url) if request.url.endswith("/events") else None
    )
    page.goto(f"/ui/executions/{execution}")
    stages = page.get_by_role("region", name="Stages and tasks")
    for _ in range(4):
        for name in ("Wait for the bank", "Tell the owners"):
            stages.get_by_role("link", name=name).click()
            expect(page.get_by_role("heading", name=re.compile(f"^{name}"), level=2)).to_be_visible()
    assert len(streams) == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_pager_holds_ten_thousand_services(window, tmp_path):
    """And 3,000 applications: what is chosen survives filters, by application and by person; 50 rows at a time."""
    with open_large_site(tmp_path) as site:
        page = window(site, "/ui/page")
        expect(page.get_by_text("of 10,000 services")).to_be_visible()
        assert page.get_by_role("row").count() == 51
        field = page.get_by_role("searchbox", name="Service, policy")
        field.fill("app2999")
        expect(page.get_by_role("row")).to_have_count(2)
        page.get_by_role("checkbox").nth(1).check()
        field.fill("Service 00451")
        expect(page.get_by_role("row")).to_have_count(2)
        page.get_by_role("checkbox", name="Service 00451").check()
        expect(page.get_by_role("group", name="Chosen services")).to_contain_text("2 services chosen")
        assert violations(page) == []
        page.reload()
        expect(page.get_by_role("group", name="Chosen services")).to_contain_text("2 services chosen")
        page.goto("/ui/applications?q=app2999")
        expect(page.get_by_role("link", name="app2999")).to_be_visible()
        page.goto("/ui/search?q=app2999")
        expect(page.get_by_role("link", name="app2999")).to_be_visible()
