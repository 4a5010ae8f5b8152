"""Killed while records of a source with in-flight steps are read: no clear value is left on any disk."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest
from projects.apis import serving
from projects.folder import Folder
from projects.people import (
    BAD,
    FORMS,
    GOOD,
    KEY,
    clear_values,
    contract,
    letters,
    of_api,
    of_duckdb,
    of_form,
    of_sqlite,
    records,
    rows,
    written,
)
from projects.pushed import Up
from projects.warm import command

if TYPE_CHECKING:
    from pathlib import Path

POINTS = ("load.staged", "files.written", "commit.before", "commit.after")


def killed(folder: Folder, point: str) -> tuple[int, str]:
    scratch = folder.root.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return command("--project", str(folder.root), "run", XDE_CRASH_AT=point, TMPDIR=str(scratch), PII_KEY=KEY)


def clean(folder: Folder, said: str) -> bool:
    assert clear_values({"said": said}) == []
    assert clear_values(written(folder.root, folder.root.parent / "scratch")) == []
    return True


@pytest.mark.crash
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("form", [*FORMS, "sqlite", "duckdb", "api"])
def test_a_kill_leaves_no_clear_value(form: str, point: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "p")
    with serving() as api:
        if form == "api":
            of_api(folder, api, [*GOOD, *BAD])
        elif form in {"sqlite", "duckdb"}:
            {"sqlite": of_sqlite, "duckdb": of_duckdb}[form](folder, [*GOOD, *BAD])
        else:
            of_form(folder, form, [*GOOD, *BAD])
        code, said = killed(folder, point)
        assert code == -signal.SIGKILL, said
        assert clean(folder, said)
        code, said = killed(folder, "")
        assert code == 0, said
        assert clean(folder, said)


def ended(up: Up) -> None:
    up.process.wait(60)
    up.hearing.join(10)
    up.process.stdout.close()


@pytest.mark.crash
@pytest.mark.parametrize("point", ["push.written", "push.durable", "segment.delivered", "load.staged", "files.written", "commit.before"])
def test_a_kill_of_the_door_leaves_no_clear_value_and_no_gap(point: str, tmp_path: Path) -> None:
    folder, scratch = Folder(tmp_path / "p"), tmp_path / "scratch"
    scratch.mkdir()
    folder.write("xde.yaml", "name: p\n")
    push = "{mode: accept-all, commit: {every: 1 s}}"
    folder.write(
        "sources/crm.yaml", contract(f"  - {{server: in, type: custom, customProperties: [{{property: xdePush, value: {push}}}]}}")
    )
    environment = {"TMPDIR": str(scratch), "PII_KEY": KEY}
    body = "".join(json.dumps(r) + "\n" for r in records([*GOOD, *BAD])).encode()
    sent = {"kind": "application/x-ndjson", "dataset": "crm.people", "Idempotency_Key": "planted@clear.example"}
    up = Up(folder.root, env={**environment, "XDE_CRASH_AT": point})
    with suppress(OSError, HTTPException):
        up.push(body, **sent)
    ended(up)
    assert up.process.returncode == -signal.SIGKILL, up.said
    assert clean(folder, "".join(up.said))
    up = Up(folder.root, env=environment)
    try:
        status, _, told = up.push(body, **sent)
        assert status == 200, told
    finally:
        up.process.send_signal(signal.SIGTERM)
        ended(up)
    assert clean(folder, "".join(up.said) + json.dumps(told))
    assert [r["id"] for r in rows(folder)] == list(range(1, 40))
    assert len(letters(folder)) == len(BAD)
