"""The figures of effects: what each participant's two visits were, and what the models make of them.

Drug and placebo differ by marker and by lightness, so that nothing is lost in grey or without colour vision. Text is
text in the SVG. Drawn without pyplot: nothing global changes, and the same results give the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from msgspec import Struct

from experiment.analysis.evidence import Estimate, Z
from experiment.analysis.models import Effects, ModelledOutcome, RatedItem
from experiment.analysis.results import Results
from experiment.analysis.wording import interval, label, number

WIDTH_IN, PANEL_IN = 6.6, 2.7
DRUG, OTHER, FAINT, INK, BAND = "#1d4e56", "#d8973c", "#9a948a", "#26231f", "#dfe6e4"
DRUG_LOOK: Mapping[str, Any] = {"color": DRUG, "marker": "o", "linestyle": "-"}
OTHER_LOOK: Mapping[str, Any] = {"color": OTHER, "marker": "s", "linestyle": "--", "markeredgecolor": INK}
# Meta-analysis of opioid antagonists and social outcomes (Loseth, Trostheim & Leknes 2024), Hedges' g.
PUBLISHED_G = (-0.32, -0.20, -0.07)


class Drawing(Struct, frozen=True):
    """A figure, its name as a file, its caption, and a description for those who cannot see it."""

    name: str
    caption: str
    alternative: str
    figure: Figure


def new_figure(height_in: float, columns: int = 1, rows: int = 1, **options: Any) -> tuple[Figure, Any]:
    """An empty figure as wide as a page's column, with its axes as an array."""
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def plain(axes: Axes) -> None:
    """Axes without distracting lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5)


def add_legend(figure: Figure) -> None:
    """One legend for all panels, below them, from the first one's labels."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=len(labels), loc="outside lower center")


def planned(results: Results) -> list[Effects]:
    """The outcomes that the plan names."""
    named = {*results.data.plan.changed, *results.data.plan.unchanged}
    return [one for measure, one in results.effects.items() if measure.outcome in named]


def grid(results: Results, draw: Callable[[Axes, Effects], None]) -> Figure:
    """A panel for each planned outcome, two in a row."""
    shown = planned(results)
    rows = -(-len(shown) // 2)
    figure, axes = new_figure(PANEL_IN * rows, 2, rows, sharey="row")
    for place, panel in enumerate(axes.flat):
        if place < len(shown):
            draw(panel, shown[place])
            panel.set_title(label(shown[place].measure).capitalize(), loc="left", fontsize=9)
            plain(panel)
        else:
            panel.set_axis_off()
    return figure


def draw_pairs(results: Results) -> Drawing:
    """A line for each participant from placebo to drug, and the model's difference with its interval beside."""
    drug, other = results.data.study.treatments

    def draw(axes: Axes, one: Effects) -> None:
        means = person_means(one.measure, results.data.observations[one.measure.source])
        paths = [[(at, own[name]) for at, name in enumerate((other, drug)) if name in own] for own in means.values()]
        _draw_paths(axes, paths, color=FAINT, lw=0.6, alpha=0.6, marker="o", ms=1.8, zorder=1)
        averages = [np.mean([m[name] for m in means.values() if name in m]) for name in (other, drug)]
        axes.plot([0], averages[:1], ms=6, **OTHER_LOOK)
        axes.plot([1], averages[1:], ms=6, **DRUG_LOOK)
        _beside(axes, one.treatment, float(averages[0]))
        axes.set_xticks([0, 1, 2], [other, drug, "difference"])
        axes.set_xlim(-0.3, 2.4)
        axes.set_ylabel("mean rating")

    told = "; ".join(f"{label(one.measure)} {number(one.treatment.estimate)} points" for one in planned(results))
    return Drawing(
        "participants",
        "Each participant's mean rating on placebo and on the drug (thin lines), the means of each treatment (large "
        f"marks), and on the right the model's difference with its 95 % interval, drawn from the mean on {other}.",
        f"Line plots of each participant's means on {other} and {drug}. Mean differences: {told}.",
        grid(results, draw),
    )


def _draw_paths(axes: Axes, paths: Iterable[Sequence[tuple[float, float]]], **look: Any) -> None:
    """Many lines as one, with gaps between them: a thousand participants are drawn as fast as ten."""
    points = [point for path in paths for point in (*path, (np.nan, np.nan))]
    axes.plot([x for x, _ in points], [y for _, y in points], **look)


def _beside(axes: Axes, one: Estimate, base: float) -> None:
    """The difference, on the scale of the ratings, from the other treatment's mean on."""
    low, high = one.interval()
    axes.axhline(base, xmin=0.1, color=INK, lw=0.5, ls=":")
    axes.errorbar([2], [base + one.estimate], [[one.estimate - low], [high - one.estimate]], fmt="D", color=INK, ms=4)
    axes.annotate(
        f"{number(one.estimate)}\n{interval(low, high)}", (2, base + high), (0, 4), textcoords="offset points",
        ha="center", fontsize=7, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def person_means(measure: ModelledOutcome, observations: Sequence[RatedItem]) -> dict[str, dict[str, float]]:
    """The mean of each participant under each treatment."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in observations:
        if (value := measure.value(one)) is not None:
            values[one.participant][one.treatment].append(value)
    return {who: {name: float(np.mean(own)) for name, own in by.items()} for who, by in values.items()}


def draw_forest(results: Results) -> Drawing:
    """All effects with their intervals: in scale points with the equivalence bounds, and standardised."""
    shown = results.all_effects
    figure, axes = new_figure(0.9 + 0.36 * len(shown), 2, sharey=True)
    points, standard = axes.flat
    for place, one in enumerate(shown):
        bound = results.data.plan.unchanged.get(one.measure.outcome) if one.measure.minus is None else None
        if bound:
            points.fill_betweenx([place - 0.4, place + 0.4], -bound, bound, color=BAND, lw=0)
            points.vlines([-bound, bound], place - 0.4, place + 0.4, color=INK, lw=0.7)
        _interval(points, one.treatment, place, 1.0)
        if one.difference_sd:
            _interval(standard, one.treatment, place, one.difference_sd)
    standard.axvspan(PUBLISHED_G[0], PUBLISHED_G[2], color=BAND, lw=0)
    standard.axvline(PUBLISHED_G[1], color=INK, lw=0.7, ls="--")
    points.set_yticks(range(len(shown)), [label(one.measure) for one in shown])
    points.invert_yaxis()
    figure.supxlabel(results.data.contrast.replace(" - ", " minus "), fontsize=8)
    for panel, what in ((points, "scale points"), (standard, "standardised (d_z)")):
        panel.axvline(0, color=INK, lw=0.7)
        panel.set_xlabel(what)
        plain(panel)
    told = "; ".join(
        f"{label(e.measure)} {number(e.treatment.estimate)} {interval(*e.treatment.interval())}" for e in shown
    )
    low, middle, high = PUBLISHED_G
    return Drawing(
        "forest",
        "Effects of the drug with 95 % intervals (thick: 90 %, for equivalence). Left: scale points; the "
        "shaded span is the bound within which an outcome counts as unchanged. Right: in standard deviations of the "
        f"difference within participants; shaded, for orientation, g = {number(middle)} {interval(low, high)} of a "
        "meta-analysis of opioid antagonists (Løseth, Trøstheim and Leknes, 2024), which is standardised differently.",
        f"Forest plot of the drug's effects in scale points: {told}.",
        figure,
    )


def _interval(axes: Axes, one: Estimate, place: int, unit: float) -> None:
    for level, width in ((0.95, 0.9), (0.90, 2.4)):
        low, high = one.interval(level)
        axes.hlines(place, low / unit, high / unit, color=DRUG, lw=width)
    axes.plot([one.estimate / unit], [place], "o", color=DRUG, ms=4.5)


def draw_periods(results: Results) -> Drawing:
    """The means of both sequences in both periods, with intervals of 95 %."""
    drug, other = results.data.study.treatments

    def draw(axes: Axes, one: Effects) -> None:
        means = person_means(one.measure, results.data.observations[one.measure.source])
        for is_first, look, name in ((True, DRUG_LOOK, drug), (False, OTHER_LOOK, other)):
            order = (drug, other) if is_first else (other, drug)
            own = [by for who, by in means.items() if results.data.drug_first(who) == is_first]
            cells = [np.array([by[treatment] for by in own if treatment in by]) for treatment in order]
            if all(len(cell) for cell in cells):
                half = [Z * cell.std(ddof=1) / np.sqrt(len(cell)) if len(cell) > 1 else 0.0 for cell in cells]
                shift = -0.03 if is_first else 0.03
                places = [1 + shift, 2 + shift]
                axes.errorbar(places, [cell.mean() for cell in cells], half, ms=5, label=f"{name} first", **look)
        axes.set_xticks([1, 2], ["period 1", "period 2"])
        axes.set_xlim(0.7, 2.3)
        axes.set_ylabel("mean rating")

    figure = grid(results, draw)
    add_legend(figure)
    return Drawing(
        "periods",
        "Means of the two sequences in the two periods, with 95 % intervals between participants. A treatment effect "
        "crosses or parts the lines in opposite ways; a period effect moves both; carryover sets one above the other.",
        "Means by period for both sequences: "
        + "; ".join(
            f"{label(one.measure)}, period effect {number(one.period.estimate)} points" for one in planned(results)
        )
        + ".",
        figure,
    )


def draw_days(results: Results) -> Drawing | None:
    """The daily outcomes from day to day; None without daily reports."""
    shown = [one for one in planned(results) if one.measure.source == "daily"]
    if not shown:
        return None
    figure, axes = new_figure(PANEL_IN, len(shown))
    for panel, one in zip(axes.flat, shown, strict=True):
        _draw_days(panel, one.measure, results)
        panel.set_title(label(one.measure).capitalize(), loc="left", fontsize=9)
        plain(panel)
    add_legend(figure)
    return Drawing(
        "days",
        "Daily reports from day to day: means of each treatment with 95 % intervals within participants (Cousineau and "
        "Morey), over each participant's own lines.",
        f"Line plot of daily reports by day on {' and '.join(results.data.study.treatments)}.",
        figure,
    )


def _draw_days(axes: Axes, measure: ModelledOutcome, results: Results) -> None:
    observations = results.data.observations["daily"]
    values = {(o.participant, o.treatment, int(o.item)): v for o in observations if (v := measure.value(o)) is not None}
    days = sorted({day for *_, day in values})
    by_person: dict[str, list[float]] = defaultdict(list)
    for (who, *_), value in values.items():
        by_person[who].append(value)
    own = {who: float(np.mean(given)) for who, given in by_person.items()}
    grand = np.mean(list(values.values()))
    cells = 2 * len(days)
    for treatment, look, shift in zip(
        results.data.study.treatments, (DRUG_LOOK, OTHER_LOOK), (-0.06, 0.06), strict=True
    ):
        paths = [
            [(day + shift, values[who, treatment, day]) for day in days if (who, treatment, day) in values]
            for who in own
        ]
        _draw_paths(axes, paths, color=look["color"], lw=0.35, alpha=0.35, ls=look["linestyle"])
        means, halves = [], []
        for day in days:
            given = [value - own[who] for (who, *when), value in values.items() if when == [treatment, day]]
            cell = np.array(given) + grand
            means.append(cell.mean() if len(cell) else np.nan)
            halves.append(Z * cell.std(ddof=1) * np.sqrt(cells / (cells - 1) / len(cell)) if len(cell) > 1 else 0.0)
        axes.errorbar([day + shift for day in days], means, halves, ms=5, lw=1.4, label=treatment, **look)
    axes.set_xticks(days)
    axes.set_xlabel("day of the course")
    axes.set_ylabel("mean rating")
