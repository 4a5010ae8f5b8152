"""References between models: what a check looks up is built before it is looked up."""

import pytest

from xde.app.workspace import Workspace

CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: {name}
version: 1.0.0
status: active
schema:
  - name: {name}
    properties:
      - name: country
        logicalType: string
        {key}
        {reference}
"""
REFERENCE = 'relationships: [{{type: foreignKey, to: "{to}.country"}}]'


def promise(project, name, to=None, folder="marts"):
    text = CONTRACT.format(name=name, key="primaryKey: true" if to is None else "", reference=REFERENCE.format(to=to) if to else "")
    project.write(f"models/{folder}/{name}.yaml", text)


@pytest.fixture
def facts(sales):
    """`marts.a_facts` refers to `marts.z_countries`, which comes after it by every order but one."""
    sales.write("models/marts/a_facts.sql", "SELECT id, country FROM shop.sales\n")
    sales.write("models/marts/z_countries.sql", "SELECT DISTINCT country FROM shop.sales\n")
    promise(sales, "a_facts", "z_countries")
    promise(sales, "z_countries")
    return sales


def plan(project):
    with Workspace.open(project.root) as workspace:
        return {s.dataset: s for s in workspace.plan().steps}


def test_what_is_looked_up_is_built_before(facts):
    steps = plan(facts)
    assert list(steps).index("marts.z_countries") < list(steps).index("marts.a_facts")
    assert "marts.z_countries" in steps["marts.a_facts"].after
    assert facts.run()["marts.a_facts"].rows == 2


def test_what_is_computed_from_a_model_cannot_be_there_before_it(facts):
    facts.write("models/marts/z_countries.sql", "SELECT DISTINCT country FROM marts.a_facts\n")
    steps = plan(facts)
    assert list(steps).index("marts.a_facts") < list(steps).index("marts.z_countries")


def test_models_that_look_each_other_up_are_built_in_some_order(facts):
    facts.write("models/marts/z_countries.yaml", (facts.root / "models/marts/a_facts.yaml").read_text().replace("a_facts", "z_countries"))
    promise(facts, "z_countries", "a_facts")
    assert {"marts.a_facts", "marts.z_countries"} <= set(plan(facts))
