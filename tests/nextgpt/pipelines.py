"""Random diffusion pipelines, a few thousand parameters each, of every family that decoders know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.nextgpt.backbones import save_stable_diffusion, save_tokenizer

WORDS = 12  # tokens of a prompt


def _vae(channels: int = 3) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        in_channels=channels,
        out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        latent_channels=4,
        norm_num_groups=4,
        sample_size=16,
    )


def _clip_text(vocabulary: int, width: int = 16) -> Any:
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=32,
        projection_dim=width,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=WORDS,
        bos_token_id=1,
        eos_token_id=3,
        pad_token_id=0,
    )


def _t5(vocabulary: int, width: int) -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(
            vocab_size=vocabulary,
            d_model=width,
            d_ff=16,
            d_kv=4,
            num_heads=2,
            num_layers=1,
            pad_token_id=0,
            eos_token_id=3,
        )
    )


def _words(folder: Path) -> tuple[Any, int]:
    from transformers import AutoTokenizer

    place = folder.parent / f"{folder.name}-words"
    vocabulary = save_tokenizer(place, ends=True, length=WORDS)
    return AutoTokenizer.from_pretrained(place), vocabulary


def stable_diffusion(folder: Path) -> None:
    """As Stable Diffusion 1.5."""
    save_stable_diffusion(folder, folder.parent / f"{folder.name}-words")


def stable_diffusion_xl(folder: Path) -> None:
    """Two text encoders, and a pooled vector."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    words, vocabulary = _words(folder)
    unet = UNet2DConditionModel(
        sample_size=8,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 24,
        cross_attention_dim=16 + 24,
    )
    StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_clip_text(vocabulary, 16)),
        text_encoder_2=CLIPTextModelWithProjection(_clip_text(vocabulary, 24)),
        tokenizer=words,
        tokenizer_2=words,
        unet=unet,
        scheduler=EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
    ).save_pretrained(folder)


def text_to_video(folder: Path) -> None:
    """As Zeroscope."""
    from diffusers import DDIMScheduler, TextToVideoSDPipeline, UNet3DConditionModel
    from transformers import CLIPTextModel

    words, vocabulary = _words(folder)
    unet = UNet3DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=4,
    )
    TextToVideoSDPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_clip_text(vocabulary)),
        tokenizer=words,
        unet=unet,
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
    ).save_pretrained(folder)


def _vocoder(bins: int = 8) -> Any:
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    return SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=bins,
            sampling_rate=16000,
            upsample_initial_channel=16,
            upsample_rates=[2, 2],
            upsample_kernel_sizes=[4, 4],
            resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1, 3, 5]],
            normalize_before=False,
        )
    )


def _clap_text(vocabulary: int) -> Any:
    from transformers import ClapTextConfig

    return ClapTextConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        intermediate_size=32,
        projection_dim=10,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=40,
        bos_token_id=1,
        eos_token_id=3,
        pad_token_id=0,
    )


def audioldm(folder: Path) -> None:
    """One pooled vector of CLAP, as the class of the UNet."""
    from diffusers import AudioLDMPipeline, DDIMScheduler, UNet2DConditionModel
    from transformers import ClapTextModelWithProjection

    words, vocabulary = _words(folder)
    unet = UNet2DConditionModel(
        sample_size=32,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        cross_attention_dim=(8, 16),
        class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=10,
        class_embeddings_concat=True,
    )
    AudioLDMPipeline(
        vae=_vae(channels=1),
        text_encoder=ClapTextModelWithProjection(_clap_text(vocabulary)),
        tokenizer=words,
        unet=unet,
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        vocoder=_vocoder(),
    ).save_pretrained(folder)


def audioldm2(folder: Path) -> None:
    """A T5's sequence, and what a small GPT-2 makes of it and of CLAP's vector."""
    from diffusers import (
        AudioLDM2Pipeline,
        AudioLDM2ProjectionModel,
        AudioLDM2UNet2DConditionModel,
        DDIMScheduler,
    )
    from transformers import (
        ClapAudioConfig,
        ClapConfig,
        ClapFeatureExtractor,
        ClapModel,
        GPT2Config,
        GPT2LMHeadModel,
        RobertaTokenizer,
        T5Tokenizer,
    )

    words, vocabulary = _words(folder)
    # The pipeline asks its tokenizers for their classes, and has the T5's padded to the longest prompt.
    roberta = RobertaTokenizer(vocab=words.get_vocab(), merges=[], model_max_length=WORDS)
    pieces = ["<pad>", "</s>", "<unk>", "▁", "▁a", "▁red", "▁circle", "▁large", "▁blue", "▁square"]
    t5 = T5Tokenizer(vocab=[(piece, -1.0) for piece in pieces], extra_ids=0, model_max_length=WORDS)
    hears = ClapAudioConfig(
        spec_size=8,
        window_size=4,
        num_mel_bins=8,
        intermediate_size=8,
        depths=[1, 1],
        num_attention_heads=[1, 1],
        num_hidden_layers=2,
        hidden_size=16,
        patch_embeds_hidden_size=8,
        projection_dim=10,
        patch_size=2,
        patch_stride=2,
        patch_embed_input_channels=4,
    )
    clap = ClapConfig(
        text_config=_clap_text(vocabulary).to_dict(), audio_config=hears.to_dict(), projection_dim=10
    )
    unet = AudioLDM2UNet2DConditionModel(
        sample_size=32,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        attention_head_dim=4,
        # Of each block, one attention reads the sound, one what the GPT-2 says, one the T5.
        cross_attention_dim=((None, 16, 20), (None, 16, 20)),
    )
    AudioLDM2Pipeline(
        vae=_vae(channels=1),
        text_encoder=ClapModel(clap),
        text_encoder_2=_t5(vocabulary, 20),
        projection_model=AudioLDM2ProjectionModel(
            text_encoder_dim=10, text_encoder_1_dim=20, langauge_model_dim=16
        ),
        language_model=GPT2LMHeadModel(
            GPT2Config(n_embd=16, n_head=2, n_layer=1, vocab_size=20, n_positions=64, max_new_tokens=6)
        ),
        tokenizer=roberta,
        tokenizer_2=t5,
        feature_extractor=ClapFeatureExtractor(feature_size=8, fft_window_size=64, hop_length=32),
        unet=unet,
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        vocoder=_vocoder(),
    ).save_pretrained(folder)


def stable_audio(folder: Path) -> None:
    """A T5's sequence, two channels."""
    from diffusers import (
        AutoencoderOobleck,
        EDMDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioPipeline,
    )
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel

    words, vocabulary = _words(folder)
    StableAudioPipeline(
        vae=AutoencoderOobleck(
            encoder_hidden_size=6,
            downsampling_ratios=[1, 2],
            decoder_channels=3,
            decoder_input_channels=3,
            audio_channels=2,
            channel_multiples=[2, 4],
            sampling_rate=16000,
        ),
        text_encoder=_t5(vocabulary, 4),
        projection_model=StableAudioProjectionModel(
            text_encoder_dim=4, conditioning_dim=4, min_value=0, max_value=32
        ),
        tokenizer=words,
        transformer=StableAudioDiTModel(
            sample_size=40,
            in_channels=3,
            num_layers=1,
            attention_head_dim=4,
            num_attention_heads=2,
            num_key_value_attention_heads=2,
            out_channels=3,
            cross_attention_dim=4,
            time_proj_dim=8,
            global_states_input_dim=8,
            cross_attention_input_dim=4,
        ),
        scheduler=EDMDPMSolverMultistepScheduler(
            solver_order=2, prediction_type="v_prediction", sigma_data=1.0, sigma_schedule="exponential"
        ),
    ).save_pretrained(folder)


def wan(folder: Path) -> None:
    """A transformer that learns by flow matching."""
    from diffusers import (
        AutoencoderKLWan,
        FlowMatchEulerDiscreteScheduler,
        WanPipeline,
        WanTransformer3DModel,
    )

    words, vocabulary = _words(folder)
    WanPipeline(
        vae=AutoencoderKLWan(
            base_dim=3,
            z_dim=16,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
        ),
        text_encoder=_t5(vocabulary, 16),
        tokenizer=words,
        transformer=WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=16,
            out_channels=16,
            text_dim=16,
            freq_dim=16,
            ffn_dim=32,
            num_layers=1,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=32,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    ).save_pretrained(folder)


def cogvideox(folder: Path) -> None:
    """A transformer over text and patches together."""
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXPipeline,
        CogVideoXTransformer3DModel,
        DDIMScheduler,
    )

    words, vocabulary = _words(folder)
    CogVideoXPipeline(
        tokenizer=words,
        text_encoder=_t5(vocabulary, 16),
        vae=AutoencoderKLCogVideoX(
            down_block_types=("CogVideoXDownBlock3D",) * 4,
            up_block_types=("CogVideoXUpBlock3D",) * 4,
            block_out_channels=(8, 8, 8, 8),
            latent_channels=4,
            layers_per_block=1,
            norm_num_groups=2,
            temporal_compression_ratio=4,
        ),
        transformer=CogVideoXTransformer3DModel(
            num_attention_heads=4,
            attention_head_dim=8,
            in_channels=4,
            out_channels=4,
            time_embed_dim=2,
            text_embed_dim=16,
            num_layers=1,
            sample_width=2,
            sample_height=2,
            sample_frames=9,
            patch_size=2,
            temporal_compression_ratio=4,
            max_text_seq_length=10,
        ),
        scheduler=DDIMScheduler(),
    ).save_pretrained(folder)


# What makes it, the modality, the condition's shape, and what its call needs to stay small.
FAMILIES: dict[str, tuple[Callable[[Path], None], str, tuple[int, int], dict[str, Any]]] = {
    "Stable Diffusion": (stable_diffusion, "image", (WORDS, 16), {}),
    "Stable Diffusion XL": (stable_diffusion_xl, "image", (WORDS + 1, 40), {}),
    "Zeroscope": (text_to_video, "video", (WORDS, 16), {"num_frames": 3, "fps": 4}),
    "Wan": (wan, "video", (512, 16), {"height": 16, "width": 16, "num_frames": 5}),
    "CogVideoX": (cogvideox, "video", (10, 16), {"height": 16, "width": 16, "num_frames": 5}),
    "AudioLDM": (audioldm, "audio", (1, 10), {}),
    "AudioLDM 2": (audioldm2, "audio", (WORDS + 6, 20), {}),
    "Stable Audio": (stable_audio, "audio", (WORDS, 4), {}),
}


def build(name: str, folder: Path) -> Path:
    """Write a family's pipeline, random but always the same."""
    import torch

    torch.manual_seed(0)
    FAMILIES[name][0](folder)
    return folder
