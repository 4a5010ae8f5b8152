"""A project of clicks and models of windows over them."""

from __future__ import annotations

import pytest
from projects.clicks import project


@pytest.fixture
def clicks(tmp_path):
    return lambda *models: project(tmp_path / "web", *models)
