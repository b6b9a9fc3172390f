"""From options, or a form, to a session that has begun: what keeps it from beginning loses no answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import typer

from experiment.cli import form
from experiment.cli.after_run import ABORTED, accounting_for
from experiment.cli.form import RUN_ANYWAY, Answers
from experiment.cli.terminal import say
from experiment.design.form_questions import AskedQuestion
from experiment.design.protocol import Protocol
from experiment.errors import BadInput, DayFourError
from experiment.preflight.report import NotFit
from experiment.record.events import Ended
from experiment.session.plan import Plan
from experiment.study.register import Register


def run_once_fit(
    protocol: Protocol,
    known: dict[str, str],
    plan_of: Callable[[Answers], Plan],
    register: Register | None,
    run_planned: Callable[[Plan, str | None], Ended],
    override: str | None,
    *,
    with_session: bool,
) -> tuple[Ended, Plan]:
    """The session, and how it ended. What keeps it from beginning is shown in the form, which keeps its answers."""
    problem, besides = "", tuple[AskedQuestion, ...]()
    while True:
        given, plan = _asked(protocol, known, plan_of, with_session=with_session, problem=problem, besides=besides)
        before = _size(plan.transcript)
        try:
            reason = check_reason(given.get(RUN_ANYWAY.id) or override)
            with accounting_for(plan, register):
                return run_planned(plan, reason), plan
        except DayFourError as error:
            if not given or _size(plan.transcript) != before:
                raise  # the session has begun, or continued
            known, problem = given, str(error)
            if isinstance(error, NotFit):
                besides = (RUN_ANYWAY,)


def _size(path: Path) -> int:
    """Of a transcript, which may not be there."""
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _asked(
    protocol: Protocol,
    known: dict[str, str],
    plan_of: Callable[[Answers], Plan],
    *,
    with_session: bool,
    problem: str,
    besides: Sequence[AskedQuestion],
) -> tuple[dict[str, str], Plan]:
    """The session that the options name, or the form if they leave something out; ends here if that is cancelled.

    With it what was typed into the form, by field; nothing if there was none.
    """
    if not problem and all(
        known.get(one.id) for one in form.fields(protocol, with_session=with_session) if one.required
    ):
        return {}, plan_of(form.check(protocol, known, with_session=with_session))
    from experiment.cli import form_window  # Qt is loaded where a form is shown

    given = form_window.fill(protocol, known, plan_of, with_session=with_session, problem=problem, besides=besides)
    if given is None:
        say("Cancelled: nothing was saved.")
        raise typer.Exit(ABORTED)
    return given, plan_of(form.check(protocol, given, with_session=with_session))


def check_reason(override: str | None) -> str | None:
    """A reason to override something, if there is one; BadInput for one that is no reason."""
    if override is not None and len(override.split()) < 2:
        raise BadInput(f"Please give the reason in words (you wrote {override!r}); it is stored with the data.")
    return override
