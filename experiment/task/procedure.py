"""The procedure of a session, whichever its task: one `run` for every mode.

A real session, a pilot, a simulation and a replay are this same function with another screen. All that is shown, comes
in and is decided goes to `emit`, in order; nothing else is kept.
"""

from __future__ import annotations

from experiment.record.events import INTERRUPTED, Ended, Started
from experiment.task import objects, self_paced, timed
from experiment.task.port import Screen
from experiment.task.stage import Emit, EndedByAssistant, Stage


def run(started: Started, screen: Screen, emit: Emit) -> Ended:
    """The whole session. It ends as completed, or aborted by the assistant; a failure is recorded and raised again."""
    emit(started)
    try:
        _run_task(Stage(started.session, screen, emit), started.resumes.trial if started.resumes else 0)
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


def _run_task(stage: Stage, first_trial: int) -> None:
    """The task that the protocol has a section for; without one, the self-paced one."""
    protocol = stage.protocol
    if protocol.scan:
        timed.run_session(stage, protocol.scan, first_trial)
    elif protocol.objects:
        objects.run_session(stage, protocol.objects, first_trial)
    else:
        self_paced.run_session(stage, first_trial)
