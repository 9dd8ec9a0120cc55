"""A driver's first visit in a real browser: find a station, then plan a trip.

Both on a phone and on a desktop, in light and in dark; every page on the way is checked by axe.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from tests.small_world import SmallWorld, build_small_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Request
    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

# Chromium of the system; without a sandbox, as tests run as root in containers, too.
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
SMALLEST_TARGET_PX = 44
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright runs an event loop in this thread; Django would refuse the fixtures' queries.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def world(transactional_db: None, settings: Settings, tmp_path: Path) -> SmallWorld:
    settings.DATA_DIR = tmp_path
    return build_small_world(tmp_path)


class Visit:
    """A page that notes what a developer would see in the console."""

    def __init__(self, page: Page, *, home: str) -> None:
        self.page = page
        self.home = home
        self.troubles: list[str] = []
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("requestfailed", self._note_failure)
        page.on("request", lambda request: self._note_request(request.url))

    def _note_console(self, message: object) -> None:
        text = str(getattr(message, "text", message))
        # A search that is refused (400, 404) is told to the reader; the browser notes it, too.
        if not re.search(r"status of 40[04]", text):
            self.troubles.append(text)

    def _note_failure(self, request: Request) -> None:
        # Suggestions that come too late are called off.
        if request.failure != "net::ERR_ABORTED" or "/api/v1/places?" not in request.url:
            self.troubles.append(f"failed: {request.url}")

    def _note_request(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "blob:")):
            self.troubles.append(f"another host: {url}")

    def check(self) -> None:
        """Nothing is written by the console, nothing sticks out, axe finds nothing."""
        assert self.troubles == []
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(width) == 0
        report = Axe().run(self.page, options=RULES)
        assert report.violations_count == 0, report.generate_report()
        assert self._list_small_targets() == []

    def _list_small_targets(self) -> list[str]:
        """List what is too small for a finger; links in running text are as WCAG allows."""
        found: list[str] = self.page.evaluate(
            """(least) => [...document.querySelectorAll("a, button, summary, select, input")]
              .filter((target) => target.checkVisibility() && !target.closest("h3, h4, .skip"))
              .map((target) => [target.outerHTML.slice(0, 90), target.getBoundingClientRect()])
              .filter(([, box]) => box.width && (box.width < least || box.height < least))
              .map(([html]) => html)""",
            SMALLEST_TARGET_PX,
        )
        return found


@pytest.fixture(
    params=[
        pytest.param((PHONE, "light"), id="phone-light"),
        pytest.param((PHONE, "dark"), id="phone-dark"),
        pytest.param((DESKTOP, "light"), id="desktop-light"),
        pytest.param((DESKTOP, "dark"), id="desktop-dark"),
    ]
)
def visit(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer
) -> Iterator[Visit]:
    device, colours = request.param
    context = browser.new_context(**device, color_scheme=colours, base_url=live_server.url)
    context.set_default_timeout(15_000)
    yield Visit(context.new_page(), home=live_server.url)
    context.close()


class TestFirstTrip:
    def test_finds_a_station_and_plans_a_trip(self, visit: Visit, world: SmallWorld) -> None:
        page = visit.page
        page.goto("/")
        expect(page.get_by_text("Find a place to charge")).to_be_visible()
        visit.check()

        # Typing suggests places; arrows and Enter choose one and search at once.
        search = page.get_by_role("combobox", name="Town or city")
        search.press_sequentially("midt", delay=30)
        expect(page.get_by_role("option", name="Midtown Germany")).to_be_visible()
        visit.check()
        search.press("ArrowDown")
        search.press("Enter")
        expect(page.get_by_role("heading", name="1 station near Midtown")).to_be_visible()
        expect(page).to_have_url(re.compile(r"/\?q=Midtown%2C\+DE"))
        visit.check()

        # Enter without a choice searches for what was typed, and the list does not stay behind.
        search.fill("")
        search.press_sequentially("midtown", delay=30)
        expect(page.get_by_role("option", name="Midtown Germany")).to_be_visible()
        search.press("Enter")
        expect(page).to_have_url(re.compile(r"/\?q=midtown"))
        expect(page.get_by_role("option", name="Midtown Germany")).to_be_hidden()
        expect(page.get_by_role("heading", name="1 station near Midtown")).to_be_visible()

        # A filter applies at once and stands in the address.
        page.get_by_label("Power").select_option("300")
        expect(page.get_by_text("No station within 60 km")).to_be_visible()
        visit.check()
        page.get_by_label("Power").select_option("150")
        expect(page).to_have_url(re.compile("power=150"))
        page.get_by_role("link", name="Straight Road 4").click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Straight Road 4")
        page.get_by_label("Open in a navigation app").click()
        expect(page.get_by_role("link", name="Apple Maps")).to_be_visible()
        visit.check()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Apple Maps")).to_be_hidden()
        page.get_by_role("link", name="Plan a trip here").click()

        # The station is the destination; swapped, it is the start.
        destination = page.get_by_role("combobox", name="To")
        expect(destination).to_have_value("Straight Road 4 (8.00000, 50.00000)")
        page.get_by_role("button", name="Swap start and destination").click()
        expect(destination).to_have_value("")
        page.get_by_role("combobox", name="From").fill("Westent")
        destination.fill("Eastend")
        page.get_by_label("Battery now").fill("85")
        expect(page.get_by_text("85 %")).to_be_visible()
        page.get_by_role("button", name="Plan the trip").click()

        # A slip is answered by a suggestion that leads on with everything else kept.
        expect(page.get_by_role("alert")).to_contain_text("Westent")
        visit.check()
        page.get_by_role("alert").get_by_role("link", name="Westend, DE").click()
        expect(page.get_by_role("heading", name="Westend → Eastend")).to_be_visible()
        expect(page.get_by_label("Battery now")).to_have_value("85")
        picture = page.get_by_role("img", name="State of charge along the way")
        expect(picture).to_be_visible()
        expect(page.get_by_role("article").first).to_contain_text("1 of 2 free")
        visit.check()

        # The address alone brings the trip back, and the car's charge is remembered.
        page.reload()
        expect(page.get_by_role("heading", name="Westend → Eastend")).to_be_visible()
        page.goto("/plan/")
        expect(page.get_by_label("Battery now")).to_have_value("85")

        page.get_by_role("link", name="Log in").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        visit.check()

    @pytest.mark.parametrize("visit", [(PHONE, "light")], indirect=True, ids=["phone"])
    def test_works_by_htmx_without_loading_pages_anew(
        self, visit: Visit, world: SmallWorld
    ) -> None:
        page = visit.page
        page.goto("/plan/")
        page.evaluate("window.kept = true")
        page.get_by_role("combobox", name="From").fill("Westend")
        page.get_by_role("combobox", name="To").fill("Eastend")
        page.get_by_role("button", name="Plan the trip").click()
        heading = page.get_by_role("heading", name="Westend → Eastend")
        expect(heading).to_be_focused()
        assert page.evaluate("window.kept") is True
        expect(page).to_have_url(re.compile("origin=Westend&destination=Eastend"))
        page.go_back()
        expect(page.get_by_text("Where to?")).to_be_visible()
        assert visit.troubles == []

    @pytest.mark.parametrize("visit", [(PHONE, "light")], indirect=True, ids=["phone"])
    def test_marks_the_field_at_fault_where_nothing_can_be_remembered(
        self, visit: Visit, world: SmallWorld
    ) -> None:
        page = visit.page
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', "
            "{get() { throw new DOMException('', 'SecurityError'); }})"
        )
        page.goto("/plan/")
        origin = page.get_by_role("combobox", name="From")
        origin.fill("Westent")
        page.get_by_role("combobox", name="To").fill("Eastend")
        page.get_by_role("button", name="Plan the trip").click()
        expect(page.get_by_role("alert")).to_contain_text("Westent")
        expect(origin).to_have_attribute("aria-invalid", "true")
        expect(origin).to_have_accessible_description(re.compile("Westent"))
        origin.fill("Westend")
        page.get_by_role("button", name="Plan the trip").click()
        expect(page.get_by_role("heading", name="Westend → Eastend")).to_be_visible()
        expect(origin).not_to_have_attribute("aria-invalid", "true")
        assert visit.troubles == []
