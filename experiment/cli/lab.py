"""What a real session is planned with: the files, and what the assistant decided about problems."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from experiment.cli.after_run import NamedSession, close_session, say_remade, set_session_aside
from experiment.cli.form import PASSPHRASE, Answers, WrongAnswers
from experiment.cli.form_problems import (
    BEGIN_AGAIN,
    CLOSE,
    RESUME,
    RUN_ANYWAY,
    RUN_DESPITE,
    Decided,
    Problem,
)  # fmt: skip
from experiment.design.protocol import Protocol
from experiment.design.session import check_subject
from experiment.design.visit import Visit, subject_label
from experiment.errors import BadInput, DayFourError
from experiment.messages.check import check_set, refuse_errors
from experiment.messages.store import Folder
from experiment.preflight.report import NotFit
from experiment.record.dataset import DataSet
from experiment.record.transcript import has_begun
from experiment.session.again import check_unseen
from experiment.session.doubts import Doubtful, find_doubts, waive_doubts
from experiment.session.plan import Interrupted, Plan, plan_session, read_interrupted
from experiment.storage.encryption import WrongKey
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

    `told`: the register as it was read.
    """

    protocol: Protocol
    data: DataSet
    folder: Folder | None
    register: Register | None
    told: Snapshot | None
    seed: int

    @property
    def is_locked(self) -> bool:
        """Whether the passphrase of the messages is needed, and was not given yet."""
        return self.folder is not None and self.folder.is_encrypted and self.folder.key is None

    def unlock(self, passphrase: str) -> None:
        """Open the messages for the rest of this start; WrongAnswers says so beneath the field."""
        if self.folder is None or not self.is_locked:
            return
        try:
            self.folder = self.folder.unlocked(passphrase)
        except WrongKey:
            raise WrongAnswers({PASSPHRASE.id: "Wrong passphrase. Please enter it again."}) from None

    def people(self) -> frozenset[str] | None:
        """The subjects who can be meant: those in the register, or else those with messages; None: anybody."""
        if self.told:
            return frozenset(self.told.people)
        if self.folder is None:
            return None
        with_data = {label for name in self.data.subjects() if (label := subject_label(name))}
        return frozenset({*self.folder.subjects(), *with_data})

    def look(self, subject: str, asked: int | None, decided: Decided) -> str:
        """What the assistant should know of this session before the form is filled in; an error says why none can be.

        `asked`: the session, if it was named.
        """
        session = self._session(subject, asked, decided)
        if session and RESUME.id not in decided and (cut := read_interrupted(self.data, Visit(subject, session))):
            raise Interrupted(cut)
        if self.register and self.told:
            return holding.unknown_doses(self.told, subject, self.register.now()) or ""
        return ""

    def plan(self, answers: Answers, decided: Decided) -> Plan:
        """The session that the answers name; an error says why it cannot be run now."""
        who, subject, asked = answers.operator, answers.subject, answers.session
        say_remade(self.data, subject)
        if (reason := decided.get(BEGIN_AGAIN.id)) and self._has_begun(subject, asked):
            set_session_aside(self._named(subject, asked, who), reason)
        session = self._session(subject, asked, decided)
        override = decided.get(RUN_DESPITE.id)
        shown = self.folder.read(subject) if self.folder else ()
        plan = plan_session(
            "run", self.protocol, shown, self.data, subject=subject, session=session or 0, seed=self.seed,
            operator=who, answers=answers.extra, resume=RESUME.id in decided,
        )  # fmt: skip
        doubts = find_doubts(plan, utc_now(), has_register=self.register is not None)
        plan = waive_doubts(plan, doubts, override)
        refuse_errors(check_set(subject, shown, self.protocol, Layout(*MINIMUM_SIZE_PX)))
        if self.register:
            holding.admit(self.register, subject, who, asked=asked, override=override, told=self.told)
        return plan

    def close(self, subject: str, asked: int | None, who: str) -> None:
        """End an interrupted session as incomplete, and this start with it."""
        close_session(self._named(subject, asked, who))
        raise typer.Exit

    def explain(self, error: DayFourError, subject: str, asked: int | None) -> Problem:
        """What keeps a session from beginning, and what the assistant can decide about it."""
        again = (BEGIN_AGAIN,) if self._is_unseen(subject, asked) else ()
        match error:
            case NotFit():
                return Problem(error.why, (RUN_ANYWAY,), CHECK_AGAIN)
            case Interrupted():
                return Problem(error.why, (RESUME, CLOSE, *again))
            case Doubtful():
                return Problem("\n".join(error.doubts), (RUN_DESPITE,))
            case Refused(session=int()):
                return Problem(error.why, (RUN_DESPITE,))
        return Problem(str(error), again)

    def _session(self, subject: str, asked: int | None, decided: Decided) -> int | None:
        """The session to run: the one asked for, or the one that the register lets begin."""
        if not (self.register and self.told):
            return asked
        told = self.register.refresh(self.told)
        self.told, _ = holding.catch_up(self.register, told, self.data, subject, CAUGHT_UP)
        override = decided.get(RUN_DESPITE.id)
        return holding.session_today(self.told, subject, self.register.now(), asked=asked, override=override)

    def _named(self, subject: str, asked: int | None, who: str) -> NamedSession:
        session = asked or self._course(subject)
        return NamedSession(self.data, subject, str(session or ""), self.protocol, self.register, who)

    def _course(self, subject: str) -> int | None:
        """The course that the register has this participant in."""
        people = self.told.people if self.told else {}
        return len(people[subject].starts) or None if subject in people else None

    def _has_begun(self, subject: str, asked: int | None) -> bool:
        """Whether there is a log of this session, which was not yet set aside."""
        session = asked or self._course(subject)
        path = self.data.transcript_of(Visit(subject, session)) if session else None
        return path is not None and has_begun(path)

    def _is_unseen(self, subject: str, asked: int | None) -> bool:
        """Whether the session has a log in which no message was shown."""
        try:
            label, session = check_subject(subject), asked or self._course(subject)
            return session is not None and bool(check_unseen(self.data, Visit(label, session)))
        except BadInput:
            return False
