"""A study is analysed from its register and tables to a page; and not before it may be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import datetime
from pathlib import Path
from statistics import fmean

import pytest
from msgspec.structs import replace

from experiment.analysis.report import write_report
from experiment.analysis.results import analyse
from experiment.analysis.study_data import StudyData, read_study_data
from experiment.analysis.wording import summary
from experiment.errors import BadInput
from experiment.study.events import Unblinded
from experiment.study.register import Register
from experiment.study.setup import set_up
from tests.invented_studies import DRUG, OTHER, STUDY, WholeStudy, invented, whole_study
from tests.registers import PUBLIC_KEYS
from tests.trial_tables import rows_of

PEOPLE = 10
TABLES = (
    *("estimates", "evidence", "equivalence", "sensitivity", "sequences", "left_out", "blinding", "daily_reports"),
    "participants",
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> WholeStudy:
    """A simulated study, locked and unblinded."""
    return whole_study(tmp_path_factory.mktemp("study"), PEOPLE)


@pytest.fixture(scope="module")
def written(study: WholeStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its analysis."""
    out = tmp_path_factory.mktemp("out")
    write_report(analyse(read_study_data(study.data, study.treatments)), out)
    return out


@pytest.fixture
def copy(study: WholeStudy, tmp_path: Path) -> WholeStudy:
    """The same study, to be changed."""
    shutil.copytree(study.data, tmp_path / "data")
    shutil.copy(study.treatments, tmp_path / "treatments.tsv")
    return WholeStudy(tmp_path / "data", study.register, tmp_path / "treatments.tsv")


def test_everything_is_written(written: Path) -> None:
    """One page, each table with a dictionary of its columns, each figure as SVG and PNG, paragraphs, the R script."""
    assert {path.name for path in written.iterdir() if path.suffix not in {".tsv", ".json"}} == {
        "analysis.html", "analysis.R", "figures", "report.txt"
    }  # fmt: skip
    for name in (*TABLES, "session_rows", "daily_rows"):
        head = (written / f"{name}.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t")
        told = (written / f"{name}.json").read_text(encoding="utf-8")
        assert [column for column in head if f'"{column}"' not in told] == []
    drawn = {"flow", "participants", "forest", "days", "periods", "blinding", "missing_reports"}
    figures = {path.name for path in (written / "figures").iterdir()}
    assert figures == {f"{name}.{kind}" for name in drawn for kind in ("svg", "png")}


def test_the_page_opens_offline_and_can_be_read_aloud(written: Path) -> None:
    """It loads nothing from anywhere, runs nothing, every figure has words, and every word of an SVG is text."""
    page = (written / "analysis.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:image|figures/)', page) == []
    assert "<script" not in page
    assert "it tells the treatments" in page
    assert len(re.findall(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="[^"]{20,}"', page)) == page.count("<img")
    for path in (written / "figures").glob("*.svg"):
        words = " ".join(one.text or "" for one in ET.parse(path).iter("{http://www.w3.org/2000/svg}text"))  # noqa: S314 - our own file
        assert len(words) > 20, path


def test_every_rated_message_counts_or_is_left_out_by_name(study: WholeStudy, written: Path) -> None:
    """Rows of the models and ratings left out are together all that the trial tables hold, and each row has a drug."""
    rated = sum(
        row["connection"] != "n/a"
        for path in study.data.glob("sub-*/ses-*/beh/*_beh.tsv") for row in rows_of(path)
    )  # fmt: skip
    counted = rows_of(written / "session_rows.tsv")
    left = [row for row in rows_of(written / "left_out.tsv") if not row["reason"].startswith("daily")]
    assert sum(row["connection"] != "n/a" for row in counted) + sum(int(row["rated"]) for row in left) == rated
    known = {(row["participant_id"], row["session_id"][4:]): row["treatment"] for row in rows_of(study.treatments)}
    assert all(known[row["participant"], row["session"]] == row["treatment"] for row in counted)
    assert {row["reason"].partition(" (")[0] for row in left} >= {"not attended", "run against the study's rules"}


def test_reports_given_after_a_treatment_was_revealed_do_not_count(study: WholeStudy, written: Path) -> None:
    """From an emergency on, a participant's reports are left out by name, and come back in one sensitivity row only."""
    data = read_study_data(study.data, study.treatments)
    (one,) = [one for one in data.people if one.unblinded]
    revealed = next(
        entry.utc
        for entry in study.register.entries()
        if isinstance(entry.act, Unblinded) and entry.act.subject == one.subject
    )
    given = [
        (row["session_id"][4:], row["run"])
        for row in rows_of(study.data / "phenotype" / "daily.tsv")
        if row["participant_id"] == one.name and row["submitted"] != "n/a"
        and datetime.fromisoformat(row["submitted"].replace("Z", "+00:00")) > datetime.fromisoformat(revealed)
    ]  # fmt: skip
    assert given
    own = [row for row in rows_of(written / "daily_rows.tsv") if row["participant"] == one.name]
    assert own
    assert set(given).isdisjoint((row["session"], row["item"]) for row in own)
    left = [row for row in rows_of(written / "left_out.tsv") if row["reason"].startswith("daily")]
    assert ({row["participant_id"] for row in left}, sum(int(row["rated"]) for row in left)) == ({one.name}, len(given))
    also = [row["outcome"] for row in rows_of(written / "sensitivity.tsv") if "the reports that" in row["what"]]
    assert also == ["daily_connection", "daily_mood"]


def test_each_outcomes_participants_are_listed(study: WholeStudy, written: Path) -> None:
    """Everybody enrolled, with how many of their rows each model has, as the rows themselves say."""
    listed, everybody = rows_of(written / "participants.tsv"), read_study_data(study.data, study.treatments).people
    assert [row["participant_id"] for row in listed] == [one.name for one in everybody]
    for source, outcome in (("session", "connection"), ("session", "pleasure"), ("daily", "mood")):
        rows = rows_of(written / f"{source}_rows.tsv")
        counts = Counter(row["participant"] for row in rows if row[outcome] != "n/a")
        assert {row["participant_id"]: int(row[f"{source}_{outcome}"]) for row in listed} == {
            one.name: counts[one.name] for one in everybody
        }


def test_equivalence_is_told_under_every_other_assumption(written: Path) -> None:
    """Rows of outcomes expected to be unchanged have the test of equivalence, the planned one's as in its own table."""
    planned = {row["outcome"]: row for row in rows_of(written / "equivalence.tsv")}
    rows = rows_of(written / "sensitivity.tsv")
    for row in rows:
        is_effect = "by day" not in row["what"] and "permutation" not in row["what"]
        assert (row["unchanged"] in {"yes", "no"}) == (row["outcome"] in planned and is_effect), row
        if row["what"] == "as planned" and row["outcome"] in planned:
            own = planned[row["outcome"]]
            assert (row["p_equivalence"], row["unchanged"]) == (own["p"], own["unchanged"])
    assert sum(row["unchanged"] != "n/a" for row in rows) > len(planned)


def test_pilots_and_simulations_among_real_sessions_are_left_out(copy: WholeStudy) -> None:
    """Where one session is real, the simulated ones do not count; neither do pilots; both are named with the reason."""
    real = next(copy.data.glob("sourcedata/sub-*/ses-1/*_transcript.jsonl"))
    real.write_text(real.read_text(encoding="utf-8").replace('"mode":"simulate"', '"mode":"run"', 1), encoding="utf-8")
    (copy.data / "pilot" / "sourcedata" / "sub-pilot001").mkdir(parents=True)
    data = read_study_data(copy.data, None)
    assert not data.is_synthetic
    assert {one.participant for one in data.observations["session"]} <= {real.parts[-3]}
    reasons = {one.participant: one.reason for one in data.left_out}
    assert "pilot" in reasons["sub-pilot001"]
    assert "not a real session (simulate)" in {one.reason for one in data.left_out}


def test_daily_items_become_blocks(study: WholeStudy) -> None:
    """A report is the mean of its block's items, a reversed one turned round; a missing report is due and not given."""
    data = read_study_data(study.data, study.treatments)
    table = {(row["participant_id"], row["session_id"][4:], row["run"]): row for row in
             rows_of(study.data / "phenotype" / "daily.tsv")}  # fmt: skip
    for one in data.observations["daily"]:
        row = table[one.participant, str(one.session), one.item]
        given = [int(cell) for cell in (row["connected"], row["close"]) if cell != "n/a"]
        given += [8 - int(cell) for cell in [row["disconnected"]] if cell != "n/a"]
        assert one.values.get("connection") == (pytest.approx(fmean(given)) if given else None)
    assert sum(not one.is_given for one in data.reports) == sum(row["status"] == "missing" for row in table.values())
    assert {one.is_given for one in data.reports} == {True, False}


def test_guesses_are_read_by_their_places(study: WholeStudy) -> None:
    """The drug after session 2 means the second course, placebo the first; who is not sure at all could not tell."""
    data = read_study_data(study.data, study.treatments)
    rows = {row["participant_id"]: row for row in rows_of(study.data / "phenotype" / "funnel.tsv")}
    expected = {"the first": 1, "the second": 2}
    assert data.guesses["at the very end"] == {
        name: None if float(row["certainty"]) == 0 else expected[row["drug_course"]] for name, row in rows.items()
    }
    named = {("the drug", "ses-1"): 1, ("the drug", "ses-2"): 2, ("placebo (no drug)", "ses-1"): 2,
             ("placebo (no drug)", "ses-2"): 1}  # fmt: skip
    for row in rows_of(study.data / "phenotype" / "guess.tsv"):
        guessed = data.guesses[f"after session {row['session_id'][4:]}"][row["participant_id"]]
        assert guessed == named.get((row["treatment"], row["session_id"]))


def test_the_same_study_gives_the_same_bytes(study: WholeStudy, written: Path, tmp_path: Path) -> None:
    """Analysed again, every file is equal byte for byte."""
    write_report(analyse(read_study_data(study.data, study.treatments)), tmp_path)
    for path in written.rglob("*"):
        assert path.is_dir() or path.read_bytes() == (tmp_path / path.relative_to(written)).read_bytes(), path


def test_lme4_says_the_same_of_the_folder(study: WholeStudy, tmp_path: Path) -> None:
    """The script in the folder, run by R, finds the estimates of every mixed model; without R, it is there."""
    write_report(analyse(read_study_data(study.data, study.treatments)), tmp_path)
    assert shutil.which("Rscript") or not os.environ.get("CI"), "CI compares with R, and has none"
    if shutil.which("Rscript"):
        subprocess.run(["Rscript", "analysis.R"], cwd=tmp_path, check=True, capture_output=True, timeout=300)  # noqa: S607
        own = [row for row in rows_of(tmp_path / "estimates.tsv") if row["model"].startswith("mixed")]
        for ours, theirs in zip(own, rows_of(tmp_path / "analysis_R.tsv"), strict=True):
            assert ours["outcome"] == theirs["outcome"].strip()
            assert [float(ours[name]) for name in ("estimate", "se", "df", "p")] == pytest.approx(
                [float(theirs[name]) for name in ("estimate", "se", "df", "p")], rel=1e-5, abs=1e-9
            )


def test_blinded_labels_say_nothing(study: WholeStudy, tmp_path: Path) -> None:
    """Blinded, the orders are drawn without the allocation, and every page and figure says so."""
    data = read_study_data(study.data, None)
    truth = read_study_data(study.data, study.treatments)
    agreeing = sum(data.treatments[key] == truth.treatments[key] for key in truth.treatments) / len(truth.treatments)
    assert 0 < agreeing < 1
    write_report(analyse(data), tmp_path)
    assert "random labels" in (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert "random labels" in (tmp_path / "analysis.html").read_text(encoding="utf-8")
    for path in (tmp_path / "figures").glob("*.svg"):
        assert "BLINDED" in path.read_text(encoding="utf-8")
    for path in tmp_path.glob("*.tsv"):
        assert {row["labels"] for row in rows_of(path)} <= {"random"}, path
        assert path.read_text(encoding="utf-8").splitlines()[0].endswith("\tlabels")
        assert "random labels" in path.with_suffix(".json").read_text(encoding="utf-8")
    assert (tmp_path / "analysis.R").read_text(encoding="utf-8").startswith("# Blinded")
    assert "tells the treatments" not in (tmp_path / "analysis.html").read_text(encoding="utf-8")


def test_nothing_is_shown_before_the_lock(study: WholeStudy, tmp_path: Path) -> None:
    """Without the lock, or locked but not unblinded, a table of treatments opens nothing."""
    data = tmp_path / "data"
    shutil.copytree(study.data, data)
    lines = (data / "study" / "register.jsonl").read_bytes().splitlines(keepends=True)
    for taken, said in ((1, "not been unblinded"), (2, "not locked")):
        (data / "study" / "register.jsonl").write_bytes(b"".join(lines[:-taken]))
        _forget_head(data)
        with pytest.raises(BadInput, match=said):
            read_study_data(data, study.treatments)


def _forget_head(data: Path) -> None:
    from hashlib import sha256

    content = (data / "study" / "register.jsonl").read_bytes()
    head = f'{{"size":{len(content)},"sha256":"{sha256(content).hexdigest()}"}}'
    (data / "study" / "head.json").write_text(head, encoding="utf-8")


def test_changed_tables_are_refused(copy: WholeStudy) -> None:
    """One rating changed after the lock, and nothing is analysed."""
    path = next(copy.data.glob("sub-*/ses-1/beh/*_beh.tsv"))
    path.write_text(path.read_text(encoding="utf-8").replace("\t4\t", "\t5\t", 1), encoding="utf-8")
    with pytest.raises(BadInput, match=r"beh\.tsv: changed"):
        read_study_data(copy.data, copy.treatments)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [(f"\t{DRUG}\n", "\tsomething\n", "no treatment"), ("sub-sim00001", "sub-sim99999", "no treatment"),
     ("ses-2", "ses-3", "no treatment"), ("kit", "box", "no column 'kit'"), (f"\t{DRUG}\n", f"\t{OTHER}\n", "twice")],
)  # fmt: skip
def test_other_treatments_are_refused(copy: WholeStudy, old: str, new: str, said: str) -> None:
    """A table with a row missing, renamed or edited is refused, and the message says where."""
    text = copy.treatments.read_text(encoding="utf-8")
    assert old in text
    copy.treatments.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        read_study_data(copy.data, copy.treatments)


def test_another_studys_treatments_are_refused(copy: WholeStudy) -> None:
    """A table whose kits were not handed out here belongs elsewhere."""
    rows = copy.treatments.read_text(encoding="utf-8").splitlines()
    first = rows[1].split("\t")
    text = "\n".join(rows).replace(first[4], "222222") + "\n"
    copy.treatments.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="another study"):
        read_study_data(copy.data, copy.treatments)


def test_people_outside_the_study_are_refused(copy: WholeStudy) -> None:
    """A participant's folder that nobody enrolled has no treatment, and is named."""
    (copy.data / "sub-stranger").mkdir()
    with pytest.raises(BadInput, match="sub-stranger"):
        read_study_data(copy.data, None)


def test_a_plan_without_bounds_is_refused(tmp_path: Path) -> None:
    """Without what counts as unchanged, set before the study began, nothing is analysed, not even blinded."""
    set_up(Register(tmp_path / "study"), replace(STUDY, analysis=None), *PUBLIC_KEYS, "PI")
    with pytest.raises(BadInput, match=r"analysis\.unchanged"):
        read_study_data(tmp_path, None)


PUBLISHED = "This is the published pattern"


def said_of(data: StudyData) -> str:
    """The paragraph on results."""
    return summary(analyse(data))


def test_the_published_pattern_is_told_where_it_is_shown() -> None:
    """Sixty people with less connection and nothing else: the published result, sentence by sentence."""
    said = said_of(invented(60, seed=2))
    assert f"Connection in the session was lower on {DRUG}" in said
    assert f"Connection in the daily reports was lower on {DRUG}" in said
    assert "Pleasure in the session was unchanged within ±0.5 points" in said
    assert "Mood in the daily reports was unchanged within ±0.5 points" in said
    assert "The effect on connection was more negative than that on pleasure in the session" in said
    assert PUBLISHED in said


def test_points_of_different_scales_are_not_subtracted(study: WholeStudy) -> None:
    """From 0 to 10 and from 0 to 100, each effect is told in its own points, and no difference between the two."""
    data = invented(60, seed=2)
    assert read_study_data(study.data, study.treatments).lengths["session_connection"] == 6.0
    mixed = replace(data, lengths={"session_connection": 10.0, "session_pleasure": 100.0})
    said = said_of(mixed)
    assert "than that on pleasure in the session" not in said
    assert "minus pleasure in the session could not be estimated: their scales have different lengths" in said
    assert "than that on mood in the daily reports" in said
    assert PUBLISHED in said


@pytest.mark.parametrize(
    ("effects", "words"),
    [({}, "No effect on connection in the session could be shown"),
     ({"connection": 0.5}, "Connection in the session was higher"),
     ({"connection": -0.5, "pleasure": -1.0}, "Pleasure in the session was lower"),
     ({"connection": -0.5, "mood": -1.0}, "Mood in the daily reports was lower")],
)  # fmt: skip
def test_what_is_not_shown_is_not_told(effects: dict[str, float], words: str) -> None:
    """With no effect, the opposite one, or pleasure or mood lower as well, the published pattern is not claimed."""
    said = said_of(invented(60, seed=2, effects=effects))
    assert words in said
    assert PUBLISHED not in said


def test_few_participants_leave_it_open() -> None:
    """Six participants show neither a difference nor its absence, and the paragraph says just that."""
    said = said_of(invented(6, seed=3, effects={}))
    assert "remains unclear: neither a difference nor its absence" in said
    assert PUBLISHED not in said


def test_a_study_of_one_sequence_says_what_cannot_be_told(tmp_path: Path) -> None:
    """One participant, or no ratings at all, end in words and not in an error."""
    data = invented(1, seed=1)
    assert "could not be estimated" in said_of(data)
    nothing = replace(data, observations={"session": (), "daily": ()}, reports=())
    assert said_of(nothing)
    for one in (data, nothing):
        assert write_report(analyse(one), tmp_path).exists()


def test_missing_reports_move_the_estimate_as_far_as_they_can(written: Path) -> None:
    """A point lower in missing reports on the drug moves the daily estimate by the share that is missing."""
    rows = [row for row in rows_of(written / "sensitivity.tsv") if row["outcome"] == "daily_connection"]
    planned, *others = (
        float(row["estimate"]) for row in rows if "planned" in row["what"] or "-1 points" in row["what"]
    )
    reports = [row for row in rows_of(written / "daily_reports.tsv") if row["treatment"] == DRUG]
    due, given = (sum(int(row[name]) for row in reports) for name in ("due", "given"))
    assert others == [pytest.approx(planned - (due - given) / due)]
