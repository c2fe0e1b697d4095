"""DINOv2, VideoMAE, CMMD's CLIP and sentences: the real classes, random weights, against transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from metrics import CMMD, FID, JEDi, frechet_distance
from metrics.extractors import (
    ClipExtractor,
    Dinov2Extractor,
    MissingWeightsError,
    SentenceExtractor,
    VideoMaeExtractor,
    cmmd_clip,
)
from metrics.metric import MetricInputError
from tests.metrics.extractors.tiny_networks import tiny_clip, tiny_dinov2, tiny_sentences, tiny_videomae

RNG = np.random.default_rng(0)
PICTURES = [
    RNG.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 60, 3), (300, 200, 3), (224, 224, 3))
]
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def independent_dinov2(folder: Path, resize: str) -> np.ndarray:
    """As EDM2's detector computes it, over transformers' own class."""
    from transformers import Dinov2Model

    rows = []
    model = Dinov2Model.from_pretrained(folder).eval()
    for picture in PICTURES:
        if resize == "pil-bicubic":
            resized = Image.fromarray(picture).resize((224, 224), Image.Resampling.BICUBIC)
            x = torch.from_numpy(np.array(resized))
            x = x.permute(2, 0, 1)[None].float()
        else:
            x = torch.nn.functional.interpolate(
                torch.from_numpy(picture).permute(2, 0, 1)[None].float(),
                (224, 224),
                mode="bicubic",
                antialias=True,
            )
        x = (x / 255 - MEAN.reshape(1, -1, 1, 1)) / STD.reshape(1, -1, 1, 1)
        with torch.no_grad():
            rows.append(model(pixel_values=x).last_hidden_state[0, 0].numpy())
    return np.stack(rows)


@pytest.mark.parametrize("resize", ["torch-bicubic", "pil-bicubic"])
def test_dinov2_is_edm2_s_and_dgm_eval_s(tmp_path: Path, resize: str) -> None:
    folder = tiny_dinov2(tmp_path / "tiny")
    extractor = Dinov2Extractor(folder, resize=resize, batch_size=2)
    assert extractor.features(PICTURES) == pytest.approx(
        independent_dinov2(folder, resize), rel=1e-5, abs=1e-6
    )
    assert f"cls,resize:{resize}-224" in extractor.signature
    assert extractor.features([]).shape == (0, 16)


def test_how_pictures_are_resized_moves_the_number_and_stands_in_the_signature(tmp_path: Path) -> None:
    folder = tiny_dinov2(tmp_path / "tiny")
    rows = {name: Dinov2Extractor(folder, resize=name) for name in ("torch-bicubic", "pil-bicubic")}
    one, other = (each.features(PICTURES) for each in rows.values())
    assert not np.allclose(one, other, atol=1e-5)
    assert len({FID(each).signature for each in rows.values()}) == 2
    with pytest.raises(ValueError, match="choose torch-bicubic or pil-bicubic"):
        Dinov2Extractor(folder, resize="bicubic")


def test_fd_dinov2_is_the_square_root_formula_s(tmp_path: Path) -> None:
    """Against scipy's matrix square root in double precision, where covariances have full rank."""
    from scipy.linalg import sqrtm

    extractor = Dinov2Extractor(tiny_dinov2(tmp_path / "tiny"))
    rng = np.random.default_rng(1)
    sets = [
        extractor.features(list(rng.integers(low, 256, (40, 32, 32, 3), dtype=np.uint8))).astype(np.float64)
        for low in (0, 60)
    ]
    means = [rows.mean(axis=0) for rows in sets]
    covariances = [np.cov(rows, rowvar=False) for rows in sets]
    root = np.real(np.trace(sqrtm(covariances[0] @ covariances[1])))
    independent = np.square(means[0] - means[1]).sum() + np.trace(covariances[0] + covariances[1]) - 2 * root
    assert frechet_distance(*sets) == pytest.approx(independent, rel=1e-6)


def test_cmmd_s_clip_resizes_as_published(tmp_path: Path) -> None:
    from transformers import CLIPModel

    folder = tiny_clip(tmp_path / "tiny", size=48)
    model = CLIPModel.from_pretrained(folder).eval()
    mean, std = (
        torch.tensor([0.48145466, 0.4578275, 0.40821073]),
        torch.tensor([0.26862954, 0.26130258, 0.27577711]),
    )
    rows = []
    for picture in PICTURES:
        x = torch.from_numpy((picture.astype(np.float32) / 255).transpose(2, 0, 1))[None]
        x = torch.nn.functional.interpolate(x, size=(48, 48), mode="bicubic")
        x = (x - mean.reshape(1, -1, 1, 1)) / std.reshape(1, -1, 1, 1)
        with torch.no_grad():
            rows.append(model.visual_projection(model.vision_model(pixel_values=x).pooler_output)[0].numpy())
    extractor = cmmd_clip(folder)
    assert extractor.images(PICTURES) == pytest.approx(np.stack(rows), rel=1e-4, abs=1e-6)
    assert "square-48-bicubic-no-antialias" in CMMD(extractor).signature
    assert extractor.signature != ClipExtractor(folder).signature
    assert not np.allclose(extractor.images(PICTURES), ClipExtractor(folder).images(PICTURES), atol=1e-4)


def published_cmmd(x: Any, y: Any) -> float:
    """google-research's, in double precision: sigma 10, scale 1000, diagonals included."""
    x, y = torch.from_numpy(x).double(), torch.from_numpy(y).double()
    x, y = x / x.norm(dim=1, keepdim=True), y / y.norm(dim=1, keepdim=True)

    def kernel(a: Any, b: Any) -> Any:
        squares = (-2 * a @ b.T) + a.square().sum(1)[:, None] + b.square().sum(1)[None]
        return torch.exp(-squares / 200).mean()

    return float(1000 * (kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)))


def test_cmmd_equals_the_published_formula(tmp_path: Path) -> None:
    extractor = cmmd_clip(tiny_clip(tmp_path / "tiny"))
    rng = np.random.default_rng(1)
    sets = [list(rng.integers(low, 256, (30, 40, 40, 3), dtype=np.uint8)) for low in (0, 128)]
    metric = CMMD(extractor)
    found = metric.value(metric.statistics(*sets))
    assert found == pytest.approx(published_cmmd(*(extractor.images(each) for each in sets)), rel=1e-6)


def test_videomae_is_the_mean_of_transformers_tokens(tmp_path: Path) -> None:
    from transformers import VideoMAEModel

    folder = tiny_videomae(tmp_path / "tiny")
    clips = [RNG.integers(0, 256, (count, 40, 50, 3), dtype=np.uint8) for count in (4, 9, 2)]
    model = VideoMAEModel.from_pretrained(folder).eval()
    rows = []
    for clip in clips:
        places = [round(k * (len(clip) - 1) / 3) for k in range(4)]
        x = torch.from_numpy(clip[places]).permute(0, 3, 1, 2).float() / 255
        x = torch.nn.functional.interpolate(x, (32, 32), mode="bilinear", align_corners=False)
        with torch.no_grad():
            rows.append(model(pixel_values=x[None]).last_hidden_state[0].mean(0).numpy())
    extractor = VideoMaeExtractor(folder, batch_size=2)
    assert extractor.features(clips) == pytest.approx(np.stack(rows), rel=1e-5, abs=1e-6)
    assert "4-frames-spread,resize:bilinear-32" in extractor.signature
    with pytest.raises(MetricInputError, match="clip 1 is uint8 of shape"):
        extractor.features([clips[0], clips[0][0]])


def test_jedi_equals_scikit_learn_s_kernel_and_the_published_example() -> None:
    from sklearn.metrics.pairwise import polynomial_kernel

    x, y = RNG.normal(size=(30, 7)), RNG.normal(0.3, 1, size=(21, 7))
    kernel = {"degree": 2, "gamma": None, "coef0": 0}
    independent = 100 * (
        polynomial_kernel(x, **kernel).mean()
        + polynomial_kernel(y, **kernel).mean()
        - 2 * polynomial_kernel(x, y, **kernel).mean()
    )
    metric = JEDi()
    assert metric.value(metric.statistics(list(x), list(y))) == pytest.approx(independent, rel=1e-9)
    assert metric.value(metric.statistics(list(x), list(x))) == 0


def test_sentences_are_the_masked_mean_at_unit_length_whatever_the_batch(tmp_path: Path) -> None:
    from transformers import BertModel

    folder = tiny_sentences(tmp_path / "tiny")
    texts = ["a red circle", "a", "", "blue square a a red", "circle"]
    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    words = {"a": 4, "red": 5, "circle": 6, "blue": 7, "square": 8}
    rows = []
    for text in texts:
        ids = torch.tensor([[1, *(words[word] for word in text.split()), 3]])
        with torch.no_grad():
            mean = model(input_ids=ids).last_hidden_state[0].mean(0)
        rows.append((mean / mean.norm()).numpy())
    for size in (1, 3, 64):
        found = SentenceExtractor(folder, batch_size=size).texts(texts)
        assert found == pytest.approx(np.stack(rows), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("kind", [Dinov2Extractor, VideoMaeExtractor, SentenceExtractor])
def test_weights_that_are_not_there_are_named_with_what_that_disables(kind: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"nobody/none.*without it these cannot be computed"):
        kind("nobody/none")
    with pytest.raises(MissingWeightsError, match=r"config\.json is missing"):
        kind(tmp_path)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    folder = tiny_dinov2(tmp_path / "tiny")
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"hidden_size": 16', '"hidden_size": 24'))
    with pytest.raises((MissingWeightsError, RuntimeError)):
        Dinov2Extractor(folder).features(PICTURES)
