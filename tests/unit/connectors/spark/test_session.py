"""What Spark needs and what it is not told, said before anything is started. Needs no Spark."""

import importlib.util

import pytest

from xde.connectors.spark import session
from xde.connectors.spark.session import FIXED, checked, needs
from xde.ground.errors import UserError
from xde.kernel.project.settings import EngineSettings


def told(raised):
    (finding,) = raised.value.findings
    return finding


def test_without_pyspark_the_hint_is_the_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError) as raised:
        needs(EngineSettings("spark"))
    assert told(raised).code == "XDE0810"
    assert told(raised).hint == "`pip install 'xde[spark]'`"


def test_without_java_the_hint_is_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(session.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UserError) as raised:
        needs(EngineSettings("spark", master="local[2]"))
    assert told(raised).code == "XDE0811"
    assert "openjdk-17-jre-headless" in told(raised).hint


def test_a_remote_needs_no_java(monkeypatch, tmp_path):
    monkeypatch.setattr(session.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    needs(EngineSettings("spark", remote="sc://somewhere:15002"))


def test_a_master_and_a_remote_exclude_each_other():
    with pytest.raises(UserError) as raised:
        checked(EngineSettings("spark", master="local[2]", remote="sc://somewhere:1"))
    assert told(raised).code == "XDE0813"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark.sql.session.timeZone", "Europe/Berlin"),
        ("spark.sql.ansi.enabled", "false"),
        ("spark.jars.packages", "io.example:thing:1.0"),
        ("spark.jars.ivySettings", "/x"),
    ],
)
def test_options_that_change_rows_or_fetch_programs_are_refused(name, value):
    with pytest.raises(UserError) as raised:
        checked(EngineSettings("spark", options={name: value}))
    assert told(raised).code == "XDE0814"
    assert name in told(raised).message


def test_other_options_are_taken_and_so_is_what_is_fixed_anyway():
    options = {"spark.executor.memory": "8g", "spark.sql.ansi.enabled": "TRUE"}
    assert checked(EngineSettings("spark", options=options)) == options
    assert FIXED["spark.sql.session.timeZone"] == "UTC"
