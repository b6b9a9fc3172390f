"""Daily reports of synthetic participants, by the rules of the real ones: most in time, some late, some never.

Their ratings are those of the simulated sessions: of the same people, and with the same effects of the drug.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from experiment.design.daily import DailyItem
from experiment.design.synthetic import Ratings
from experiment.reports.log import LogLine, asked
from experiment.reports.open_times import ReportWindow, windows
from experiment.reports.replies import Asker, SentForm, send, show
from experiment.reports.service import Service
from experiment.reports.table import refresh_table
from experiment.study.simulated_study import NONE, ratings_of

# Of a hundred reports: so many never come, come the next morning, are corrected; of a hundred answers: left out.
NEVER, LATE, CORRECTED, LEFT_OUT = 12, 8, 3, 1
MORNING = timedelta(hours=6)  # after the close


def simulate_reports(
    service: Service,
    seed: int,
    effects: Mapping[str, float] = NONE,
    drug_kits: Collection[str] = (),
    until: datetime | None = None,
) -> None:
    """The reports of everybody up to `until` (None: to the end), in log and table; the seed decides all of them.

    `effects`: what the drug adds to each block of items, in scale points, where a kit is one of the `drug_kits`.
    """
    roster = service.roster()
    told = [
        entry
        for one in roster.people.values()
        for window in windows(one, roster.study, service.daily)
        for ratings in [ratings_of(one, window.course, seed, effects, drug_kits)]
        for then in [replace(one, withdrawn=None)]  # whoever left the study later gave reports before
        for entry in _report(Asker(then, roster.study, service.daily, window.opens), window, ratings)
        if until is None or entry.moment <= until
    ]
    told.sort(key=lambda one: one.utc)
    began = told[0].moment if told else service.now()
    service.append(lambda entries: [*asked(entries, service.daily, began), *told])
    refresh_table(service.data, roster, until or service.now())


def _report(asker: Asker, window: ReportWindow, ratings: Ratings) -> Iterator[LogLine]:
    """What comes of one report: shown and sent once, or twice, or never."""
    draw = Random(f"{ratings.seed}/{ratings.participant}/{window.date}/report")
    chance = draw.randrange(100)
    if chance < NEVER:
        return
    is_late = chance < NEVER + LATE and window.closes + MORNING < window.ends
    opened = window.closes + MORNING if is_late else window.reminder + timedelta(seconds=draw.expovariate(1 / 1500))
    told = list[LogLine]()
    for _ in range(2 if draw.randrange(100) < CORRECTED else 1):
        submitted = opened + timedelta(seconds=draw.lognormvariate(3.6, 0.4))
        form = f"{draw.getrandbits(64):016x}"
        answers = {
            item.id: None if draw.randrange(100) < LEFT_OUT else _point(item, window.day, ratings)
            for item in asker.daily.items
        }
        told += show(replace(asker, now=opened), told, window.date, form, is_read=True).events
        sent = SentForm(form, answers, was_asked=True, phone_offset_min=None)
        told += send(replace(asker, now=submitted), told, window.date, sent).events
        opened = submitted + timedelta(seconds=30)
    yield from told


def _point(item: DailyItem, day: int, ratings: Ratings) -> int:
    """A reversed item the other way round; symptoms are rare."""
    point = ratings.rate(item.block, f"daily/{day}/{item.id}", item.points)
    if item.block == "symptoms":
        return max(1, point - item.points // 2)
    return 1 + item.points - point if item.reversed else point
