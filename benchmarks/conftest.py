"""These benchmarks compute for minutes: plain ``pytest`` leaves them out, and they run when named by path.

All else about them is `benchmarks.pytest_plugin`, which any repository has.
"""

from __future__ import annotations

import pytest

from nextgpt.threads import wait_asleep

wait_asleep()  # before a test file reads torch


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what holds a line unless somebody named its file or folder."""
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    paths = [(config.invocation_params.dir / name.split("::")[0]).resolve() for name in named]
    left_out = [
        item
        for item in items
        if "holds" in getattr(item, "fixturenames", ())
        and not any(path.is_relative_to(item.path.parent) for path in paths)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
