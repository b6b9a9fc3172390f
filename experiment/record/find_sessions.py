"""Which sessions of a data set a command is about: real ones, or with `--pilot` its pilots and simulations."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.transcript import has_begun, read_start


def find_sessions(folder: Path, *, pilot: bool) -> tuple[DataSet, list[Path]]:
    """The data set in a folder, or its pilots, and its transcripts; BadInput if there are none, or none that are meant.

    What cannot be read counts as real: somebody has to see that.
    """
    data = DataSet(folder).chosen(pilot=pilot)
    paths = data.transcripts_of_all()
    if not paths:
        is_piloted = not pilot and any(data.pilot.transcripts_of_all())
        hint = "There are pilots: add --pilot to see them." if is_piloted else "Check the folder."
        raise BadInput(f"There are no sessions in {data.root}. {hint}")
    if not pilot and not any(map(_is_real, paths)):
        raise BadInput(f"All sessions in {data.root} are pilots or simulations. Add --pilot to include them.")
    return data, paths


def _is_real(path: Path) -> bool:
    with suppress(BadInput):
        return not has_begun(path) or read_start(path).mode == "run"
    return True
