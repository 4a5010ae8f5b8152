"""Datasets of a real project, compared through commits, versions and environments."""

from __future__ import annotations

import pytest

from xde.app.comparing import Comparisons
from xde.app.deploying import Order, deploy
from xde.app.references import read_reference
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.lifecycle.serving.comparing import Asked


def compare(project, left, right=None, asked=None, key=None, environment=None):
    with Comparisons(lambda: project.root, environment) as comparisons:
        old = read_reference(left) if right is not None else None
        return comparisons.compare(old, read_reference(right if right is not None else left), asked or Asked(), key)


def counts(found):
    return found.added, found.removed, found.changed, found.unchanged


def refused(project, *words, **more):
    with pytest.raises(UserError) as told:
        compare(project, *words, **more)
    [finding] = told.value.findings
    return finding


def bring(project, environment):
    with Workspace.open(project.root, environment=environment, working_tree=True) as workspace:
        assert deploy(workspace.house, workspace.known, project.root, Order()).deployment is not None


@pytest.fixture
def two_days(sales):
    sales.run()
    sales.write("data/sales-2.csv", "id,country\n3,NO\n4,SE\n")
    sales.run()
    return sales


def test_a_source_against_the_commit_before_reads_only_what_came(two_days):
    found = compare(two_days, "shop.sales")
    assert (counts(found), found.shared, found.key) == ((2, 0, 0, 2), 2, ("id",))
    assert (found.left.name, found.right.name) == ("dev:shop.sales@0", "dev:shop.sales@1")


def test_a_model_without_a_key_is_compared_whole_and_with_one_by_it(two_days):
    assert counts(compare(two_days, "marts.by_country")) == (2, 1, 0, 1)
    assert counts(compare(two_days, "marts.by_country", key=("country",))) == (1, 0, 1, 1)


def test_points_of_the_history(two_days):
    between = compare(two_days, "shop.sales@0", "shop.sales").right.at
    assert counts(compare(two_days, "shop.sales@-1", "shop.sales@1")) == (2, 0, 0, 2)
    assert counts(compare(two_days, "shop.sales@1", "shop.sales@0")) == (0, 2, 0, 2)
    assert compare(two_days, f"shop.sales@{between}", "shop.sales").equal
    version = compare(two_days, "shop.sales").right.version
    assert compare(two_days, f"shop.sales@{version[:6]}", f"shop.sales@{version}@1").equal
    assert refused(two_days, "shop.sales@7", "shop.sales").code == "XDE0604"
    assert refused(two_days, "shop.sales@-2", "shop.sales").code == "XDE0921"
    assert refused(two_days, "shop.sales@2001-01-01", "shop.sales").code == "XDE0921"
    assert refused(two_days, "shop.sales@abcdef", "shop.sales").code == "XDE0611"
    assert refused(two_days, "shop.sales@0").code == "XDE0921"


def test_when_a_model_has_changed_the_commit_before_is_that_of_the_version_before(two_days):
    two_days.write("models/marts/by_country.sql", "SELECT country, count(*) * 2 AS sales FROM shop.sales GROUP BY country\n")
    two_days.run()
    found = compare(two_days, "marts.by_country", key=("country",))
    assert (counts(found), found.left.number, found.right.number) == ((0, 0, 3, 0), 1, 0)
    assert counts(compare(two_days, found.left.name, found.right.name, key=("country",))) == counts(found), "a name is a reference"
    assert counts(compare(two_days, "marts.by_country@-2", "marts.by_country", key=("country",))) == (1, 0, 2, 0)
    assert refused(two_days, "marts.by_country@-3", "marts.by_country").code == "XDE0921"


def test_environments(two_days):
    bring(two_days, "prod")
    two_days.write("models/marts/by_country.sql", "SELECT country, count(*) + 1 AS sales, 7 AS more FROM shop.sales GROUP BY country\n")
    two_days.write("models/staging/norway.sql", "/* xde\nkind: view\n*/\nSELECT id FROM shop.sales WHERE country <> 'DE'\n")
    two_days.run()
    found = compare(two_days, "prod:marts.by_country", "marts.by_country", key=("country",))
    assert (counts(found), [c.name for c in found.layout.added]) == ((0, 0, 3, 0), ["more"])
    assert counts(compare(two_days, "prod:staging.norway", "staging.norway")) == (1, 0, 0, 2), "each by its own text"
    with Comparisons(lambda: two_days.root, None) as comparisons:
        assert comparisons.both("prod", None) == ("marts.by_country", "staging.norway")
        assert comparisons.only("prod", None) == ((), ())
    finding = refused(two_days, "prodd:marts.by_country", "marts.by_country")
    assert (finding.code, finding.hint) == ("XDE0724", "did you mean `prod`?")


def test_an_edit_of_a_view_that_was_not_run_is_not_taken_for_what_the_environment_shows(two_days):
    two_days.write("models/staging/norway.sql", "/* xde\nkind: view\n*/\nSELECT id FROM shop.sales WHERE country <> 'DE'\n")
    assert refused(two_days, "staging.norway", "staging.norway").code == "XDE0928"


def test_views_have_no_commits(two_days):
    assert refused(two_days, "staging.norway").code == "XDE0612"
    assert refused(two_days, "staging.norway@0", "staging.norway").code == "XDE0612"


def test_a_file_of_ones_own(two_days):
    file = two_days.root / "mine.csv"
    file.write_text("id,country\n1,NO\n2,DE\n3,FI\n4,SE\n")
    assert counts(compare(two_days, str(file), "shop.sales")) == (0, 0, 1, 3)
    assert counts(compare(two_days, str(file), str(file))) == (0, 0, 0, 4)
    assert refused(two_days, str(file)).code == "XDE0920"


def test_personal_columns_are_those_of_either_side(two_days):
    text = (two_days.root / "sources/shop.yaml").read_text()
    two_days.write(
        "sources/shop.yaml", text.replace("{name: country, logicalType: string}", "{name: country, logicalType: string, tags: [pii]}")
    )
    two_days.run()
    file = two_days.root / "mine.csv"
    file.write_text("id,country\n1,XX\n")
    for found in (compare(two_days, str(file), "shop.sales"), compare(two_days, "shop.sales", str(file), key=("id",))):
        assert counts(found)[2] == 1
        assert not any(secret in repr(found.samples) for secret in ("XX", "NO", "DE", "SE"))
    model = compare(two_days, "marts.by_country")
    assert "NO" not in repr(model.samples), "what is made of a personal column is personal"


def test_what_is_asked_wrongly(two_days):
    assert refused(two_days, "marts.by_contry").hint == "did you mean `marts.by_country`?"
    assert refused(two_days, "marts.by_country", asked=Asked(tolerance=1e-9)).code == "XDE0927"


def test_a_commit_whose_files_were_cleaned_away(two_days):
    two_days.run(selection=["marts.by_country"], full=True)
    two_days.clean(keep_hours=0)
    assert refused(two_days, "marts.by_country").code == "XDE0610"
