"""From options, or a form, to a session that has begun: what keeps it from beginning loses no answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import typer
from msgspec.structs import replace

from experiment.cli import form
from experiment.cli.after_run import ABORTED, accounting_for, size_of
from experiment.cli.form import NO_PASSPHRASE, OPERATOR, PASSPHRASE, SESSION, SUBJECT, WrongAnswers
from experiment.cli.form_problems import CLOSE, RESUME, RUN_ANYWAY, Decided, Given, Problem, Wrong
from experiment.cli.lab import Lab
from experiment.cli.terminal import say
from experiment.design.form_questions import AskedQuestion
from experiment.design.protocol import Protocol
from experiment.design.session import check_subject
from experiment.errors import BadInput, DayFourError
from experiment.record.events import Ended
from experiment.session.plan import Plan

RunPlanned = Callable[[Plan, str | None], Ended]


@dataclass(frozen=True)
class Start:
    """A session that is to begin in a lab; `with_session`: whether it is asked which one it is."""

    lab: Lab
    with_session: bool

    def protocol(self, decided: Decided) -> Protocol:
        """With the questions to ask: a session that is resumed keeps the answers that were given when it began."""
        return replace(self.lab.protocol, assistant=()) if RESUME.id in decided else self.lab.protocol

    def questions(self) -> tuple[AskedQuestion, ...]:
        """Everything that the form asks."""
        own = form.fields(self.lab.protocol, with_session=self.with_session)
        return (*own, PASSPHRASE) if self.lab.is_locked else own

    def is_known(self, known: Given, decided: Decided) -> bool:
        """Whether nothing is left to ask."""
        asked = form.fields(self.protocol(decided), with_session=self.with_session)
        return all(known.get(one.id) for one in asked if one.required)

    def check(self, given: Given, decided: Decided) -> Plan:
        """The session, with all that can be told before a window opens; an error says why it cannot begin."""
        if CLOSE.id in decided:
            self.lab.close(check_subject(given[SUBJECT].strip()), self._asked(given), given[OPERATOR].strip())
        passphrase = given.get(PASSPHRASE.id, "")
        wrong = {PASSPHRASE.id: NO_PASSPHRASE} if self.lab.is_locked and not passphrase else {}
        try:
            answers = form.check(self.protocol(decided), given, with_session=self.with_session)
        except WrongAnswers as error:
            raise WrongAnswers(error.errors | wrong) from error
        if wrong:
            raise WrongAnswers(wrong)
        self.lab.unlock(passphrase)
        return self.lab.plan(answers, decided)

    def check_field(self, field: AskedQuestion, given: str) -> Wrong | None:
        """What is wrong with one answer."""
        return form.check_field(self.lab.protocol, field, given, self.lab.people())

    def look(self, given: Given, decided: Decided) -> str:
        """What can be told as soon as participant and session are known; nothing while they are not."""
        subject, asked, people = given[SUBJECT].strip(), self._asked(given), self.lab.people()
        if not subject or subject not in (people or {subject}) or (self.with_session and asked is None):
            return ""
        return self.lab.look(subject, asked, decided)

    def explain(self, error: DayFourError, given: Given) -> Problem:
        """What keeps the session from beginning, and what can be decided about it."""
        return self.lab.explain(error, given.get(SUBJECT, "").strip(), self._asked(given))

    @staticmethod
    def _asked(given: Given) -> int | None:
        session = given.get(SESSION, "")
        return int(session) if session.isdecimal() else None


def run_once_fit(start: Start, known: Given, decided: Decided, run_planned: RunPlanned) -> tuple[Ended, Plan]:
    """The session, and how it ended. What keeps it from beginning is shown in the form, which keeps its answers."""
    problem, was_asked = Problem(), not start.is_known(known, decided)
    while True:
        if was_asked:
            known, decided, plan = _ask(start, known, decided, problem)
        else:
            plan = start.check(known, decided)
        before = size_of(plan.transcript)
        try:
            with accounting_for(plan, start.lab.register):
                return run_planned(plan, check_reason(decided.get(RUN_ANYWAY.id))), plan
        except DayFourError as error:
            if not was_asked or size_of(plan.transcript) != before:
                raise  # the session has begun, or continued
            problem = start.explain(error, known)


def _ask(start: Start, known: Given, decided: Decided, problem: Problem) -> tuple[Given, Decided, Plan]:
    """What was typed and decided in the form, and the session; ends here if that is cancelled."""
    from experiment.cli import form_window  # Qt is loaded where a form is shown

    page = form_window.FormPage(
        "Before the session", start.questions(), "Start", start.check, start.check_field, start.look,
        start.explain, known, decided, problem,
    )  # fmt: skip
    filled = form_window.fill_in(page)
    if filled is None:
        say("Cancelled: nothing was saved.")
        raise typer.Exit(ABORTED)
    return filled.given, filled.decided, filled.result


def check_reason(override: str | None) -> str | None:
    """A reason to override something, if there is one; BadInput for one that is no reason."""
    if override is not None and len(override.split()) < 2:
        raise BadInput(f"Please give the reason in words (you wrote {override!r}); it is stored with the data.")
    return override
