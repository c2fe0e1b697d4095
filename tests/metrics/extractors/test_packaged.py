"""EfficientNet-Lite0 and YAMNet with the real weights that packages carry, where they were fetched."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metrics import frechet_distance
from metrics.extractors import EfficientNetLiteExtractor, MissingWeightsError, Sound, YamnetExtractor

PHOTOGRAPHS = Path(__file__).parents[4] / "shared" / "data" / "coco"


def packaged(name: str, package: str) -> Path:
    """A folder of fetched weights; skips where they, or what runs them, are not there."""
    from nextgpt.weights.packaged import place

    folder = place() / name
    if not folder.is_dir() or find_spec(package) is None:
        pytest.skip(
            f"{name} was not fetched (nextgpt-bench fetch packaged {name}), or {package} is not installed"
        )
    return folder


def photographs(count: int) -> list[Any]:
    from PIL import Image

    files = sorted(PHOTOGRAPHS.rglob("*.jpg"))[:count]
    if len(files) < count:
        pytest.skip("photographs are not beside the repository")
    return [np.asarray(Image.open(file).convert("RGB")) for file in files]


def test_lite0_is_the_mean_of_its_package_s_own_grid() -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="the package's own network is not here")
    import torch
    from PIL import Image

    folder = packaged("lite0", "efficientnet_lite_pytorch")
    pictures = [np.random.default_rng(k).integers(0, 256, (90 + k, 120, 3), dtype=np.uint8) for k in range(3)]
    (file,) = folder.glob("*.pth")
    network = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(file)).eval()
    rows = []
    for picture in pictures:
        height, width = picture.shape[:2]
        side = 0.875 * min(height, width)
        left, top = (width - side) / 2, (height - side) / 2
        seen = Image.fromarray(picture).resize(
            (224, 224), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
        )
        x = (torch.from_numpy(np.array(seen)).float() - 127) / 128
        with torch.no_grad():
            rows.append(network.extract_features(x.permute(2, 0, 1)[None]).mean((2, 3))[0].numpy())
    extractor = EfficientNetLiteExtractor(folder, batch_size=2)
    assert extractor.features(pictures) == pytest.approx(np.stack(rows), rel=1e-4, abs=1e-5)
    assert extractor.signature.startswith("efficientnet-lite0@57934424,")


def test_spoilt_photographs_lie_farther_the_more_they_are_spoilt() -> None:
    from PIL import Image, ImageFilter

    extractor = EfficientNetLiteExtractor(packaged("lite0", "efficientnet_lite_pytorch"))
    pictures = photographs(40)
    real, other = extractor.features(pictures[:20]), pictures[20:]
    distances = []
    for radius in (0, 3, 10):
        blurred = [
            np.asarray(Image.fromarray(each).filter(ImageFilter.GaussianBlur(radius))) for each in other
        ]
        distances.append(frechet_distance(extractor.features(blurred), real))
    assert distances == sorted(distances)


def test_yamnet_hears_windows_and_tells_noise_from_tones() -> None:
    extractor = YamnetExtractor(packaged("yamnet", "ai_edge_litert"))
    rng = np.random.default_rng(0)
    second = np.arange(48_000) / 16_000
    tone = Sound((0.4 * np.sin(2 * np.pi * 440 * second)).astype(np.float32), 16_000)
    noise = [Sound(rng.normal(0, 0.1, 40_000).clip(-1, 1).astype(np.float32), 16_000) for _ in range(2)]
    rows = extractor.windows([tone, *noise, Sound(np.zeros(800, np.float32), 16_000)])
    assert [row.shape for row in rows] == [(3, 1024), (2, 1024), (2, 1024), (1, 1024)]
    assert extractor.features([tone]) == pytest.approx(rows[0].mean(axis=0)[None])
    near = np.linalg.norm(rows[1].mean(axis=0) - rows[2].mean(axis=0))
    far = np.linalg.norm(rows[1].mean(axis=0) - rows[0].mean(axis=0))
    assert near < far / 3


def test_what_is_missing_or_another_network_is_named(tmp_path: Path) -> None:
    for kind, what in ((EfficientNetLiteExtractor, "efficientnet-lite0"), (YamnetExtractor, "yamnet")):
        with pytest.raises(MissingWeightsError, match=what):
            kind(tmp_path)
    if find_spec("ai_edge_litert"):
        (tmp_path / "yamnet.tflite").write_bytes(os.urandom(200))
        with pytest.raises(MissingWeightsError, match="no TFLite model, or damaged"):
            YamnetExtractor(tmp_path)
