"""The ImageBind-class encoder of pictures, clips and sounds: one space, in which captions lie too.

Media take turns, step by step. As in `toyworld.pretrain.encoder`, contrast shapes the CLS token alone, and
a linear read-out, thrown away afterwards, keeps the patch tokens informative: of a picture's patch, what lies
in its cell; of a clip's, what is first seen in its cell and what becomes of it; of a sound's, what its third
of the time holds.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

    from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig
    from toyworld.clips.clip import Clip
    from toyworld.splits import Split, Value

RECIPE = Recipe("media_encoder", steps=4500, batch=32, learning_rate=1e-3, warmup=150, average=0.998)
POOL = 6_000  # sounds that are played once
MEL_BINS, MEL_FRAMES = 64, 204
_WIDTH = 128


def configuration(vocabulary: int, end_token: int) -> ImageBindConfig:
    """Vision, audio and text of ImageBind, 128 wide.

    A patch of vision is 8 by 8 pixels over all nine frames of a clip; one of audio 16 mel bins by 16 frames.
    """
    from nextgpt.encoding.imagebind import ImageBindConfig, TrunkConfig
    from toyworld.clips.render import FRAMES
    from toyworld.pretrain.tokenizer import MEDIA_LENGTH
    from toyworld.render import SIDE

    return ImageBindConfig(
        out_dim=_WIDTH,
        modalities={name: TrunkConfig(_WIDTH, blocks, 4) for name, blocks in _BLOCKS.items()},
        kernel=(FRAMES, 8, 8),
        image_size=SIDE,
        vocabulary=vocabulary,
        context=MEDIA_LENGTH,
        end_token=end_token,
        mel_bins=MEL_BINS,
        mel_frames=MEL_FRAMES,
    )


_BLOCKS = {"vision": 4, "text": 3, "audio": 3}


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Train, save all three in half precision, and measure on held-out media."""
    import torch
    from safetensors.torch import save_file

    from nextgpt.encoding.imagebind import ImageBind
    from toyworld.kinds import KINDS
    from toyworld.pretrain.tokenizer import build_for_media

    torch.manual_seed(recipe.seed)
    tokenizer = build_for_media(ends=True)
    tokenizer.save_pretrained(folder)
    config = configuration(len(tokenizer), int(tokenizer.eos_token_id))
    encoder = ImageBind(config)
    readouts = torch.nn.ModuleDict(
        {kind.__name__: torch.nn.Linear(_WIDTH, sum(_classes(kind))) for kind in KINDS}
    )
    model = torch.nn.ModuleDict({"encoder": encoder, "readouts": readouts})

    def loss(step: int) -> torch.Tensor:
        from toyworld.pretrain.pairs import contrast

        kind = list(KINDS)[step % len(KINDS)]
        values, shown = _batch(kind, "train", hash_seed(recipe, step), recipe.batch)
        logits, read = _seen(model, tokenizer, values, shown, step)
        return contrast(logits) + _readout_loss(read, _patch_labels(values), _classes(kind))

    fit(recipe, model, loss, work)
    model.eval()
    figures = {}
    with torch.no_grad():
        for kind, entry in KINDS.items():
            values, shown = _batch(kind, "validation", 0, 200)
            logits, read = _seen(model, tokenizer, values, shown, 0)
            found = logits.argmax(1) == torch.arange(len(values))
            figures[f"held_out_{entry.noun}_retrieval_at_1_of_200"] = float(found.float().mean())
            figures[f"held_out_{entry.noun}_patch_readout"] = _right(
                read, _patch_labels(values), _classes(kind)
            )
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1) + "\n")
    save_file(
        {n: t.half().contiguous() for n, t in encoder.state_dict().items()}, folder / "model.safetensors"
    )
    return figures


def _seen(
    model: torch.nn.ModuleDict,
    tokenizer: PreTrainedTokenizerFast,
    values: Sequence[Value],
    shown: torch.Tensor,
    seed: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of texts by media [B, B], and the read-out of every patch [B, P, classes]."""
    from toyworld.kinds import kind_of

    encoder: ImageBind = model["encoder"]  # type: ignore[assignment]
    rng = random.Random(seed)
    texts = [rng.choice(kind_of(value).captions(value, rng)) for value in values]
    ids = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")["input_ids"]
    modality = "audio" if kind_of(values[0]).modality == "audio" else "vision"
    tokens = encoder.tokens(modality, shown, with_cls=True)
    readout = model["readouts"][type(values[0]).__name__]  # type: ignore[index]
    return encoder("text", ids) @ tokens[:, 0].T, readout(tokens[:, 1:] * _WIDTH**0.5)


def _batch(kind: type, split: Split, seed: int, count: int) -> tuple[list[Any], torch.Tensor]:
    """Values, every second an edit of the one before, as the encoder takes their media."""
    import numpy as np
    import torch

    from nextgpt.encoding.imagebind import preprocess_image
    from toyworld.clips.clip import Clip
    from toyworld.pretrain.pairs import near_values
    from toyworld.render import pixels
    from toyworld.scene import Scene

    if kind is Scene:
        scenes = list(itertools.islice(near_values(kind, split, seed), count))
        return scenes, preprocess_image(np.stack([pixels(scene) for scene in scenes]), 64)
    if kind is Clip:
        clips = list(itertools.islice(near_values(kind, split, seed), count))
        return clips, prepared(clips)
    if split == "train":
        sounds, heard = _pool()
        places = random.Random(seed).sample(range(len(sounds) // 2), count // 2)
        rows = [row for k in places for row in (2 * k, 2 * k + 1)]
        return [sounds[row] for row in rows], heard[rows].float()
    sounds, heard = _heard(split, seed, count)
    return sounds, torch.as_tensor(heard).float()


def prepared(clips: Sequence[Clip]) -> torch.Tensor:
    """Clips as the encoder takes them, in one piece of one crop: float32 [B, 1, 3, 9, 64, 64].

    Of a square clip of two seconds, all pieces and crops are the same.
    """
    import numpy as np

    from nextgpt.encoding.imagebind import preprocess_image
    from toyworld.clips.render import frames

    drawn = np.stack([frames(clip) for clip in clips])
    flat = preprocess_image(drawn.reshape(-1, *drawn.shape[2:]), 64)
    return flat.view(*drawn.shape[:2], *flat.shape[1:]).transpose(1, 2).unsqueeze(1)


@cache
def _pool() -> tuple[list[Any], torch.Tensor]:
    return _heard("train", 1, POOL)


def _heard(split: Split, seed: int, count: int) -> tuple[list[Any], torch.Tensor]:
    """Sounds, and what the encoder's front end makes of them: float16 [count, 1, 64, 204]."""
    import torch

    from nextgpt.encoding.preprocessing import AUDIO_MEAN, AUDIO_STD, log_mel
    from toyworld.pretrain.pairs import near_values
    from toyworld.sounds.render import samples
    from toyworld.sounds.sound import Sound

    sounds = list(itertools.islice(near_values(Sound, split, seed), count))
    heard = torch.zeros(count, 1, MEL_BINS, MEL_FRAMES)
    for k, sound in enumerate(sounds):
        wave = samples(sound, k)
        mel = torch.from_numpy(log_mel(wave - wave.mean(), MEL_BINS)).T[:, :MEL_FRAMES]
        heard[k, 0, :, : mel.shape[1]] = mel
    return sounds, ((heard - AUDIO_MEAN) / AUDIO_STD).half()


def _tables(kind: type) -> tuple[tuple[Any, ...], ...]:
    """What a patch is read out for: of each attribute its values, the first for none."""
    from toyworld.clips.clip import DIRECTIONS, KINDS, SPEEDS, STAYS, TURNS, Clip
    from toyworld.scene import CELLS, COLOURS, SHAPES, SIZES, Scene
    from toyworld.sounds.sound import LOUDNESSES, MOST_EVENTS, MOST_REPEATS, PITCHES, TIMBRES

    seen = (("", *SHAPES), ("", *COLOURS), ("", *SIZES), tuple(range(len(CELLS))))
    if kind is Scene:
        return seen
    if kind is Clip:
        turns = tuple(range(TURNS + 1))
        return (*seen, ("", STAYS, *KINDS), ("", *DIRECTIONS), ("", *SPEEDS), turns)
    repeats, thirds = tuple(range(MOST_REPEATS + 1)), tuple(range(MOST_EVENTS))
    return (("", *TIMBRES), ("", *PITCHES), ("", *LOUDNESSES), repeats, thirds)


def _classes(kind: type) -> tuple[int, ...]:
    return tuple(map(len, _tables(kind)))


def _patch_labels(values: Sequence[Value]) -> torch.Tensor:
    """What every patch is read out for, as indices into the tables: int64 [B, P, attributes]."""
    import torch

    from toyworld.scene import CELLS, Scene
    from toyworld.sounds.sound import MOST_EVENTS, Sound

    tables = _tables(type(values[0]))
    if isinstance(values[0], Sound):
        rows = torch.zeros(len(values), MOST_EVENTS, len(tables), dtype=torch.long)
        rows[:, :, -1] = torch.arange(MOST_EVENTS)
        for k, sound in enumerate(values):
            for third, event in enumerate(sound.events):  # type: ignore[union-attr]
                known = (event.timbre, event.pitch, event.loudness, event.repeats)
                rows[k, third, :-1] = _indices(tables, known)
        return rows[:, _thirds()]
    rows = torch.zeros(len(values), len(CELLS), len(tables), dtype=torch.long)
    rows[:, :, 3] = torch.arange(len(CELLS))
    for k, value in enumerate(values):
        for one in value.things if isinstance(value, Scene) else value.actors:  # type: ignore[union-attr]
            thing = one if isinstance(value, Scene) else one.thing  # type: ignore[union-attr]
            does = () if isinstance(value, Scene) else _does(one)
            rows[k, thing.cell] = _indices(tables, (thing.shape, thing.colour, thing.size, thing.cell, *does))  # type: ignore[union-attr]
    across = (torch.arange(8) * 8 + 4) * 3 // 64
    return rows[:, (across[:, None] * 3 + across[None, :]).flatten()]


def _does(actor: Any) -> tuple[Any, ...]:
    from toyworld.clips.clip import STAYS

    deed = actor.deed
    return (deed.kind, deed.direction, deed.speed, actor.turn) if deed else (STAYS, "", "", 0)


def _indices(tables: Sequence[Sequence[Any]], values: Sequence[Any]) -> torch.Tensor:
    import torch

    return torch.tensor([table.index(value) for table, value in zip(tables, values, strict=False)])


def _thirds() -> torch.Tensor:
    """The third of the time in which the middle of each patch of a sound lies: int64 [P], row by row."""
    import torch

    from toyworld.sounds.render import EVENT, START

    rows, columns = (MEL_BINS - 16) // 10 + 1, (MEL_FRAMES - 16) // 10 + 1
    middle = (torch.arange(columns) * 10 + 8) / 100  # seconds
    return ((middle - START) / EVENT).long().clamp(0, 2).repeat(rows)


def _readout_loss(read: torch.Tensor, labels: torch.Tensor, classes: Sequence[int]) -> torch.Tensor:
    import torch
    from torch.nn.functional import cross_entropy

    parts = torch.split(read, list(classes), dim=-1)
    each = [
        cross_entropy(part.flatten(0, 1), true.flatten())
        for part, true in zip(parts, labels.unbind(-1), strict=True)
    ]
    return torch.stack(each).sum()


def _right(read: torch.Tensor, labels: torch.Tensor, classes: Sequence[int]) -> float:
    """Share of patches of which every attribute is read right."""
    import torch

    found = torch.stack([part.argmax(-1) for part in torch.split(read, list(classes), dim=-1)], dim=-1)
    return float((found == labels).all(-1).float().mean())
