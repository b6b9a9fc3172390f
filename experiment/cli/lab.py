"""A real session that is to begin: its files, what the form asks, and what the assistant decided about problems."""

from __future__ import annotations

from dataclasses import dataclass

import typer
from msgspec.structs import replace

from experiment.cli import form
from experiment.cli.after_run import record, say_anchor, say_remade
from experiment.cli.form import Answers, Decided, Given, Problem, Wrong, WrongAnswers
from experiment.cli.terminal import say
from experiment.design.form_questions import AskedQuestion
from experiment.design.protocol import Protocol
from experiment.design.session import check_session, check_subject
from experiment.design.visit import Visit
from experiment.errors import BadInput, DayFourError
from experiment.messages.check import check_set, refuse_errors
from experiment.messages.store import Folder
from experiment.preflight.report import NotFit
from experiment.record.dataset import DataSet
from experiment.record.saved import describe_saved
from experiment.record.transcript import has_begun
from experiment.session import plan as plans
from experiment.session.doubts import Doubtful, find_doubts, waive_doubts
from experiment.storage.encryption import WrongKey
from experiment.study import recording
from experiment.study import sessions as holding
from experiment.study.admission import Refused
from experiment.study.register import Register, utc_now
from experiment.study.snapshot import Snapshot
from experiment.task.layout import MINIMUM_SIZE_PX, Layout

CAUGHT_UP = "the log"  # who tells the register of a session that it had missed
CHECK_AGAIN = "Check again"


@dataclass
class Lab:
    """`folder`: the messages, with their key once the passphrase was given; None for a task that shows none.

    `told`: the register as it was read. `with_session`: whether it is asked which session this is.
    """

    protocol: Protocol
    data: DataSet
    folder: Folder | None
    register: Register | None
    told: Snapshot | None
    seed: int
    with_session: bool

    def questions(self) -> tuple[AskedQuestion, ...]:
        """Everything that the form asks."""
        own = form.fields(self.protocol, with_session=self.with_session)
        return (*own, form.PASSPHRASE) if self._is_locked else own

    def is_known(self, known: Given, decided: Decided) -> bool:
        """Whether nothing is left to ask."""
        asked = form.fields(self._asking(decided), with_session=self.with_session)
        return all(known.get(one.id) for one in asked if one.required)

    def check(self, given: Given, decided: Decided) -> plans.Plan:
        """The session, with all that can be told before a window opens; an error says why it cannot begin."""
        if form.CLOSE.id in decided:
            subject = check_subject(given[form.SUBJECT].strip())
            self.close(subject, self._course(subject, _asked(given)), given[form.OPERATOR].strip())
            raise typer.Exit
        passphrase = given.get(form.PASSPHRASE.id, "")
        wrong = {form.PASSPHRASE.id: form.NO_PASSPHRASE} if self._is_locked and not passphrase else {}
        try:
            answers = form.check(self._asking(decided), given, with_session=self.with_session)
        except WrongAnswers as error:
            raise WrongAnswers(error.errors | wrong) from error
        if wrong:
            raise WrongAnswers(wrong)
        self._unlock(passphrase)
        return self.plan(answers, decided)

    def check_field(self, field: AskedQuestion, given: str) -> Wrong | None:
        """What is wrong with one answer."""
        return form.check_field(field, given, self.protocol, self._people())

    def look(self, given: Given, decided: Decided) -> str:
        """What can be told as soon as participant and session are known; nothing while they are not."""
        subject, asked, people = given[form.SUBJECT].strip(), _asked(given), self._people()
        if not subject or subject not in (people or {subject}) or (self.with_session and asked is None):
            return ""
        return self.look_ahead(subject, asked, decided)

    def look_ahead(self, subject: str, asked: int | None, decided: Decided) -> str:
        """What the assistant should know of this session before the form is filled in; an error says why none can be.

        `asked`: the session, if it was named.
        """
        session = self._session(subject, asked, decided)
        visit = Visit(subject, session) if session and form.RESUME.id not in decided else None
        if visit and (cut := plans.read_interrupted(self.data, visit)):
            raise plans.Interrupted(cut)
        if self.register and self.told:
            return holding.unknown_doses(self.told, subject, self.register.now()) or ""
        return ""

    def plan(self, answers: Answers, decided: Decided) -> plans.Plan:
        """The session that the answers name; an error says why it cannot be run now."""
        who, subject, asked = answers.operator, answers.subject, answers.session
        say_remade(self.data, subject)
        course = self._course(subject, asked)
        earlier = self.data.transcript_of(Visit(subject, course)) if course else None
        if (reason := decided.get(form.BEGIN_AGAIN.id)) and earlier and has_begun(earlier):
            self.set_aside(subject, course, who, reason)
        session = self._session(subject, asked, decided)
        override = decided.get(form.RUN_DESPITE.id)
        shown = self.folder.read(subject) if self.folder else ()
        plan = plans.plan_session(
            "run", self.protocol, shown, self.data, subject=subject, session=session or 0, seed=self.seed,
            operator=who, answers=answers.extra, resume=form.RESUME.id in decided,
        )  # fmt: skip
        doubts = find_doubts(plan, utc_now(), has_register=self.register is not None)
        plan = waive_doubts(plan, doubts, override)
        refuse_errors(check_set(subject, shown, self.protocol, Layout(*MINIMUM_SIZE_PX)))
        if self.register:
            holding.admit(self.register, subject, who, asked=asked, override=override, told=self.told)
        return plan

    def set_aside(self, subject: str, session: int | None, who: str, reason: str) -> None:
        """Set the log of a session aside in which no message was seen, so that it can begin again; say where it is."""
        visit, register = self._visit(subject, session, "--begin-again"), self.register
        if not who:
            raise BadInput("Please add your initials with --operator. They are recorded with the reason.")
        why = recording.meaningful(reason)
        plans.check_unseen(self.data, visit)
        if register:
            register.act(who, lambda told: recording.begin_again(told, visit, why, register.now()))
        kept = plans.set_aside(self.data, visit, why, who, utc_now().isoformat(timespec="seconds"))
        say(f"{visit} is starting again. Its first log is kept:\n  {kept}")

    def close(self, subject: str, session: int | None, who: str) -> None:
        """End an interrupted session as incomplete; with a register, by these initials. BadInput if there is none."""
        visit = self._visit(subject, session, "--close")
        if self.register and not who:
            raise BadInput("Please add your initials with --operator. They are recorded in the study's register.")
        made_again = say_remade(self.data, visit.subject)
        if made_again and plans.read_interrupted(self.data, visit) is None:
            say(f"{visit} was not interrupted, so there is nothing to close.")
            return
        plans.close_as_incomplete(self.data, visit)
        if transcript := self.data.transcript_of(visit):
            say_anchor(transcript, record(self.register, self.data, transcript, who))
            say(f"{visit} has been closed as incomplete. {describe_saved(transcript)}")

    def explain(self, error: DayFourError, given: Given) -> Problem:
        """What keeps a session from beginning, and what the assistant can decide about it."""
        again = (form.BEGIN_AGAIN,) if self._is_unseen(given.get(form.SUBJECT, "").strip(), _asked(given)) else ()
        match error:
            case NotFit():
                return Problem(error.why, (form.RUN_ANYWAY,), CHECK_AGAIN)
            case plans.Interrupted():
                return Problem(error.why, (form.RESUME, form.CLOSE, *again))
            case Doubtful():
                return Problem("\n".join(error.doubts), (form.RUN_DESPITE,))
            case Refused(session=int()):
                return Problem(error.why, (form.RUN_DESPITE,))
        return Problem(str(error), again)

    @property
    def _is_locked(self) -> bool:
        """Whether the passphrase of the messages is needed, and was not given yet."""
        return self.folder is not None and self.folder.is_encrypted and self.folder.key is None

    def _unlock(self, passphrase: str) -> None:
        """Open the messages for the rest of this start; WrongAnswers says so beneath the field."""
        if self.folder is None or not self._is_locked:
            return
        try:
            self.folder = self.folder.unlocked(passphrase)
        except WrongKey:
            raise WrongAnswers({form.PASSPHRASE.id: "Wrong passphrase. Please enter it again."}) from None

    def _asking(self, decided: Decided) -> Protocol:
        """With the questions to ask: a session that is resumed keeps the answers that were given when it began."""
        return replace(self.protocol, assistant=()) if form.RESUME.id in decided else self.protocol

    def _people(self) -> frozenset[str] | None:
        """The subjects who can be meant: those in the register, or else those with messages; None: anybody."""
        if self.told:
            return frozenset(self.told.people)
        if self.folder is None:
            return None
        return frozenset({*self.folder.subjects(), *self.data.labels()})

    def _session(self, subject: str, asked: int | None, decided: Decided) -> int | None:
        """The session to run: the one asked for, or the one that the register lets begin."""
        if not (self.register and self.told):
            return asked
        told = self.register.refresh(self.told)
        self.told, _ = holding.catch_up(self.register, told, self.data, subject, CAUGHT_UP)
        override = decided.get(form.RUN_DESPITE.id)
        return holding.session_today(self.told, subject, self.register.now(), asked=asked, override=override)

    def _visit(self, subject: str, session: int | None, option: str) -> Visit:
        """Which visit it is; BadInput if that is not said."""
        if session is None:
            raise BadInput(f"Please say with {option} which session is meant: --session 1 or --session 2.")
        return Visit(check_subject(subject), check_session(session, self.protocol))

    def _course(self, subject: str, asked: int | None) -> int | None:
        """The session that was named; else the course that the register has this participant in."""
        people = self.told.people if self.told else {}
        return asked or (len(people[subject].starts) or None if subject in people else None)

    def _is_unseen(self, subject: str, asked: int | None) -> bool:
        """Whether the session has a log in which no message was shown."""
        try:
            label, session = check_subject(subject), self._course(subject, asked)
            return session is not None and bool(plans.check_unseen(self.data, Visit(label, session)))
        except BadInput:
            return False


def _asked(given: Given) -> int | None:
    """The session that was named, if it was."""
    session = given.get(form.SESSION, "")
    return int(session) if session.isdecimal() else None
