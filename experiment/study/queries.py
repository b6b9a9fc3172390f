"""The register and the quality assurance: what of it a person should see, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence

from experiment.errors import BadInput
from experiment.qa.findings import Answers, Finding, with_answers
from experiment.study.events import Answered, Entry, Overridden, Unblinded
from experiment.study.recording import meaningful


def findings(entries: Sequence[Entry]) -> tuple[Finding, ...]:
    """Every override and every emergency unblinding, each for a person to see until it was answered afterwards."""
    found = list[Finding]()
    for at, entry in enumerate(entries):
        match entry.act:
            case Overridden(subject=subject, session=session, refused=refused, reason=reason):
                text = f"{entry.who} let a session begin against this: {refused} The reason given: {reason}"
                one = _finding("let_in", subject, session, text)
            case Unblinded(subject=str() as subject, reason=reason):
                text = f"{entry.who} saw this participant's treatments on {entry.utc[:10]}. The reason given: {reason}"
                one = _finding("unblinded", subject, None, text)
            case _:
                continue
        found += with_answers([one], resolutions(entries[at:]))
    return tuple(found)


def resolutions(entries: Sequence[Entry]) -> Answers:
    """What was said of findings, the latest word on each."""
    acts = [(entry.who, entry.act) for entry in entries]
    return {
        (act.kind, act.subject, act.session): f"{who}: {act.reason}" for who, act in acts if isinstance(act, Answered)
    }


def resolved_findings(
    open_findings: Sequence[Finding], kind: str, subject: str | None, session: int | None, reason: str
) -> Answered:
    """The answer to a finding that is open; BadInput if there is none such, or for no reason."""
    if not any((one.kind, one.subject, one.session) == (kind, subject, session) for one in open_findings):
        near = [one for one in open_findings if one.subject == subject or one.kind == kind]
        listed = "".join(f"\n  {place_of(one)}: --finding {one.kind}" for one in near) or " Nothing like it is open."
        raise BadInput(f"Nothing of the kind {kind!r} is open for this participant and session. Open are:{listed}")
    return Answered(kind, subject, session, meaningful(reason))


def place_of(one: Finding) -> str:
    """Whose finding it is, and of which session."""
    parts = (f"sub-{one.subject}" if one.subject else "", f"ses-{one.session}" if one.session else "")
    return " ".join(part for part in parts if part) or "the study"


def _finding(kind: str, subject: str, session: int | None, text: str) -> Finding:
    return Finding(kind, needs_person=True, subject=subject, session=session, place=None, text=text)
