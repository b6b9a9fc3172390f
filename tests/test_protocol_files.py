"""Protocols that extend another: what differs is enough, and each mistake is named with the file that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiment.design.protocol import find_daily, read_protocol
from experiment.design.protocol_files import find_shipped, merge
from experiment.errors import BadInput
from tests.strategies import PROTOCOL


def written(path: Path, text: str) -> Path:
    """A file with this text."""
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> str:
    """Why a protocol is refused."""
    with pytest.raises(BadInput) as error:
        read_protocol(path)
    return str(error.value)


def test_a_file_gives_only_what_differs(tmp_path: Path) -> None:
    """Tables are merged key by key, lists replaced, and what is left out is gone; all else is as in the other."""
    ours = written(tmp_path / "ours.toml", (
        'extend = "en"\nwithout = ["guess", "daily.yesterday_until"]\n[timing]\nblank_s = 3.0\n'
        '[keys.reasons]\nother = "x"\n'
        '[[rating.questions]]\nid = "warmth"\ntext = "How warm?"\nlow = "Not"\nhigh = "Very"\n'
    ))  # fmt: skip
    read, daily = read_protocol(ours), find_daily(ours)
    assert (read.timing.blank_s, read.timing.fixation_s) == (3.0, PROTOCOL.timing.fixation_s)
    assert read.keys.reasons == PROTOCOL.keys.reasons | {"other": "x"}
    assert [question.id for question in read.rating.questions] == ["warmth"]
    assert (read.rating.points, read.wording, bool(read.guess)) == (7, PROTOCOL.wording, False)
    assert daily is not None
    assert daily.yesterday_until is None
    third = written(tmp_path / "third.toml", 'extend = "ours.toml"\nlanguage = "de"\n')
    assert (read_protocol(third).timing.blank_s, read_protocol(third).language) == (3.0, "de")


def test_the_digest_is_that_of_the_whole(tmp_path: Path) -> None:
    """A protocol that changes nothing has the digest of the one that it extends."""
    assert read_protocol(written(tmp_path / "same.toml", 'extend = "en"\n')).sha256 == PROTOCOL.sha256


def test_a_mistake_is_named_with_its_own_file(tmp_path: Path) -> None:
    """What is wrong in the extended file is told of that file, and who extends it; what is wrong here, of this one."""
    ours = written(tmp_path / "ours.toml", 'extend = "en"\n[timing]\nblank = 3.0\n[display]\nink = "#F5F2EC"\n')
    first, *mistakes, _ = refused(ours).splitlines()
    assert str(ours) in first
    assert mistakes == ["- Unknown setting 'blank' in [timing]. Did you mean 'blank_s'?"]
    third = written(tmp_path / "third.toml", 'extend = "ours.toml"\n')
    said = refused(third)
    assert said.startswith(f"The protocol {ours} cannot be used:")
    assert said.endswith(f"(It is extended by {third}.)")
    written(ours, 'extend = "en"\n[display]\nink = "#F5F2EC"\n')
    assert "[display]: ink" in refused(ours)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('extend = "nowhere.toml"', "there is no file"),
        ('extend = "de.toml"', "one of en"),
        ("extend = 3", "Please write a protocol's name or path"),
        ('extend = "ours.toml"', "which extends this file itself"),
        ('extend = "en"\nwithout = ["gues"]', "without names 'gues', which the extended protocol does not have."),
        ('extend = "en"\nwithout = "guess"', "without = 'guess'. Please write a list of settings"),
    ],
)
def test_what_cannot_be_extended_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """A base that is missing, no name, or the file itself is refused, and so is leaving out what is not there."""
    assert said in refused(written(tmp_path / "ours.toml", text))


def test_circles_and_long_chains_are_refused(tmp_path: Path) -> None:
    """Two files that extend each other are refused, and so are more than five in a row."""
    for name, other in (("a", "b"), ("b", "a")):
        written(tmp_path / f"{name}.toml", f'extend = "{other}.toml"')
    assert "which extends this file itself" in refused(tmp_path / "a.toml")
    written(tmp_path / "0.toml", 'extend = "en"')
    for number in range(1, 5):
        written(tmp_path / f"{number}.toml", f'extend = "{number - 1}.toml"')
    assert read_protocol(tmp_path / "3.toml").sha256 == PROTOCOL.sha256
    assert "more than 5 files extend each other" in refused(tmp_path / "4.toml")


def test_a_name_is_a_shipped_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare name means a protocol that comes with the program; one that is none is refused with those that are."""
    assert read_protocol(Path("en")).sha256 == PROTOCOL.sha256
    assert "There is no protocol 'enn'. Did you mean 'en'?" in refused(Path("enn"))
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "ours", 'extend = "en"')
    assert read_protocol(Path("ours")).sha256 == PROTOCOL.sha256


def test_merging_changes_neither() -> None:
    """What is merged stays as it was, and a table in the place of a value replaces it."""
    base, changes = {"a": {"b": 1, "c": [1, 2]}, "d": 1}, {"a": {"c": [3]}, "d": {"e": 2}}
    assert merge(base, changes) == {"a": {"b": 1, "c": [3]}, "d": {"e": 2}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert "en" in find_shipped()
