"""The daily reports in real browsers: Chromium as a phone, and WebKitGTK; also without JavaScript or network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import cv2
import pytest
from axe_playwright_python.sync_playwright import Axe
from msgspec.structs import replace

from experiment.reports.links import cards
from experiment.reports.log import Sent
from tests.daily_reports import DAILY, LOCAL, Evenings, begin, free_port, served, wait_for_port
from tests.registers import DAY, MONDAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page, Route

WEBKIT = "/usr/bin/WebKitWebDriver"
LIMIT_S = 30.0
MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "timezone_id": "Europe/Berlin",
}
ARABIC = {
    "title": "تقرير يومي", "date": "EEEE، d MMMM", "about": "{date}، اليوم {day}", "send": "إرسال",
    "thanks": "شكرًا لك", "instruction": "فكّر في هذا اليوم بأكمله.", "received": "لقد تلقينا تقريرك عن {date}.",
    "open_until": "يمكنك إرساله حتى {time} يوم {date}.", "unanswered": "بعض الأسئلة بلا إجابة.",
    "unanswered_item": "لا إجابة بعد",
}  # fmt: skip
RIGHT_TO_LEFT = replace(
    DAILY,
    language="ar",
    wording=replace(DAILY.wording, **ARABIC),
    items=tuple(replace(item, text="ما مدى شعورك بالتواصل مع الآخرين اليوم؟") for item in DAILY.items),
)


@pytest.fixture
def evenings(tmp_path: Path) -> Evenings:
    """Somebody on the evening of day 2."""
    return tonight(tmp_path)


def tonight(folder: Path, daily: object = DAILY) -> Evenings:
    """A study on the evening of day 2."""
    made = begin(folder, daily=daily)  # type: ignore[arg-type]
    made.at(MONDAY + DAY, "20:30")
    return made


@pytest.fixture
def port(evenings: Evenings) -> Iterator[int]:
    """The pages, served."""
    with served(evenings) as port:
        yield port


@contextmanager
def phone(browser: Browser, evenings: Evenings, port: int, **options: object) -> Iterator[tuple[BrowserContext, Page]]:
    """A phone that has opened the link."""
    context = browser.new_context(**(PHONE | options))  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address(evenings, port))
    yield context, page
    context.close()


def address(evenings: Evenings, port: int) -> str:
    """The link, as this computer reaches it."""
    return f"http://{LOCAL}:{port}{evenings.path()}"


def tap_all(page: Page, point: int = 2) -> None:
    """Answer every item with this point."""
    for item in DAILY.items:
        page.locator(f"input[name=item_{item.id}][value='{point}']").check()


def sendings(evenings: Evenings) -> list[Sent]:
    """Every report in the log."""
    return [one.event for one in evenings.entries if isinstance(one.event, Sent)]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_gives_the_report(browser: Browser, evenings: Evenings, port: int, *, scripts: bool) -> None:
    """Tapped on a phone, with and without JavaScript: the same report, thanked for; the way back shows no answer."""
    with phone(browser, evenings, port, java_script_enabled=scripts) as (_, page):
        tap_all(page)
        page.get_by_role("button").tap()
        page.wait_for_url("**/received")
        assert "We have received your report about Tuesday 24 November." in page.inner_text("main")
        (sent,) = sendings(evenings)
        assert (set(sent.answers.values()), sent.phone_offset_min) == ({2}, 60 if scripts else None)
        page.goto(f"{address(evenings, port)}/2026-11-24")
        assert page.locator("input:checked").count() == 0


def test_the_back_button_shows_no_answer_and_sends_no_second_report(
    browser: Browser, evenings: Evenings, port: int
) -> None:
    """Back after sending: an empty form; sent again with another answer, it is a correction of the same report."""
    with phone(browser, evenings, port) as (_, page):
        tap_all(page)
        page.get_by_role("button").tap()
        page.wait_for_url("**/received")
        page.go_back()
        page.goto(f"{address(evenings, port)}/2026-11-24")
        page.wait_for_selector("form")
        assert page.locator("input:checked").count() == 0
        tap_all(page, 3)
        page.get_by_role("button").tap()
        page.wait_for_url("**/received")
    assert [{*sent.answers.values()} for sent in sendings(evenings)] == [{2}, {3}]


def test_a_double_tap_gives_one_report(browser: Browser, evenings: Evenings, port: int) -> None:
    """Two taps at once on the button are one sending, with and without JavaScript."""
    with phone(browser, evenings, port) as (_, page):
        tap_all(page)
        page.get_by_role("button").dblclick()
        page.wait_for_url("**/received")
    with phone(browser, evenings, port, java_script_enabled=False) as (_, page):
        page.goto(f"{address(evenings, port)}/2026-11-24")
        tap_all(page, 3)
        page.get_by_role("button").dblclick()
        page.wait_for_url("**/received")
    assert len(sendings(evenings)) == 2


def test_without_a_network_the_page_keeps_the_report_and_sends_it_later(
    browser: Browser, evenings: Evenings, port: int
) -> None:
    """Offline it says that nothing was sent; as soon as there is a network, the report is sent and thanked for."""
    with phone(browser, evenings, port) as (context, page):
        send_offline(context, page)
        assert sendings(evenings) == []
        context.set_offline(False)
        page.wait_for_url("**/received")
        assert page.evaluate("localStorage.length") == 0
    assert len(sendings(evenings)) == 1


def test_a_closed_page_sends_its_report_when_the_link_is_opened_again(
    browser: Browser, evenings: Evenings, port: int
) -> None:
    """Pressed offline and closed: the next opening of the link, within the grace, sends what waited."""
    with phone(browser, evenings, port) as (context, page):
        send_offline(context, page)
        page.close()
        context.set_offline(False)
        evenings.at(MONDAY + 2 * DAY, "12:20")
        later = context.new_page()
        later.goto(address(evenings, port))
        later.get_by_text("We have received your report about Tuesday 24 November.").wait_for()
    assert len(sendings(evenings)) == 1


def test_a_server_that_is_away_loses_no_report(browser: Browser, evenings: Evenings) -> None:
    """Pressed while the server is gone, the report is sent by the page itself when it is back."""
    with served(evenings) as port:
        context = browser.new_context(**PHONE)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(address(evenings, port))
        tap_all(page)
    page.get_by_role("button").tap()
    page.get_by_text("Not sent yet").wait_for()
    with served(evenings, port=port):
        page.get_by_role("button").tap()
        page.wait_for_url("**/received")
        context.close()
    assert len(sendings(evenings)) == 1


def send_offline(context: BrowserContext, page: Page) -> None:
    """A whole report, for which Send is pressed without a connection."""
    tap_all(page)
    context.set_offline(True)
    page.get_by_role("button").tap()
    page.get_by_text("Not sent yet").wait_for()


def hold(page: Page, day: str) -> list[Route]:
    """The reports about this day that the page sends from now on, which hang until they are let through."""
    held: list[Route] = []
    page.route(f"**/{day}", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    return held


def wait_for_sending(page: Page, held: list[Route]) -> None:
    """Until a report hangs."""
    until_s = time.monotonic() + LIMIT_S
    while not held and time.monotonic() < until_s:
        page.wait_for_timeout(20)
    assert held


@pytest.mark.parametrize("pressed", [True, False])
def test_answers_changed_while_a_report_is_under_way_are_sent_before_the_thanks(
    browser: Browser, evenings: Evenings, port: int, *, pressed: bool
) -> None:
    """Changed while a retry hangs, with Send pressed again or not: thanked for once the server has what is shown."""
    with phone(browser, evenings, port) as (context, page):
        send_offline(context, page)
        held = hold(page, "2026-11-24")
        context.set_offline(False)
        wait_for_sending(page, held)
        tap_all(page, 3)
        if pressed:
            page.get_by_role("button").tap()
            page.get_by_text("Sending ...").wait_for()
        held.pop().continue_()
        wait_for_sending(page, held)
        assert [{*sent.answers.values()} for sent in sendings(evenings)] == [{2}]
        assert page.url.endswith("/2026-11-24")
        held.pop().continue_()
        page.wait_for_url("**/received")
        assert [{*sent.answers.values()} for sent in sendings(evenings)] == [{2}, {3}]
        assert page.evaluate("localStorage.length") == 0


def test_a_report_does_not_wait_for_another_days(browser: Browser, evenings: Evenings, port: int) -> None:
    """While yesterday's hangs, today's is sent and thanked for; yesterday's is answered later and leaves the phone."""
    with phone(browser, evenings, port) as (context, page):
        send_offline(context, page)
        page.close()
        context.set_offline(False)
        evenings.at(MONDAY + 2 * DAY, "20:30")
        later = context.new_page()
        held = hold(later, "2026-11-24")
        later.goto(address(evenings, port))
        wait_for_sending(later, held)
        tap_all(later, 3)
        held.clear()
        later.get_by_role("button").tap()
        later.wait_for_url("**/2026-11-25/received")
        assert [(sent.date, {*sent.answers.values()}) for sent in sendings(evenings)] == [("2026-11-25", {3})]
        wait_for_sending(later, held)
        assert later.evaluate("Object.keys(localStorage)") == [f"report {evenings.path()}/2026-11-24"]
        held.pop().continue_()
        later.get_by_text("This report cannot be sent at this time").wait_for()
        assert later.evaluate("localStorage.length") == 0


def test_a_report_without_an_answer_is_sent_again(browser: Browser, evenings: Evenings, port: int) -> None:
    """After 20 s of silence the page says that nothing was sent and keeps the answers; its next try is thanked for."""
    with phone(browser, evenings, port) as (_, page):
        page.clock.install()
        page.reload()
        tap_all(page)
        held = hold(page, "2026-11-24")
        page.get_by_role("button").tap()
        wait_for_sending(page, held)
        page.clock.run_for(19_000)
        assert page.inner_text("#state") == "Sending ..."
        page.clock.run_for(1_000)
        page.get_by_text("Not sent yet").wait_for()
        assert page.get_by_role("button").is_enabled()
        assert page.evaluate("localStorage.length") == 1
        page.unroute("**/2026-11-24")
        page.clock.run_for(15_000)
        page.wait_for_url("**/received")
        assert page.evaluate("localStorage.length") == 0
    assert len(sendings(evenings)) == 1


def log_in(status: int, route: Route) -> None:
    """What a network's own page says in place of the server."""
    route.fulfill(status=status, body="<p>Please log in</p>")


def test_a_page_of_somebody_else_is_no_answer(browser: Browser, evenings: Evenings, port: int) -> None:
    """A log-in page of the network in between, whatever it says, neither thanks for a report nor loses it."""
    with phone(browser, evenings, port) as (_, page):
        tap_all(page)
        for status in (200, 403):
            page.route("**/2026-11-24", partial(log_in, status))
            page.get_by_role("button").tap()
            page.get_by_text("Not sent yet").wait_for()
            assert page.locator("input:checked").count() == len(DAILY.items)
            page.unroute("**/2026-11-24")
        assert sendings(evenings) == []
        page.get_by_role("button").tap()
        page.wait_for_url("**/received")
    assert len(sendings(evenings)) == 1


def test_the_keyboard_suffices(browser: Browser, evenings: Evenings, port: int) -> None:
    """Tab goes from item to item, arrows choose, Enter sends; the focus goes to what was left out."""
    with phone(browser, evenings, port, has_touch=False, is_mobile=False) as (_, page):
        for _ in DAILY.items[:-1]:
            page.keyboard.press("Tab")
            page.keyboard.press("Space")
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.name") == f"item_{DAILY.items[-1].id}"
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        page.wait_for_url("**/received")
    assert [*sendings(evenings)[0].answers.values()] == [2] * 6 + [1]


def test_enter_that_is_held_sends_no_report_with_an_item_left_out(
    browser: Browser, evenings: Evenings, port: int
) -> None:
    """Enter held on Send only points out what was left out; pressed once more, the report is sent as it is."""
    with phone(browser, evenings, port, has_touch=False, is_mobile=False) as (_, page):
        for item in DAILY.items[:-1]:
            page.locator(f"input[name=item_{item.id}][value='2']").check()
        page.get_by_role("button").focus()
        for _ in range(5):
            page.keyboard.down("Enter")
        page.keyboard.up("Enter")
        page.locator(".missing").wait_for()
        page.wait_for_timeout(500)
        assert sendings(evenings) == []
        page.keyboard.press("Enter")
        page.wait_for_url("**/received")
    assert [*sendings(evenings)[0].answers.values()] == [2] * 6 + [None]


@pytest.mark.parametrize("daily", [DAILY, RIGHT_TO_LEFT], ids=["en", "ar"])
def test_every_page_is_accessible_and_fits(browser: Browser, tmp_path: Path, daily: object) -> None:
    """No page has a violation by axe, at 390 and 320 px and at 200 % zoom; none scrolls sideways; targets are large."""
    made = tonight(tmp_path / "data", daily)
    with served(made) as port:
        for width in (390, 320, 160) if daily is DAILY else (390, 160):
            context = browser.new_context(viewport={"width": width, "height": 700})
            page, link, axe = context.new_page(), address(made, port), width == 390
            for place in ("/practice", "/2026-11-23", "x", "", "/2026-11-24"):
                page.goto(link + place)
                check_page(page, f"{place} at {width}", axe=axe and place != "/practice")
            page.get_by_role("button").click()
            page.locator(".missing").first.wait_for()
            check_page(page, f"asked at {width}", axe=axe)
            page.get_by_role("button").click()
            page.wait_for_url("**/received")
            check_page(page, f"received at {width}", axe=axe)
            context.close()
    (tmp_path / "cards.html").write_text(cards(made.service, made.links), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "cards.html").as_uri())
    check_page(page, "cards")
    page.screenshot(path=tmp_path / "cards.png")
    page.close()
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(tmp_path / "cards.png")))  # type: ignore[arg-type]
    assert [read] == [*made.links.values()]


def check_page(page: Page, where: str, *, axe: bool = True) -> None:
    """Nothing for axe to say, nothing beside the page, and nothing too small to be hit."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
    small = "[...document.querySelectorAll('label, button, a.button')].map(one => one.getBoundingClientRect())"
    assert page.evaluate(f"{small}.filter(box => box.height < 44 || box.width < 32).length") == 0, where
    if axe:
        found = Axe().run(page)
        assert found.violations_count == 0, (where, found.generate_report())


def test_right_to_left_begins_at_the_right(browser: Browser, tmp_path: Path) -> None:
    """In Arabic, point 1 with its label stands right of point 7."""
    made = tonight(tmp_path, RIGHT_TO_LEFT)
    with served(made) as port, phone(browser, made, port) as (_, page):
        assert page.evaluate("document.dir") == "rtl"
        boxes = [page.locator(f"input[name=item_calm][value='{point}']").bounding_box() for point in (1, 7)]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["x"] > boxes[1]["x"]
        assert "الثلاثاء" in page.inner_text("h1")


def test_the_report_is_given_in_webkit(evenings: Evenings, port: int, small_display: str) -> None:
    """In WebKitGTK, nearest to an iPhone's browser, with a mouse: asked once, sent, thanked for."""
    with webkit(small_display) as driver:
        driver.post("url", url=address(evenings, port))
        for item in DAILY.items[:-1]:
            driver.click(f"input[name=item_{item.id}][value='2']")
        driver.click("button")
        assert len(driver.post("elements", using="css selector", value=".missing")) == 1
        driver.click("button")
        until_s = time.monotonic() + LIMIT_S
        while not driver.get("url").endswith("/received") and time.monotonic() < until_s:
            time.sleep(0.05)
        assert "We have received your report" in driver.get(f"element/{driver.find('main')}/text")
    assert [*sendings(evenings)[0].answers.values()] == [2] * 6 + [None]


class WebDriver:
    """As much of the W3C's WebDriver protocol as one test needs."""

    def __init__(self, port: int) -> None:
        self._base = f"http://{LOCAL}:{port}/session"
        browser = {"binary": MINI_BROWSER, "args": ["--automation"]}
        asked = self._ask("", {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": browser}}})
        self._base += f"/{asked['sessionId']}"

    def post(self, command: str, **values: str) -> Any:
        """What a command with these values gives."""
        return self._ask(f"/{command}", values)

    def get(self, what: str) -> Any:
        """What is asked for."""
        return self._ask(f"/{what}", None)

    def find(self, selector: str) -> str:
        """The name of the first such element."""
        return str(next(iter(self.post("element", using="css selector", value=selector).values())))

    def click(self, selector: str) -> None:
        """Click the first such element."""
        self.post(f"element/{self.find(selector)}/click")

    def _ask(self, path: str, values: object) -> Any:
        data = None if values is None else json.dumps(values).encode()
        with urlopen(Request(self._base + path, data, {"Content-Type": "application/json"}), timeout=LIMIT_S) as answer:  # noqa: S310
            return json.load(answer)["value"]


@contextmanager
def webkit(display: str) -> Iterator[WebDriver]:
    """WebKitGTK's small browser on this display, gone afterwards with all its processes."""
    port = free_port()
    environment = os.environ | {"DISPLAY": display, "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
    process = subprocess.Popen([WEBKIT, f"--port={port}"], env=environment, start_new_session=True)
    try:
        wait_for_port(process, port)
        yield WebDriver(port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
