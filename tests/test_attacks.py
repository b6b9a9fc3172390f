"""Attacks on a study's register, sealed files, sessions and lock, each carried out on a copy: none goes unseen.

Who attacks has all files and this very program, makes every digest, head and table anew, and lacks the two private
keys, the paper with the anchors, and nothing else. `ANCHOR` marks what nothing inside the files can show.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.storage import encryption
from experiment.study import agreement, seals, setup, unblinding
from experiment.study.allocation import draw
from experiment.study.events import Unblinded
from experiment.study.location import find_register, register_in
from experiment.study.register import ALLOCATION, HEAD, KITS, PACKING, REGISTER, Register
from experiment.study.seals import Forged, try_key
from experiment.study.setup import Allocation, places
from tests.attacker import (
    Attack,
    Attacked,
    copy_of,
    each,
    events_of,
    is_about,
    is_act,
    is_held,
    new_keys,
    new_study,
    seal,
)
from tests.registers import STUDY

ANCHOR = {"anchor"}
LATE, BOTH, GONE, ABSENT = "sim00001", "sim00002", "sim00003", "sim00004"
FIRST, SECOND, OTHER, MISSED = Visit(BOTH, 1), Visit(BOTH, 2), Visit(LATE, 1), Visit(ABSENT, 1)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """Four participants: one forgot a dose, one has all, one left after session 1, one never came to session 1."""
    return new_study(tmp_path_factory.mktemp("study") / "data", new_keys())


@pytest.fixture(scope="module")
def locked(study: Attacked, tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """The same, locked."""
    copy = copy_of(study, tmp_path_factory.mktemp("locked") / "data")
    unblinding.lock(copy.register(), copy.data, "PI", tuple)
    return copy


def is_noticed(one: Attacked, attack: Attack, expected: set[str]) -> None:
    """The attack is noticed by all that is expected; by nothing but an anchor, where that alone is."""
    attack(one)
    noticed = one.noticed_by()
    assert expected <= noticed
    assert expected != ANCHOR or noticed == ANCHOR


# --- The register ---


def cut(one: Attacked, lines: int) -> bytes:
    """What is left of the register after so many lines; written without its head."""
    content = b"".join((one.study / REGISTER).read_bytes().splitlines(keepends=True)[:lines])
    (one.study / REGISTER).write_bytes(content)
    return content


def roll_back(one: Attacked, lines: int) -> None:
    """An older register with the head of its time."""
    one.write_head(cut(one, lines))


def without_head(one: Attacked, lines: int = 999) -> None:
    """The head is deleted, and the register cut."""
    (one.study / HEAD).unlink()
    cut(one, lines)


def delete_study(one: Attacked) -> None:
    """Every file in the register's folder is deleted."""
    for path in one.study.iterdir():
        path.unlink()


def scribble(path: Path, old: bytes, new: bytes) -> None:
    """Other bytes in a file, and no digest made anew."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def take_out(one: Attacked, *subjects: str) -> None:
    """Nothing about these participants stands in the register any more."""
    one.drop(lambda entry: entry["act"].get("subject") in subjects)


def set_utc(one: Attacked, number: int, utc: str) -> None:
    """The time of an entry, numbered from 0 or from the end."""
    entries = one.entries()
    entries[number]["utc"] = utc
    one.write_register(entries)


def swap_people(one: Attacked) -> None:
    """Two participants' places with their kits are exchanged, wherever they stand."""
    entries = one.entries()
    first, second = (next(e["act"] for e in entries if is_act("enrolled", subject=s)(e)) for s in (LATE, GONE))
    given = {LATE: dict(second), GONE: dict(first)}
    for entry in entries:
        act = entry["act"]
        if act["act"] == "enrolled" and act["subject"] in given:
            act |= {name: given[act["subject"]][name] for name in ("stratum", "place", "kits")}
        if act["act"] == "started" and act["subject"] in given:
            act["kit"] = given[act["subject"]]["kits"][act["course"] - 1]
    one.write_register(entries)
    rows = DataSet(one.data).root / "participants.tsv"
    rows.unlink()


def elsewhere(one: Attacked, *, keep: bool = False) -> None:
    """The data set is led to another register: an older copy of its own, in the attacker's folder."""
    forged = one.data.parent / "forged"
    shutil.copytree(one.study, forged)
    roll_back(Attacked(forged, (), one.keys), 9) if (forged / "study").exists() else None
    content = b"".join((forged / REGISTER).read_bytes().splitlines(keepends=True)[:9])
    (forged / REGISTER).write_bytes(content)
    head = {"size": len(content), "sha256": sha256(content).hexdigest()}
    (forged / HEAD).write_bytes(msgspec.json.encode(head))
    if not keep:
        shutil.rmtree(one.study)
        one.study.mkdir()
    (one.study / "elsewhere.txt").write_text(f"{forged}\n", encoding="utf-8")


def reorder(one: Attacked, first: int, second: int) -> None:
    """Two entries take each other's place."""
    entries = one.entries()
    entries[first], entries[second] = entries[second], entries[first]
    one.write_register(entries)


def resolve(one: Attacked, kind: str, visit: Visit) -> None:
    """Somebody says of a finding that all is well; everybody sees that they did."""
    act = {"act": "answered", "kind": kind, "subject": visit.subject, "session": visit.session, "reason": "all is well"}
    one.write_register([*one.entries(), {**one.entries()[-1], "act": act}])


def double(one: Attacked) -> None:
    """An entry stands there twice."""
    entries = one.entries()
    one.write_register([*entries[:5], entries[4], *entries[5:]])


def never_happened(one: Attacked) -> None:
    """A session that was held becomes one to which nobody came."""
    one.edit(is_held(FIRST), lambda entry: entry["act"].update(status="never_held", last_line_sha256=None))


REGISTER_ATTACKS: dict[str, tuple[Attack, set[str]]] = {
    "head deleted": (without_head, {"register"}),
    "head deleted, first line kept": (lambda one: without_head(one, 1), {"register"}),
    "head deleted, two lines kept": (lambda one: without_head(one, 2), {"register"}),
    "head of an empty register, first line kept": (
        each(lambda one: cut(one, 1), lambda one: one.write_head(b"")), {"stranger", "anchor"},
    ),
    "head of an empty register": (lambda one: one.write_head(b""), {"register"}),
    "head is no JSON": (lambda one: (one.study / HEAD).write_bytes(b"{"), {"register"}),
    "register deleted": (lambda one: (one.study / REGISTER).unlink(), {"register"}),
    "register emptied": (lambda one: (one.study / REGISTER).write_bytes(b""), {"register"}),
    "register emptied, head deleted": (lambda one: without_head(one, 0), {"register"}),
    "all of the study deleted": (delete_study, {"register"}),
    "last line cut off": (lambda one: cut(one, len(one.entries()) - 1), {"register"}),
    "last line cut off, head of its time": (lambda one: roll_back(one, len(one.entries()) - 1), {"unrecorded"}),
    "rolled back to the middle": (lambda one: roll_back(one, 25), {"unrecorded"}),
    "rolled back to the beginning": (lambda one: roll_back(one, 1), {"stranger"}),
    "initials changed": (
        lambda one: scribble(one.study / REGISTER, b'"who":"RA1"', b'"who":"RA2"'), {"register"},
    ),
    "initials changed, linked anew": (lambda one: one.edit(is_about(LATE), lambda e: e.update(who="RA9")), ANCHOR),
    "a held session becomes one never held": (never_happened, {"unrecorded"}),
    "a session never held becomes completed": (
        lambda one: one.edit(is_held(MISSED), lambda e: e["act"].update(status="completed")), {"lost_data"},
    ),
    "a session taken out": (lambda one: one.drop(is_held(SECOND)), {"unrecorded"}),
    "a participant taken out": (lambda one: take_out(one, BOTH), {"stranger"}),
    "all participants taken out": (lambda one: take_out(one, LATE, BOTH, GONE, ABSENT), {"stranger"}),
    "a participant renamed": (
        lambda one: one.edit(is_about(BOTH), lambda e: e["act"].update(subject="sim00009")), {"stranger", "lost_data"},
    ),
    "a session's day moved by three years": (
        lambda one: one.edit(is_held(FIRST), lambda e: e["act"].update(day="2003-01-13")), {"other_day"},
    ),
    "a session's day moved by a day": (
        lambda one: one.edit(is_held(FIRST), lambda e: e["act"].update(day="2000-01-12")), {"other_day"},
    ),
    "a completed session becomes an aborted one": (
        lambda one: one.edit(is_held(FIRST), lambda e: e["act"].update(status="aborted")), {"other_end"},
    ),
    "a session's digest changed": (
        lambda one: one.edit(is_held(FIRST), lambda e: e["act"].update(last_line_sha256="0" * 64)), {"exchanged"},
    ),
    "a session's digest taken out": (
        lambda one: one.edit(is_held(SECOND), lambda e: e["act"].update(last_line_sha256=None)), {"exchanged"},
    ),
    "all digests taken out": (
        lambda one: one.edit(is_act("session_held"), lambda e: e["act"].update(last_line_sha256=None)), ANCHOR,
    ),
    "sessions 1 and 2 exchanged in the register": (
        lambda one: one.edit(lambda e: is_about(BOTH)(e) and "session" in e["act"],
                             lambda e: e["act"].update(session=3 - e["act"]["session"])), {"register"},
    ),
    "an entry twice": (double, {"register"}),
    "two entries exchanged": (lambda one: reorder(one, 8, 11), {"register_clock"}),
    "the beginning at the end": (lambda one: reorder(one, 0, -1), {"register"}),
    "the beginning taken out": (lambda one: one.write_register(one.entries()[1:]), {"register"}),
    "the beginning twice": (lambda one: one.write_register([one.entries()[0], *one.entries()]), {"register"}),
    "another version's register": (
        lambda one: one.edit(is_act("begun"), lambda e: e["act"].update(schema=2)), {"register"},
    ),
    "consent taken out": (lambda one: one.drop(is_act("consented", subject=BOTH)), {"register"}),
    "consent moved before enrolment": (
        lambda one: one.edit(is_act("consented", subject=BOTH), lambda e: e["act"].update(day="1999-01-01")),
        {"listed"},
    ),
    "a missed dose becomes taken": (
        lambda one: one.edit(is_act("dosed"), lambda e: e["act"].update(taken=True)), ANCHOR,
    ),
    "a start moved by weeks": (
        lambda one: one.edit(is_act("started", subject=BOTH), lambda e: e["act"].update(day="2000-03-01")),
        {"register"},
    ),
    "an override taken out": (lambda one: one.drop(is_act("overridden")), ANCHOR),
    "the reason of an override changed": (
        lambda one: one.edit(is_act("overridden"), lambda e: e["act"].update(reason="agreed")), ANCHOR,
    ),
    "a withdrawal taken out": (lambda one: one.drop(is_act("withdrew")), {"listed"}),
    "a participant's kits exchanged": (
        lambda one: one.edit(is_act("enrolled", subject=ABSENT), lambda e: e["act"]["kits"].reverse()), {"register"},
    ),
    "a participant given other kits": (
        lambda one: one.edit(is_act("enrolled", "started", subject=ABSENT), other_kits), {"sealed", "seals"},
    ),
    "two participants' places exchanged": (swap_people, {"listed"}),
    "led elsewhere, beside its own register": (lambda one: elsewhere(one, keep=True), {"register"}),
    "led elsewhere, to an older copy": (elsewhere, {"stranger"}),
    "an entry dated 2099": (lambda one: set_utc(one, -1, "2099-01-01T00:00:00.000+00:00"), {"register_clock"}),
    "an entry dated 40 days back": (lambda one: set_utc(one, -1, "1999-12-20T00:00:00.000+00:00"), {"register_clock"}),
    "an entry dated an hour back": (lambda one: set_utc(one, 30, "2000-01-01T00:00:00.000+00:00"), {"register_clock"}),
    "an entry without a time": (lambda one: set_utc(one, -1, "yesterday"), {"register"}),
    "an entry before the first year": (lambda one: set_utc(one, 3, "0001-01-01T00:00:00+14:00"), {"register"}),
    "an entry after the last year": (lambda one: set_utc(one, -1, "9999-12-31T23:59:59-14:00"), {"register"}),
    "a finding resolved that nobody had": (lambda one: resolve(one, "exchanged", FIRST), set()),
}  # fmt: skip


def other_kits(entry: dict[str, dict[str, object]]) -> None:
    """Kits that lie ready for nobody, in enrolment and start."""
    act = entry["act"]
    forged = draw(STUDY, b"forged" * 6)[0].kits
    act |= {"kits": list(forged)} if act["act"] == "enrolled" else {"kit": forged[int(str(act["course"])) - 1]}


@pytest.mark.parametrize("name", REGISTER_ATTACKS)
def test_attacks_on_the_register(study: Attacked, tmp_path: Path, name: str) -> None:
    """Whatever is cut off, changed, exchanged or dated otherwise in the register is noticed."""
    is_noticed(copy_of(study, tmp_path / "data"), *REGISTER_ATTACKS[name])


# --- The sealed files ---


def replace_sealed(one: Attacked, **contents: bytes) -> None:
    """Other files beside the register, with their digests in it made anew."""
    names = {"allocation": ALLOCATION, "packing": PACKING, "kits": KITS}
    for kind, content in contents.items():
        (one.study / names[kind]).write_bytes(content)
    digests = {f"{kind}_sha256": sha256(content).hexdigest() for kind, content in contents.items()}
    one.edit(is_act("begun"), lambda entry: entry["act"].update(digests))


def real_slots(one: Attacked) -> Allocation:
    """The allocation, which only the key holder can open."""
    return msgspec.json.decode(
        encryption.decrypt((one.study / ALLOCATION).read_bytes(), one.keys.unblinder), type=Allocation
    )


def forge_allocation(one: Attacked, secret: bytes = b"forged" * 6, *, real_kits: bool = False, also: str = "") -> None:
    """An allocation of the attacker's, sealed for the key holder, with the real kits or its own."""
    slots = draw(STUDY, secret)
    if real_kits:
        kits = {(slot.stratum, slot.place): slot.kits for slot in register_in(one.data).kits()}
        slots = tuple(msgspec.structs.replace(slot, kits=kits[slot.stratum, slot.place]) for slot in slots)
    packing = sha256((one.study / PACKING).read_bytes()).hexdigest()
    sealed = seal(Allocation(secret, STUDY, slots, packing), one.keys.publics[0], *([also] if also else []))
    contents = {"allocation": sealed}
    if not real_kits:
        contents["kits"] = msgspec.json.encode(places(slots))
    replace_sealed(one, **contents)


def reseal_for_two(one: Attacked) -> None:
    """The very allocation (as only an insider at the beginning could have it), sealed for a second key too."""
    replace_sealed(one, allocation=seal(real_slots(one), one.keys.publics[0], new_keys().publics[0]))


def forge_packing(one: Attacked, treatments: tuple[str, str], *, real_kits: bool = True) -> None:
    """A packing list of the attacker's, sealed for the pharmacy."""
    kits = register_in(one.data).kits() if real_kits else places(draw(STUDY, b"forged" * 6))
    rows = sorted(
        (
            {"kit": kit, "stratum": slot.stratum, "course": course, "treatment": treatments[course - 1]}
            for slot in kits
            for course, kit in enumerate(slot.kits, 1)
        ),
        key=lambda row: str(row["kit"]),
    )
    replace_sealed(one, packing=seal(rows, one.keys.publics[1]))


def another_study(one: Attacked) -> None:
    """The sealed files of another study of the same key holder."""
    other = one.data.parent / "other"
    setup.set_up(Register(other), STUDY, *one.keys.publics, "PI")
    replace_sealed(one, allocation=(other / ALLOCATION).read_bytes(), packing=(other / PACKING).read_bytes(),
                   kits=(other / KITS).read_bytes())  # fmt: skip


def change_plan(one: Attacked, **changes: object) -> None:
    """Another plan in the register's first line."""
    one.edit(is_act("begun"), lambda entry: entry["act"]["plan"].update(changes))


def change_kits(one: Attacked, *, anew: bool) -> None:
    """Two kits of places that nobody has yet are exchanged in the open list."""
    kits = msgspec.json.decode((one.study / KITS).read_bytes())
    kits[20]["kits"], kits[21]["kits"] = kits[21]["kits"], kits[20]["kits"]
    content = msgspec.json.encode(kits)
    replace_sealed(one, kits=content) if anew else (one.study / KITS).write_bytes(content)


DRUG, PLACEBO = STUDY.treatments
SEAL_ATTACKS: dict[str, tuple[Attack, set[str]]] = {
    "the treatments exchanged in the plan": (lambda one: change_plan(one, treatments=[PLACEBO, DRUG]), {"seals"}),
    "another seed in the plan": (lambda one: change_plan(one, seed=99), {"seals"}),
    "more places in the plan": (lambda one: change_plan(one, participants=41), {"seals"}),
    "another name of the study": (lambda one: change_plan(one, name="Another study"), {"seals"}),
    "an allocation of one's own": (forge_allocation, {"seals", "sealed"}),
    "orders of one's own with the real kits": (lambda one: forge_allocation(one, real_kits=True), {"seals"}),
    "... sealed for two": (
        lambda one: forge_allocation(one, real_kits=True, also=new_keys().publics[0]), {"seals"},
    ),
    "the real allocation, sealed for two": (reseal_for_two, {"seals"}),
    "the allocation of another study": (another_study, {"seals", "sealed"}),
    "an allocation without a secret": (
        lambda one: replace_sealed(one, allocation=seal({"plan": STUDY}, one.keys.publics[0])), {"seals"},
    ),
    "an allocation that is no JSON": (
        lambda one: replace_sealed(one, allocation=encryption.encrypt(b"nothing", [one.keys.publics[0]])), {"seals"},
    ),
    "an allocation for the attacker's key": (
        lambda one: replace_sealed(one, allocation=seal({}, new_keys().publics[0])), {"seals"},
    ),
    "an allocation cut short, linked anew": (
        lambda one: replace_sealed(one, allocation=(one.study / ALLOCATION).read_bytes()[:-40]), {"seals"},
    ),
    "an allocation cut short": (
        lambda one: (one.study / ALLOCATION).write_bytes((one.study / ALLOCATION).read_bytes()[:-40]), {"sealed"},
    ),
    "the allocation deleted": (lambda one: (one.study / ALLOCATION).unlink(), {"sealed"}),
    "the packing list deleted": (lambda one: (one.study / PACKING).unlink(), {"sealed"}),
    "the kits deleted": (lambda one: (one.study / KITS).unlink(), {"sealed"}),
    "a packing list with the treatments exchanged": (lambda one: forge_packing(one, (PLACEBO, DRUG)), {"seals"}),
    "a packing list of the drug alone": (lambda one: forge_packing(one, (DRUG, DRUG)), {"seals"}),
    "a packing list of other treatments": (lambda one: forge_packing(one, ("aspirin", DRUG)), {"seals"}),
    "a packing list of other kits": (lambda one: forge_packing(one, (DRUG, PLACEBO), real_kits=False), {"seals"}),
    "the packing list and the allocation exchanged": (
        lambda one: replace_sealed(one, allocation=(one.study / PACKING).read_bytes(),
                                   packing=(one.study / ALLOCATION).read_bytes()), {"seals"},
    ),
    "kits of free places exchanged": (lambda one: change_kits(one, anew=False), {"sealed"}),
    "kits of free places exchanged, linked anew": (lambda one: change_kits(one, anew=True), {"seals"}),
    "another key holder named": (
        lambda one: one.edit(is_act("begun"), lambda e: e["act"].update(unblinder=new_keys().publics[0])), ANCHOR,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEAL_ATTACKS)
def test_attacks_on_the_sealed_files(study: Attacked, tmp_path: Path, name: str) -> None:
    """Whoever opens a sealed file learns that it is not the study's, and is shown nothing of it."""
    attack, expected = SEAL_ATTACKS[name]
    one = copy_of(study, tmp_path / "data")
    attack(one)
    assert expected <= one.noticed_by()
    if "seals" in expected and "packing" not in name:
        before = (one.study / REGISTER).read_bytes()
        with pytest.raises(BadInput):
            unblinding.unblind_one(one.register(), one.keys.unblinder, "PI", BOTH, "an emergency")
        assert (one.study / REGISTER).read_bytes() == before


def test_a_key_is_tried_and_nothing_is_recorded(study: Attacked, tmp_path: Path) -> None:
    """Each key says what it opens; another's opens nothing; a forged file is named; the files stay as they are."""
    one = copy_of(study, tmp_path / "data")
    register, told = one.register(), one.register().read()
    before = {path: path.read_bytes() for path in one.study.iterdir()}
    assert try_key(register, told, one.keys.unblinder) == ALLOCATION
    assert try_key(register, told, one.keys.pharmacy) == PACKING
    assert try_key(register, told, new_keys().unblinder) is None
    assert {path: path.read_bytes() for path in one.study.iterdir()} == before
    forge_allocation(one, real_kits=True)
    with pytest.raises(Forged, match="do not match its secret"):
        try_key(one.register(), one.register().read(), one.keys.unblinder)


def test_the_real_study_opens(study: Attacked, tmp_path: Path) -> None:
    """Without an attack nobody notices anything, and the treatments are shown."""
    one = copy_of(study, tmp_path / "data")
    assert one.noticed_by() == set()
    shown = unblinding.unblind_one(one.register(), one.keys.unblinder, "PI", BOTH, "an emergency")
    assert sorted(shown) == sorted(STUDY.treatments)
    assert isinstance(one.register().entries()[-1].act, Unblinded)


# --- The sessions ---

Change = Callable[[list[dict[str, object]]], object]


def edit_transcript(one: Attacked, visit: Visit, change: Change, *, anew: bool) -> None:
    """Other events in a transcript: linked anew with new tables, or as they are."""
    told = events_of(one.transcript(visit))
    before = one.transcript(visit).read_bytes().splitlines(keepends=True)
    change(told)
    if anew:
        one.forge(visit, told)
        return
    lines = [msgspec.json.decode(line, type=dict) | {"event": event} for line, event in zip(before, told, strict=False)]
    one.transcript(visit).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def rate_high(told: list[dict[str, object]]) -> None:
    """Every answer of the first question becomes the highest."""
    for event in told:
        if event["event"] == "rated" and event["question"] == "connection":
            event["value"] = 7


def delete_of(one: Attacked, visit: Visit, *, tables: bool = False, row: bool = False) -> None:
    """A session's log, and what follows from it."""
    one.transcript(visit).unlink()
    if tables:
        shutil.rmtree(one.data / visit.folder)
    if row:
        path = DataSet(one.data).sessions(visit.subject)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if f"ses-{visit.session}\t" not in line), encoding="utf-8")


def move_time(utc: str) -> Callable[[list[dict[str, object]]], None]:
    """The session began at another time."""
    return lambda told: told[0].update(zero_utc=utc)


def end_early(told: list[dict[str, object]]) -> None:
    """The second half is taken out, and the assistant is said to have ended it."""
    del told[len(told) // 2 :]
    told.append({"event": "ended", "status": "aborted", "reason": "other"})


def edit_text(path: Path, old: str, new: str) -> None:
    """Other words in a table."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def table_of(one: Attacked, visit: Visit) -> Path:
    """The session's trial table."""
    path = DataSet(one.data).table_of(visit)
    assert path is not None
    return path


def raise_cell(one: Attacked) -> None:
    """One rating in the table."""
    path = table_of(one, FIRST)
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    at = rows[0].index("connection")
    rows[1][at] = "1" if rows[1][at] == "7" else "7"
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def exchange_with_seed(one: Attacked) -> None:
    """Sessions exchanged, with a seed that gives the recorded order, found by trying, and the register's digests."""
    one.exchange(FIRST, SECOND)
    for visit in (FIRST, SECOND):
        told = events_of(one.transcript(visit))
        find_seed(told)
        one.forge(visit, told)
    one.record_digests()


def find_seed(told: list[dict[str, object]]) -> None:
    """A seed with which a relabelled session is drawn as it is recorded."""
    from msgspec.structs import replace

    from experiment.design.session import redraw
    from tests.attacker import decoded

    (started,) = decoded(told[:1])
    plan = started.session  # type: ignore[union-attr]
    seed = next(n for n in range(1, 100_000) if redraw(replace(plan, seed=n)) == plan.trials)
    told[0]["session"] |= {"seed": seed}  # type: ignore[operator]


def roll_back_log(one: Attacked) -> None:
    """The log as it was when the session was half done, as from a copy, with its tables."""
    told = events_of(one.transcript(FIRST))
    one.forge(FIRST, told[: len(told) // 2])


def second_log(one: Attacked) -> None:
    """Another log of the same visit, of another task."""
    path = one.transcript(FIRST)
    shutil.copy(path, path.with_name(path.name.replace("lovedones", "other")))


def add_stranger(one: Attacked) -> None:
    """Somebody who is not enrolled answered the closing questions."""
    path = DataSet(one.data).funnel
    path.parent.mkdir(exist_ok=True)
    path.write_text("participant_id\tguess\nsub-X1\tdrug\n", encoding="utf-8")


def habit_of(visit: Visit, habit: str) -> Attack:
    """A session held again by somebody else, in the place of the real one."""
    return each(
        lambda one: shutil.rmtree(one.transcript(visit).parent),
        lambda one: shutil.rmtree(one.data / visit.folder),
        lambda one: one.hold(visit, habit, "2000-01-13T13:00:00.000+00:00"),
    )


SESSION_ATTACKS: dict[str, tuple[Attack, set[str]]] = {
    "a rating changed": (lambda one: edit_transcript(one, FIRST, rate_high, anew=False), {"verify"}),
    "a rating changed, linked anew": (
        lambda one: edit_transcript(one, FIRST, rate_high, anew=True), {"verify", "exchanged"},
    ),
    "a rating changed, linked anew, with the register's digest": (
        each(lambda one: edit_transcript(one, FIRST, rate_high, anew=True), Attacked.record_digests), {"verify"},
    ),
    "a session held again by somebody else": (habit_of(FIRST, "slow"), {"exchanged"}),
    "a session held again by somebody else, with the register's digest": (
        each(habit_of(FIRST, "slow"), Attacked.record_digests), ANCHOR,
    ),
    "a session held again by somebody else, and the finding resolved": (
        each(habit_of(FIRST, "slow"), lambda one: resolve(one, "exchanged", FIRST)), ANCHOR,
    ),
    "two sessions of one person exchanged": (lambda one: one.exchange(FIRST, SECOND), {"verify", "exchanged"}),
    "... with the register's digests": (
        each(lambda one: one.exchange(FIRST, SECOND), Attacked.record_digests), {"verify", "anchor"},
    ),
    "... and a seed that fits": (exchange_with_seed, ANCHOR),
    "sessions of two persons exchanged": (lambda one: one.exchange(FIRST, OTHER), {"verify", "exchanged"}),
    "sessions of two persons exchanged, with the digests": (
        each(lambda one: one.exchange(FIRST, OTHER), Attacked.record_digests), {"verify", "anchor"},
    ),
    "logs exchanged, not relabelled": (
        lambda one: swap_files(one.transcript(FIRST), one.transcript(SECOND)), {"verify", "exchanged"},
    ),
    "a log deleted": (lambda one: delete_of(one, FIRST), {"verify", "lost_data"}),
    "a log with its tables deleted": (lambda one: delete_of(one, FIRST, tables=True), {"lost_data"}),
    "a session deleted without a trace": (lambda one: delete_of(one, FIRST, tables=True, row=True), {"lost_data"}),
    "a participant's folders deleted": (
        each(lambda one: shutil.rmtree(one.data / f"sub-{BOTH}"),
             lambda one: shutil.rmtree(one.data / "sourcedata" / f"sub-{BOTH}")), {"lost_data"},
    ),
    "two sessions deleted": (
        each(*(partial(delete_of, visit=visit, tables=True) for visit in (SECOND, OTHER))), {"lost_data"},
    ),
    "the last line cut off": (
        lambda one: edit_transcript(one, FIRST, lambda told: told.pop(), anew=False), {"verify", "exchanged"},
    ),
    "a session ended early": (lambda one: edit_transcript(one, FIRST, end_early, anew=True), {"exchanged"}),
    "an aborted end becomes completed": (
        lambda one: edit_transcript(one, FIRST, lambda told: told[-1].update(status="aborted"), anew=True),
        {"exchanged"},
    ),
    "lines added after the end": (
        lambda one: edit_transcript(one, FIRST, lambda told: told.append(dict(told[-1])), anew=True), {"exchanged"},
    ),
    "a day moved by three years": (
        lambda one: edit_transcript(one, FIRST, move_time("2003-01-13T13:00:00.000+00:00"), anew=True),
        {"other_day", "exchanged", "verify"},
    ),
    "a time moved by an hour": (
        lambda one: edit_transcript(one, FIRST, move_time("2000-01-13T12:00:00.000+00:00"), anew=True), {"exchanged"},
    ),
    "session 2 before session 1, with the digests": (
        each(lambda one: edit_transcript(one, SECOND, move_time("2000-01-02T12:00:00.000+00:00"), anew=True),
             lambda one: one.edit(is_held(SECOND), lambda e: e["act"].update(day="2000-01-02")),
             Attacked.record_digests), {"verify"},
    ),
    "another assistant": (
        lambda one: edit_transcript(one, FIRST, lambda told: told[0].update(operator="RA9"), anew=True), {"exchanged"},
    ),
    "another participant's name in the log": (
        lambda one: edit_transcript(one, FIRST, lambda told: one.relabel(told, OTHER) and None, anew=False), {"verify"},
    ),
    "a log as of half the session": (roll_back_log, {"exchanged"}),
    "a second log of a visit": (second_log, {"verify"}),
    "a session that never was": (lambda one: one.hold(MISSED, utc="2000-01-13T13:00:00.000+00:00"), {"unrecorded"}),
    "a session after a withdrawal": (lambda one: one.hold(Visit(GONE, 2)), {"stranger"}),
    "a session of somebody unknown": (lambda one: one.hold(Visit("X1", 1)), {"stranger"}),
    "a cell of a table changed": (raise_cell, {"verify"}),
    "a table deleted": (lambda one: table_of(one, FIRST).unlink(), {"verify"}),
    "tables of two sessions exchanged": (
        lambda one: swap_files(table_of(one, FIRST), table_of(one, SECOND)), {"verify"},
    ),
    "a table of another session in its place": (
        lambda one: shutil.copy(table_of(one, OTHER), table_of(one, FIRST)), {"verify"},
    ),
    "a scale explained the other way round": (
        lambda one: edit_text(table_of(one, FIRST).with_suffix(".json"), "Not at all", "Extremely"), {"verify"},
    ),
    "a session's row deleted": (
        lambda one: edit_text(DataSet(one.data).sessions(BOTH), "ses-1", "ses-9"), {"verify"},
    ),
    "a session's row dated otherwise": (
        lambda one: edit_text(DataSet(one.data).sessions(BOTH), "2000-01-13", "2000-01-12"), {"verify"},
    ),
    "a participant in another stratum": (
        lambda one: edit_text(one.data / "participants.tsv", "north", "south"), {"listed"},
    ),
    "participants.tsv deleted": (lambda one: (one.data / "participants.tsv").unlink(), {"listed"}),
    "answers of somebody unknown": (add_stranger, {"stranger"}),
}  # fmt: skip


def swap_files(first: Path, second: Path) -> None:
    """Two files take each other's name."""
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)


@pytest.mark.parametrize("name", SESSION_ATTACKS)
def test_attacks_on_sessions(study: Attacked, tmp_path: Path, name: str) -> None:
    """Whatever is changed, exchanged, deleted, added or rolled back in the data is noticed."""
    is_noticed(copy_of(study, tmp_path / "data"), *SESSION_ATTACKS[name])


# --- After the lock ---


def narrow_lock(one: Attacked) -> None:
    """A lock that covers nothing, linked anew, over a changed table."""
    raise_cell(one)
    one.edit(is_act("locked"), lambda e: e["act"].update(patterns=[], data_sha256=sha256(b"").hexdigest()))


LOCK_ATTACKS: dict[str, Attack] = {
    "a cell changed": raise_cell,
    "a table deleted": lambda one: table_of(one, FIRST).unlink(),
    "a table added": lambda one: shutil.copy(table_of(one, FIRST), table_of(one, FIRST).with_name("sub-X_beh.tsv")),
    "a log deleted": lambda one: one.transcript(FIRST).unlink(),
    "a log changed, with its tables": lambda one: edit_transcript(one, FIRST, rate_high, anew=True),
    "two sessions exchanged": lambda one: one.exchange(FIRST, SECOND),
    "a session deleted without a trace": lambda one: delete_of(one, FIRST, tables=True, row=True),
    "the assistant's answers changed": lambda one: edit_text(DataSet(one.data).sessions(BOTH), "RA", "RB"),
    "closing answers added": add_stranger,
    "daily reports added": lambda one: (one.data / "sourcedata" / "daily.jsonl").write_text("{}\n"),
    "a column explained otherwise": lambda one: edit_text(
        table_of(one, FIRST).with_suffix(".json"), "Not at all", "Extremely"
    ),
    "participants.tsv changed": lambda one: edit_text(one.data / "participants.tsv", "north", "south"),
    "the list of files changed too": each(raise_cell, lambda one: (one.study / "locked_sha256.txt").write_text("")),
    "the list of files deleted too": each(raise_cell, lambda one: (one.study / "locked_sha256.txt").unlink()),
    "a lock that covers nothing": narrow_lock,
    "the lock taken out": lambda one: one.drop(is_act("locked")),
}  # fmt: skip


@pytest.mark.parametrize("name", LOCK_ATTACKS)
def test_what_was_locked_is_what_is_unblinded(locked: Attacked, tmp_path: Path, name: str) -> None:
    """After the lock, nothing is unblinded that was changed, added or deleted since; nothing is recorded."""
    one, out = copy_of(locked, tmp_path / "data"), tmp_path / "treatments.tsv"
    LOCK_ATTACKS[name](one)
    before = (one.study / REGISTER).read_bytes()
    with pytest.raises(BadInput):
        unblinding.unblind_all(one.register(), one.data, one.keys.unblinder, "PI", "end", out)
    assert not out.exists()
    assert (one.study / REGISTER).read_bytes() == before


def test_locked_data_are_unblinded_as_they_are(locked: Attacked, tmp_path: Path) -> None:
    """Without an attack the treatments of all four are written."""
    one, out = copy_of(locked, tmp_path / "data"), tmp_path / "treatments.tsv"
    assert unblinding.unblind_all(one.register(), one.data, one.keys.unblinder, "PI", "end", out) == 4


# --- What the program itself refuses to do ---


def test_an_emptied_register_gives_no_kit_twice(study: Attacked, tmp_path: Path) -> None:
    """However the register was emptied: nobody is enrolled, no study begins in its place, nothing is overwritten."""
    empty: list[Attack] = [
        lambda one: without_head(one, 1),
        lambda one: without_head(one, 0),
        each(lambda one: cut(one, 1), lambda one: one.write_head(b"")),
        lambda one: roll_back(one, 1),
        lambda one: roll_back(one, 5),
        lambda one: (one.study / REGISTER).unlink(),
    ]
    for number, attack in enumerate(empty):
        one = copy_of(study, tmp_path / str(number))
        attack(one)
        before = {path: path.read_bytes() for path in one.study.iterdir()}
        with pytest.raises(BadInput):
            agreement.check_nobody_is_lost(register_in(one.data).read(), DataSet(one.data))
        with pytest.raises(BadInput, match="already a study"):
            setup.set_up(Register(one.study), STUDY, *one.keys.publics, "PI")
        assert {path: path.read_bytes() for path in one.study.iterdir()} == before


def test_a_study_whose_folder_was_emptied_is_no_absent_study(study: Attacked, tmp_path: Path) -> None:
    """Sessions do not go on as without a register."""
    one = copy_of(study, tmp_path / "data")
    for path in one.study.iterdir():
        path.unlink()
    register = find_register(one.data)
    assert register is not None
    with pytest.raises(BadInput):
        register.read()


def test_no_private_key_is_needed_to_see_whose_keys_a_study_has(study: Attacked, tmp_path: Path) -> None:
    """What is shown as the keys are those that the sealed files open with."""
    one = copy_of(study, tmp_path / "data")
    begun = one.register().begun()
    assert (begun.unblinder, begun.pharmacy) == one.keys.publics
    assert seals.read_public(begun.unblinder) == one.keys.publics[0]


def test_there_are_as_many_attacks_as_promised() -> None:
    """Over a hundred different attacks are carried out here."""
    assert len(REGISTER_ATTACKS) + len(SEAL_ATTACKS) + len(SESSION_ATTACKS) + len(LOCK_ATTACKS) + 6 >= 100
