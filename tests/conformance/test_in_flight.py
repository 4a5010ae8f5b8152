"""People of a real PostgreSQL server with in-flight steps: several connections at once, a query that fails at a value, a kill."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from projects.folder import Folder
from projects.people import BAD, CLEAR, GOOD, KEY, NAMES, clear_values, contract, written
from projects.warm import command

from xde.app.workspace import Workspace

pytestmark = pytest.mark.postgres


def xde(root: Path, *words: str, crash: str = "") -> tuple[int, str]:
    scratch = root.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return command("--project", str(root), *words, XDE_CRASH_AT=crash, TMPDIR=str(scratch), PII_KEY=KEY)


def test_nothing_of_a_server_s_rows_is_written_in_the_clear(till, tmp_path):
    till.sql(f"CREATE TABLE people ({', '.join(f'{n} text' for n in NAMES)})")
    listed = ", ".join("(" + ", ".join(f"'{v}'" if v else "NULL" for v in r) + ")" for r in (*GOOD, *BAD))
    till.sql(f"INSERT INTO people VALUES {listed}", "GRANT SELECT ON people TO reader")
    server = (till.root / "sources/shop.yaml").read_text().split("servers:\n")[1].split("\nschema:\n")[0]
    place = Folder(tmp_path / "people" / "p")
    place.write("xde.yaml", "name: p\nretries: 0\n")
    (place.root / "models").mkdir()
    limits = (
        "    customProperties:\n      - {property: xdeWriteMode, value: replace}\n      - {property: xdeLimits, value: {connections: 2}}\n"
    )
    place.write("sources/crm.yaml", contract(server, "public.people", limits))
    for crash, code in (("load.staged", -signal.SIGKILL), ("", 0)):
        ended, said = xde(place.root, "run", crash=crash)
        assert ended == code, said
        assert clear_values({"said": said}) == []
        assert clear_values(written(place.root, place.root.parent / "scratch")) == []
    with Workspace.open(place.root) as workspace:
        assert workspace.show("crm.people", limit=None).read_all().num_rows == len(GOOD)
    query = "      - {property: xdeQuery, value: 'SELECT * FROM people WHERE CAST(email AS int) > 0'}\n"
    place.write("sources/crm.yaml", contract(server, "public.people", limits + query))
    ended, said = xde(place.root, "run", "--full")
    assert ended == 1 and "XDE0482" in said
    assert not [c for c in CLEAR if c in said]
