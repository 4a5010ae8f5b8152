"""Requirements of packages, held against what PEP 440 and PEP 508 say by the library that implements them."""

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from xde.kernel.project.requirements import requirement_of

VERSIONS = [
    "0.9",
    "1",
    "1.0",
    "1.0.0",
    "1.0a1",
    "1.0rc2",
    "1.0.post1",
    "1.0.dev3",
    "1.0.1",
    "1.1",
    "1.4.2",
    "1.4.5",
    "1.10",
    "2.0",
    "2!1.0",
    "1.0+local",
]
TEXTS = [
    "polars",
    "Polars >= 1.0",
    "polars>=1.0,<2",
    "polars[all]>1.0",
    "polars (<1.0)",
    "polars==1.4.*",
    "polars!=1.4.*",
    "polars~=1.4.2",
    "polars~=1.0",
    "polars==1.0",
    "zope.interface<=1.0",
    "a_b!=1.0",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_version_will_do_as_the_standard_says(text: str) -> None:
    ours, theirs = requirement_of(text), Requirement(text)
    assert ours is not None
    assert ours.name == canonicalize_name(theirs.name)
    for version in VERSIONS:
        assert ours.met_by(version) == theirs.specifier.contains(version, prereleases=True), version


@pytest.mark.parametrize(
    "text",
    ["", ">=1", "polars>=x", "polars>>1", "polars @ https://example.org/p.whl", "polars; python_version < '4'", "polars>=1.*", "-r file"],
)
def test_what_cannot_be_looked_up_is_no_requirement(text: str) -> None:
    assert requirement_of(text) is None
