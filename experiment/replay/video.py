"""A session as a film: what a replay shows, frame by frame, without a display."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from experiment.design.colours import rgb
from experiment.drawing.composite import Pixels
from experiment.errors import BadInput, EquipmentFailure
from experiment.messages.store import Folder
from experiment.record import transcript as log
from experiment.record.finding import Finding
from experiment.replay.player import Player, Playhead, check_speed
from experiment.replay.redraw import redraw
from experiment.replay.view import View
from experiment.storage.atomic_file import OWNER_ONLY
from experiment.system.processes import Progress

FPS = 30


def write_film(
    transcript: Path,
    film: Path,
    *,
    messages: Path | Folder | None = None,
    speed: float = 1.0,
    pilot: bool = False,
    progress: Progress | None = None,
) -> list[Finding]:
    """Write a session to an MP4 file, with 30 frames a second; what of it is not as the participant saw it.

    `messages` as for a replay; a film that shows them is as private as they are, and readable for its owner only.
    `progress` is told how many frames of how many are done. Raises BadInput for a transcript that cannot be read or a
    file that is there already, EquipmentFailure if the film cannot be written; then there is no such file.
    """
    if film.suffix != ".mp4" or film.exists():
        raise BadInput(f"--video must be a new file ending in .mp4. {film} is not. Choose another name.")
    check_speed(speed)
    read = log.read(transcript, pilot=pilot)
    pictures, findings = redraw(read.events, messages)
    player = Player(read.events)
    view = View(player, pictures, rgb(read.started.session.protocol.display.background))
    try:
        with TemporaryDirectory(prefix=".", dir=film.parent) as folder:  # which nobody else can open
            _write(making := Path(folder, film.name), view, Playhead(player, speed), progress)
            making.chmod(OWNER_ONLY)
            making.rename(film)
    except (OSError, RuntimeError) as error:
        raise EquipmentFailure(
            f"The video {film} cannot be written: {type(error).__name__}. Free disk space."
        ) from error
    return findings


def _write(film: Path, view: View, head: Playhead, progress: Progress | None) -> None:
    import imageio_ffmpeg

    count = int(head.player.end_s / head.speed * FPS) + 1
    size_px = (view.width_px, view.height_px)
    # Sides need not be multiples of 16, and what moves is small: a still picture costs next to nothing.
    writer = imageio_ffmpeg.write_frames(
        str(film), size_px, fps=FPS, macro_block_size=2, quality=8, output_params=["-tune", "stillimage"]
    )
    writer.send(None)
    try:
        for done, pixels in enumerate(_frames(view, head, count), start=1):
            writer.send(pixels.tobytes())
            if progress is not None and (done % FPS == 0 or done == count):
                progress(done, count)
    finally:
        writer.close()


def _frames(view: View, head: Playhead, count: int) -> Iterator[Pixels]:
    for _ in range(count):
        yield view.pixels(head)
        head.pass_time(1 / FPS)
