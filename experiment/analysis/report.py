"""The folder of an analysis: one page that opens offline, and all that is on it as files."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from msgspec import Struct

from experiment.analysis import tables, wording
from experiment.analysis.figures import Drawing, draw_days, draw_forest, draw_pairs, draw_periods, planned
from experiment.analysis.results import Results
from experiment.analysis.tables import ResultTable
from experiment.analysis.trial_figures import draw_blinding, draw_flow, draw_missing
from experiment.record.tsv import json_text, tsv
from experiment.storage.atomic_file import write_whole
from experiment.storage.html import fill_template

STYLE: Any = {
    "font.family": "DejaVu Sans", "font.size": 8, "svg.fonttype": "none", "svg.hashsalt": "dayfour",
    "axes.linewidth": 0.7, "hatch.linewidth": 0.5, "savefig.dpi": 200,
}  # fmt: skip
OF_EFFECTS = (draw_pairs, draw_forest, draw_days, draw_periods)  # which there are not without an estimate
OF_TRIAL = (draw_flow, draw_blinding, draw_missing)


class RenderedFigure(Struct, frozen=True):
    """A drawing, rendered; it is not kept itself, being larger than both."""

    name: str
    caption: str
    alternative: str
    svg: bytes
    png: bytes

    @property
    def source(self) -> str:
        """As the page holds it."""
        return "data:image/svg+xml;base64," + b64encode(self.svg).decode()


def write_report(results: Results, out: Path) -> Path:
    """Write everything to the folder `out`; the page's path. The same data give the same bytes."""
    pictures = list(_pictures(results))
    every = tables.build_tables(results)
    for table in map(tables.marked_random, every) if results.data.is_blinded else every:
        write_whole(out / f"{table.name}.tsv", tsv(list(table.columns), table.rows))
        write_whole(
            out / f"{table.name}.json", json_text({name: {"Description": told} for name, told in table.columns.items()})
        )
    for one in pictures:
        write_whole(out / "figures" / f"{one.name}.svg", one.svg)
        write_whole(out / "figures" / f"{one.name}.png", one.png)
    script = Path(__file__).with_name("analysis.R").read_text(encoding="utf-8")
    said_first = [f"# {one}\nmessage({json.dumps(one)})\n" for one in wording.notices(results)]
    write_whole(out / "analysis.R", "".join([*said_first, script]))
    words = [*wording.notices(results), wording.methods(results), wording.summary(results)]
    write_whole(out / "report.txt", "\n\n".join(words) + "\n")
    page = out / "analysis.html"
    write_whole(page, _page(results, pictures, every))
    return page


def _pictures(results: Results) -> Iterator[RenderedFigure]:
    with mpl.rc_context(STYLE):
        for draw in (*(OF_EFFECTS if planned(results) else ()), *OF_TRIAL):
            if drawing := draw(results):
                if results.data.is_blinded:
                    drawing.figure.suptitle("BLINDED: random labels, no result", fontsize=9, weight="bold")
                svg = _rendered(drawing, "svg", Date=None)
                drawing.figure.set_layout_engine("none")  # it has found its places
                png = _rendered(drawing, "png", Software=None)
                yield RenderedFigure(drawing.name, drawing.caption, drawing.alternative, svg, png)


def _rendered(drawing: Drawing, kind: str, **metadata: None) -> bytes:
    file = BytesIO()
    drawing.figure.savefig(file, format=kind, metadata=metadata)
    return file.getvalue()


def _page(results: Results, pictures: Sequence[RenderedFigure], every: Sequence[ResultTable]) -> str:
    return fill_template(
        Path(__file__).with_name("page.html.jinja"), {"cell": _cell},
        study=results.data.study, notices=wording.notices(results), methods=wording.methods(results),
        summary=wording.summary(results), pictures={one.name: one for one in pictures},
        tables={one.name: one for one in every}, results=results, label=wording.label,
        versions={name: version(name) for name in ("numpy", "scipy", "matplotlib")},
    )  # fmt: skip


def _cell(value: object, column: str = "") -> str:
    """A table's cell for people: numbers to three digits after the point, p as in a paper."""
    if isinstance(value, float):
        is_p = column.partition("_")[0] == "p"
        return wording.p_value(value).removeprefix("p ").removeprefix("= ") if is_p else wording.number(value, 3)
    return "–" if value is None else str(value)  # noqa: RUF001 - an en dash, for nothing
