"""The figures of the trial: who took part until when, what participants guessed, which reports are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.text import Text

from experiment.analysis.figures import BAND, DRUG, FAINT, INK, OTHER, Drawing, new_figure, plain
from experiment.analysis.results import Results
from experiment.analysis.study_data import LeftOut, StudyData
from experiment.analysis.wording import interval, number
from experiment.study.screening import ScreeningCounts, excluded_in_words

BOX = {"boxstyle": "square,pad=0.5", "facecolor": "white", "edgecolor": INK, "linewidth": 0.8}
MOST_NAMED = 60


def draw_flow(results: Results) -> Drawing:
    """The flow of participants, as CONSORT's extension to crossover trials has it (Dwan et al. 2019)."""
    data = results.data
    top_y = 1.35 if data.screening else 1.0
    figure, axes = new_figure(5.6 * top_y)
    panel = axes[0, 0]
    panel.set_axis_off()
    panel.set_xlim(0, 1)
    panel.set_ylim(0, top_y)
    total = f"Enrolled and randomised (n = {len(data.people)})"
    told = [total]
    top = _box(panel, 0.5, 0.95, total)
    if data.screening:
        told = [_assessed(data.screening), total]
        _arrow(panel, _box(panel, 0.5, 1.18, told[0]), top)
    for is_first, x in ((True, 0.25), (False, 0.75)):
        boxes = list(flow(data, is_drug_first=is_first))
        heights = [0.80, 0.585, 0.37, 0.12]
        above = top
        for text, y in zip(boxes, heights, strict=True):
            below = _box(panel, x, y, text)
            _arrow(panel, above, below)
            above = below
        told += boxes
    return Drawing(
        "flow",
        "Flow of participants (CONSORT, extension to crossover trials). Counted: sessions completed as planned."
        + ("" if data.screening else " How many were assessed before enrolment is not in the register."),
        "Flow diagram. " + ". ".join(text.replace("\n", ", ") for text in told) + ".",
        figure,
    )


def _assessed(counts: ScreeningCounts) -> str:
    """Who was assessed, and who was left out why."""
    lines = [f"Assessed for eligibility (n = {counts.assessed})", *excluded_in_words(counts)]
    return "\n".join([*lines, f"Eligible, not enrolled: {counts.waiting}"] if counts.waiting else lines)


def flow(data: StudyData, *, is_drug_first: bool) -> Iterator[str]:
    """The texts of a sequence's boxes, from allocation to analysis."""
    own = [one for one in data.people if data.drug_first(one.name) == is_drug_first]
    names = {one.name for one in own}
    order = data.study.treatments if is_drug_first else data.study.treatments[::-1]
    yield f"{order[0]} first, then {order[1]}\nallocated: {len(own)}"
    counted = {(one.participant, one.session) for one in data.observations["session"] if one.participant in names}
    for course, treatment in enumerate(order, start=1):
        lines = [
            f"Course {course}: {treatment}",
            f"started: {sum(len(one.starts) >= course for one in own)}",
            f"session counted: {sum(session == course for _, session in counted)}",
        ]
        reasons = Counter(_short(one) for one in data.left_out if one.participant in names and one.session == course)
        lines += [f"{reason}: {count}" for reason, count in sorted(reasons.items())]
        yield "\n".join(lines)
    sessions = Counter(Counter(who for who, _ in counted).values())
    left = Counter(reason for who, reason in data.withdrawals.items() if who in names)
    lines = [f"Analysed: {sessions[1] + sessions[2]}", f"with both sessions: {sessions[2]}", f"with one: {sessions[1]}"]
    yield "\n".join([*lines, *(f"left the study ({reason}): {count}" for reason, count in sorted(left.items()))])


def _short(one: LeftOut) -> str:
    """A reason without its details, as a box has room for."""
    return one.reason.partition(":")[0].partition(" (")[0].partition(" on 2")[0]


def _box(axes: Axes, x: float, y: float, text: str) -> Text:
    return axes.text(x, y, text, ha="center", va="center", fontsize=7.5, bbox=BOX, linespacing=1.35)


def _arrow(axes: Axes, above: Text, below: Text) -> None:
    """From a box to the next, between their edges."""
    between = {"patchA": above.get_bbox_patch(), "patchB": below.get_bbox_patch(), "shrinkA": 0, "shrinkB": 0}
    look = {"arrowstyle": "->", "color": INK, "lw": 0.8}
    axes.annotate("", below.get_position(), above.get_position(), arrowprops=look | between, zorder=0)


def draw_blinding(results: Results) -> Drawing | None:
    """What participants guessed, by sequence, with Bang's index; None if it was not asked."""
    rows = [(asked, arm, index) for asked in results.blinding for arm, index in asked.arms]
    if not rows:
        return None
    figure, axes = new_figure(0.9 + 0.4 * len(rows), 2, sharey=True)
    counts, bang = axes.flat
    for place, (_, arm, index) in enumerate(rows):
        left = 0
        parts = (
            ("right", arm.right, DRUG, ""),
            ("wrong", arm.wrong, OTHER, "///"),
            ("could not tell", arm.unsure, BAND, ""),
        )
        for name, count, colour, hatch in parts:
            counts.barh(place, count, left=left, color=colour, hatch=hatch, edgecolor=INK, lw=0.5, height=0.6,
                        label=name if not place else None)  # fmt: skip
            left += count
        bang.hlines(place, index.low, index.high, color=DRUG, lw=1.2)
        bang.plot([index.value], [place], "o", color=DRUG, ms=4.5)
    counts.set_yticks(range(len(rows)), [f"{arm.arm}\n({asked.when})" for asked, arm, _ in rows], fontsize=7.5)
    counts.invert_yaxis()
    counts.set_xlabel("participants who guessed")
    figure.legend(frameon=False, fontsize=7, ncols=3, loc="outside upper left")
    bang.axvline(0, color=INK, lw=0.7)
    bang.set_xlim(-1.05, 1.05)
    bang.set_xlabel("Bang's index: −1 all wrong, 0 chance, 1 all right")  # noqa: RUF001 - a true minus sign
    for panel in (counts, bang):
        plain(panel)
    told = "; ".join(
        f"{arm.arm}, Bang {number(index.value)} {interval(index.low, index.high)}" for _, arm, index in rows
    )
    return Drawing(
        "blinding", "Which course participants took for the drug's, by sequence, and Bang's index with 95 % interval.",
        f"Guesses and blinding index: {told}.", figure,
    )  # fmt: skip


def draw_missing(results: Results) -> Drawing | None:
    """Which daily reports are missing, by participant and day; None without reports."""
    reports = results.data.reports
    if not reports:
        return None
    people = {who: at for at, who in enumerate(dict.fromkeys(one.participant for one in reports))}
    columns = sorted({(one.session, int(one.day)) for one in reports})
    cells = np.zeros((len(people), len(columns)), np.uint8)
    for one in reports:
        cells[people[one.participant], columns.index((one.session, int(one.day)))] = 1 if one.is_given else 2
    figure, axes = new_figure(min(8.0, 0.9 + 0.11 * len(people)))
    panel = axes[0, 0]
    # Not as an image, which would take a hundred megabytes on the way.
    edges = [np.arange(count + 1) - 0.5 for count in (len(columns), len(people))]
    panel.pcolormesh(*edges, cells, cmap=ListedColormap(["white", BAND, INK]), vmin=0, vmax=2, rasterized=True)
    panel.invert_yaxis()
    panel.set_xticks(range(len(columns)), [f"course {course}\nday {day}" for course, day in columns], fontsize=7)
    named = list(people) if len(people) <= MOST_NAMED else []
    panel.set_yticks(range(len(named)), named)
    panel.hlines(edges[1][1:-1] if named else [], -0.5, len(columns) - 0.5, color=FAINT, lw=0.3)
    panel.tick_params(axis="y", labelsize=5.5)
    for at in range(1, len(columns)):
        panel.axvline(at - 0.5, color=FAINT if columns[at][0] == columns[at - 1][0] else INK, lw=0.5)
    missing = int((cells == 2).sum())
    return Drawing(
        "missing_reports", "Daily reports by participant and day: dark is missing, light given, white was never due.",
        f"{missing} of {len(reports)} daily reports are missing.", figure,
    )  # fmt: skip
