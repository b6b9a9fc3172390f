"""What counts as an answer to the assistant's form."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.cli import form
from experiment.design.form_questions import AskedQuestion
from experiment.design.protocol import read_protocol
from experiment.errors import BadInput

PROTOCOL = replace(
    read_protocol(Path(__file__).parents[1] / "stimuli" / "protocol.toml"),
    sessions=2,
    assistant=(
        AskedQuestion("last_dose", "Time of the last dose", "time", required=True),
        AskedQuestion("symptoms", "Symptoms", "choice", required=True, choices=("none", "mild", "very bad")),
        AskedQuestion("temperature", "Temperature", "number", minimum=35, maximum=42.5, units="°C"),
        AskedQuestion("drinks", "Cups of coffee", "number"),
        AskedQuestion("notes", "Notes", "text"),
    ),
)
RIGHT = {"subject": "DF017", "session": "1", "operator": "TA", "last_dose": "08:30", "symptoms": "mild"}


TIME = "Please enter a time as HH:MM, e.g. 08:30. (You wrote {!r}.)"
NUMBER = "Please enter a plain number from 35 to 42.5. (You wrote {!r}.)"
CHOICE = "Please choose one of 'none', 'mild', 'very bad'. (You wrote {!r}.)"


def checked(**changes: str) -> form.Answers:
    """The answers of a form that is right but for some changes."""
    return form.check(PROTOCOL, RIGHT | changes)


def errors(**changes: str) -> dict[str, str]:
    """What is wrong with it."""
    with pytest.raises(form.WrongAnswers) as caught:
        checked(**changes)
    return caught.value.errors


def test_right_answers_come_back_typed() -> None:
    """Answers are trimmed and typed, and a question without an answer is there as None."""
    extra: dict[str, str | float | None]
    extra = {"last_dose": "08:30", "symptoms": "mild", "temperature": 36.6, "drinks": None, "notes": "slept = badly"}
    assert checked(subject=" sub-DF017 ", session=" 2", temperature="36,6", notes=" slept = badly ") == form.Answers(
        "DF017", 2, "TA", extra
    )


def test_an_empty_form_names_every_required_field() -> None:
    """Every required field of an empty form has its error, in the order of asking, and no optional one has."""
    with pytest.raises(form.WrongAnswers) as caught:
        form.check(PROTOCOL, {})
    assert list(caught.value.errors) == ["subject", "session", "operator", "last_dose", "symptoms"]
    assert all(error.startswith("Please ") and "wrote" not in error for error in caught.value.errors.values())
    assert all(f"\n  {name}: {error}" in str(caught.value) for name, error in caught.value.errors.items())


@pytest.mark.parametrize(
    ("typed", "time"),
    [("9", "09:00"), ("09", "09:00"), ("23", "23:00"), ("0", "00:00"),
     ("8:30", "08:30"), ("08:30", "08:30"), ("0830", "08:30"), ("08.30", "08:30"), ("8.05", "08:05"), ("0:00", "00:00"),
     ("23:59", "23:59"), (" 12:00 ", "12:00"), ("0000", "00:00")],
)  # fmt: skip
def test_a_time_of_day_is_stored_in_one_form(typed: str, time: str) -> None:
    """The ways in which people write a time of day end as HH:MM."""
    assert checked(last_dose=typed).extra["last_dose"] == time


@pytest.mark.parametrize(
    "typed",
    [
        "830",
        "24",
        "24:00",
        "8:60",
        "8:5",
        "8.",
        "8.3",
        "9h",
        "-9",
        "08:30:00",
        "8:30 pm",
        "8,30",
        "-8:30",
        "2460",
        "٠٨:٣٠",
        "noon",
        "n/a",
    ],
)
def test_what_is_no_time_of_day_is_refused(typed: str) -> None:
    """A time that could mean two things, or none, is refused with what was expected and found."""
    assert errors(last_dose=typed) == {"last_dose": TIME.format(typed)}


@given(st.times())
def test_every_minute_of_a_day_is_a_time(time: object) -> None:
    """Any time of day is accepted with and without its colon, and with a point."""
    clock = str(time)[:5]
    for typed in (clock, clock.replace(":", ""), clock.replace(":", "."), clock.removeprefix("0")):
        assert checked(last_dose=typed).extra["last_dose"] == clock


@given(st.integers(-(10**12) + 1, 10**12 - 1), st.integers(0, 99))
def test_a_decimal_comma_is_a_point(whole: int, hundredths: int) -> None:
    """A number means the same with a comma as with a point."""
    point = checked(drinks=f"{whole}.{hundredths:02}").extra["drinks"]
    assert point == checked(drinks=f"{whole},{hundredths:02}").extra["drinks"] == float(f"{whole}.{hundredths:02}")


@pytest.mark.parametrize(
    "typed", ["1,234", "-12,500", "1e3", "nan", "inf", "1 000", "1,0,0", ".5", "5.", "9" * 400, "٣"]
)
def test_a_number_that_may_be_another_is_refused(typed: str) -> None:
    """Thousands marks, exponents, infinities and other scripts' digits are no plain numbers."""
    assert errors(drinks=typed)["drinks"].startswith("Please enter a plain number. (You wrote '")


@pytest.mark.parametrize("typed", ["34.9", "42.51", "-36"])
def test_a_number_keeps_to_its_limits(typed: str) -> None:
    """A number outside its limits is refused with both limits; the limits themselves are inside."""
    assert errors(temperature=typed) == {"temperature": NUMBER.format(typed)}
    assert [checked(temperature=edge).extra["temperature"] for edge in ("35", "42.5")] == [35.0, 42.5]


def test_a_single_limit_is_told_as_one() -> None:
    """A question with only a minimum or only a maximum says just that."""
    one_sided = (
        AskedQuestion("low", "Low", "number", minimum=0),
        AskedQuestion("high", "High", "number", maximum=10),
    )
    with pytest.raises(form.WrongAnswers) as caught:
        form.check(replace(PROTOCOL, assistant=one_sided), RIGHT | {"low": "-1", "high": "11"})
    assert caught.value.errors["low"] == "Please enter a plain number of at least 0. (You wrote '-1'.)"
    assert caught.value.errors["high"] == "Please enter a plain number of at most 10. (You wrote '11'.)"


@pytest.mark.parametrize("typed", ["Mild", "mil", "0", "mild,none"])
def test_a_choice_is_one_of_its_choices(typed: str) -> None:
    """Anything but a choice to the letter is refused with all choices."""
    assert errors(symptoms=typed) == {"symptoms": CHOICE.format(typed)}


@pytest.mark.parametrize("subject", ["DF 017", "DF_017", "../x", "Ö1", "x" * 33])
def test_a_subject_is_a_bids_label(subject: str) -> None:
    """A subject that cannot stand in a BIDS file name is refused."""
    assert "letters and digits" in errors(subject=subject)["subject"]


@pytest.mark.parametrize("session", ["0", "3", "one", "1.0", "-1", "²", "1e0"])
def test_a_session_is_one_of_the_protocols(session: str) -> None:
    """A session that the protocol does not have is refused with those it has."""
    assert "from 1 to 2" in errors(session=session)["session"]


@pytest.mark.parametrize("operator", ["", "x" * 41, "T\tA", "T\nA", "\ud800", "a\u2028b", "n/a", "=TA", "@TA"])
def test_an_assistant_has_a_name_on_a_line(operator: str) -> None:
    """The assistant's name is 1 to 40 characters on one line."""
    assert list(errors(operator=operator)) == ["operator"]
    assert checked(operator="x" * 40).operator == "x" * 40


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60))
def test_notes_are_kept_as_written(notes: str) -> None:
    """Any line of text is kept but for the space around it, emoji and other scripts too; n/a and nothing are None."""
    kept = notes.strip()
    assert checked(notes=notes).extra["notes"] == (None if kept in ("", "n/a") else kept)


@given(st.dictionaries(st.sampled_from([*RIGHT, "temperature", "drinks", "notes", "stranger"]), st.text()))
def test_nothing_typed_breaks_the_form(raw: dict[str, str]) -> None:
    """Whatever is typed becomes answers that hold every field, or errors beside fields that were asked."""
    asked = {field.id for field in form.fields(PROTOCOL)}
    try:
        answers = form.check(PROTOCOL, raw)
    except form.WrongAnswers as wrong:
        named = set(wrong.errors)
    else:
        named = {"subject", "session", "operator", *answers.extra}
        assert named == asked
        assert re.fullmatch("[0-9]{2}:[0-9]{2}", str(answers.extra["last_dose"]))
    assert named
    assert named <= asked


def test_long_answers_are_shortened_in_errors() -> None:
    """An error stays readable, however much was typed."""
    assert len(errors(last_dose="x" * 1000)["last_dose"]) < 120


def test_a_question_cannot_take_the_name_of_a_field() -> None:
    """A protocol whose own question is called as one that is always asked is refused."""
    twice = replace(PROTOCOL, assistant=(AskedQuestion("session", "Session", "text"),))
    with pytest.raises(BadInput, match=r"'session'.*Rename it"):
        form.fields(twice)


def test_answers_on_the_command_line_reach_the_form() -> None:
    """ID=VALUE gives the value as it is, with any further equals sign, and an empty one as no answer."""
    raw = form.parse_answers(PROTOCOL, ["last_dose=7:15", "notes=a=b, c", "drinks="])
    assert raw == {"last_dose": "7:15", "notes": "a=b, c", "drinks": ""}
    assert form.check(PROTOCOL, RIGHT | raw).extra["notes"] == "a=b, c"


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        (["notes"], "--answer 'notes': please write"),
        (["dose=8:00"], "no question 'dose'.*last_dose, symptoms, temperature, drinks, notes"),
        (["subject=DF1"], "no question 'subject'"),
        (["notes=a", "notes=b"], "two --answer for 'notes'"),
    ],
)
def test_a_wrong_answer_option_is_told(pairs: list[str], told: str) -> None:
    """An --answer without '=', for an unknown question, or given twice is refused."""
    with pytest.raises(BadInput, match=told):
        form.parse_answers(PROTOCOL, pairs)
