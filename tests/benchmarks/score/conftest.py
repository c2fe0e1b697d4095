from __future__ import annotations

import pytest

from benchmarks import registry
from benchmarks.extractors import ExtractorEntry


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual extractors, replaced by small ones."""
    entries = {
        name: ExtractorEntry(name, "", f"tests.benchmarks.networks:{target}", "pictures")
        for name, target in (("inception", "Classes"), ("clip", "Colours"), ("absent", "gone"))
    }
    entries["motion"] = ExtractorEntry("motion", "", "tests.benchmarks.networks:Motion", "clips")
    entries["own-name"] = ExtractorEntry("own-name", "", "tests.benchmarks.networks:OwnName", "pictures")
    entries["ears"] = ExtractorEntry("ears", "", "tests.benchmarks.networks:Ears", "sounds")
    monkeypatch.setattr(registry, "EXTRACTORS", entries)
