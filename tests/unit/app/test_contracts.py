"""Contracts of a real project in a real repository, compared with what they were: what is found, who is hit, what it must say."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from xde.app.contracts import check, dataset_of, diff
from xde.app.impact import impact_of
from xde.app.revisions import files_at, meaning_of
from xde.ground.errors import UserError

EXAMPLES = Path(__file__).parents[3] / "examples"


def git(root: Path, *words: str) -> None:
    alone = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words], cwd=root, env=alone, check=True, capture_output=True
    )


@pytest.fixture
def project(tmp_path):
    """The flights, below the top of a repository, with one commit."""
    root = tmp_path / "repository" / "flights"
    shutil.copytree(EXAMPLES / "flights", root, ignore=shutil.ignore_patterns(".xde", "data"))
    git(root.parent, "init", "-q")
    git(root.parent, "add", ".")
    git(root.parent, "commit", "-qm", "first")
    return root


def edit(root: Path, path: str, *changes: tuple[str, str]) -> None:
    text = (root / path).read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (root / path).write_text(text)


def drop_column(root: Path, path: str, name: str) -> None:
    text = (root / path).read_text()
    start = text.index(f"      - name: {name}\n")
    end = text.find("      - name: ", start + 5)
    (root / path).write_text(text[:start] + text[end:])


def lines(comparison):
    return {(line.subject, line.judged.change.kind.value, line.judged.verdict.word): line for c in comparison.compared for line in c.lines}


def codes(comparison):
    return [(f.code, f.severity.value) for f in comparison.findings]


def test_nothing_changed(project):
    found = check(project, "HEAD")
    assert (found.compared, found.findings, found.unknown) == ((), (), "")


def test_a_dropped_column_names_those_who_read_it_and_those_made_from_them(project):
    drop_column(project, "sources/nyc.yaml", "arr_delay")  # the project does not load any more: its old self tells who reads it
    found = check(project, "HEAD")
    line = lines(found)["nyc.flights.arr_delay", "column dropped", "breaking"]
    (consumer,) = line.impact.consumers
    assert (consumer.dataset, consumer.kind, consumer.owners) == ("staging.flights", "incremental", ("flight-analysis@example.com",))
    assert "arrival_delay" in consumer.columns
    assert "marts.carrier_delay" in line.impact.further
    assert str(line.judged.change.span).startswith("HEAD:sources/nyc.yaml:")
    assert codes(found) == [("XDE0360", "error")]
    assert found.findings[0].span.path == "sources/nyc.yaml"


def test_what_nobody_reads_breaks_a_promise_but_no_draft(project):
    drop_column(project, "models/marts/routes.yaml", "mean_speed_mph")
    found = lines(check(project, "HEAD"))["marts.routes.mean_speed_mph", "column dropped", "breaking"]
    assert found.impact.consumers == ()
    edit(project, "models/marts/routes.yaml", ("status: active", "status: draft"))
    git(project, "stash", "-q")
    edit(project, "models/marts/routes.yaml", ("status: active", "status: draft"))
    git(project, "commit", "-qam", "a draft")
    drop_column(project, "models/marts/routes.yaml", "mean_speed_mph")
    assert ("marts.routes.mean_speed_mph", "column dropped", "risky") in lines(check(project, "HEAD"))


def test_a_reason_allows_a_break_and_is_kept(project):
    drop_column(project, "sources/nyc.yaml", "arr_delay")
    found = check(project, "HEAD", "agreed on Monday")
    assert codes(found) == [("XDE0360", "warning")]
    assert found.allowed == "agreed on Monday"
    assert "agreed on Monday" in found.findings[0].hint
    edit(project, "sources/nyc.yaml", ("version: 1.0.0", "version: 0.9.0"))
    assert codes(check(project, "HEAD", "agreed")) == [("XDE0361", "error")]


def test_a_new_major_version_says_so(project):
    drop_column(project, "sources/nyc.yaml", "arr_delay")
    edit(project, "sources/nyc.yaml", ("version: 1.0.0", "version: 2.0.0"))
    assert codes(check(project, "HEAD")) == []


def test_a_contract_that_moves_renames_its_datasets_and_one_that_goes_is_missed(project):
    (project / "sources/nyc.yaml").rename(project / "sources/usa.yaml")
    (project / "models/marts/routes.yaml").unlink()
    found = check(project, "HEAD")
    kinds = {(s, k) for s, k, _ in lines(found)}
    assert ("usa.flights", "table renamed") in kinds
    assert {("", "contract dropped"), ("marts.routes", "table dropped")} <= kinds
    assert sorted(codes(found)) == [("XDE0360", "error"), ("XDE0365", "error")]
    assert lines(found)["usa.flights", "table renamed", "breaking"].impact.consumers[0].dataset == "staging.flights"


def test_a_new_contract_breaks_nobody(project):
    git(project, "rm", "-q", "--cached", "models/marts/routes.yaml")
    git(project, "commit", "-qm", "without")
    found = check(project, "HEAD")
    assert set(lines(found)) == {("", "contract added", "safe")}
    assert codes(found) == []


def test_against_a_folder_a_branch_and_nothing_that_there_is(project, tmp_path):
    then = tmp_path / "deployed"
    shutil.copytree(project, then)
    git(project, "branch", "deployed")
    drop_column(project, "sources/nyc.yaml", "arr_delay")
    git(project, "commit", "-qam", "second")
    assert check(project, "HEAD").compared == ()
    assert lines(check(project, str(then))).keys() == lines(check(project, "deployed")).keys() == lines(check(project, "HEAD~1")).keys()
    assert not (then / ".xde").exists(), "what is compared with is only read"
    for word in ("nope", "--output=/tmp/x", "HEAD:sources"):
        with pytest.raises(UserError) as raised:
            check(project, word)
        assert raised.value.findings[0].code == "XDE0366"
    shutil.rmtree(project.parent / ".git")
    with pytest.raises(UserError) as raised:
        check(project, "HEAD")
    assert raised.value.findings[0].code == "XDE0367"


def test_a_project_that_did_not_load_is_compared_all_the_same(project):
    edit(project, "models/marts/routes.sql", ("SELECT", "SELEC"))
    git(project, "commit", "-qam", "broken")
    drop_column(project, "sources/nyc.yaml", "arr_delay")
    found = check(project, "HEAD")
    assert "does not load" in found.unknown
    assert lines(found)["nyc.flights.arr_delay", "column dropped", "breaking"].impact is None


def test_a_contract_that_cannot_be_read_is_told_by_its_own_findings(project):
    (project / "sources/nyc.yaml").write_text("a: [")
    with pytest.raises(UserError) as raised:
        check(project, "HEAD")
    assert raised.value.findings[0].span.path == "sources/nyc.yaml"


@pytest.mark.slow
def test_diff_takes_paths_and_commits(project, monkeypatch):
    monkeypatch.chdir(project)
    drop_column(project, "sources/nyc.yaml", "arr_delay")
    shutil.copyfile("sources/nyc.yaml", "../other.yaml")
    wanted = {("nyc.flights.arr_delay", "column dropped", "breaking")}
    assert set(lines(diff(project, "sources/nyc.yaml", None))) == wanted
    assert set(lines(diff(project, "HEAD:sources/nyc.yaml", "sources/nyc.yaml"))) == wanted
    assert set(lines(diff(project, "HEAD:flights/sources/nyc.yaml", "sources/nyc.yaml"))) == wanted
    plain = lines(diff(None, "HEAD:sources/nyc.yaml", "../other.yaml"))
    assert {k[1:] for k in plain} == {("column dropped", "breaking")}
    assert all(line.impact is None for line in plain.values())
    assert diff(project, "sources/nyc.yaml", "sources/nyc.yaml").compared == ()
    for wrong in ("nope.yaml", "HEAD:nope.yaml", "nope:sources/nyc.yaml"):
        with pytest.raises(UserError) as raised:
            diff(project, wrong, "sources/nyc.yaml")
        assert raised.value.findings[0].code == "XDE0366"


def test_who_is_hit(project):
    with meaning_of(files_at(project, "HEAD"), None) as known:
        airports = impact_of(known, "nyc.airports", "faa")
        assert {"nyc.flights", "staging.airports"} <= {c.dataset for c in airports.consumers}
        assert impact_of(known, "marts.routes").consumers == ()
        rows = {c.dataset: c.rows for c in impact_of(known, "staging.flights", "carrier").consumers}
        assert rows["marts.carrier_delay"] is True
        whole = {c.dataset for c in impact_of(known, "staging.flights").consumers}
        assert {"marts.carrier_delay", "marts.routes"} <= whole


def test_names():
    assert dataset_of("sources/nyc.odcs.yaml", "flights") == "nyc.flights"
    assert dataset_of("models/marts/deep/routes.yaml", "routes") == "marts.routes"
    assert dataset_of("elsewhere.yaml", "routes") == "routes"
