"""Studies and their registers for tests: entries as the register would hold them, and what a test draws from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.message import practice_message, read_messages
from experiment.design.session import draw_session
from experiment.design.visit import Visit
from experiment.record.dataset import DataSet
from experiment.session.plan import Plan
from experiment.session.run import run_simulated
from experiment.storage.chained_log import LogHead
from experiment.storage.hash_chain import chain_line
from experiment.study import events, recording, setup
from experiment.study.allocation import draw
from experiment.study.participant import Participant
from experiment.study.register import HEAD, REGISTER, Register
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Courses, Study, read_study
from tests.strategies import PROTOCOL

ENGLISH = read_messages(Path(__file__).parents[1] / "stimuli" / "examples" / "english.csv")
STUDY = read_study(Path(__file__).parents[1] / "stimuli" / "study.toml")
PUBLIC_KEYS = (  # whose private keys nobody has
    "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg",
)
SLOTS = draw(STUDY, bytes(32))
MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)
ZONES = (
    *("Europe/Berlin", "America/New_York", "America/St_Johns", "America/Santiago", "Australia/Lord_Howe"),
    *("Asia/Kolkata", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"),
)

times = st.times().map(lambda one: f"{one:%H:%M}")
moments = st.integers(1_704_067_200, 2_051_222_400).map(lambda one: datetime.fromtimestamp(one, timezone.utc))
dates = st.dates(date(2024, 1, 1), date(2034, 12, 31))


@st.composite
def studies(drawn: st.DrawFn) -> Study:
    """The example study with other courses, in another zone and at other times of day."""
    course_days = drawn(st.integers(1, 9))
    session_day = drawn(st.integers(1, course_days))
    tolerance = drawn(st.integers(0, course_days - session_day))
    courses = Courses(course_days, session_day, tolerance, drawn(st.integers(10, 30)))
    clock = replace(
        STUDY.clock, zone=drawn(st.sampled_from(ZONES)), dose=drawn(times), report=drawn(times), session=drawn(times)
    )
    return replace(STUDY, courses=courses, clock=clock)


def today() -> date:
    """The date where the study is."""
    return datetime.now(ZoneInfo(STUDY.clock.zone)).date()


def noon(day: date, study: Study = STUDY) -> datetime:
    """Noon of the day where the study is, in UTC."""
    return datetime.combine(day, time(12), ZoneInfo(study.clock.zone)).astimezone(timezone.utc)


def one_in_course(folder: Path, subject: str) -> Register:
    """A register in which the subject's course 1 began on Monday, and its clock stands at noon of that day."""
    register = Register(folder, lambda: noon(MONDAY))
    setup.set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    setup.enrol(register, subject, "north", "RA")
    kit = register.kits()[0].kits[0]
    register.act("RA", lambda told: recording.consent(told, subject, None, "1", noon(MONDAY)))
    register.act("RA", lambda told: recording.start_course(told, subject, 1, None, kit, noon(MONDAY)))
    return register


def begun(study: Study = STUDY) -> events.Entry:
    """The first entry."""
    return events.Entry(
        "2020-01-01T09:00:00+00:00",
        "PI",
        events.Begun(events.SCHEMA, study, "0" * 64, "0" * 64, "0" * 64, "age1a", "age1b"),
    )


def story(*told: tuple[date, events.Act], study: Study = STUDY) -> list[events.Entry]:
    """A register: the beginning, then each act at noon of its day."""
    return [begun(study), *(events.Entry(noon(day, study).isoformat(), "RA", act) for day, act in told)]


def write_register(folder: Path, entries: Sequence[events.Entry]) -> None:
    """A register of these entries in a new folder, with its head; nothing sealed lies beside it."""
    lines, before = [], b""
    for entry in entries:
        before = chain_line(before, msgspec.json.encode(entry))
        lines.append(before)
    content = b"".join(lines)
    folder.mkdir(parents=True)
    (folder / REGISTER).write_bytes(content)
    (folder / HEAD).write_bytes(msgspec.json.encode(LogHead(len(content), sha256(content).hexdigest())))


def enrolled(subject: str = "DF001", place: int = 1, day: date = MONDAY) -> tuple[date, events.Act]:
    """A participant in the north."""
    return day, events.Enrolled(subject, "north", place, kits(place))


def kits(place: int = 1) -> tuple[str, str]:
    """The kits of a place."""
    return SLOTS[place - 1].kits


def consented(subject: str = "DF001", day: date = MONDAY) -> tuple[date, events.Act]:
    """Who consented on a day."""
    return day, events.Consented(subject, day.isoformat(), "1.0")


def started(course: int = 1, day: date = MONDAY, subject: str = "DF001", place: int = 1) -> tuple[date, events.Act]:
    """Who started a course on a day."""
    return day, events.CourseStarted(subject, course, day.isoformat(), kits(place)[course - 1])  # type: ignore[arg-type]


def dosed(day: date, subject: str = "DF001", *, taken: bool = True) -> tuple[date, events.Act]:
    """A dose taken or missed."""
    return day, events.Dosed(subject, day.isoformat(), taken)


def held(session: int, day: date, status: str = "completed", subject: str = "DF001") -> tuple[date, events.Act]:
    """A session that was held."""
    return day, events.SessionHeld(subject, session, day.isoformat(), status)  # type: ignore[arg-type]


def running(day: date = MONDAY) -> tuple[tuple[date, events.Act], ...]:
    """A participant whose course 1 starts on the day."""
    return enrolled(day=day), consented(day=day), started(1, day)


def run_session(data: DataSet, visit: Visit, moment: datetime) -> Path:
    """A real session of a quick participant, without a window, that began then; its transcript."""
    drawn = draw_session(PROTOCOL, ENGLISH, subject=visit.subject, session=visit.session, seed=1)
    plan = Plan("run", drawn, (practice_message(PROTOCOL), *ENGLISH), "RA", {}, data, participant="quick")
    run_simulated(plan, moment.astimezone(timezone.utc).isoformat(timespec="milliseconds"))
    return plan.transcript


def one(entries: Sequence[events.Entry], subject: str = "DF001") -> Participant:
    """The participant as the register has them."""
    return Snapshot(entries).people[subject]
