"""What tests draw from: texts that break files, messages, protocols, sessions and every kind of event.

At the end stand a plain session and the events of an eventful trial, for tests of exact numbers.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from experiment.design.form_questions import AskedQuestion
from experiment.design.message import PRACTICE, Message
from experiment.design.protocol import read_protocol
from experiment.design.rating import Question, Rating
from experiment.design.scale import LINE_POINTS, Scale
from experiment.design.session import draw_session
from experiment.record import events
from experiment.record.screen_info import ScreenInfo, TimedBy
from experiment.screens.personas import HABITS, Persona
from experiment.screens.simulated_screen import SimulatedScreen, simulated_info
from experiment.task import procedure
from experiment.task.layout import Layout
from experiment.task.scenes import question_scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiment.design.protocol import Protocol
    from experiment.design.session import SessionPlan

PROTOCOL = read_protocol(Path(__file__).parents[1] / "stimuli" / "protocol.toml")
RESERVED = ("n/a", PRACTICE)
REFRESH_HZ = 100.0
CONNECTION, PLEASURE = (question_scene(PROTOCOL, one) for one in PROTOCOL.rating.questions)

# JSON has no infinities, and its whole numbers are read as 64 bits.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))

# A file of messages unifies line ends and has no empty cell, so these are the cells that can come from one.
_awkward = st.sampled_from(
    [
        *('"', '""', '"a"', "a,b", "a\tb", "a\nb", 'a"\n"b', "'", "\\", "\\n", "#", " a "),
        *("=1+1", "=HYPERLINK()", "+1", "-1", "@a", "NA", "nan", "null", "None", "1", "01", "1.0", "1e5", "True"),
        *("\ufeffa", "a\u2028b", "a\x0bb", "a\x85b", "é", "e\u0301", "日本", "🙂", "\u202ea", "עברית"),
    ]
)
_any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), min_size=1, max_size=12)
cells = (
    st.one_of(_awkward, _any_text, st.tuples(_awkward, _any_text, _awkward).map("".join))
    .filter(lambda text: bool(text.strip()))
    .filter(lambda text: text not in RESERVED)
)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
labels = st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True)
question_ids = st.from_regex(r"q[a-z0-9]{0,6}", fullmatch=True)


st.register_type_strategy(
    AskedQuestion,
    st.builds(AskedQuestion, id=question_ids, text=cells, kind=st.sampled_from(["text", "time"]), units=cells)
    | st.builds(AskedQuestion, id=question_ids, text=cells, kind=st.just("choice"), choices=st.just(("yes", "no"))),
)

message_ids = st.from_regex(r"[A-Za-z0-9_.-]{1,32}", fullmatch=True).filter(lambda one: one != PRACTICE)
messages = st.builds(
    Message, message_id=message_ids, writer=cells, relationship=cells, language=st.just("en"), text=cells
)
message_sets = st.lists(messages, min_size=1, max_size=6, unique_by=lambda message: message.message_id)


@st.composite
def scales(draw: st.DrawFn, *, lines: bool = True) -> Scale:
    """Every kind of scale: of points, from 0 or 1 on, with two labels, with the middle's, or one at each; or a line."""
    is_line = lines and draw(st.booleans())
    points = LINE_POINTS if is_line else draw(st.integers(2, 11))
    counts = {2, 3} if is_line else {2, points, *([3] if points % 2 else [])}
    labels = ("low", "rather low", "middle", "rather high", "high", "a", "b", "c", "d", "e", "f")
    count = draw(st.sampled_from(sorted(counts)))
    first = 0 if is_line else draw(st.integers(0, 1))
    return Scale(points, first, labels[:count], is_line=is_line, is_mirrored=draw(st.booleans()))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A question with any kind of scale of its own."""
    scale = draw(scales())
    labels = tuple(draw(cells) for _ in scale.labels)
    points, first = ("line", UNSET) if scale.is_line else (scale.points, scale.first)
    return Question(draw(question_ids), draw(cells), labels=labels, points=points, first=first)  # type: ignore[arg-type]


def has_key_for_each(question: Question) -> bool:
    """Whether one press means each of its points, as where the first press is final."""
    return isinstance(question.points, int) and question.points + (question.first or 0) <= 10 + bool(question.first)


@st.composite
def protocols(draw: st.DrawFn, messages_count: int = 6) -> Protocol:
    """The example protocol with other questions, scales, orders, limits and switches."""
    asked = draw(st.lists(questions(), min_size=1, max_size=3, unique_by=lambda question: question.id))
    rating = Rating(
        points=7,
        questions=tuple(asked),
        question_order=draw(st.sampled_from(["listed", "session", "trial"])),
        first_press_is_final=draw(st.booleans()) and all(map(has_key_for_each, asked)),
        low_end=draw(st.sampled_from(["start", "left", "right"])),
    )
    maximum_s = draw(st.none() | st.floats(0.5, 60.0))
    timing = replace(PROTOCOL.timing, rating_maximum_s=maximum_s)
    return replace(PROTOCOL, rating=rating, timing=timing, messages=messages_count)


@st.composite
def sessions(draw: st.DrawFn) -> SessionPlan:
    """A drawn session of some messages under some protocol."""
    drawn = draw(message_sets)
    protocol = draw(protocols(len(drawn)))
    return draw_session(
        protocol, drawn, subject=draw(labels), session=draw(st.integers(1, 2)), seed=draw(st.integers(0, 2**53))
    )


screens = st.builds(
    ScreenInfo,
    kind=st.sampled_from(["window", "simulated"]),
    width_px=st.integers(1280, 8000),
    height_px=st.integers(720, 8000),
    refresh_hz=st.floats(30.0, 500.0),
    vsync=st.none() | st.booleans(),
    full_screen=st.booleans(),
    timed_by=st.sampled_from(get_args(TimedBy)),
    versions=st.dictionaries(cells, cells, max_size=2),
    pictures_sha256=st.dictionaries(cells, digests, max_size=2),
)
starts = st.builds(
    events.Started,
    schema=st.just(events.SCHEMA),
    mode=st.just("run"),
    session=sessions(),
    protocol_sha256=digests,
    operator=cells,
    participant=cells,
    screen=screens,
    zero_utc=st.just("2026-03-01T09:30:00.123456Z"),
)

everything = st.one_of(starts, *(st.from_type(kind) for kind in get_args(events.Event) if kind is not events.Started))


def held(session: SessionPlan, habit: str) -> list[events.Event]:
    """The events of a whole session with a synthetic participant, who answers as `session.seed` has it."""
    info = simulated_info()
    started = events.Started(
        events.SCHEMA, "simulate", session, session.protocol.sha256, "RA", habit, info, "2026-03-01T09:30:00Z"
    )
    participant = Persona(session, Layout(info.width_px, info.height_px), HABITS[habit], str(session.seed))
    told: list[events.Event] = []
    procedure.run(started, SimulatedScreen(participant, info), told.append)
    return told


held_sessions = st.builds(held, sessions(), st.sampled_from([habit for habit in HABITS if habit != "aborting"]))


def session_of(protocol: Protocol = PROTOCOL) -> SessionPlan:
    """A session with the protocol's number of messages."""
    messages = [Message(f"m{n}", "Ana", "friend", "en", f"text {n}") for n in range(protocol.messages)]
    return draw_session(protocol, messages, subject="DF001", session=1, seed=1)


def started(session: SessionPlan) -> events.Started:
    """Its first event, on a screen of 100 Hz."""
    screen = replace(simulated_info(), refresh_hz=REFRESH_HZ)
    utc = "2026-03-01T09:30:00Z"
    return events.Started(events.SCHEMA, "run", session, session.protocol.sha256, "RA", "person", screen, utc)


def refreshes(until_s: float, skipped_s: Sequence[float]) -> events.Refreshes:
    """A flip every 10 ms from 10 s on, but for those that were skipped."""
    skipped = {round(one * REFRESH_HZ) for one in skipped_s}
    flips = [flip for flip in range(1000, round(until_s * REFRESH_HZ) + 1) if flip not in skipped]
    return events.Refreshes(flips[0] / REFRESH_HZ, tuple(10_000 * (b - a) for a, b in pairwise(flips)), None)


def eventful_trial(session: SessionPlan) -> list[events.Event]:
    """The first trial: a pause at the message and one at a scale, a change of mind, a rating that was not in time."""
    message, pause = events.MessageScene(session.trials[0].message_id), events.TextScene("Paused")
    return [
        events.TrialBegan(1),
        events.Shown(events.TextScene("+", "sign"), 10.0),
        events.Shown(message, 11.0),
        events.Shown(replace(message, button="next"), 12.0),
        events.Shown(pause, 14.0),
        events.Paused(14.0, "chord"),
        events.Shown(replace(message, button="next"), 20.0),
        events.Resumed(20.0),
        events.Read(message.message_id, 23.5, "queue"),
        events.Shown(CONNECTION, 24.0),
        events.Marked("connection", 3, 25.25, "queue"),
        events.Shown(replace(CONNECTION, marker=3), 25.26),
        events.Shown(pause, 26.0),
        events.Paused(26.0, "focus_lost"),
        events.Shown(replace(CONNECTION, marker=3), 28.0),
        events.Resumed(28.0),
        events.Marked("connection", 5, 29.0, "poll"),
        events.Rated("connection", 5, 30.0, "queue"),
        events.Shown(PLEASURE, 31.0),
        events.Marked("pleasure", 2, 31.5, "iohub"),
        events.Rated("pleasure", None, None, None),
        events.Shown(events.BlankScene(), 41.0),
        refreshes(42.0, skipped_s=[10.5, 13.0, 13.01, 17.0, 22.0, 25.0]),
        events.TrialEnded(1),
    ]
