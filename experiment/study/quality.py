"""The register and the quality assurance: what of it a person should see, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence

from experiment.errors import BadInput
from experiment.qa.findings import Answers, Finding
from experiment.study.acts import Answered, Entry, Overridden, Unblinded


def findings(entries: Sequence[Entry]) -> tuple[Finding, ...]:
    """Every override and every emergency unblinding, each for a person to see."""
    found = []
    for entry in entries:
        match entry.act:
            case Overridden(subject=subject, refused=refused, reason=reason):
                text = f"{entry.who} let a session begin against this: {refused} The reason given: {reason}"
                found.append(_of_participant("let_in", subject, text))
            case Unblinded(subject=str() as subject, reason=reason):
                text = f"{entry.who} saw this participant's treatments on {entry.utc[:10]}. The reason given: {reason}"
                found.append(_of_participant("unblinded", subject, text))
    return tuple(found)


def answers(entries: Sequence[Entry]) -> Answers:
    """What was said of findings, the latest word on each."""
    acts = [(entry.who, entry.act) for entry in entries]
    return {
        (act.kind, act.subject, act.session): f"{who}: {act.reason}" for who, act in acts if isinstance(act, Answered)
    }


def answered(
    open_findings: Sequence[Finding], kind: str, subject: str | None, session: int | None, reason: str
) -> Answered:
    """The answer to a finding that is open; BadInput if there is none such, or for no reason."""
    if not reason.strip():
        raise BadInput("Expected --reason with what the finding turned out to be.")
    if not any((one.kind, one.subject, one.session) == (kind, subject, session) for one in open_findings):
        kinds = sorted({one.kind for one in open_findings if (one.subject, one.session) == (subject, session)})
        there = f"Open there: {', '.join(kinds)}." if kinds else "Nothing is open there."
        raise BadInput(f"Nothing of the kind {kind!r} is open for this participant and session. {there}")
    return Answered(kind, subject, session, reason)


def _of_participant(kind: str, subject: str, text: str) -> Finding:
    return Finding(kind, needs_person=True, subject=subject, session=None, place=None, text=text)
