"""`xde.yaml`, good and bad."""

from __future__ import annotations

import pytest
import sqlglot

from xde.kernel.project.settings import EngineSettings, EnvironmentSettings, LakeSettings, Settings
from xde.kernel.project.settings_reader import DIALECTS, read_settings


def read(text: str) -> Settings:
    settings, findings = read_settings(text.encode(), "xde.yaml")
    assert settings is not None and not findings
    return settings


def test_what_is_not_said_is_the_default():
    assert read("name: flights\n") == Settings(name="flights")


def test_short_forms():
    settings = read("name: x\nlake: s3://bucket/lake\nledger: ${env:LEDGER}\nengine: duckdb\n")
    assert settings.lake == LakeSettings("s3://bucket/lake")
    assert settings.engine == EngineSettings("duckdb")
    assert settings.ledger == "${env:LEDGER}"


def test_long_forms():
    settings = read(
        "name: x\nlake: {path: s3://b, options: {aws_region: eu-1, key: '${env:KEY}', retries: 3, insecure: true}}\n"
        "engine: {name: duckdb, memory_limit: 4 GiB, threads: 2, temp_folder: /spill}\n"
        "dialect: spark\nparallel: 4\nretries: 0\nenvironment: me\n"
        "parameters: {late_minutes: 15, airports: [JFK, LGA], day: 2013-01-01, on: NO}\n"
        "environments:\n  staging:\n  prod: {lake: s3://prod, ledger: 'postgresql://h/db', engine: {name: spark}}\n"
    )
    assert settings.lake.options == {"aws_region": "eu-1", "key": "${env:KEY}", "retries": "3", "insecure": "true"}
    assert settings.engine == EngineSettings("duckdb", "4 GiB", 2, "/spill")
    assert (settings.dialect, settings.parallel, settings.retries, settings.environment) == ("spark", 4, 0, "me")
    assert settings.parameters == {"late_minutes": 15, "airports": ["JFK", "LGA"], "day": "2013-01-01", "on": "NO"}
    staging, prod = settings.environments["staging"], settings.environments["prod"]
    assert (staging.lake, staging.ledger, staging.engine) == (None, None, None)
    assert prod == EnvironmentSettings("prod", LakeSettings("s3://prod"), "postgresql://h/db", EngineSettings("spark"), prod.span)
    assert str(prod.span) == "xde.yaml:11:3"


def test_dialects_are_those_that_the_translator_knows():
    for dialect in DIALECTS:
        sqlglot.Dialect.get_or_raise(dialect)


@pytest.mark.parametrize("amount", ["4GB", "512MB", "1.5 GiB", "80%", "100B"])
def test_amounts_of_memory(amount):
    assert read(f"name: x\nengine: {{memory_limit: {amount}}}\n").engine.memory_limit == amount
