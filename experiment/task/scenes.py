"""All that a session can show but its messages, worded by the protocol: pages, the fixation, questions with scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, takewhile
from typing import TypeVar, get_args

from msgspec import UNSET
from msgspec.structs import replace

from experiment.design.contradictions import scale_numbers
from experiment.design.objects import Measure, Objects
from experiment.design.protocol import Protocol
from experiment.design.rating import Question
from experiment.design.scan import Scan, volumes_of_run
from experiment.design.scanner import SCANNER
from experiment.design.signals import OUTPUTS
from experiment.record.events import MessageScene, ScaleScene, StorageCause, TextScene

SceneWithButton = TypeVar("SceneWithButton", TextScene, MessageScene, ScaleScene)

Labels = Mapping[str, str]
"""What is printed on keys that do not bear their own name in the keyboard layout in use, such as "Ц" on "w"."""
AS_NAMED: Labels = {}


def pages(protocol: Protocol, labels: Labels = AS_NAMED) -> tuple[TextScene, ...]:
    """Every page of text that a session can show."""
    wording = protocol.wording
    practice = () if protocol.scan or protocol.objects else (wording.practice, wording.begin)
    read = (
        wording.welcome, *wording.instructions, *practice, wording.resumed, wording.closing,
        *([wording.before_questions] if wording.before_questions else []),
    )  # fmt: skip
    endings = tuple(ending_page(protocol, reason, labels) for reason in protocol.keys.reasons)
    own = (*(participant_page(protocol, text) for text in read), *_task_pages(protocol, labels))
    return (*own, *pause_pages(protocol, labels), *endings)


def _task_pages(protocol: Protocol, labels: Labels) -> Iterator[TextScene]:
    """Those that only a task with a section of its own has."""
    if scan := protocol.scan:
        for run in range(1, scan.runs + 1):
            yield ready_page(protocol, scan, run, labels)
            yield waiting_page(protocol, scan, run)
    elif objects := protocol.objects:
        yield participant_page(protocol, objects.holding)
        yield from (TextScene(page) for page in measures_by_page(protocol))
        for text in (objects.close_eyes, objects.take_back, objects.open_eyes):
            yield assistant_page(protocol, text, labels)
        yield from (hand_over_page(protocol, objects, thing.id, labels) for thing in objects.things)


def pages_for_assistant(protocol: Protocol) -> frozenset[TextScene]:
    """The pages from which the assistant's key goes on, in a keyboard layout that has keys as they are named."""
    others = {holding_page(protocol), *(TextScene(page) for page in measures_by_page(protocol))}
    if scan := protocol.scan:
        others |= {waiting_page(protocol, scan, run) for run in range(1, scan.runs + 1)}
    return frozenset(_task_pages(protocol, AS_NAMED)) - others


def holding_page(protocol: Protocol) -> TextScene | None:
    """What is there while an object is in the hand; None in other tasks."""
    return participant_page(protocol, protocol.objects.holding) if protocol.objects else None


def scenes(protocol: Protocol, labels: Labels = AS_NAMED) -> tuple[TextScene | ScaleScene, ...]:
    """Every scene that a session can show, but for its messages; a question as it comes."""
    questions = (question_scene(protocol, question) for question in protocol.rating.questions)
    return (*pages(protocol, labels), fixation(protocol), *questions)


def ready_page(protocol: Protocol, scan: Scan, run: int, labels: Labels = AS_NAMED) -> TextScene:
    """What asks the assistant whether a run can begin."""
    volumes = volumes_of_run(protocol, scan)
    return assistant_page(protocol, scan.ready, labels, run=run, runs=scan.runs, volumes=volumes)


def waiting_page(protocol: Protocol, scan: Scan, run: int) -> TextScene:
    """What is there until the scanner's pulses come."""
    return participant_page(protocol, scan.waiting.format(run=run, runs=scan.runs))


def hand_over_page(protocol: Protocol, objects: Objects, name: str, labels: Labels = AS_NAMED) -> TextScene:
    """What tells the assistant which object to hand over."""
    return assistant_page(protocol, objects.hand_over, labels, object=objects.name_of(name))


def measure_page(objects: Objects, measure: Measure, name: str) -> TextScene:
    """What asks the assistant for a number, which is typed below."""
    what = measure.text.format(object=objects.name_of(name))
    return TextScene(objects.measure.format(what=what, minimum=f"{measure.minimum:g}", maximum=f"{measure.maximum:g}"))


def measures_by_page(protocol: Protocol) -> dict[str, Measure]:
    """What the assistant is asked to measure, by the text of the page."""
    objects = protocol.objects or None
    pairs = ((measure, thing.id) for measure in objects.measures for thing in objects.things) if objects else ()
    return {measure_page(objects, measure, name).text: measure for measure, name in pairs} if objects else {}


def assistant_page(protocol: Protocol, text: str, labels: Labels = AS_NAMED, **fields: object) -> TextScene:
    """A page for the assistant, with keys and other things filled in."""
    return TextScene(text.format(**_key_names(protocol, labels), **fields))


def fixation(protocol: Protocol) -> TextScene:
    """The sign to look at before a message comes."""
    return TextScene(protocol.wording.fixation, "sign")


def question_scene(protocol: Protocol, question: Question) -> ScaleScene:
    """A question with its scale, without a marker; what every scale had in older protocols is not recorded."""
    scale, wording = protocol.scale(question), protocol.wording
    hint = "" if protocol.scan else (wording.line_hint if scale.is_line else wording.hint) or ""
    scene = ScaleScene(
        question.text,
        scale.labels[0],
        scale.labels[-1],
        scale.points,
        hint=hint.format(first=scale.first, last=scale.last) or UNSET,
        between=scale.labels[1:-1] or UNSET,
        first=UNSET if scale.first == 1 else scale.first,
        is_line=scale.is_line or UNSET,
        is_mirrored=scale.is_mirrored or UNSET,
    )
    is_confirmed = not (protocol.rating.first_press_is_final or protocol.scan)
    return scene if not is_confirmed else with_quiet_button(protocol, scene, wording.confirm_button)


def message_scene(protocol: Protocol, message_id: str, trial: int) -> MessageScene:
    """A message at its place in the session, without its button; trial 0 is the practice, which is not counted."""
    progress = progress_line(protocol, trial) if trial else ""
    return MessageScene(message_id, progress=progress or UNSET)


def progress_line(protocol: Protocol, trial: int) -> str:
    """What is said above the message of a trial of its place in the session; empty for nothing."""
    return (protocol.wording.progress or "").format(number=trial, count=protocol.messages)


def with_quiet_button(protocol: Protocol, scene: SceneWithButton, label: str) -> SceneWithButton:
    """The scene with a button that is seen already and cannot be pressed yet, if the protocol wants one."""
    return replace(scene, unready=label) if protocol.display.quiet_button else scene


def participant_page(protocol: Protocol, text: str) -> TextScene:
    """A page for the participant; {points}, {first} and {last} become the numbers of the scales."""
    for name, number in scale_numbers(protocol).items():
        text = text.replace(name, number)
    return TextScene(text)


def closing_page(protocol: Protocol, session: int) -> str:
    """The last page of a session; where questions follow, the page that says so, if the protocol has one."""
    wording = protocol.wording
    return (any(protocol.questions_after(session)) and wording.before_questions) or wording.closing


def calling_page(protocol: Protocol) -> TextScene:
    """What asks the participant to call the assistant: the pause page as far as it names no key."""
    parts = takewhile(lambda part: "{" not in part, protocol.wording.pause.page.split("\n\n"))
    return TextScene("\n\n".join(parts).strip() or protocol.wording.closing)


def pause_pages(protocol: Protocol, labels: Labels = AS_NAMED) -> tuple[TextScene, ...]:
    """Every page that a pause can show."""
    devices = [output.title for output in protocol.signals.outputs] if protocol.signals else []
    devices += [SCANNER] if protocol.pulses and protocol.pulses.port else []
    some = (frozenset(few) for number in range(1, len(devices) + 1) for few in combinations(devices, number))
    every = (*(pause_page(protocol, labels, unsaved=cause) for cause in (None, *get_args(StorageCause))),
             *(pause_page(protocol, labels, failing=few) for few in some))  # fmt: skip
    return tuple(dict.fromkeys(every))


def pause_page(
    protocol: Protocol,
    labels: Labels = AS_NAMED,
    *,
    unsaved: StorageCause | None = None,
    failing: frozenset[str] = frozenset(),
) -> TextScene:
    """What is on the screen while a session is paused, with a warning of disk or devices.

    `unsaved`: why the disk does not hold all; of that alone it warns then. `failing`: the outputs that take no signals,
    and a scanner whose port is gone.
    """
    pause = protocol.wording.pause
    own = {"full": pause.full, "lost": pause.lost, "unwritable": pause.unwritable or pause.page}
    warnings = [own.get(unsaved) or pause.unsaved] if unsaved else _of_failing(protocol, failing)
    named = {OUTPUTS: ", ".join(sorted(failing - {SCANNER}))}
    parts = dict.fromkeys((pause.page, *warnings))
    return TextScene("\n\n".join(parts).format(**_key_names(protocol, labels), **named))


def _of_failing(protocol: Protocol, failing: frozenset[str]) -> list[str]:
    scanner = [protocol.pulses.failing] if protocol.pulses and SCANNER in failing else []
    return scanner + ([protocol.signals.failing] if protocol.signals and failing - {SCANNER} else [])


def ending_page(protocol: Protocol, reason: str, labels: Labels = AS_NAMED) -> TextScene:
    """What asks the assistant whether to end the session for this reason."""
    pause = protocol.wording.pause
    words = {str(name): told for name, told in (pause.reasons or {}).items()}
    return TextScene(pause.ending.format(**_key_names(protocol, labels), reason=words.get(reason, reason)))


def _key_names(protocol: Protocol, labels: Labels) -> dict[str, str]:
    *modifiers, last = protocol.keys.pause.split("+")
    chord = [*(modifier.title() for modifier in modifiers), labels.get(last, last.title())]
    single = [("resume", protocol.keys.resume), *protocol.keys.reasons.items()]
    return {"pause": "+".join(chord)} | {name: labels.get(key, key.upper()) for name, key in single}
