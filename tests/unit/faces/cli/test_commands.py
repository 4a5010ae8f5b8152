"""What each command prints, for people and for machines."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import xde

OPENED = "opened flights None\n"


def test_run_in_plain_lines(call):
    done = call("run")
    assert done.stdout == (
        "done     nyc.flights  load   1 file      336,776 rows  0 dead letters      2.1 s\n"
        "done     marts.daily  build                  365 rows                      40 ms\n"
        "done: 2 steps done in 2.2 s, 337,141 rows\n"
    )
    assert done.stderr == OPENED + (
        "2 steps for `dev`, 15 datasets unchanged\n  load nyc.flights: not there yet\n  build marts.daily: `nyc.flights` is loaded by this plan\n"
    )


def test_run_with_findings_says_them_after(call):
    done = call("run", case="failed check")
    assert done.stdout.splitlines()[1:] == [
        "failed   marts.daily  build  `mean_delay` is null in 3 rows",
        "failed: 1 step done in 2.2 s, 1 failed, 336,776 rows",
    ]
    assert done.stderr.endswith("   | ^^^^ this\n   |\nhint: mend it\n")


def test_run_with_nothing_to_do_is_one_line(call):
    assert call("run", case="idle").stdout == "nothing to do: 15 datasets are up to date in `dev`\n"
    assert json.loads(call("run", "--json", case="idle").stdout)["steps"] == []


def test_a_run_that_waited_for_another_says_so_and_that_nothing_is_left(call):
    done = call("run", "--wait", "9", case="waited")
    assert done.stdout == "nothing to do: 17 datasets are up to date in `dev`\n"
    assert done.stderr.endswith("waiting for run `r0`, which holds `dev` (host:1)\n")


def test_quiet_keeps_results_only(call):
    done = call("-q", "run")
    assert done.stderr == OPENED
    assert done.stdout.endswith("done: 2 steps done in 2.2 s, 337,141 rows\n")


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["plan"], {"environment", "digest", "created_at", "unchanged", "steps", "warnings"}),
        (["run"], {"run", "status", "seconds", "at", "steps", "findings", "warnings"}),
        (["list"], {"datasets"}),
        (["lineage", "a.b"], {"name", "kind", "how", "type", "expression", "parents", "readers"}),
        (["history", "a.b"], {"dataset", "commits"}),
        (["letters", "list"], {"letters"}),
        (
            ["letters", "show", "3f2a"],
            {"id", "dataset", "file", "file_digest", "line", "offset", "raw", "raw_base64", "reasons", "run", "at", "status", "note"},
        ),
        (["letters", "replay", "--all"], {"replayed"}),
        (["letters", "discard", "--all", "--reason", "old"], {"discarded"}),
        (["runs"], {"runs"}),
        (["runs", "r1"], {"run", "steps"}),
        (["clean"], {"dry_run", "environments", "slots", "tables", "findings"}),
        (["doctor"], {"diagnoses"}),
        (["explain"], {"codes"}),
        (["explain", "1"], {"code", "title", "text"}),
    ],
)
def test_one_document_for_machines(call, arguments, keys):
    done = call(*arguments, "--json")
    assert set(json.loads(done.stdout)) == keys
    assert done.stderr.startswith(OPENED) or arguments[0] == "explain"


def test_show_as_a_table_says_when_there_is_more(call):
    done = call("show", "a.b")
    lines = done.stdout.splitlines()
    assert lines[:3] == [" n  word", "──  ────", " 0  añ日"]
    assert len(lines) == 22
    assert (
        done.stderr
        == OPENED
        + "show a.b where=None columns=[] limit=21 at=None version=None\nthe first 20 rows; there are more (`--limit 0` for all)\n"
    )


def test_show_passes_on_what_was_asked(call):
    done = call(
        "show",
        "a.b",
        "--where",
        "n > 1",
        "--columns",
        "n, word",
        "--columns",
        "x",
        "--limit",
        "3",
        "--at",
        "7",
        "--version",
        "v9",
        "--format",
        "csv",
    )
    assert "show a.b where=n > 1 columns=['n', 'word', 'x'] limit=3 at=7 version=v9\n" in done.stderr
    assert done.stdout == 'n,word\n0,"añ日"\n1,"añ日"\n2,"añ日"\n'
    assert done.stderr.endswith("3 rows\n")


@pytest.mark.slow
def test_show_in_the_formats_of_others(call, project):
    assert len(list(csv.reader(io.StringIO(call("show", "a.b", "--format", "csv").stdout)))) == 100_001
    assert len(json.loads(call("show", "a.b", "--json", "--limit", "5").stdout)) == 5
    assert len(call("show", "a.b", "--format", "ndjson", "--limit", "7").stdout.splitlines()) == 7
    assert pq.read_table(io.BytesIO(call("show", "a.b", "--format", "parquet", text=False).stdout)).num_rows == 100_000
    assert call("show", "a.b", "--output", "rows.parquet").stderr.endswith("100,000 rows in rows.parquet\n")
    assert pq.read_table(project / "rows.parquet").num_rows == 100_000
    assert sorted(p.name for p in project.iterdir()) == ["rows.parquet", "xde.yaml"]


@pytest.mark.slow
def test_show_leaves_a_file_alone_when_it_cannot_write(call, project):
    done = call("show", "a.b", "--output", "no/such/rows.csv")
    assert done.returncode == 1
    assert done.stderr.endswith(
        "error[XDE0007]: `no/such/rows.csv` cannot be written: no such file or directory\n\nhint: name another file with `--output`\n"
    )


@pytest.mark.slow
def test_a_reader_that_has_had_enough_is_no_error(project):
    faked = Path(__file__).with_name("faked.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(xde.__file__).parents[1]), "PYTHONUNBUFFERED": ""}
    for form in ("csv", "ndjson", "table"):
        line = f"{sys.executable} {faked} -q show a.b --limit 0 --format {form} | head -1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", line], cwd=project, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[1] == "141"
        assert "Error" not in done.stderr
        assert "rror" not in done.stderr.replace("opened", "")


@pytest.mark.slow
def test_letters(call, project):
    listed = call("letters", "list")
    assert [line.split()[0] for line in listed.stdout.splitlines()[2:]] == ["3f2a00", "3f2b00"]
    assert listed.stderr.endswith("2 open dead letters\n")
    assert call("letters", "show", "3f2b", "--raw", text=False).stdout == b"JFK,\xff,1048"
    assert " 1 | EWR,1048\n   |     ^^^^ wind\n" in call("letters", "show", "3F2A").stdout
    assert call("letters", "show", "3f").stderr.endswith("error[XDE0004]: 2 dead letters begin with `3f`\n\nhint: write more of the id\n")
    assert "dead letter `9c0100` is replayed, not open" in call("letters", "discard", "9c", "--reason", "old").stderr
    assert call("letters", "discard", "3f2a", "--reason", "old").stderr.endswith("discard ['3f2a00'] because old\n")


def test_a_corrected_letter_keeps_the_end_that_the_record_had(call, project):
    (project / "right.csv").write_bytes(b"JFK,48\n")
    assert call("letters", "replay", "3f2b", "--with", "right.csv").stderr.endswith("replay ['3f2b00'] corrected={'3f2b00': b'JFK,48'}\n")
    assert call("letters", "replay", "3f2a", "--with", "right.csv").stderr.endswith(
        "replay ['3f2a00'] corrected={'3f2a00': b'JFK,48\\n'}\n"
    )
    assert call("letters", "replay", "--all", "--with", "right.csv").returncode == 2


def test_letters_are_corrected_in_the_editor(call, project):
    editor = project / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/1048/48/ "$1"; echo >> "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    done = call("letters", "replay", "3f2b", "--edit", EDITOR=str(editor), VISUAL=str(editor))
    assert "replay ['3f2b00'] corrected={'3f2b00': b'JFK,\\xff,48'}" in done.stderr
    done = call("letters", "replay", "3f2b", "--edit", EDITOR="true", VISUAL="true")
    assert "3f2b00: not changed, not replayed\n" in done.stderr
    assert "replay [" not in done.stderr


@pytest.mark.slow
def test_explain(call):
    page = call("explain", "xde0001").stdout
    assert page.startswith("XDE0001: there is no project here\n\nA project is a folder")
    assert call("explain", "1").stdout == call("explain", "XDE1").stdout == page
    assert "XDE0001  there is no project here\n" in call("explain").stdout
    assert "hint: did you mean `XDE0001`?\n" in call("explain", "XDE00001x").stderr


def test_init_makes_a_project_and_never_overwrites_one(call, tmp_path):
    done = call("init", "shop", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "  shop/xde.yaml\n" in done.stdout
    assert (tmp_path / "shop/xde.yaml").is_file()
    assert (
        call("init", "shop", cwd=tmp_path).stderr
        == "error[XDE0008]: `shop` is not empty\n\nhint: choose a folder that is empty or not there yet\n"
    )


@pytest.mark.slow
def test_the_rest_in_words(call):
    told = call("clean", "--dry-run", "--keep-days", "3")
    assert told.stdout == "a.b  u  whole version, 2 files, 500 bytes\na.b  v  1 file, 1.5 kB\n3 files, 2.0 kB would be taken away\n"
    assert told.stderr.endswith("clean keep_hours=168 keep_days=3\n")
    assert "warning[XDE0302]: a warning of the project" in call("clean", case="warned").stderr
    assert (
        call("doctor", case="ill").stdout
        == "ok  lake  written and read\n!   disk  slow: 3 s\n!!  source nyc  missing: no folder `data`\n    hint: make it\n"
    )
    assert call("lineage", "a.b.c", "--downstream", "--depth", "2").stdout == "a.b.c\n└── up True 2\n"
    assert call("history", "a.b", case="idle").stderr.endswith("`a.b` has no commits yet; `xde run` makes the first\n")
    assert call("runs", case="idle").stderr.endswith("no runs yet\n")
