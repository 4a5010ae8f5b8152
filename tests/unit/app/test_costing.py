"""What datasets cost and who reads them, in a real project: steps as they were, kept through the loss of the ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from xde.app import readers
from xde.app.comparing import Comparisons
from xde.app.references import read_reference
from xde.app.workspace import Workspace
from xde.ground.clock import SetClock, SystemClock
from xde.kernel.plan.costs import JournalPiece
from xde.lifecycle.serving.comparing import Asked


def report(project, *selection, environment=None, days=30, later=0):
    with Workspace.open(project.root, environment=environment) as workspace:
        workspace.house.clock = SetClock(SystemClock().now() + timedelta(days=later))
        return workspace.cost(selection, days=days)


def lines(project, *selection, **how):
    return {s.dataset: s for s in report(project, *selection, **how).spendings}


def read(project, dataset, how="show"):
    with Workspace.open(project.root) as workspace:
        workspace.show(dataset).read_all()
        workspace.note_read(dataset, how)


def _seen(s):
    """What a lake tells of a step as its run did."""
    u = s.usage
    return s.run, s.step, s.kind, s.version, u.rows, u.bytes, u.rows_in, u.bytes_in, u.bytes_read, u.memory


def test_steps_say_what_they_took(sales):
    outcomes = sales.run()
    found = lines(sales)
    assert set(found) == {"shop.sales", "marts.by_country", "marts.countries", "staging.norway"}
    load, build = found["shop.sales"], found["marts.by_country"]
    (loaded,), (built,) = load.steps, build.steps
    assert (loaded.kind, loaded.status, loaded.usage.rows, loaded.usage.rows_in) == ("load", "done", 2, 2)
    assert loaded.usage.bytes_in == (sales.root / "data/sales-1.csv").stat().st_size
    assert (built.usage.rows, built.usage.rows_in, built.usage.bytes_in) == (2, 2, outcomes["shop.sales"].bytes)
    assert built.usage.bytes == outcomes["marts.by_country"].bytes > 0
    for step in (loaded, built):
        assert 0 < step.usage.seconds < 60
        assert (step.usage.memory or 0) > 0
        assert step.usage.spilled == 0
    assert (built.usage.bytes_read or 0) > 0
    assert found["staging.norway"].steps[0].kind == "view"
    assert sum(s.share for s in found.values()) == pytest.approx(1)
    assert sum(s.kept_share for s in found.values()) == pytest.approx(1)


@pytest.mark.slow
def test_what_spills_says_so(sales):
    sales.write("xde.yaml", "name: sales\nengine: {name: duckdb, memory_limit: 60MB, threads: 2}\n")
    sales.write("models/marts/large.sql", "SELECT hash(i) AS h, i FROM shop.sales, range(1500000) AS r(i) ORDER BY h\n")
    sales.run()
    (step,) = lines(sales)["marts.large"].steps
    assert (step.usage.spilled or 0) > 1_000_000
    assert 10_000_000 < (step.usage.memory or 0) < 100_000_000


def test_a_failed_step_costs_and_is_no_build(sales):
    sales.run()
    sales.write("models/marts/wrong.sql", "SELECT CAST(country AS INTEGER) AS n FROM shop.sales\n")
    with Workspace.open(sales.root) as workspace:
        assert workspace.run().status == "failed"
    wrong = lines(sales)["marts.wrong"]
    assert ([s.status for s in wrong.steps], wrong.builds, wrong.kept) == (["failed"], (), 0)
    assert wrong.seconds > 0


def test_what_was_adopted_or_had_nothing_to_do_costs_nothing(sales):
    sales.run()
    sales.run()
    sales.run(environment="other")
    assert {len(s.steps) for s in lines(sales).values()} == {1}
    assert {n: len(s.steps) for n, s in lines(sales, environment="other").items()} == {
        "shop.sales": 0,
        "marts.by_country": 0,
        "marts.countries": 0,
        "staging.norway": 1,
    }


def test_a_deployment_that_builds_costs_its_environment(sales):
    sales.run()
    sales.write("models/marts/by_country.sql", "SELECT country, count(*) + 1 AS sales FROM shop.sales GROUP BY country\n")
    from xde.app.deploying import Order

    with Workspace.open(sales.root, environment="prod", working_tree=True) as workspace:
        workspace.deploy(Order())
    assert len(lines(sales, environment="prod")["marts.by_country"].builds) == 1


def test_older_days_are_left_out(sales):
    sales.run()
    read(sales, "marts.countries")
    assert lines(sales, later=8, days=7)["marts.countries"].steps == ()
    late = lines(sales, later=8, days=7)["marts.countries"].readers
    assert (late.times, late.last is not None) == (0, True)
    assert len(lines(sales, later=6, days=7)["marts.countries"].steps) == 1


def test_a_selection_has_its_share_of_all(sales):
    sales.run()
    whole = lines(sales)["marts.countries"]
    (part,) = report(sales, "marts.countries").spendings
    assert part.share == whole.share < 1


def test_all_versions_and_what_old_snapshots_need_is_kept(sales):
    sales.run()
    first = lines(sales)["marts.by_country"]
    sales.run(selection=["marts.by_country"], full=True)
    second = lines(sales)["marts.by_country"]
    sales.write("models/marts/by_country.sql", "SELECT country, count(*) + 1 AS sales FROM shop.sales GROUP BY country\n")
    sales.run()
    third = lines(sales)["marts.by_country"]
    assert first.table < first.kept < second.kept < third.kept
    folder = sales.root / ".xde/lake/marts/by_country"
    assert third.kept == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def test_costs_come_back_from_the_lake(sales):
    sales.run()
    sales.write("data/sales-2.csv", "id,country\n3,FR\n")
    sales.run()
    before = lines(sales)
    for part in (sales.root / ".xde").glob("ledger.sqlite*"):
        part.unlink()
    with Workspace.open(sales.root) as workspace:
        workspace.rebuild_ledger()
    after = lines(sales)
    for name in ("shop.sales", "marts.by_country", "marts.countries"):
        old, new = before[name].steps, after[name].steps
        assert [_seen(s) for s in old] == [_seen(s) for s in new]
        assert all(0 < n.usage.seconds <= o.usage.seconds for o, n in zip(old, new, strict=True))


@pytest.mark.slow
def test_a_step_whose_process_died_after_its_commit_costs_what_its_commit_says(sales):
    environment = {**os.environ, "XDE_CRASH_AT": "pointer.moved:2", "PYTHONPATH": str(Path(readers.__file__).parents[2])}
    command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(sales.root), "run"]
    assert subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60).returncode == -9
    sales.run()
    found = lines(sales)
    assert {n: len(s.builds) for n, s in found.items()} == dict.fromkeys(found, 1)


def test_models_read_by_column(sales):
    sales.write("models/marts/total.sql", "SELECT sum(sales) AS n FROM marts.by_country\n")
    sales.run()
    found = lines(sales)
    assert found["marts.by_country"].readers.models == {"marts.countries": ("country",), "marts.total": ("sales",)}
    assert found["marts.by_country"].readers.unread == ()
    assert found["marts.countries"].readers.unread == ("country",)
    assert found["shop.sales"].readers.models["staging.norway"] == ("country", "id")


def test_reads_are_counted_by_day_and_way_and_only_once(sales):
    sales.run()
    read(sales, "marts.countries")
    read(sales, "marts.countries", "export")
    for _ in range(3):
        assert lines(sales)["marts.countries"].readers.reads == {"show": 1, "export": 1}
    sales.run()
    read(sales, "marts.countries")
    assert lines(sales)["marts.countries"].readers.reads == {"show": 2, "export": 1}
    sales.run(environment="other")
    assert lines(sales, environment="other")["marts.countries"].readers.times == 0


def test_a_comparison_reads_both_sides_and_one_dataset_once(sales):
    sales.run()
    sales.run(selection=["marts.by_country"], full=True)
    with Comparisons(lambda: sales.root) as comparisons:
        comparisons.compare(None, read_reference("marts.by_country"), Asked())
    assert lines(sales)["marts.by_country"].readers.reads == {"diff": 1}


def test_neither_tests_nor_models_nor_the_api_are_readers(sales):
    sales.run()
    sales.rows("marts.countries")
    assert all(s.readers.times == 0 for s in lines(sales).values())


def test_where_nothing_can_be_noted_rows_are_read_all_the_same(sales):
    sales.run()
    (sales.root / ".xde/reads").write_text("in the way")
    read(sales, "marts.countries")
    assert lines(sales)["marts.countries"].readers.times == 0


def test_a_journal_that_was_cut_short_counts_its_whole_lines_and_goes_on(sales):
    sales.run()
    read(sales, "marts.countries")
    (journal,) = (sales.root / ".xde/reads").glob("*/*.jsonl")
    whole = journal.read_text().splitlines()[1]
    with journal.open("a") as stream:
        stream.write("{not json\n" + whole[:20])
    assert lines(sales)["marts.countries"].readers.times == 1
    with journal.open("a") as stream:
        stream.write(whole[20:] + "\n" + json.dumps({"at": 3}) + "\n")
    assert lines(sales)["marts.countries"].readers.times == 2


def test_two_who_count_the_same_count_it_once(sales, monkeypatch):
    sales.run()
    read(sales, "marts.countries")
    with Workspace.open(sales.root) as workspace:
        (journal,) = (sales.root / ".xde/reads").glob("*/*.jsonl")
        monkeypatch.setattr(workspace.house.ledger, "journals", dict)  # as one who looked before another counted
        workspace.house.ledger.count_reads([], JournalPiece(journal.stem, 0, journal.stat().st_size))
        readers.count_reads(workspace.house)
        assert workspace.house.ledger.reads("dev") == []


def test_many_journals_are_counted_by_a_reader_and_those_of_the_dead_are_taken_away(sales, monkeypatch):
    sales.run()
    script = "import sys; from pathlib import Path; from xde.app.workspace import Workspace\nwith Workspace.open(Path(sys.argv[1])) as w: w.note_read('marts.countries', 'show')"
    environment = {**os.environ, "PYTHONPATH": str(Path(readers.__file__).parents[2])}
    subprocess.run([sys.executable, "-c", script, str(sales.root)], env=environment, check=True, timeout=60)
    (journal,) = (sales.root / ".xde/reads").glob("*/*.jsonl")
    monkeypatch.setattr(readers, "MANY", 1)
    read(sales, "marts.countries")
    assert not journal.exists()
    with Workspace.open(sales.root) as workspace:
        assert [(r.times, r.how) for r in workspace.house.ledger.reads("dev")] == [(2, "show")]
        assert len(workspace.house.ledger.journals()) == 1


def test_a_fork_has_a_journal_of_its_own(sales):
    sales.run()
    read(sales, "marts.countries")
    child = os.fork()
    if not child:
        with Workspace.open(sales.root) as workspace:
            readers.note_read(workspace.house, "marts.countries", "show")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list((sales.root / ".xde/reads").glob("*/*.jsonl"))) == 2
    assert lines(sales)["marts.countries"].readers.times == 2


def test_what_nobody_reads_is_told_until_somebody_does(sales):
    def told():
        return {f.code for f in report(sales).findings if "`marts.countries`" in f.message}

    sales.run()
    assert told() == {"XDE0770"}
    read(sales, "marts.countries")
    assert told() == set()
    sales.run(selection=["marts.countries"], full=True)
    assert told() == set()
    for _ in range(2):
        sales.run(selection=["marts.countries"], full=True)
    assert told() == {"XDE0771", "XDE0772"}


@pytest.mark.slow
def test_a_python_model_has_the_memory_of_its_process(sales):
    sales.write(
        "models/marts/held.py",
        "import time\nfrom typing import Annotated\n\nimport pyarrow\n\nfrom xde.models import Reads, model\n\n\n@model(columns={'n': 'BIGINT'})\n"
        "def held(sales: Annotated[pyarrow.Table, Reads('shop.sales')]) -> pyarrow.Table:\n    kept = b'x' * 150_000_000\n    time.sleep(0.4)\n"
        "    return pyarrow.table({'n': [len(kept)]})\n",
    )
    sales.run()
    (step,) = lines(sales)["marts.held"].steps
    assert 150_000_000 < (step.usage.memory or 0) < 1_500_000_000
