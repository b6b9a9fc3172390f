"""From judged sessions to one page: what stands where, for the template beside it. Pure.

The page is HTML with small SVG pictures and twenty lines of script, and loads nothing. A plotting library would add
4.6 MB to each page and could not draw one picture a row for thousands of sessions; these are made as fast as text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil
from pathlib import Path
from statistics import mean, median, quantiles

from msgspec import Struct, structs

from experiment.design.thresholds import REASONS, Thresholds
from experiment.design.visit import Visit
from experiment.qa.charts import (
    CHART_HEIGHT_PX,
    CHART_PX,
    Axis,
    blocks,
    dots,
    draw_histograms,
    ends_of,
    line,
    strokes,
    times_scale,
)
from experiment.qa.findings import INPUTS, KINDS, duration
from experiment.qa.session_summary import SessionSummary
from experiment.qa.study_findings import JudgedSession, group_findings, start_of
from experiment.record.finding import Finding
from experiment.storage.html import fill_template

BAND_PX, READING_PX, RATINGS_PX, HEIGHT_PX = 240, 120, 90, 22
SHOWN_FIRST, FEW = 30, 12
LINKED = 400
PLURALS = {"page": "pages", "message": "messages", "blank": "blanks", "pause": "pauses"}


class StudyPage(Struct, frozen=True):
    """All that the page tells; `verified`: whether the logs were held against their replay and their tables.

    `reports`: how many daily reports are in, due, missing and so on.
    """

    name: str
    sessions: tuple[JudgedSession, ...]
    findings: tuple[Finding, ...]
    thresholds: Thresholds
    today: datetime
    verified: bool
    reports: Mapping[str, int] = {}

    @property
    def wanting(self) -> list[JudgedSession]:
        """The sessions that somebody should look at, those with the gravest finding first."""
        rank = {kind: number for number, kind in enumerate(KINDS)}
        some = [one for one in self.sessions if one.needs_person]
        return sorted(some, key=lambda one: (rank[one.findings[0].kind], -sum(f.needs_person for f in one.findings)))

    @property
    def readings(self) -> list[SessionSummary]:
        """Those that could be read."""
        return [one.reading for one in self.sessions if isinstance(one.reading, SessionSummary)]

    @property
    def needs_person(self) -> bool:
        """Whether anything in it does."""
        return bool(self.wanting) or any(one.needs_person for one in self.findings)


class Mark(Struct, frozen=True):
    """A dot of a chart that leads to its session."""

    x_px: float
    y_px: float
    session: int
    anchor: str
    title: str


class Chart(Struct, frozen=True):
    """One value for each session, by participant: `dots` by session, `links` between a participant's sessions."""

    title: str
    scale: Axis
    dots: dict[int, str]
    links: str
    marks: tuple[Mark, ...]


def render(study: StudyPage) -> str:
    """The page's HTML."""
    readings = study.readings
    band = Axis(0.0, _long_s(readings), BAND_PX)
    return fill_template(
        Path(__file__).with_name("page.html.jinja"),
        {"duration": duration, "anchor": anchor, "day": _day, "path": _folder_and_name},
        study=study,
        counts=Counter(one.ending for one in readings),
        unread=len(study.sessions) - len(readings),
        subjects=len({one.reading.subject for one in study.sessions}),
        kinds=_kinds(study),
        first=SHOWN_FIRST,
        few=FEW,
        inputs=INPUTS,
        titles=KINDS,
        charts=_charts(readings),
        histograms=draw_histograms(readings),
        computers=group_findings(study.sessions, lambda one: one.computer),
        assistants=group_findings(study.sessions, lambda one: one.operator),
        thresholds=list(_judged_by(study.thresholds)),
        pictures=_Pictures(band),
        is_read=lambda one: isinstance(one.reading, SessionSummary),
    )


def anchor(subject: str, session: int | None) -> str:
    """A session's place on the page."""
    return Visit(subject, session or 0).stem


def _judged_by(thresholds: Thresholds) -> Iterator[tuple[str, object, str]]:
    """Each threshold that is used, with its reason."""
    values = structs.asdict(thresholds) | {"reading_words_per_minute": thresholds.fastest_reader}
    return ((name, values[name], reason) for name, reason in REASONS.items())


def _day(reading: SessionSummary) -> str:
    return f"{start_of(reading):%Y-%m-%d %H:%M}"


def _folder_and_name(path: Path) -> str:
    return "/".join(path.parts[-4:])


def _long_s(readings: Sequence[SessionSummary]) -> float:
    """The length of a band: nearly all sessions fit, and one that was left standing overnight shrinks no other."""
    lengths_s = [one.duration_s for one in readings if one.duration_s > 0]
    return (quantiles(lengths_s, n=20)[-1] * 1.05 if len(lengths_s) > 2 else max(lengths_s, default=60.0)) or 60.0


def _kinds(study: StudyPage) -> list[tuple[str, int]]:
    """How many sessions need a person for each reason."""
    every = [*study.findings, *(found for one in study.sessions for found in one.findings)]
    counts = Counter(one.kind for one in every if one.needs_person)
    return [(KINDS[kind], counts[kind]) for kind in KINDS if counts[kind]]


class _Pictures:
    """The small pictures of a session, all on the same scales."""

    def __init__(self, band: Axis) -> None:
        self.band = band
        self.reading = Axis(1.0, 500.0, READING_PX, logarithmic=True)

    def row(self, one: SessionSummary) -> dict[str, object]:
        """Those of its row: the session as a band, the reading times, the ratings."""
        scales = [Axis(float(first), float(last), HEIGHT_PX - 4) for first, last in one.ends.values()]
        across_px = (RATINGS_PX - 6) / max(1, len(one.asked) - 1)
        by_question = zip(*([answer.value for answer in trial.answers] for trial in one.asked), strict=True)
        return {
            "band": blocks(one, self.band, 8),
            "late": self._late(one, self.band, HEIGHT_PX - 5, 5),
            "cut": one.duration_s > self.band.high,
            "reading": strokes(one.reading_times_s, self.reading, 3, HEIGHT_PX - 6),
            "ratings": [
                line(own, round(across_px, 1), values) for own, values in zip(by_question, scales, strict=True)
            ],
        }

    def detail(self, one: SessionSummary) -> dict[str, object]:
        """Those of its details: the band, as long as the page is wide, with the messages' numbers."""
        scale = Axis(0.0, max(one.duration_s, 1.0), 1000)
        return {
            "band": blocks(one, scale, 13),
            "late": self._late(one, scale, 28, 8),
            "numbers": [(scale.px(start_s) / 10, trial) for trial, start_s in _message_starts_s(one).items()],
            "losses": strokes([p.time_s for p in one.pauses if p.cause == "focus_lost"], scale, 0, 26),
            "minutes": [(scale.px(60.0 * minute) / 10, minute) for minute in range(int(one.duration_s / 60) + 1)][:90],
        }

    def times(self, one: SessionSummary) -> list[tuple[str, float]]:
        """How long each kind of screen stood, in seconds, in the order of coming."""
        sums_s: dict[str, float] = defaultdict(float)
        for screen in one.screens:
            name = (screen.shows if screen.kind == "scale" else PLURALS.get(screen.kind)) or screen.kind
            sums_s["practice" if screen.trial == 0 else name] += screen.end_s - screen.start_s
        return list(sums_s.items())

    @staticmethod
    def _late(one: SessionSummary, scale: Axis, top_px: int, height_px: int) -> str:
        return strokes([late.time_s for late in one.refreshes.late if late.watched], scale, top_px, height_px)


def _message_starts_s(one: SessionSummary) -> dict[int, float]:
    """When each message first came, by its trial."""
    starts_s: dict[int, float] = {}
    for screen in one.screens:
        if screen.kind == "message" and screen.trial is not None:
            starts_s.setdefault(screen.trial, screen.start_s)
    return starts_s


def _charts(readings: Sequence[SessionSummary]) -> list[Chart]:
    """Ratings and times by participant and session."""
    ratings = {
        question: Axis(float(first), float(last), CHART_HEIGHT_PX)
        for question, (first, last) in ends_of(readings).items()
    }

    def known(name: str, question: str | None = None) -> Callable[[SessionSummary], list[float]]:
        return lambda one: [
            float(value)
            for answer in one.answers
            if question in {None, answer.question} and (value := getattr(answer, name)) is not None
        ]

    changed = _values(readings, known("changes"), mean)
    at_most = max(1.0, *(changed.values() or (1.0,)))
    every = [
        *(
            _chart(f"Mean rating: {one}", _values(readings, known("value", one), mean), axis)
            for one, axis in ratings.items()
        ),
        _chart("Reading time: median, seconds", _values(readings, lambda one: one.reading_times_s, median)),
        _chart("From scale to first choice: median, seconds", _values(readings, known("first_s"), median)),
        _chart("From scale to confirmation: median, seconds", _values(readings, known("confirm_s"), median)),
        _chart("Changes of mind: mean per rating", changed, Axis(0.0, float(ceil(at_most)), CHART_HEIGHT_PX)),
    ]
    return [one for one in every if one.dots]


def _values(
    readings: Sequence[SessionSummary],
    of: Callable[[SessionSummary], list[float]],
    middle: Callable[[list[float]], float],
) -> dict[tuple[str, int], float]:
    every = (((one.subject, one.session), of(one)) for one in readings)
    return {who: middle(values) for who, values in every if values}


def _chart(title: str, values: dict[tuple[str, int], float], scale: Axis | None = None) -> Chart:
    scale = scale or times_scale(list(values.values()), CHART_HEIGHT_PX)
    subjects = {subject: number for number, subject in enumerate(sorted({subject for subject, _ in values}))}
    step_px = CHART_PX / max(1, len(subjects))
    marks = tuple(
        Mark(
            round(step_px * (subjects[subject] + 0.5), 1),
            round(CHART_HEIGHT_PX - scale.px(value), 1),
            session,
            anchor(subject, session),
            f"{Visit(subject, session)}: {value:.2f}",
        )
        for (subject, session), value in sorted(values.items())
    )
    by_session: dict[int, list[tuple[float, float]]] = defaultdict(list)
    by_place: dict[float, list[float]] = defaultdict(list)
    for mark in marks:
        by_session[mark.session].append((mark.x_px, mark.y_px))
        by_place[mark.x_px].append(mark.y_px)
    links = "".join(f"M{x_px:g} {min(ys_px):g}V{max(ys_px):g}" for x_px, ys_px in by_place.items() if ys_px[1:])
    return Chart(
        title,
        scale,
        {session: dots(points) for session, points in by_session.items()},
        links,
        marks if len(marks) <= LINKED else (),
    )
