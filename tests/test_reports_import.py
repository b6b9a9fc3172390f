"""Daily reports from REDCap, Qualtrics and plain tables: the same table as from the study's own pages."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from experiment.errors import BadInput
from experiment.reports import simulated_reports
from experiment.reports import table as daily_table
from experiment.reports.importing import plan_import, read_answer, write_import
from experiment.reports.log import sendings
from experiment.reports.methods import paragraph
from experiment.reports.service import Service
from experiment.reports.table import table_path, verify
from tests.daily_reports import DAILY, begin, start_second
from tests.registers import DAY, MONDAY, STUDY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from experiment.reports.log import Report
    from tests.daily_reports import Evenings

ZONE = STUDY.clock.zone
ITEMS = [item.id for item in DAILY.items]
SECOND = MONDAY + 14 * DAY


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Evenings:
    """Four participants through both courses, whose reports came through the pages, each sent once."""
    made = begin(tmp_path_factory.mktemp("pages"), 4)
    for subject in made.links:
        start_second(made, subject, SECOND)
    made.at(SECOND + 10 * DAY, "12:00")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated_reports, "CORRECTED", 0)
        simulated_reports.simulate_reports(made.service, 1)
    return made


def elsewhere(study: Evenings, folder: Path) -> Service:
    """The same study in a data set without reports."""
    shutil.copytree(study.service.data / "study", folder / "study")
    return Service(folder, DAILY, type(study.service.register)(folder / "study", study.clock))


def reports(study: Evenings) -> list[Report]:
    """All that came, by participant and date."""
    return [of[-1] for _, of in sorted(sendings(study.entries).items())]


def local(moment: object) -> str:
    """A time as survey tools write it."""
    return f"{moment.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M:%S}"  # type: ignore[attr-defined]


def table(rows: Iterable[Sequence[object]]) -> str:
    """Rows as a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["" if cell is None else cell for cell in row] for row in rows])
    return text.getvalue()


def answers(report: Report) -> list[int | None]:
    """In the items' order."""
    return [report.answers[name] for name in ITEMS]


def plain_table(of: Sequence[Report]) -> str:
    """A table with our own names."""
    rows = [[f"sub-{one.subject}", local(one.opened), local(one.submitted), *answers(one)] for one in of]
    return table([["participant_id", "opened", "submitted", *ITEMS], *rows])


def repeating(of: Sequence[Report]) -> str:
    """REDCap with a repeating instrument: a base row for each record, then an instance for each report."""
    header = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "age", "daily_timestamp", "opened"]
    rows = [[subject, "", "", 30, "", "", *[""] * len(ITEMS), ""] for subject in sorted({one.subject for one in of})]
    rows += [
        [one.subject, "daily", at, "", local(one.submitted), local(one.opened), *answers(one), 2]
        for at, one in enumerate(of, 1)
    ]
    return table([[*header, *ITEMS, "daily_complete"], *sorted(rows, key=lambda row: str(row[0]))])


def longitudinal(of: Sequence[Report]) -> str:
    """REDCap with an event for each day; the participant's ID stands in the first event only."""
    header = ["record_id", "redcap_event_name", "participant_id", "daily_timestamp", "opened", *ITEMS, "daily_complete"]
    numbers = {subject: number for number, subject in enumerate(sorted({one.subject for one in of}), 1)}
    rows = [[number, "baseline_arm_1", subject, "", "", *[""] * len(ITEMS), ""] for subject, number in numbers.items()]
    rows += [
        [numbers[one.subject], f"day_{at}_arm_1", "", local(one.submitted), local(one.opened), *answers(one), 2]
        for at, one in enumerate(of, 1)
    ]
    return table([header, *sorted(rows, key=lambda row: int(str(row[0])))])


def classic(of: Sequence[Report]) -> str:
    """REDCap with a form for each day in one row."""
    names = ["opened", *ITEMS]
    header = ["record_id"]
    for day in range(1, 9):
        header += [f"daily_{day}_timestamp", *(f"{name}_{day}" for name in names), f"daily_{day}_complete"]
    rows = []
    for subject in sorted({one.subject for one in of}):
        cells: list[object] = [subject]
        own = {(one.date - MONDAY).days + 1 - 10 * (one.date >= SECOND): one for one in of if one.subject == subject}
        for day in range(1, 9):
            one = own.get(day)
            cells += [local(one.submitted), local(one.opened), *answers(one), 2] if one else [""] * 9 + [0]
        rows.append(cells)
    return table([header, *rows])


def qualtrics(of: Sequence[Report], *, texts: bool) -> str:
    """Qualtrics with its three header rows, by numbers or by choice texts; a preview among the answers."""
    names = [
        "StartDate",
        "EndDate",
        "Status",
        "Progress",
        "Finished",
        "RecordedDate",
        "ResponseId",
        "ExternalReference",
    ]
    titles = ["Start Date", "End Date", "Response Type", "Progress", "Finished", "Recorded Date", "Response ID"]
    header = [*names, *(f"Q{number}" for number in range(1, len(ITEMS) + 1))]
    questions = [*titles, "External Data Reference", *(item.text for item in DAILY.items)]
    ids = [json.dumps({"ImportId": name}) for name in header]

    def point(item: int, value: int | None) -> object:
        return DAILY.items[item].levels.get(value or 0, value) if texts else value

    rows = [
        [
            local(one.opened), local(one.submitted), "IP Address" if texts else 0, 100, "True" if texts else 1,
            local(one.submitted), f"R_{at:015}", one.subject,
            *(point(item, value) for item, value in enumerate(answers(one))),
        ]
        for at, one in enumerate(of)
    ]  # fmt: skip
    preview = [*rows[0][:2], "Survey Preview" if texts else 1, *rows[0][3:]]
    return table([header, questions, ids, preview, *rows])


EXPORTS: dict[str, Callable[[Sequence[Report]], str]] = {
    "plain": plain_table, "repeating": repeating, "longitudinal": longitudinal, "classic": classic,
    "qualtrics": lambda of: qualtrics(of, texts=False), "choice texts": lambda of: qualtrics(of, texts=True),
}  # fmt: skip


def without(path: Path, *columns: int) -> list[list[str]]:
    """The rows of a table without these columns."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [[cell for at, cell in enumerate(line) if at not in columns] for line in lines]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_makes_the_same_table(study: Evenings, tmp_path: Path, name: str) -> None:
    """Exported as REDCap or Qualtrics would and imported elsewhere: equal but for how the reports came."""
    service, path = elsewhere(study, tmp_path / "data"), tmp_path / "export.csv"
    path.write_text(EXPORTS[name](reports(study)), encoding="utf-8")
    planned = plan_import(service, [path], ZONE, {})
    assert len(planned.problems) == name.startswith(("qualtrics", "choice")), planned.problems
    write_import(service, planned)
    assert without(table_path(service.data), 7, 8) == without(table_path(study.service.data), 7, 8)
    assert verify(service.data, service.roster(), study.clock.moment) == []


def test_a_grown_export_adds_what_is_new(study: Evenings, tmp_path: Path) -> None:
    """The first half, then all: the second import adds the other half, and a third one nothing."""
    service, path, of = elsewhere(study, tmp_path / "data"), tmp_path / "export.csv", reports(study)
    counts = []
    for some in (of[: len(of) // 2], of, of):
        path.write_text(plain_table(some), encoding="utf-8")
        planned = plan_import(service, [path], ZONE, {})
        counts.append((len(planned.new), planned.known))
        write_import(service, planned)
    half = len(of) // 2
    assert counts == [(half, 0), (len(of) - half, half), (0, len(of))]


def test_what_fits_no_day_is_listed_without_its_answers(study: Evenings, tmp_path: Path) -> None:
    """At noon, in the washout, by nobody, without a time, in words: each row is named, none is imported."""
    service, path = elsewhere(study, tmp_path / "data"), tmp_path / "wrong.csv"
    rows = [
        ["DF001", "2026-11-24 15:00:00", *[1] * 7], ["DF001", "2026-12-01 20:00:00", *[1] * 7],
        ["DF999", "2026-11-24 20:00:00", *[1] * 7], ["DF001", "", *[1] * 7], ["DF001", "24.11.2026 20:00", *[1] * 7],
        ["DF001", "2026-11-24 20:00:00", "canary", *[1] * 6], ["DF001", "2026-11-24 20:00:00", 9, *[1] * 6],
    ]  # fmt: skip
    path.write_text(table([["subject", "submitted", *ITEMS], *rows]), encoding="utf-8")
    planned = plan_import(service, [path], ZONE, {})
    assert (planned.new, len(planned.problems)) == ((), 7)
    assert all(f"row {at}" in text for at, text in enumerate(planned.problems, 2))
    assert "canary" not in " ".join(planned.problems)


def test_methods_claim_no_page_that_nobody_saw(study: Evenings, tmp_path: Path) -> None:
    """Where all reports were imported, the paragraph says so, and nothing of phones and links."""
    service, path = elsewhere(study, tmp_path / "data"), tmp_path / "export.csv"
    path.write_text(plain_table(reports(study)), encoding="utf-8")
    write_import(service, plan_import(service, [path], ZONE, {}))
    said = []
    for one in (service, study.service):
        told = one.roster()
        of = daily_table.rows(told, one.journal.entries(), study.clock.moment)
        said.append(paragraph(of, DAILY, told.study))
    assert ["personal link" in text for text in said] == [False, True]
    assert "with another program" in said[0]


def test_the_zone_decides_the_day(study: Evenings, tmp_path: Path) -> None:
    """Written in another zone, the same clock time is another moment, and may be no report at all."""
    service, path = elsewhere(study, tmp_path / "data"), tmp_path / "export.csv"
    path.write_text(
        table([["subject", "submitted", *ITEMS], ["DF001", "2026-11-24 20:00", *[1] * 7]]), encoding="utf-8"
    )
    assert plan_import(service, [path], ZONE, {}).new[0].submitted == "2026-11-24T19:00:00+00:00"
    assert plan_import(service, [path], "America/New_York", {}).new[0].date == "2026-11-24"
    assert len(plan_import(service, [path], "Asia/Tokyo", {}).problems) == 1
    with pytest.raises(BadInput, match="Europe/Berlin"):
        plan_import(service, [path], "Berlin", {})


def test_columns_that_cannot_be_told_are_asked_for(study: Evenings, tmp_path: Path) -> None:
    """Other names are refused with the list of columns, and accepted when they are given."""
    service, path = elsewhere(study, tmp_path / "data"), tmp_path / "export.csv"
    names = [f"v{number}" for number in "abcdefg"]
    path.write_text(table([["subject", "when", *names], ["DF001", "2026-11-24 20:00", *[1] * 7]]), encoding="utf-8")
    with pytest.raises(BadInput, match='--column submitted="NAME"'):
        plan_import(service, [path], ZONE, {})
    given = {"submitted": "when"} | dict(zip(ITEMS, names, strict=True))
    assert len(plan_import(service, [path], ZONE, given).new) == 1
    with pytest.raises(BadInput, match="there is no column"):
        plan_import(service, [path], ZONE, given | {"calm": "nothing"})


@pytest.mark.parametrize(
    ("cell", "point"),
    [("3", 3), ("3.0", 3), ("3 - some", 3), ("Not at all", 1), ("very", 7), ("7 (Very)", 7), ("", None)],
)
def test_an_answer_is_read_as_survey_tools_write_it(cell: str, point: int | None) -> None:
    """By number, by number and label, or by label."""
    assert read_answer(DAILY.items[0], cell) == point
