"""Fixtures for tests in Python: a project, rows that are given, a model that is run, rows that are compared."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from xde.faces.pytest.projects import PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.app.testing import TestBench
    from xde.faces.pytest.rows import ModelRows
    from xde.ground.errors import UserError


class Give(Protocol):
    """`given("staging.orders", rows)`: only the columns that matter; what is given later takes the place of what was given before."""

    def __call__(self, dataset: str, rows: object) -> None:
        """Rows are mappings, a data frame of pandas, Polars or Spark, an Arrow table, or what `run_model` gave."""
        ...


class RunModel(Protocol):
    """`run_model("marts.orders", late_minutes=15)`: the rows that the model makes of what is given."""

    def __call__(
        self, model: str, /, *, now: datetime | date | str | None = None, cte: str | None = None, **parameters: object
    ) -> ModelRows:
        """`now` sets the clock; `cte` names a part of the model to look at instead of the whole."""
        ...


@pytest.fixture(scope="module")
def xde_project(request: pytest.FixtureRequest) -> TestBench:
    """The project: what `--xde-project` or `xde_project` in the settings names, else the nearest above the test. Opened once."""
    __tracebackhide__ = True
    from xde.ground.errors import UserError  # deferred, as all that is ours: pytest loads this file everywhere

    try:
        return request.config.stash[PROJECTS].of_test(request.path)
    except UserError as error:
        raise _failed(error) from None


@pytest.fixture
def _xde_given(xde_project: TestBench) -> dict[str, Any]:
    """What a test has given so far."""
    del xde_project
    return {}


@pytest.fixture
def given(xde_project: TestBench, _xde_given: dict[str, Any]) -> Give:
    """Give rows of a dataset to the models that the test runs."""

    def give(dataset: str, rows: object) -> None:
        __tracebackhide__ = True
        from xde.app.trying import known_dataset
        from xde.faces.pytest.rows import given_of
        from xde.ground.errors import UserError

        try:
            known_dataset(xde_project, dataset)
            _xde_given[dataset] = given_of(rows)
        except UserError as error:
            raise _failed(error) from None

    return give


@pytest.fixture
def run_model(xde_project: TestBench, _xde_given: dict[str, Any]) -> RunModel:
    """Run a model on what is given; inputs that are not given are empty, views are made from what they read."""

    def run(model: str, /, *, now: datetime | date | str | None = None, cte: str | None = None, **parameters: object) -> ModelRows:
        __tracebackhide__ = True
        from xde.app.trying import Trial, try_model
        from xde.faces.pytest.rows import ModelRows
        from xde.ground.errors import UserError

        moment = now.isoformat() if isinstance(now, date) else now
        try:
            return ModelRows(model, try_model(xde_project, Trial(model, dict(_xde_given), parameters, moment, cte)))
        except UserError as error:
            raise _failed(error) from None

    return run


@pytest.fixture
def assert_rows_equal() -> Callable[..., None]:
    """Compare rows, whatever holds them; see `xde.faces.pytest.asserting`."""
    from xde.faces.pytest.asserting import assert_rows_equal as compare

    return compare


def _failed(error: UserError) -> BaseException:
    """Findings in words; our frames are hidden, so that the line of the test is the last."""
    from xde.faces.words.findings import findings_text

    return pytest.fail.Exception(findings_text(error.findings))
