"""Daily reports of synthetic participants, by the rules of the real ones: most in time, some late, some never.

Ratings know no drug, as those of the simulated sessions, so an analysis that finds an effect here is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from experiment.design.daily import Daily, DailyItem
from experiment.reports.events import LogLine
from experiment.reports.record import asked
from experiment.reports.replies import Asker, SentForm, send, show
from experiment.reports.service import Service
from experiment.reports.windows import ReportWindow, windows

# Of a hundred reports: so many never come, come the next morning, are corrected; of a hundred answers: left out.
NEVER, LATE, CORRECTED, LEFT_OUT = 12, 8, 3, 1
MORNING = timedelta(hours=6)  # after the close


def simulate_reports(service: Service, seed: int) -> None:
    """The reports of everybody in a study that is over, in its log and its table; the seed decides all of them."""
    roster = service.roster()
    told = [
        entry
        for one in roster.people.values()
        for window in windows(one, roster.study, service.daily)
        for entry in _report(Asker(one, roster.study, service.daily, window.opens), window, seed)
    ]
    told.sort(key=lambda one: one.utc)
    began = told[0].moment if told else service.now()
    service.append(lambda entries: [*asked(entries, service.daily, began), *told])
    service.update_table()


def _report(asker: Asker, window: ReportWindow, seed: int) -> Iterator[LogLine]:
    """What comes of one report: shown and sent once, or twice, or never."""
    subject = asker.one.subject
    draw = Random(f"{seed}/{subject}/{window.date}/report")
    chance = draw.randrange(100)
    if chance < NEVER:
        return
    is_late = chance < NEVER + LATE and window.closes + MORNING < window.ends
    opened = window.closes + MORNING if is_late else window.reminder + timedelta(seconds=draw.expovariate(1 / 1500))
    told = list[LogLine]()
    for _ in range(2 if draw.randrange(100) < CORRECTED else 1):
        submitted = opened + timedelta(seconds=draw.lognormvariate(3.6, 0.4))
        told += _sending(asker, window, told, draw, opened, submitted)
        opened = submitted + timedelta(seconds=30)
    yield from told


def _sending(
    asker: Asker, window: ReportWindow, told: list[LogLine], draw: Random, opened: datetime, submitted: datetime
) -> Iterator[LogLine]:
    form = f"{draw.getrandbits(64):016x}"
    at_opening = Asker(asker.one, asker.study, asker.daily, opened)
    at_sending = Asker(asker.one, asker.study, asker.daily, submitted)
    shown = show(at_opening, window.date, form, is_read=True).events
    answers = _answers(asker.daily, asker.one.subject, draw)
    sent = SentForm(form, answers, was_asked=True, phone_offset_min=None)
    yield from shown
    yield from send(at_sending, (*told, *shown), window.date, sent).events


def _answers(daily: Daily, subject: str, draw: Random) -> dict[str, int | None]:
    """Around a level of their own."""
    today = Random(f"{subject}/level").uniform(0.35, 0.8) + draw.gauss(0, 0.1)
    return {item.id: None if draw.randrange(100) < LEFT_OUT else _point(item, today, draw) for item in daily.items}


def _point(item: DailyItem, level: float, draw: Random) -> int:
    """A reversed item the other way round; symptoms are rare."""
    own = 0.1 if item.block == "symptoms" else 1 - level if item.reversed else level
    return min(max(round(1 + (own + draw.gauss(0, 0.15)) * (item.points - 1)), 1), item.points)
