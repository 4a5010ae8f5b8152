"""What can be seen of a dataset as it was, and what is said of what cannot."""

import pytest

from xde.ground.errors import UserError


def finding(project, dataset, **how):
    with pytest.raises(UserError) as caught:
        project.rows(dataset, **how)
    (found,) = caught.value.findings
    return found


def rebuilt(sales, times):
    """Build `marts.by_country` anew so many times: each commit takes the files of the one before."""
    sales.run()
    for _ in range(times):
        sales.run(selection=["marts.by_country"], full=True)


def test_a_snapshot_whose_files_a_clean_took_says_which_are_still_there(sales):
    rebuilt(sales, 3)
    assert sales.rows("marts.by_country", at=1) == [("DE", 1), ("NO", 1)]
    sales.clean(keep_hours=0)
    found = finding(sales, "marts.by_country", at=1)
    assert (found.code, found.message) == ("XDE0610", "the files of snapshot 1 of `marts.by_country` were cleaned away")
    assert found.why == "the snapshots 0 to 2 are gone, 3 is still there"
    assert found.hint == "read it as it is now, without `--at`"
    assert sales.rows("marts.by_country", at=3) == [("DE", 1), ("NO", 1)]


def test_of_several_that_are_still_there_the_nearest_is_named(sales):
    rebuilt(sales, 6)
    lake = sales.root / ".xde/lake/marts/by_country"
    from xde.app.workspace import Workspace
    from xde.lifecycle.storage.port import TableId

    with Workspace.open(sales.root) as workspace:
        table = TableId("marts.by_country", workspace.house.ledger.pointers("dev")["marts.by_country"])
        paths = {n: workspace.house.lake.snapshot(table, n).paths for n in range(7)}
        for number in (0, 1, 4):
            for path in paths[number]:
                (lake / path).unlink()
        assert workspace.house.lake.whole(table) == (6, 5, 3, 2)
    found = finding(sales, "marts.by_country", at=4)
    assert found.why == "the snapshots 0, 1 and 4 are gone, 2, 3, 5 and 6 are still there"
    assert found.hint == "`xde show marts.by_country --at 5` reads the next one"
    assert finding(sales, "marts.by_country", at=99).code == "XDE0604"


def test_an_unknown_version_says_which_there_are(sales):
    sales.run()
    sales.write("models/marts/by_country.sql", "SELECT country, count(id) AS sales FROM shop.sales GROUP BY country\n")
    before = version_of(sales)
    sales.run()
    now = version_of(sales)
    assert sales.rows("marts.by_country", version=before) == [("DE", 1), ("NO", 1)]
    found = finding(sales, "marts.by_country", version=before[:-1])
    assert (found.code, found.message) == ("XDE0611", f"the lake has no version `{before[:-1]}` of `marts.by_country`")
    assert found.why == f"it has {' and '.join(f'`{v}`' for v in sorted((before, now)))}"
    assert found.hint == f"did you mean `{before}`?"
    assert finding(sales, "staging.norway", version=before).code == "XDE0612"


def version_of(sales):
    from xde.app.workspace import Workspace

    with Workspace.open(sales.root) as workspace:
        return workspace.house.ledger.pointers("dev")["marts.by_country"]


def test_a_view_has_no_snapshots(sales):
    sales.run()
    found = finding(sales, "staging.norway", at=0)
    assert (found.code, found.message) == ("XDE0612", "`staging.norway` is a view: it stores no rows and has no snapshots")
    assert found.hint == "read what it reads as it was: `xde show shop.sales --at 0`"
    assert sales.rows("staging.norway") == [(1,)]
