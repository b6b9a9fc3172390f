"""What a frame costs: drawn by the product's own canvas and flipped, as the window does at each refresh.

The scenes are the longest message of the example sets with its button and the line above it, a scale that is still
empty with its hint and quiet button, and a rating with marker and button; the same writing as PsychoPy's TextStim, and
a question as TextStim with visual.Slider (7 labels, a marker), in the same window. They take turns, frame by frame,
with a rest between. CPU time is that of the program's own thread (what the loop is busy with) and of the whole process,
in which software GL draws with threads of its own on every core; on a graphics card this second part does not exist.
Xvfb's copying of the frame is in another process and in neither number, nor is reading the keyboard. Every picture was
drawn once before.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from experiment.design.colours import rgb
from experiment.design.message import Message, practice_message, read_messages
from experiment.design.protocol import Protocol, read_protocol
from experiment.drawing.stimuli import draw_pictures
from experiment.record.events import MessageScene, ScaleScene
from experiment.screens.canvas import Canvas
from experiment.task.layout import Layout
from experiment.task.scenes import message_scene, question_scene
from tests.bench.reporting import HEIGHT_PX, ROOT, WIDTH_PX, display, median, percentile, print_table

FRAMES, WARM_UP = 600, 30
REST_S = 0.004
SIZE_PX = 26

Draw = Callable[[], None]


def main() -> None:
    """Draw the scenes in turn and print what each cost."""
    protocol = read_protocol(ROOT / "stimuli" / "protocol.toml")
    longest, messages = longest_example()
    with display():
        layout = Layout(WIDTH_PX, HEIGHT_PX)
        canvas = Canvas(layout, rgb(protocol.display.background), full_screen=False)
        pictures = draw_pictures(protocol, (practice_message(protocol), *messages), layout)
        canvas.load(pictures)
        message, empty, question = scenes(protocol, longest)
        draws: dict[str, tuple[Draw, str]] = {
            "nothing, flip only": (lambda: None, ""),
            "message": (lambda: canvas.draw(pictures.parts(message)), "1"),
            "  as TextStim": (text_stim(canvas, longest), ""),
            "empty scale": (lambda: canvas.draw(pictures.parts(empty)), "2"),
            "rating": (lambda: canvas.draw(pictures.parts(question), pictures.marker_at(question)), "2"),
            "  as TextStim and Slider": (slider(canvas, protocol), ""),
        }
        costs = measured(canvas, {name: draw for name, (draw, _) in draws.items()})
        canvas.close()
    print_table(
        f"CPU ms of a frame, drawn and flipped; {FRAMES} frames each; the message has {len(longest.text)} letters",
        ("", "thread median", "p99", "goal", "process median", "p99"),
        [(name, *cells(costs[name], 0), draws[name][1], *cells(costs[name], 1)) for name in draws],
    )


def longest_example() -> tuple[Message, tuple[Message, ...]]:
    """The longest message of all example sets, and its set."""
    sets = [read_messages(path) for path in sorted(Path(ROOT / "stimuli" / "examples").glob("*.csv"))]
    return max(((message, some) for some in sets for message in some), key=lambda pair: len(pair[0].text))


def scenes(protocol: Protocol, longest: Message) -> tuple[MessageScene, ScaleScene, ScaleScene]:
    """The message, an empty scale and a rating, each with all that can stand on it."""
    wording, empty = protocol.wording, question_scene(protocol, protocol.rating.questions[0])
    message = replace(message_scene(protocol, longest.message_id, 1), button=wording.next_button)
    return message, empty, replace(empty, marker=empty.scale.last, button=wording.confirm_button)


def text_stim(canvas: Canvas, message: Message) -> Draw:
    """The message as PsychoPy writes it."""
    from psychopy.visual import TextStim

    stim = TextStim(canvas._window, message.text, color="black", height=SIZE_PX, units="pix", wrapWidth=920)
    draw: Draw = stim.draw
    return draw


def slider(canvas: Canvas, protocol: Protocol) -> Draw:
    """The rating as PsychoPy draws it."""
    from psychopy.visual import Slider, TextStim

    question = protocol.rating.questions[0]
    scale = protocol.scale(question)
    ticks = list(range(scale.first, scale.last + 1))
    labels = [scale.labels[0], *map(str, ticks[1:-1]), scale.labels[-1]]
    slider = Slider(canvas._window, ticks, labels, units="pix", size=(660, 30), granularity=1, labelHeight=20)
    slider.markerPos = ticks[-1]
    look = {"color": "black", "height": SIZE_PX, "units": "pix", "wrapWidth": 920, "pos": (0, 150)}
    text = TextStim(canvas._window, question.text, **look)

    def draw() -> None:
        text.draw()
        slider.draw()

    return draw


def measured(canvas: Canvas, draws: dict[str, Draw]) -> dict[str, list[tuple[float, float]]]:
    """CPU ms of every frame by kind: of this thread and of the process; without garbage collection, as in a session."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in draws}
    gc.collect()
    gc.disable()
    for _ in range(WARM_UP + FRAMES):
        for name, draw in draws.items():
            time.sleep(REST_S)
            thread_s, process_s = time.thread_time(), time.process_time()
            draw()
            canvas.flip()
            costs[name].append(((time.thread_time() - thread_s) * 1e3, (time.process_time() - process_s) * 1e3))
    gc.enable()
    return {name: values[WARM_UP:] for name, values in costs.items()}


def cells(costs: list[tuple[float, float]], kind: int) -> tuple[str, str]:
    """Median and 99th percentile."""
    values: Any = [cost[kind] for cost in costs]
    return f"{median(values):.2f}", f"{percentile(values, 99):.2f}"


if __name__ == "__main__":
    main()
