"""Random checkpoints as the released code writes them: its own names, made by the libraries that it used."""

from __future__ import annotations

import dataclasses
import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nextgpt.config import Config, Lora, Projection, load_config

SIGNALS = {"image": 4, "video": 24, "audio": 8}
WIDTH, HIDDEN = 16, 32
CONDITIONS = {"image": (12, 16), "video": (12, 16), "audio": (1, 8)}
LAYERS = {"width": WIDTH, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "feedforward": 4 * WIDTH}


def older(config: Config) -> Config:
    """The preset of the released weights, on random backbones."""
    full = load_config("7b-v0")
    return dataclasses.replace(
        config,
        name="small-v0",
        prompt=full.prompt,
        vocabulary=full.vocabulary,
        projection="linear",
        output_projection=Projection("transformer", LAYERS),
        lora=Lora(rank=4, alpha=32),
    )


def newer(config: Config, patches: int, kind: str = "patches") -> Config:
    """A preset for what the newer code writes with its linear input projection, or its MLP."""
    linears = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    return dataclasses.replace(
        config,
        name="small-2024",
        projection=kind,
        input_projection={kind: {"tokens": patches}},
        output_projection=Projection("transformer", LAYERS),
        lora=Lora(rank=4, alpha=8, targets=linears),
    )


def language_model(folder: Path, added: int, lora: Lora) -> Any:
    """The language model with its vocabulary grown, its rows trained, and adapters that do something."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    causal = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    causal.config.tie_word_embeddings = False
    causal.lm_head.weight = torch.nn.Parameter(causal.lm_head.weight.detach().clone())
    model = get_peft_model(
        causal, LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=list(lora.targets))
    )
    model.resize_token_embeddings(causal.config.vocab_size + added, mean_resizing=False)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_B" in name or "embed_tokens" in name or "lm_head" in name:
                # Whatever half precision can hold: checkpoints are kept in it.
                value.copy_((value + 0.3 * torch.randn_like(value)).half())
            elif "lora_A" in name:
                value.copy_(value.half())
    return model.eval()


def projector(condition: tuple[int, int], first: str, last: str) -> Any:
    """An output projection with the released code's attribute names; a condition is a length and a width."""
    import torch
    from torch import nn

    length, width = condition
    module = nn.Module()
    setattr(module, first, nn.Linear(HIDDEN, WIDTH))
    module.tfm = nn.Transformer(
        WIDTH, 2, 1, 1, dim_feedforward=4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
    )
    setattr(module, last, nn.Linear(WIDTH, width))
    module.query_embs = nn.Parameter(torch.randn(1, length, WIDTH))
    return module.half().float().eval()


def write_older(
    folder: Path, config: Config, causal: Any, conditions: Mapping[str, tuple[int, int]] = CONDITIONS
) -> OrderedDict[str, Any]:
    """Write the folder of ``7b_tiva_v0``; returns what its one file of weights holds."""
    import torch

    module = torch.nn.Module()
    module.llama_model = causal
    module.llama_proj = torch.nn.Linear(16, HIDDEN).half().float()
    module.input_embeddings = causal.get_input_embeddings()
    for kind in SIGNALS:
        suffix = "" if kind == "image" else f"_{kind}"
        layers = torch.nn.ModuleList([projector(conditions[kind], "fc", "model")])
        setattr(module, f"gen_text_hidden_fcs{suffix}", layers)
    kept = ("llama_proj", "gen_text", "lora_", "embed_tokens", "lm_head")
    state = OrderedDict(
        (name, torch.nn.Parameter(value.detach().half()))
        for name, value in module.named_parameters()
        if any(part in name for part in kept)
    )
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "pytorch_model.pt")
    base = json.loads((Path(config.weights.language_model) / "config.json").read_text())
    names = ["<Img>", "</Img>"]
    for stem, count in (("IMG", 4), ("VID", 24), ("AUD", 8)):
        names += [f"[{stem}{place}]" for place in range(count)]
    added = {name: base["vocab_size"] + place for place, name in enumerate(names)}
    (folder / "added_tokens.json").write_text(json.dumps(added))
    said = ("hidden_size", "num_hidden_layers", "max_position_embeddings", "rms_norm_eps")
    (folder / "config.json").write_text(json.dumps({name: base[name] for name in said}))
    return state


def write_newer(folder: Path, config: Config, causal: Any) -> dict[str, dict[str, Any]]:
    """Write what the newer code's three stages leave behind; returns each file's weights."""
    import torch
    from safetensors.torch import save_file

    rows = {
        "model.embed_tokens.weight": causal.get_input_embeddings().weight.detach(),
        "lm_head.weight": causal.get_output_embeddings().weight.detach(),
    }
    linear = torch.nn.Linear(16, HIDDEN)
    mlp = torch.nn.Sequential(linear, torch.nn.GELU(), torch.nn.Linear(HIDDEN, HIDDEN))
    seen = mlp if config.projection == "mlp" else linear
    inner = "layer." if seen is mlp else ""
    first = {f"model.mm_input_projector.{inner}{name}": value for name, value in seen.state_dict().items()}
    second = {
        f"model.mm_output_{short}_projector.{name}": value
        for short, kind in (("img", "image"), ("vid", "video"), ("aud", "audio"))
        for name, value in projector(CONDITIONS[kind], "in_fc", "out_fc").state_dict().items()
    }
    third = {
        name.replace(".default", ""): value.detach()
        for name, value in causal.named_parameters()
        if "lora_" in name
    }
    # The last stage trained the rows once more.
    late = {f"base_model.model.{name}": value for name, value in rows.items()}
    early = {name: value + 1 for name, value in rows.items()}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(first | early, folder / "mm_input_projector.bin")
    torch.save(second | early, folder / "mm_output_projector.bin")
    torch.save(late, folder / "non_lora_trainables.bin")
    save_file(third, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"r": 4, "lora_alpha": config.lora.alpha}))
    base = json.loads((Path(config.weights.language_model) / "config.json").read_text())
    said = ("hidden_size", "max_position_embeddings", "rms_norm_eps")
    (folder / "config.json").write_text(json.dumps({name: base[name] for name in said}))
    return {"first": first, "second": second, "third": third, "late": late}
