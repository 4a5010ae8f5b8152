"""Python models on Spark: a function with a session of its own, on the cluster that builds the others."""

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.spark
UNIT = Path(__file__).parents[1] / "unit" / "connectors" / "python"


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"python_models_{name}", UNIT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_rows_come_through_a_data_frame_of_spark_as_they_are(tmp_path, spark_settings):
    from xde.connectors.python.calls import PythonFunctions, Room
    from xde.connectors.spark.session import recipe
    from xde.lifecycle.transformation.functions import CallingEngine

    bench, calls = loaded("conftest"), loaded("test_calls")
    own = bench.Bench(tmp_path)
    own.functions = PythonFunctions(Room(tmp_path / "tmp", threads=2, spark=recipe(spark_settings)))
    own.engine = CallingEngine(own.local, own.local, lambda: own.functions)
    calls.FORMS["pyspark.sql.DataFrame"] = "import pyspark.sql"
    text = calls.same("pyspark.sql.DataFrame")
    rows = own.call(text, calls.TYPES, {"s.t": own.given("s.t", calls.ROWS)})
    assert sorted(map(repr, rows)) == sorted(map(repr, bench.rows_of(calls.ROWS)))
    own.session.close()
