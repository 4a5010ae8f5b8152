"""What must not be seen: every form of it is hidden, and nothing else is changed."""

from __future__ import annotations

import base64
import html
import json
import pickle
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.secrets import HIDDEN, VEIL, Secret, Veil, hide_password, redact, redact_data, scrubbed, trace_of

VALUE = "s€cret/p@ss \"w\\ord'%&<+1"


@pytest.fixture(autouse=True)
def bare():
    yield
    VEIL.clear()


def veil(*values: str) -> Veil:
    made = Veil()
    for value in values:
        made.hide(value)
    return made


def test_a_secret_shows_itself_to_who_asks_and_to_nobody_else():
    secret = Secret(VALUE)
    assert secret.reveal() == VALUE
    assert {repr(secret), str(secret), f"{secret}", f"{secret:>10}"} == {HIDDEN}
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


WRITTEN = {
    "plain": str,
    "JSON": lambda v: json.dumps({"a": v}),
    "JSON in UTF-8": lambda v: json.dumps({"a": v}, ensure_ascii=False),
    "repr": repr,
    "SQL": lambda v: "'" + v.replace("'", "''") + "'",
    "HTML": html.escape,
    "URL": lambda v: quote(v, safe=""),
    "URL with slashes": quote,
    "form": quote_plus,
    "URL in lower case": lambda v: quote(v, safe="").replace("%2F", "%2f").replace("%40", "%40"),
    "hexadecimal": lambda v: v.encode().hex(),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 after one byte": lambda v: base64.b64encode(b":" + v.encode()).decode(),
    "base64 after two bytes": lambda v: base64.b64encode(b"u:" + v.encode()).decode(),
    "base64 within": lambda v: base64.b64encode(b"user:" + v.encode() + b"@host").decode(),
    "base64 for URLs": lambda v: base64.urlsafe_b64encode(b"u:" + v.encode()).decode(),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_every_form_is_hidden(how):
    written = WRITTEN[how](VALUE)
    said = veil(VALUE).redact(f"cannot connect with {written}.")
    assert HIDDEN in said
    assert "cannot connect with" in said
    core = written.strip("\"'{}a: =")
    assert core not in said
    assert len(said) < len("cannot connect with .") + len(HIDDEN) + 20


@given(st.text(min_size=8, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_a_value_within_base64_is_hidden_wherever_it_begins(value, before, after):
    try:
        octets = value.encode()
    except UnicodeEncodeError:
        return
    said = veil(value).redact(base64.b64encode(before + octets + after).decode())
    assert HIDDEN in said
    # at most the digits that the neighbours have a share in are left
    left = len(said) - len(HIDDEN)
    assert left <= (len(before) + len(after)) * 4 // 3 + 8


def test_a_key_of_many_lines_is_hidden_line_by_line_and_in_one_line():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n"
    said = veil(key).redact(f"bad line MIIEvQIBADANBgkqhkiG9w0B; {' '.join(key.split())}")
    assert said == f"bad line {HIDDEN}; {HIDDEN}"


def test_the_texts_of_a_document_are_hidden_each():
    document = json.dumps({"password": "long enough to be one", "port": 5432, "host": "db"})
    assert veil(document).redact("`long enough to be one` at db:5432") == f"`{HIDDEN}` at db:5432"


def test_a_short_value_is_not_hidden_for_it_stands_in_other_words():
    assert veil("flights").redact("nyc.flights") == "nyc.flights"


def test_the_longest_is_hidden_first():
    assert veil("password", "password-of-production").redact("password-of-production, password") == f"{HIDDEN}, {HIDDEN}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("postgresql://me:pw@host/db", "postgresql://me:***@host/db"),
        ("`postgresql://:p@ss/w@host/db` and more", "`postgresql://:***@host/db` and more"),
        ("s3://bucket/lake", "s3://bucket/lake"),
        ("https://host:8080/path", "https://host:8080/path"),
        ("https://host:8080/path?to=a@b", "https://host:8080/path?to=a@b"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
    ],
)
def test_passwords_in_addresses_are_hidden_even_where_nobody_knew_them(text, said):
    assert redact(text) == said


def test_the_password_of_an_address_is_hidden_as_written_and_as_meant():
    hide_password("postgresql://me:p%40ssword%2F1@host/db?sslpassword=of-the-key-file")
    assert redact("p@ssword/1, p%40ssword%2F1, of-the-key-file, me, host") == "***, ***, ***, me, host"


def test_findings_errors_and_traces_are_clean_from_the_beginning():
    VEIL.hide(VALUE)
    finding = Finding("XDE0001", f"m {VALUE}", None, f"l {VALUE}", f"w {VALUE}", f"h {VALUE}")
    assert (finding.message, finding.label, finding.why, finding.hint) == ("m ***", "l ***", "w ***", "h ***")
    assert str(TemporaryError(f"away: {VALUE}")) == "away: ***"
    assert str(UserError(finding)) == "m ***"
    try:
        try:
            raise ValueError(f"inner {VALUE}")
        except ValueError as error:
            raise TypeError("outer") from error
    except TypeError as error:
        told = trace_of(error)
        assert "inner ***" in told
        assert VALUE not in told
        scrubbed(error)
        assert str(error.__cause__) == "inner ***"


def test_data_keeps_its_shape():
    VEIL.hide("12345678")
    data = {"a": ["12345678", 12345678, None, True, 1.5], "12345678": ("x",)}
    assert redact_data(data) == {"a": ["***", 12345678, None, True, 1.5], "***": ["x"]}
