"""Extractors, with tiny CLIPs made here and a randomly filled file of the published Inception's layout."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from metrics.extractors import (
    CachedExtractor,
    ClipExtractor,
    InceptionExtractor,
    InceptionV3,
    MissingWeightsError,
)
from metrics.extractors.pictures import RESIZES, short_side_crop
from metrics.extractors.weights import file_hash
from metrics.metric import MetricInputError
from metrics.pairs.similarity import CLIPScore
from metrics.sets.metrics import FID

WORDS = ["<pad>", "<s>", "<unk>", "</s>", "a", "red", "circle", "blue", "square"]


def _pictures(*sizes: tuple[int, int], seed: int = 0) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sizes]


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP with random weights as transformers saves it, with tokenizer and preprocessing."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import CLIPConfig, CLIPModel

    folder = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": 1, "eos_token_id": 3, "pad_token_id": 0}
    CLIPModel(
        CLIPConfig(
            text_config={**tower, **ends, "vocab_size": len(WORDS), "max_position_embeddings": 8},
            vision_config={**tower, "image_size": 32, "patch_size": 8},
            projection_dim=12,
        )
    ).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    preprocessing: dict[str, Any] = {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}}
    preprocessing |= {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.25, 0.2]}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return folder


def _copied(folder: Path, target: Path) -> Path:
    target.mkdir()
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def test_clip_embeds_as_transformers_own_pipeline_does(clip_folder: Path) -> None:
    from transformers import CLIPImageProcessor, CLIPModel

    pictures = _pictures((32, 32), (50, 40), (64, 97), (33, 200))
    processor = CLIPImageProcessor.from_pretrained(clip_folder)
    pixels = torch.from_numpy(np.stack(processor(pictures, return_tensors="np")["pixel_values"]))
    model = CLIPModel.from_pretrained(clip_folder).eval()
    extractor = ClipExtractor(clip_folder, batch_size=3)
    with torch.no_grad():
        images = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
        ids = torch.tensor([[1, 4, 5, 6, 3]])
        texts = model.text_projection(model.text_model(input_ids=ids).pooler_output)
    assert extractor.images(pictures) == pytest.approx(images.numpy(), abs=1e-5)
    assert extractor.texts(["a red circle"]) == pytest.approx(texts.numpy(), abs=1e-5)


def test_batches_and_padding_change_nothing(clip_folder: Path) -> None:
    pictures, texts = _pictures(*[(40, 40)] * 5), ["a", "a red circle", "blue square", "circle a a a", ""]
    one, many = ClipExtractor(clip_folder, batch_size=1), ClipExtractor(clip_folder, batch_size=5)
    assert one.images(pictures) == pytest.approx(many.images(pictures), abs=1e-6)
    assert one.texts(texts) == pytest.approx(many.texts(texts), abs=1e-6)


def test_a_long_text_is_cut_and_keeps_its_end(clip_folder: Path) -> None:
    extractor = ClipExtractor(clip_folder)
    long, cut = extractor.texts(["a " * 50, "a a a a a a"])
    assert long == pytest.approx(cut, abs=1e-6)


def test_no_items_are_no_rows(clip_folder: Path) -> None:
    extractor = ClipExtractor(clip_folder)
    assert extractor.images([]).shape == extractor.texts([]).shape == (0, 12)


def test_the_signature_names_weights_and_preprocessing(clip_folder: Path, tmp_path: Path) -> None:
    weights = file_hash(clip_folder / "model.safetensors")
    extractor = ClipExtractor(clip_folder)
    assert extractor.signature == f"clip:tiny@{weights},short-side-36-bicubic,crop-32,fp32"
    copy = _copied(clip_folder, tmp_path / "tiny")
    state = load_file(copy / "model.safetensors")
    state["logit_scale"] += 1
    save_file(state, copy / "model.safetensors", metadata={"format": "pt"})
    assert ClipExtractor(copy).signature != extractor.signature
    assert str(tmp_path) not in ClipExtractor(copy).signature


def test_without_preprocessing_file_the_network_s_own_size_counts(clip_folder: Path, tmp_path: Path) -> None:
    copy = _copied(clip_folder, tmp_path / "bare")
    (copy / "preprocessor_config.json").unlink()
    assert "short-side-32-bicubic,crop-32" in ClipExtractor(copy).signature


def test_clip_in_a_file_of_torch_says_the_same(clip_folder: Path, tmp_path: Path) -> None:
    copy = _copied(clip_folder, tmp_path / "torch")
    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    said = ["a red star", "a wall"]
    assert np.array_equal(ClipExtractor(copy).texts(said), ClipExtractor(clip_folder).texts(said))
    (copy / "pytorch_model.bin").write_bytes(pickle.dumps(print))
    with pytest.raises(MissingWeightsError, match=r"pytorch_model\.bin"):
        ClipExtractor(copy).texts(said)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_one_line_with_its_consequences(
    clip_folder: Path, tmp_path: Path, file: str
) -> None:
    copy = _copied(clip_folder, tmp_path / "tiny")
    (copy / file).unlink()
    with pytest.raises(MissingWeightsError) as caught:
        ClipExtractor(copy)
    line = str(caught.value)
    assert "\n" not in line
    assert file in line
    assert "clip_score" in line


@pytest.mark.parametrize("source", ["openai/clip-vit-base-patch32", "no/such/folder", "nowhere"])
def test_a_model_that_is_not_here_is_not_fetched(source: str) -> None:
    with pytest.raises(MissingWeightsError, match="neither a folder nor in the local hub cache"):
        ClipExtractor(source)


def test_weights_that_lack_a_tensor_are_refused(clip_folder: Path, tmp_path: Path) -> None:
    copy = _copied(clip_folder, tmp_path / "tiny")
    state = load_file(copy / "model.safetensors")
    del state["visual_projection.weight"]
    save_file(state, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MissingWeightsError, match=r"visual_projection\.weight"):
        ClipExtractor(copy).images(_pictures((32, 32)))


def test_a_tokenizer_without_end_token_is_refused(clip_folder: Path, tmp_path: Path) -> None:
    copy = _copied(clip_folder, tmp_path / "tiny")
    content = json.loads((copy / "tokenizer.json").read_text())
    content["post_processor"] = None
    (copy / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(MetricInputError, match="end token"):
        ClipExtractor(copy).texts(["a"])


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_only_rgb_bytes_are_pictures(clip_folder: Path, picture: Any) -> None:
    with pytest.raises(MetricInputError, match="picture 1 is"):
        ClipExtractor(clip_folder).images([*_pictures((4, 4)), picture])


def test_metrics_work_over_a_clip(clip_folder: Path) -> None:
    extractor = ClipExtractor(clip_folder)
    pictures = _pictures(*[(32, 32)] * 6)
    fid = FID(extractor)
    assert fid.value(fid.statistics(pictures, pictures)) == pytest.approx(0, abs=1e-6)
    assert extractor.signature in fid.signature
    items = CLIPScore(extractor, prompt="").statistics(pictures, ["a red circle"] * 6)
    assert items.shape == (6,)


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the published file's layout and numbers, named as it is: by its hash."""
    torch.manual_seed(1)
    state = {key: value for key, value in InceptionV3().state_dict().items() if "num_batches" not in key}
    assert len(state) == 472
    assert sum(value.numel() for value in state.values()) == 23_885_392
    for key, value in state.items():
        if key.endswith("running_var"):
            value.uniform_(0.5, 2)
        elif key.endswith("conv.weight"):
            torch.nn.init.kaiming_normal_(value)
    folder = tmp_path_factory.mktemp("inception")
    torch.save(state, folder / "pt.pth")
    return (folder / "pt.pth").rename(folder / f"pt_inception-2015-12-05-{file_hash(folder / 'pt.pth')}.pth")


@pytest.fixture(scope="module")
def inception(inception_file: Path) -> InceptionExtractor:
    return InceptionExtractor(inception_file)


def test_inception_loads_the_published_layout(inception: InceptionExtractor, inception_file: Path) -> None:
    features = inception.features(_pictures((64, 80)))
    assert features.shape == (1, 2048)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    digits = inception_file.stem[-8:]
    assert inception.signature == f"inception-v3-2015-12-05@{digits},resize:clean,layer:2048"


def test_inception_follows_the_published_graph(inception: InceptionExtractor) -> None:
    """The odd ones of its blocks, written out: where it departs from torchvision's network."""
    network = inception.network
    x = torch.rand(1, 192, 7, 7, generator=torch.Generator().manual_seed(0))
    block = network.Mixed_5b
    with torch.no_grad():
        out = block(x)
        padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
        inside = torch.nn.functional.pad(torch.ones_like(x), (1, 1, 1, 1))
        mean = padded.unfold(2, 3, 1).unfold(3, 3, 1).sum((-1, -2)) / inside.unfold(2, 3, 1).unfold(
            3, 3, 1
        ).sum((-1, -2))
        assert torch.allclose(out[:, -32:], block.branch_pool(mean), atol=1e-5)
        assert torch.equal(out[:, :64], block.branch1x1(x))
        y = torch.rand(1, 2048, 4, 4, generator=torch.Generator().manual_seed(1))
        last = network.Mixed_7c
        largest = torch.nn.functional.max_pool2d(y, 3, stride=1, padding=1)
        assert torch.allclose(last(y)[:, -192:], last.branch_pool(largest), atol=1e-5)
    shapes = {"64": 64, "192": 192, "768": 768, "2048": 2048, "logits": 1008}
    picture = torch.rand(1, 3, 299, 299)
    with torch.no_grad():
        assert {layer: network(picture, layer).shape[1] for layer in shapes} == shapes


def test_inception_score_takes_the_logits_without_bias(inception: InceptionExtractor) -> None:
    picture = torch.rand(1, 3, 299, 299, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        features, unbiased, biased = (
            inception.network(picture, x) for x in ("2048", "logits_unbiased", "logits")
        )
    assert torch.allclose(unbiased, features @ inception.network.fc.weight.T, atol=1e-4)
    assert torch.allclose(biased - unbiased, inception.network.fc.bias[None], atol=1e-4)
    with pytest.raises(ValueError, match="has no classes"):
        inception.probabilities(_pictures((32, 32)))


def test_classes_come_from_features_without_a_second_pass(
    inception: InceptionExtractor, inception_file: Path
) -> None:
    pictures = _pictures((40, 40), (32, 48))
    found = inception.class_probabilities(inception.features(pictures))
    classifier = InceptionExtractor(inception_file, layer="logits_unbiased")
    assert found == pytest.approx(classifier.probabilities(pictures), abs=1e-5)
    assert found.sum(axis=1) == pytest.approx([1, 1])


def test_inception_serves_torchmetrics_interface(inception: InceptionExtractor) -> None:
    pictures = _pictures((48, 48), (48, 48))
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    assert inception.num_features == 2048
    assert torch.equal(inception(batch), torch.from_numpy(inception.features(pictures)))


@pytest.mark.slow  # importing torchmetrics takes seconds
def test_inception_is_torchmetrics_feature(inception: InceptionExtractor) -> None:
    kid = pytest.importorskip("torchmetrics.image.kid")
    metric = kid.KernelInceptionDistance(feature=inception, subsets=1, subset_size=2)
    batch = torch.from_numpy(np.stack(_pictures((48, 48), (48, 48)))).permute(0, 3, 1, 2)
    metric.update(batch, real=True)
    metric.update(batch, real=False)
    assert torch.isfinite(metric.compute()[0])


@pytest.mark.parametrize("fault", ["surplus", "lacking", "reshaped", "renamed", "absent", "elsewhere"])
def test_inception_refuses_other_files(
    inception_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    path = tmp_path / "weights.pth"
    if fault == "elsewhere":
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        with pytest.raises(MissingWeightsError, match=r"pt_inception-2015-12-05-6726825d\.pth is not in"):
            InceptionExtractor()
        return
    if fault == "renamed":
        path = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
        path.write_bytes(inception_file.read_bytes()[:1000])
    elif fault != "absent":
        key = "Mixed_6c.branch7x7_2.conv.weight"
        state = torch.load(inception_file, weights_only=True, mmap=True)
        small = {name: value for name, value in state.items() if value.numel() < 1000 or name == key}
        if fault == "reshaped":
            small = {**state, key: torch.zeros(1)}
        if fault == "surplus":
            small = {**state, "AuxLogits.fc.bias": torch.zeros(1)}
        torch.save(small, path)
    expected = {"surplus": "AuxLogits", "lacking": "Conv2d_", "reshaped": "Mixed_6c", "renamed": "damaged"}
    with pytest.raises(MissingWeightsError, match=expected.get(fault, "no file weights")):
        InceptionExtractor(path)


def test_unknown_modes_are_named(inception_file: Path) -> None:
    with pytest.raises(ValueError, match="'clean', 'pytorch-fid', 'tf1', 'torchmetrics'"):
        InceptionExtractor(inception_file, resize="lanczos")


def test_resizes_differ_and_keep_a_constant_picture() -> None:
    picture = _pictures((40, 60))[0]
    outputs = [resize(picture, 29) for resize in RESIZES.values()]
    for number, output in enumerate(outputs):
        assert output.shape == (3, 29, 29)
        assert all((output - other).abs().max() > 0.02 for other in outputs[:number])
    constant = np.full((40, 60, 3), 200, np.uint8)
    for name, resize in RESIZES.items():
        value = 2 * 200 / 255 - 1 if name == "pytorch-fid" else (200 - 128) / 128
        assert torch.allclose(resize(constant, 29), torch.tensor(value), atol=1e-5)


def test_tf1_resize_starts_at_the_corner() -> None:
    """Doubling keeps every input pixel in place; the last one is repeated, not centred."""
    picture = np.repeat(np.array([[0, 100]], np.uint8)[:, :, None], 3, axis=2)
    output = RESIZES["tf1"](picture, 4)[0, 0] * 128 + 128
    assert output.tolist() == pytest.approx([0, 50, 100, 100])


def test_clean_resize_neither_rounds_nor_overshoots() -> None:
    output = RESIZES["clean"](_pictures((64, 64))[0], 31) * 128 + 128
    assert 0 <= output.min() <= output.max() <= 255
    assert (output - output.round()).abs().max() > 0.1


def test_short_side_crop_takes_the_middle() -> None:
    picture = np.zeros((30, 60, 3), np.uint8)
    picture[:, 20:40] = 255
    assert short_side_crop(picture, 30, 20).min() == 255


class Counting:
    """Sums pixels, and counts how often it is asked."""

    signature = "sum@1"

    def __init__(self) -> None:
        self.seen = 0

    def features(self, items: Sequence[Any]) -> NDArray[np.float64]:
        self.seen += len(items)
        return np.array([[float(item.sum()), 1.0] for item in items]).reshape(-1, 2)

    def texts(self, items: Sequence[str]) -> NDArray[np.float64]:
        self.seen += len(items)
        return np.array([[float(len(item))] for item in items])


def test_equal_pictures_are_extracted_once() -> None:
    network = Counting()
    cached = CachedExtractor(network)
    first, second = _pictures((4, 4), (4, 4))
    rows = cached.features([first, second, first.copy()])
    assert rows[:, 0].tolist() == [first.sum(), second.sum(), first.sum()]
    cached.features([second])
    assert network.seen == 2
    assert cached.signature == "sum@1"
    assert cached.features([]).shape == (0, 2)


def test_the_cache_tells_kinds_shapes_and_networks_apart(tmp_path: Path) -> None:
    network = Counting()
    cached = CachedExtractor(network, tmp_path)
    cached.texts(["ab"])
    cached.features([np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)])
    assert network.seen == 3
    network.signature = "sum@2"
    cached.texts(["ab"])
    assert network.seen == 4


def test_the_cache_outlives_the_process_and_survives_damage(tmp_path: Path) -> None:
    pictures = _pictures((4, 4), (5, 4))
    rows = CachedExtractor(Counting(), tmp_path).features(pictures)
    again = Counting()
    assert CachedExtractor(again, tmp_path).features(pictures).tolist() == rows.tolist()
    assert again.seen == 0
    damaged = next(tmp_path.rglob("*.npy"))
    damaged.write_bytes(damaged.read_bytes()[:20])
    assert CachedExtractor(again, tmp_path).features(pictures).tolist() == rows.tolist()
    assert again.seen == 1
    assert not list(tmp_path.rglob("*.tmp"))
