"""The procedure of a session, whichever its task: one `run` for every mode.

A real session, a pilot, a simulation and a replay are this same function with another screen. All that is shown, comes
in and is decided goes to `emit`, in order; nothing else is kept.
"""

from __future__ import annotations

from experiment.record.events import INTERRUPTED, Ended, Started
from experiment.task import self_paced
from experiment.task.port import Screen
from experiment.task.stage import Emit, EndedByAssistant, Stage


def run(started: Started, screen: Screen, emit: Emit) -> Ended:
    """The whole session. It ends as completed, or aborted by the assistant; a failure is recorded and raised again."""
    emit(started)
    try:
        self_paced.run_session(Stage(started.session, screen, emit), started.resumes.trial if started.resumes else 0)
        ended = Ended("completed", None)
    except EndedByAssistant as decision:
        ended = Ended("aborted", str(decision))
    except KeyboardInterrupt:
        ended = Ended("aborted", INTERRUPTED)
    except BaseException as failure:
        emit(Ended("failed", type(failure).__name__))
        raise
    emit(screen.refreshes())
    emit(ended)
    return ended
