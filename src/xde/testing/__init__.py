"""What a connector must do, as tests that anybody's connector can run: `SourceSuite`, on a `Shelf` of the connector's own.

It takes pytest (`pip install 'xde[test]'`). See docs/concepts/connectors.md.
"""

import pytest

pytest.register_assert_rewrite("xde.testing.sources")  # else a failure says no more than that it is one

from xde.testing.shelf import Row, Shelf  # noqa: E402 - see above
from xde.testing.sources import SourceSuite  # noqa: E402 - the same

__all__ = ["Row", "Shelf", "SourceSuite"]
