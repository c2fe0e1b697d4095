"""Where weights are found: in folders, in installed packages, in the hub's cache."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nextgpt.errors import ConfigError
from nextgpt.weights.places import locate


def test_weights_inside_a_package_are_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "worldly"
    (package / "weights" / "encoder").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert locate("worldly:weights/encoder") == package / "weights" / "encoder"
    assert "worldly" not in sys.modules
    (package / "inner" / "w").mkdir(parents=True)
    (package / "inner" / "__init__.py").write_text("raise RuntimeError('imported')")
    assert locate("worldly.inner:w") == package / "inner" / "w"
    assert "worldly" not in sys.modules
    with pytest.raises(ConfigError, match=r"worldly\.other .*not installed"):
        locate("worldly.other:w")
    with pytest.raises(ConfigError, match=r"worldly .*no folder weights/decoder"):
        locate("worldly:weights/decoder")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("no_such_package:weights", "not installed"),
        ("./nowhere/at/all", "no such folder"),
        ("someone/no-such-model", "hf download someone/no-such-model"),
        ("some one/no:name?", "not installed"),
        ("some one/no-name?", "neither a folder nor in the local hub cache"),
        ("a/b/c", "no such folder"),
        ("__main__:weights", "not installed"),
        ("...:weights", "not installed"),
        ("", "no such folder"),
    ],
)
def test_what_is_not_there_says_how_to_get_it(place: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        locate(place)


def test_the_hubs_cache_is_found_by_its_own_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    cache = tmp_path / "models--someone--a-model"
    for commit in ("0a1b", "2c3d"):
        (cache / "snapshots" / commit).mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("2c3d\n")
    assert locate("someone/a-model") == cache / "snapshots" / "2c3d"
    assert locate("someone/a-model", revision="0a1b") == cache / "snapshots" / "0a1b"
    with pytest.raises(ConfigError, match="hf download"):
        locate("someone/a-model", revision="v2")
