"""One cluster and one session for all tests of this folder: Spark takes half a minute to come up."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents and not item.get_closest_marker("quick"):
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'xde[spark]'")
    if shutil.which("java") is None:
        pytest.skip("there is no Java: apt-get install openjdk-17-jre-headless")
    from clusters import Cluster

    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def spark_settings(cluster):
    from clusters import OPTIONS

    from xde.kernel.project.settings import EngineSettings

    return EngineSettings("spark", master=cluster.master, options=OPTIONS)


@pytest.fixture(scope="session")
def lab(spark_settings, tmp_path_factory):
    from probing import LAB, Lab

    made = Lab(tmp_path_factory.mktemp("lab"), spark_settings)
    made.add(LAB, "lab")
    yield made
    made.close()
