"""The daily reports' pages over HTTP, served for real: one report a day, nothing lost, nothing given away."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiment.reports import http
from experiment.reports.links import make_links, revoke_links
from experiment.reports.log import Opened, Sent, reports_of
from experiment.reports.table import table_path
from tests.daily_reports import BASE, DAILY, FORM, FULL, LOCAL, ask, begin, give, served, withdraw
from tests.registers import DAY, MONDAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.daily_reports import Evenings

MAX_BODY = 16_384


@pytest.fixture
def evenings(tmp_path: Path) -> Evenings:
    """Two participants, on the evening of day 2."""
    made = begin(tmp_path, 2)
    made.at(MONDAY + DAY, "20:30")
    return made


@pytest.fixture
def port(evenings: Evenings) -> Iterator[int]:
    """The pages, served."""
    with served(evenings) as port:
        yield port


def sendings(evenings: Evenings) -> list[Sent]:
    """Every report in the log."""
    return [one.event for one in evenings.entries if isinstance(one.event, Sent)]


def test_a_report_is_given(evenings: Evenings, port: int) -> None:
    """The link leads to today's form, which names its day; what is sent is in the log before it is thanked for."""
    home = ask(port, evenings.path())
    assert (home.status, home.headers["location"]) == (303, f"..{evenings.path(day=MONDAY + DAY)}")
    form = ask(port, evenings.path(day=MONDAY + DAY))
    assert "Tuesday 24 November, day 2" in form.text
    answer = ask(port, evenings.path(day=MONDAY + DAY), FULL | {"form": form.form, "offset": "60"})
    (sent,) = sendings(evenings)
    assert (answer.status, sent.date, sent.phone_offset_min) == (303, "2026-11-24", 60)
    assert dict(sent.answers) == {item.id: int(FULL[f"item_{item.id}"]) for item in DAILY.items}
    thanks = ask(port, f"{evenings.path(day=MONDAY + DAY)}/received")
    assert (thanks.status, "We have received your report about Tuesday 24 November." in thanks.text) == (200, True)


def test_what_is_left_out_is_asked_for_once(evenings: Evenings, port: int) -> None:
    """Unanswered items are marked and nothing is kept; sent once more they are n/a."""
    path, some = evenings.path(day=MONDAY + DAY), {"item_connected": "3"}
    form = ask(port, path)
    again = ask(port, path, some | {"form": form.form})
    assert (again.status, again.form, again.text.count("No answer yet</strong>")) == (
        422,
        form.form,
        len(DAILY.items) - 1,
    )
    assert sendings(evenings) == []
    assert ask(port, path, some | {"form": again.form, "asked": "1"}).status == 303
    assert dict(sendings(evenings)[0].answers) == dict.fromkeys((item.id for item in DAILY.items), None) | {
        "connected": 3
    }


def test_double_tap_retry_and_two_tabs_give_one_report(evenings: Evenings, port: int) -> None:
    """The same sending three times is one line; another tab's corrects it; the table has one row with the last."""
    path = evenings.path(day=MONDAY + DAY)
    first, second = ask(port, path).form, ask(port, path).form
    for _ in range(3):
        assert ask(port, path, FULL | {"form": first}).status == 303
    assert len(sendings(evenings)) == 1
    assert ask(port, path, FULL | {"form": second, "item_calm": "7"}).status == 303
    evenings.service.update_table()
    rows = table_path(evenings.service.data).read_text(encoding="utf-8").splitlines()
    (row,) = [line.split("\t") for line in rows if "\t2026-11-24\t" in line]
    assert (row[7], row[9], row[15]) == ("in_time", "1", "7")


def test_nobody_reads_earlier_answers(evenings: Evenings, port: int) -> None:
    """After sending, no page that the link leads to has a point checked, and yesterday's page is not open."""
    give(port, evenings.path(day=MONDAY + DAY))
    pages = [
        ask(port, evenings.path()), ask(port, evenings.path(day=MONDAY + DAY)), ask(port, evenings.path(day=MONDAY)),
        ask(port, f"{evenings.path(day=MONDAY + DAY)}/received"), ask(port, f"{evenings.path()}/practice"),
    ]  # fmt: skip
    assert [page.status for page in pages] == [200, 200, 410, 200, 200]
    assert not any(re.search(r"<input[^>]*\bchecked", page.text) for page in pages)


def test_asking_for_a_page_changes_nothing(evenings: Evenings, port: int) -> None:
    """Opening a form is noted and gives no report; HEAD, as mail scanners send it, is not even noted."""
    before = len(evenings.entries)
    assert ask(port, evenings.path(day=MONDAY + DAY), method="HEAD").status == 200
    assert len(evenings.entries) == before
    ask(port, evenings.path(day=MONDAY + DAY))
    assert [type(one.event) for one in evenings.entries[before:]] == [Opened]
    assert reports_of(evenings.entries, "DF001") == {}


def test_every_page_forbids_what_could_give_it_away(evenings: Evenings, port: int) -> None:
    """No cookie, nothing stored, no referrer, only the page's own style and script; the title says nothing."""
    paths = (
        evenings.path(), f"{evenings.path()}/", evenings.path(day=MONDAY + DAY), "/r/unknown", "/nothing",
        f"{evenings.path()}/practice", f"{evenings.path()}/calendar.ics", "/s/page.js",
    )  # fmt: skip
    for page in (ask(port, path) for path in paths):
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert not {"set-cookie", "server"} & {*page.headers}
        assert "<title>Daily report</title>" in page.text or not page.text.startswith("<!doctype")
    assert "http" not in ask(port, evenings.path(day=MONDAY + DAY)).text.replace("http-equiv", "")


def test_a_revoked_and_a_replaced_link_are_no_links(evenings: Evenings, port: int) -> None:
    """Only the newest link of a participant leads anywhere, until it is revoked."""
    old = evenings.path()
    new = make_links(evenings.service, BASE, ["DF001"], renew=True)["DF001"].removeprefix(BASE)
    assert [ask(port, old).status, ask(port, new).status] == [404, 303]
    revoke_links(evenings.service, ["DF001"])
    assert ask(port, new).status == 404


def test_the_log_has_no_link(evenings: Evenings) -> None:
    """Of a link's secret the data set has a digest only."""
    secret = evenings.path().rpartition("/")[2].encode()
    kept = [path for path in evenings.service.data.rglob("*") if path.is_file()]
    assert len(kept) > 3
    assert [path for path in kept if secret in path.read_bytes()] == []


def test_who_withdraws_is_asked_no_more(evenings: Evenings, port: int) -> None:
    """A form that was opened before a withdrawal is refused after it, and the page has nothing to give."""
    path = evenings.path(day=MONDAY + DAY)
    form = ask(port, path).form
    withdraw(evenings)
    assert [ask(port, path, FULL | {"form": form}).status, ask(port, path).status] == [410, 410]
    assert "no report to give" in ask(port, evenings.path()).text
    assert sendings(evenings) == []


def test_practice_keeps_nothing(evenings: Evenings, port: int) -> None:
    """A practice report is answered and leaves no line."""
    before = evenings.entries
    assert ask(port, f"{evenings.path()}/practice", FULL).status == 200
    assert evenings.entries == before


def test_strangers_are_slowed_down(evenings: Evenings, port: int) -> None:
    """After thirty wrong links in a minute there are no more answers about links, and right ones go on."""
    statuses = [ask(port, f"/r/{number}").status for number in range(35)]
    assert statuses == [404] * 30 + [429] * 5
    assert ask(port, evenings.path()).status == 303


def test_one_link_cannot_flood(evenings: Evenings) -> None:
    """Sixty requests a minute, then it has to wait."""
    with served(evenings, per_link=5) as port:
        assert [ask(port, evenings.path()).status for _ in range(7)] == [303] * 5 + [429] * 2


def test_large_slow_and_foreign_bodies_are_refused(evenings: Evenings, port: int) -> None:
    """A body over the limit, of another kind or with too many fields is refused, and nothing of it is kept."""
    path = evenings.path(day=MONDAY + DAY)
    assert ask(port, path, {"item_calm": "1" * MAX_BODY}).status == 413
    assert ask(port, path, {f"f{number}": "1" for number in range(200)}).status == 400
    assert ask(port, path, {"item_calm": "1"}, kind="application/json").status == 415
    assert sendings(evenings) == []


def test_a_body_that_never_ends_is_given_up(evenings: Evenings, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends half a form and waits is told so, and holds up nobody else."""
    monkeypatch.setattr(http, "BODY_S", 0.2)
    head = (
        f"POST {evenings.path(day=MONDAY + DAY)} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 99\r\n"
    )
    with socket.create_connection((LOCAL, port), timeout=30) as slow:
        slow.sendall(f"{head}\r\nitem_calm=1".encode())
        assert give(port, evenings.path(day=MONDAY + DAY)).status == 303
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=40), st.dictionaries(st.text(max_size=12), st.text(max_size=30), max_size=8),
    st.dictionaries(st.sampled_from([*FULL, "form", "asked", "offset"]), st.text(max_size=30), max_size=8),
)  # fmt: skip
def test_no_request_breaks_the_pages(
    evenings: Evenings, port: int, place: str, other: dict[str, str], fields: dict[str, str]
) -> None:
    """Whatever is asked for and sent is answered in words, and no answer outside of a scale is kept."""
    quoted = urlencode({"": place})[1:]
    tries = (("/" + quoted, None), (f"{evenings.path()}/{quoted}", other), (evenings.path(day=MONDAY + DAY), fields))
    for path, body in tries:
        assert ask(port, path, body).status in {200, 303, 307, 404, 405, 410, 422}
    for sent in sendings(evenings):
        assert all(sent.answers[item.id] in {None, *range(1, item.points + 1)} for item in DAILY.items)


def test_a_failure_is_told_to_the_lab_without_answers(evenings: Evenings) -> None:
    """While the log cannot be read, the page asks for patience and the lab is told why; then it goes on."""
    told = list[str]()
    with served(evenings, told.append) as port:
        path, log = evenings.path(day=MONDAY + DAY), evenings.service.journal.path
        form = ask(port, path).form
        kept = log.read_bytes()
        log.write_bytes(kept[:-40] + b"x" * 39 + b"\n")
        answer = ask(port, path, FULL | {"form": form})
        assert (answer.status, "try again" in answer.text, answer.headers["retry-after"]) == (503, True, "60")
        log.write_bytes(kept)
        assert ask(port, path, FULL | {"form": form}).status == 303
    assert "reports.jsonl" in told[0]
    assert not re.search(r"item_|calm|/r/", " ".join(told))


def test_a_register_out_of_reach_loses_no_report(evenings: Evenings, port: int) -> None:
    """While the register cannot be read the page asks for patience, and afterwards accepts the same form."""
    path, register = evenings.path(day=MONDAY + DAY), evenings.service.register.path
    form = ask(port, path).form
    register.rename(register.with_suffix(".away"))
    assert ask(port, path, FULL | {"form": form}).status == 503
    register.with_suffix(".away").rename(register)
    assert ask(port, path, FULL | {"form": form}).status == 303
    assert len(sendings(evenings)) == 1
