"""One long table over all sessions of a data set: whose rows they are, their types, its files, and what is left out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.long_table import SessionTable, long_dictionary, long_table, read_sessions, save_long_table

RECORDED = Path(__file__).parent / "recorded"
SIMULATED = RECORDED / "simulated"
COLUMNS = ["participant_id", "session_id", "trial", "message_id"]


def sessions_of(place: Path, *, pilot: bool = True) -> list[SessionTable]:
    """All sessions of a data set."""
    sessions, unread = read_sessions(place, pilot=pilot, progress=lambda _done, _all: None)
    assert not unread
    return sessions


def test_every_row_of_every_table_is_there_with_whose_it_is(tmp_path: Path) -> None:
    """As TSV it is the saved tables below each other, to the byte, with participant and session before each row."""
    out = tmp_path / "long.tsv"
    save_long_table(sessions_of(SIMULATED), out)
    expected: list[str] = []
    for table in DataSet(SIMULATED).tables_of_all():
        subject, session, _ = table.name.split("_", 2)
        header, *rows = table.read_text(encoding="utf-8").splitlines()
        expected = expected or [f"participant_id\tsession_id\t{header}"]
        expected += [f"{subject}\t{session}\t{row}" for row in rows]
    assert out.read_text(encoding="utf-8").splitlines() == expected


def test_whole_numbers_stay_whole_where_some_are_missing(tmp_path: Path) -> None:
    """In the data frame, and in Parquet, ratings and counts are integers, times floats, the rest texts."""
    table = long_table(sessions_of(SIMULATED))
    assert list(table.columns[:4]) == COLUMNS
    assert table["connection"].isna().any()
    kinds = {name: str(kind) for name, kind in table.dtypes.items()}
    assert (kinds["connection"], kinds["connection_rt"], kinds["timed_by"]) == ("Int64", "Float64", "string")
    save_long_table(sessions_of(SIMULATED), tmp_path / "long.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "long.parquet"), table)


def test_a_csv_file_is_read_without_options(tmp_path: Path) -> None:
    """What is missing is missing to pandas, and to R, whose sign for it is NA."""
    save_long_table(sessions_of(SIMULATED), tmp_path / "long.csv")
    plain, table = pd.read_csv(tmp_path / "long.csv"), long_table(sessions_of(SIMULATED))
    assert plain["connection"].isna().equals(table["connection"].isna())
    assert ",NA," in (tmp_path / "long.csv").read_text(encoding="utf-8")


def test_each_column_is_explained(tmp_path: Path) -> None:
    """The dictionary beside the table has an entry for every column, in order."""
    sessions = sessions_of(SIMULATED)
    dictionary = json.loads(save_long_table(sessions, tmp_path / "long.tsv").read_bytes())
    assert list(dictionary) == list(long_table(sessions).columns)
    assert all(entry["Description"] for entry in dictionary.values())


def test_sessions_of_another_protocol_have_columns_of_their_own() -> None:
    """A question that only some sessions asked is missing in the others, and one that is worded anew says both."""
    one, *_ = sessions_of(SIMULATED)
    warm = replace(one.columns[8], name="warm", description="How warm it was.")
    cold = replace(one.columns[8], description="How cold it was.")
    others = SessionTable((*one.columns[:8], cold, warm, *one.columns[9:]), [{**one.rows[0], "warm": 5}])
    table = long_table([one, others])
    assert list(table.columns[8:11]) == ["connection", "warm", "connection_onset"]
    assert table["warm"].notna().tolist() == [False] * len(one.rows) + [True]
    assert long_dictionary([one, others])["connection"]["Description"].endswith("In other sessions: How cold it was.")


def test_nothing_is_overwritten_and_other_endings_are_refused(tmp_path: Path) -> None:
    """A file that is there stays as it is, and only three kinds of files are written."""
    (tmp_path / "long.json").write_text("{}", encoding="utf-8")
    for name, why in (("long.tsv", "already exists"), ("long.xlsx", "already exists"), ("other.xlsx", "must end in")):
        with pytest.raises(BadInput, match=why):
            save_long_table(sessions_of(SIMULATED), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["long.json"]


def test_simulated_and_pilot_data_come_only_when_asked(tmp_path: Path) -> None:
    """Without --pilot a simulated data set gives no table, and with it, its pilots or itself."""
    with pytest.raises(BadInput, match="are pilots or simulations"):
        read_sessions(SIMULATED, pilot=False, progress=lambda _done, _all: None)
    shutil.copytree(RECORDED / "real", tmp_path / "data")
    shutil.copytree(RECORDED / "pilot" / "pilot", tmp_path / "data" / "pilot")
    for pilot, who in ((False, "sub-11"), (True, "sub-pilot001")):
        assert {row["participant_id"] for one in sessions_of(tmp_path / "data", pilot=pilot) for row in one.rows} == {
            who
        }


def test_a_damaged_session_is_left_out_and_named(tmp_path: Path) -> None:
    """The others are written, the exit status is 1, and what was left out is said."""
    shutil.copytree(SIMULATED, tmp_path / "data")
    damaged, *others = DataSet(tmp_path / "data").transcripts_of_all()
    damaged.write_bytes(damaged.read_bytes().replace(b'"rated"', b'"rater"', 1))
    out = tmp_path / "long.tsv"
    done = CliRunner().invoke(app, ["table", str(tmp_path / "data"), "--pilot", "--out", str(out)])
    assert (done.exit_code, damaged.name in done.stderr) == (1, True)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1 + 6 * len(others)


def test_a_session_is_saved_without_pandas(tmp_path: Path) -> None:
    """Planning, running and saving a session loads no pandas: it would delay the first screen."""
    script = f"""
import sys
from pathlib import Path
from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.record.dataset import DataSet
from experiment.session.plan import plan_session
from experiment.session.run import run_simulated
data = DataSet(Path({str(tmp_path)!r}))
data.prepare()
plan = plan_session(
    "simulate", read_protocol(Path("stimuli/protocol.toml")), read_messages(Path("stimuli/examples/english.csv")), data,
    subject="s1", session=1, seed=1, operator="simulate", participant="quick",
)
run_simulated(plan)
assert list(Path({str(tmp_path)!r}).rglob("*_beh.tsv"))
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
