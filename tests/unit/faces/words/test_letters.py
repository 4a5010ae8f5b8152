"""Dead letters in words and as data."""

import json

from xde.app.answers import LetterLine, ReplayOutcome
from xde.faces.words.letters import letter_fact, letter_text, letters_text, replay_fact, replay_text
from xde.lifecycle.ingestion.port import Letter, LetterReason

WIND = LetterReason("range", "wind_speed", "`1048.36058` is above 300")
LETTER = Letter(
    "3f2a9c0112345678",
    "nyc.weather",
    "weather.csv.gz",
    "d" * 32,
    1011,
    b"EWR,2013,2,12,3,39.02,1048.36058,NA\r\n",
    (WIND,),
    "r1",
    "2026-01-01T00:00:00Z",
    77,
)


def test_one_letter_with_a_caret_below_the_value_that_the_reason_quotes():
    assert letter_text(LetterLine(LETTER, "open")) == (
        "dead letter 3f2a9c0112345678 of `nyc.weather`: open\n"
        "     --> weather.csv.gz:1011\n"
        "      |\n"
        " 1011 | EWR,2013,2,12,3,39.02,1048.36058,NA\n"
        "      |                       ^^^^^^^^^^ wind_speed\n"
        "      |\n"
        "      = wind_speed [range]: `1048.36058` is above 300\n"
        "      = run r1 at 2026-01-01T00:00:00Z\n"
    )


def with_raw(raw: bytes, message: str = "`2` is bad") -> str:
    return letter_text(
        LetterLine(Letter("3f", "a.b", "f.csv", "d", 9, raw, (LetterReason("type", "x", message),), "r", "t"), "discarded", "a\x1bnote")
    )


def test_no_caret_where_the_place_is_not_certain():
    assert "^" not in with_raw(b"2,2\n")
    assert "^" not in with_raw(b"12,22\n")
    assert "^" in with_raw(b"1,2,3\n")
    assert "^" not in with_raw(b"1,2,3\n", "no value is quoted")


def test_records_of_several_lines_and_bytes_that_are_no_text():
    text = with_raw(b'1,"a\n\xff\x1b[31m",3\n', "too long")
    assert '  9 | 1,"a\n 10 | \\xff␛[31m",3\n' in text
    assert text.startswith("dead letter 3f of `a.b`: discarded (a␛note)\n")
    assert "more lines" in with_raw(b"x\n" * 100)


def test_the_list():
    assert letters_text([LetterLine(LETTER, "open")]) == (
        "id                dataset      status  place                reason\n"
        "────────────────  ───────────  ──────  ───────────────────  ─────────────────────────────────────────────\n"
        "3f2a9c0112345678  nyc.weather  open    weather.csv.gz:1011  wind_speed [range]: `1048.36058` is above 300\n"
    )


def test_a_replay():
    outcome = ReplayOutcome("nyc.weather", 2, (LETTER,), 5)
    assert replay_text(outcome) == (
        "nyc.weather: 2 accepted, 1 dead again\n  3f2a9c0112345678  weather.csv.gz:1011  wind_speed [range]: `1048.36058` is above 300\n"
    )
    assert json.loads(json.dumps(replay_fact(outcome)))["again"][0]["id"] == "3f2a9c0112345678"


def test_the_same_as_data():
    document = json.loads(json.dumps(letter_fact(LetterLine(LETTER, "open"))))
    assert document["raw"] == "EWR,2013,2,12,3,39.02,1048.36058,NA\r\n"
    assert document["raw_base64"] is None
    assert document["reasons"] == [{"rule": "range", "column": "wind_speed", "message": "`1048.36058` is above 300"}]
    binary = letter_fact(LetterLine(Letter("1", "a.b", "f", "d", 1, b"\xff", (), "r", "t"), "open"))
    assert (binary["raw"], binary["raw_base64"]) == (None, "/w==")
