"""Invented studies for the tests of the analysis: rows with known effects, and whole studies with their registers."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiment.analysis.mixed import Rows
from experiment.analysis.models import RatedItem
from experiment.analysis.observed import DailyReport
from experiment.analysis.study_data import StudyData
from experiment.design.message import read_messages
from experiment.design.protocol import read_daily, read_protocol
from experiment.design.synthetic import Ratings
from experiment.design.visit import Visit
from experiment.record.closing import record_closing, record_guess
from experiment.record.dataset import DataSet
from experiment.reports.service import Service
from experiment.reports.simulated_reports import simulate_reports
from experiment.study import setup, unblinding
from experiment.study.participant import Participant
from experiment.study.register import Register
from experiment.study.seals import open_packing
from experiment.study.simulated_study import simulate_study
from experiment.study.study_file import read_study

ROOT = Path(__file__).parents[1]
PROTOCOL = ROOT / "stimuli" / "protocol.toml"
STUDY = read_study(ROOT / "stimuli" / "study.toml")
DRUG, OTHER = STUDY.treatments
OUTCOMES = {"session": ("connection", "pleasure"), "daily": ("connection", "mood")}
EFFECTS = {"connection": -0.5, "pleasure": 0.0, "mood": 0.0}
UTC = "2000-03-01T12:00:00+00:00"
SIZES = (8, 12, 20, 31, 40, 80, 200)


def random_rows(seed: int) -> tuple[Rows, list[dict[str, Any]]]:
    """A data set of any size, with anything missing, variances of 0 included: the model's rows, and as R reads them."""
    rng = np.random.default_rng(seed)
    people, kind = int(rng.choice(SIZES)), ("session", "daily")[seed % 2]
    missing = float(rng.uniform(0, 0.4)) * int(rng.integers(0, 2))
    sd_person, sd_session, sd_item = rng.choice([0, 0.5, 1.0]), rng.choice([0, 0, 0.2, 0.45]), rng.choice([0, 0.3])
    items, is_rounded = (6 if kind == "session" else 4), bool(rng.integers(0, 2))
    rows = []
    for person in range(people):
        level, by_item = rng.normal() * sd_person, rng.normal(size=items) * sd_item
        for session in (1, 2):
            here = rng.normal() * sd_session
            if session == 2 and missing and rng.random() < 0.1:
                continue
            treatment = 0.5 if (session == 2) == bool(person % 2) else -0.5
            for item in range(items):
                y = 4 + level + here + by_item[item] - 0.4 * treatment + rng.normal()
                if rng.random() >= missing:
                    y = float(np.clip(round(y), 1, 7)) if is_rounded else float(y)
                    row = {"participant": f"p{person}", "session": session, "item": item, "treatment": treatment}
                    rows.append({"set": seed, "kind": kind, **row, "period": session - 1.5, "y": y})
    return model_rows(rows), rows


def model_rows(rows: Sequence[Mapping[str, Any]]) -> Rows:
    """The model of rows as `random_rows` makes them."""
    fixed = {"intercept": np.ones(len(rows))}
    fixed |= {name: np.array([row[name] for row in rows]) for name in ("treatment", "period")}
    people = [row["participant"] for row in rows]
    groups: dict[str, Sequence[object]] = {
        "participant": people, "session": [(row["participant"], row["session"]) for row in rows]
    }  # fmt: skip
    if rows[0]["kind"] == "daily":
        fixed |= {f"day {day}": np.array([float(row["item"] == day) for row in rows]) for day in (1, 2, 3)}
    else:
        groups["message"] = [(row["participant"], row["item"]) for row in rows]
    return Rows(np.array([row["y"] for row in rows]), fixed, people, groups)


R_MODELS = """
suppressPackageStartupMessages({library(lme4); library(pbkrtest)})
rows <- read.csv("rows.csv"); out <- NULL
fit <- function(formula, data, size) suppressMessages(lmer(formula, data, control = lmerControl("bobyqa",
  calc.derivs = FALSE, check.conv.singular = "ignore", optCtrl = list(rhobeg = size, rhoend = 1e-10, maxfun = 1e5))))
for (set in unique(rows$set)) {
  one <- rows[rows$set == set, ]
  formula <- if (one$kind[1] == "session") {
    y ~ treatment + period + (1 | participant) + (1 | participant:session) + (1 | participant:item)
  } else y ~ treatment + period + factor(item) + (1 | participant) + (1 | participant:session)
  fits <- lapply(c(.2, .02, .5), function(size) fit(formula, one, size))
  model <- fits[[which.min(sapply(fits, REMLcrit))]]
  contrast <- as.numeric(names(fixef(model)) == "treatment"); adjusted <- vcovAdj(model)
  estimate <- fixef(model)[["treatment"]]; se <- sqrt(as.numeric(contrast %*% as.matrix(adjusted) %*% contrast))
  df <- as.numeric(Lb_ddf(contrast, vcov(model), adjusted)); p <- 2 * pt(-abs(estimate / se), df)
  out <- rbind(out, data.frame(set, estimate, se, df, p, singular = isSingular(model)))
}
write.csv(format(out, digits = 15), "fits.csv", row.names = FALSE)
"""


def fit_in_r(rows: Sequence[Mapping[str, Any]], folder: Path) -> dict[int, dict[str, float]]:
    """Estimate, SE, df and p of the treatment in each set, by lme4 and pbkrtest."""
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "y": repr(row["y"])} for row in rows)
    (folder / "models.R").write_text(R_MODELS, encoding="utf-8")
    subprocess.run(["Rscript", "models.R"], cwd=folder, check=True, timeout=3600)  # noqa: S607 - as it is installed
    with (folder / "fits.csv").open(encoding="utf-8", newline="") as file:
        fits = list(csv.DictReader(file))
    return {int(row["set"]): {name: float(row[name]) for name in ("estimate", "se", "df", "p")} for row in fits}


def invented(
    people: int = 24,
    seed: int = 1,
    effects: Mapping[str, float] = EFFECTS,
    *,
    missing: float = 0.0,
    with_daily: bool = True,
) -> StudyData:
    """A study whose ratings are known: half in either order, with so large a share of sessions and reports missing."""
    draw = np.random.default_rng(seed)
    enrolled = tuple(
        Participant(f"S{number:03}", STUDY.strata[number % 2], number, (f"A{number}", f"B{number}"), date(2026, 1, 5))
        for number in range(people)
    )
    treatments = {
        (one.name, session): DRUG if (session == 2) == bool(number % 2) else OTHER
        for number, one in enumerate(enrolled)
        for session in (1, 2)
    }
    here = {key for key in treatments if key[1] == 1 or draw.random() >= missing}
    observations: dict[Any, tuple[RatedItem, ...]] = {"session": (), "daily": ()}
    reports = []
    for who, session in sorted(here):
        treatment = treatments[who, session]
        ratings = Ratings(seed, who, session, effects if treatment == DRUG else {})
        observations["session"] += tuple(_rated(ratings, "session", [f"m{n}" for n in range(6)], treatment))
        if with_daily:
            days = [str(day) for day in range(1, 5)]
            given = {day: draw.random() >= missing for day in days}
            reports += [DailyReport(who, session, day, given[day]) for day in days]
            observations["daily"] += tuple(_rated(ratings, "daily", [day for day in days if given[day]], treatment))
    return StudyData(
        STUDY, enrolled, {}, treatments, observations, {"session": (), "daily": ()}, (), tuple(reports),
        {"after the last session": {one.name: (1, 2, None)[at % 3] for at, one in enumerate(enrolled)}},
        {}, {"session_connection": "How connected?"}, {}, is_synthetic=True, is_blinded=False,
    )  # fmt: skip


def _rated(ratings: Ratings, source: str, items: Sequence[str], treatment: str) -> Iterator[RatedItem]:
    for item in items:
        values = {name: float(ratings.rate(name, f"{source}/{item}", 7)) for name in OUTCOMES[source]}
        yield RatedItem(ratings.participant, ratings.session, treatment, item, values)


class WholeStudy(NamedTuple):
    """A study on disk, and the table of its treatments."""

    data: Path
    register: Register
    treatments: Path


def whole_study(folder: Path, people: int, *, is_unblinded: bool = True) -> WholeStudy:
    """A simulated study with daily reports and guesses; locked, and its treatments in a table beside the data."""
    import pyrage

    holder, pharmacy = (pyrage.x25519.Identity.generate() for _ in range(2))
    data, table = DataSet(folder / "data"), folder / "treatments.tsv"

    def begin(now: Callable[[], datetime]) -> Register:
        register = Register(data.root / "study", now)
        setup.set_up(register, STUDY, str(holder.to_public()), str(pharmacy.to_public()), "PI")
        return register

    def drug_kits(register: Register) -> set[str]:
        return {one.kit for one in open_packing(register, pharmacy) if one.treatment == DRUG}

    register = simulate_study(
        begin, data, people, seed=1, protocol=read_protocol(PROTOCOL),
        messages=read_messages(ROOT / "stimuli" / "examples" / "english.csv"), effects=EFFECTS, drug_kits=drug_kits,
    )  # fmt: skip
    names = sorted(path.name for path in data.root.glob("sub-*"))
    simulate_reports(Service(data.root, read_daily(PROTOCOL), register), 1, EFFECTS, drug_kits(register))
    _write_guesses(data, names)
    unblinding.lock(register, data.root, "PI", tuple)
    if is_unblinded:
        unblinding.unblind_all(register, data.root, holder, "PI", "after the lock", table)
    return WholeStudy(data.root, register, table)


def _write_guesses(data: DataSet, names: Sequence[str]) -> None:
    """The guesses of all, after each session and at the very end: right, wrong and unsure."""
    protocol = read_protocol(PROTOCOL)
    assert protocol.funnel
    assert protocol.guess
    choices = protocol.guess.questions[0].choices
    for at, name in enumerate(names):
        guess = {"drug_course": ("the first", "the second")[at % 2], "certainty": 0 if at % 3 == 0 else 60}
        subject = name.removeprefix("sub-")
        record_closing(data, subject, UTC, protocol.funnel.questions, {"purpose": "none", **guess})
        for session in (1, 2):
            choice = choices[(at + session) % 3]
            record_guess(data, Visit(subject, session), UTC, protocol.guess.questions, {"treatment": choice})
