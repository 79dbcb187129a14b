"""Whether a picture model is of a kind that we have, and its parts fit each other: by its settings alone. No torch.

What passes here draws what diffusers would draw. All else is refused when it is listed, in one sentence, instead of in
the middle of a job, or by a picture that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.errors import ModelUnavailable

# Class names that a model folder may ask for, and where we take them from. Nothing else is ever imported for it.
CLASSES = {
    "UNet2DConditionModel": "diffusers.models.unets.unet_2d_condition",
    "AutoencoderKL": "diffusers.models.autoencoders.autoencoder_kl",
    "AutoencoderTiny": "diffusers.models.autoencoders.autoencoder_tiny",
    "SpriteAutoencoder": "pipelines.image.model.autoencoder",
    "CLIPTextModel": "transformers.models.clip.modeling_clip",
    "CLIPTextModelWithProjection": "transformers.models.clip.modeling_clip",
    "CLIPTokenizer": "transformers.models.clip.tokenization_clip",
}
ALIASES = {"CLIPTokenizerFast": "CLIPTokenizer"}
_PLACES = {
    "unet": {"UNet2DConditionModel"},
    "vae": {"AutoencoderKL", "AutoencoderTiny", "SpriteAutoencoder"},
    "text_encoder": {"CLIPTextModel", "CLIPTextModelWithProjection"},
    "text_encoder_2": {"CLIPTextModelWithProjection"},
    "tokenizer": {"CLIPTokenizer"},
    "tokenizer_2": {"CLIPTokenizer"},
}
# Whose numbers (betas of a thousand timesteps, Ho et al. 2020) mean to our samplers what they mean to them.
SCHEDULERS = frozenset({
    "DDIMScheduler", "DDIMParallelScheduler", "DDPMScheduler", "DDPMParallelScheduler", "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler", "DPMSolverSDEScheduler", "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler", "KDPM2DiscreteScheduler", "LCMScheduler", "LMSDiscreteScheduler",
    "PNDMScheduler", "SASolverScheduler", "TCDScheduler", "UniPCMultistepScheduler",
})  # fmt: skip
PREDICTIONS = ("epsilon", "v_prediction", "sample")
_CURVES = ("linear", "scaled_linear", "squaredcos_cap_v2")
_MOST_TIMESTEPS = 100_000
# What a denoiser may add to its timesteps: something of the prompt (as the bundled model does), SDXL's sizes.
_ADDED = {"sd": (None, "text"), "sdxl": ("text_time",)}


def texts(index: Mapping[str, Any], family: str, name: str) -> list[str]:
    """Its text encoders, by the names of their folders. Raises ModelUnavailable for fewer, and for a refiner."""
    there = [part for part in ("text_encoder", "text_encoder_2") if class_of(index, part)]
    if family == "sdxl" and (there == ["text_encoder_2"] or index.get("requires_aesthetics_score")):
        raise ModelUnavailable(
            f"{name} is an SDXL refiner, which goes over the pictures of another model; "
            "this kind of model is not supported yet."
        )
    for part in ("text_encoder", "text_encoder_2")[: 2 if family == "sdxl" else 1]:
        if part not in there:
            raise ModelUnavailable(f"{name} is incomplete: it names no {part}.")
    return there if family == "sdxl" else ["text_encoder"]


def class_of(index: Mapping[str, Any], part: str) -> str:
    """Of a part, as model_index.json names it: ["diffusers", "AutoencoderKL"]. "": it names none."""
    said = index.get(part)
    return said[1] if isinstance(said, list) and len(said) == 2 and isinstance(said[1], str) else ""


def classes(index: Mapping[str, Any], parts: list[str], family: str, name: str) -> None:
    """Raises ModelUnavailable for a part of another kind than ours."""
    for part in parts:
        said = class_of(index, part)
        if not said:
            raise ModelUnavailable(f"{name} is incomplete: it names no {part}.")
        fits = ALIASES.get(said, said) in _PLACES[part]
        if not fits or (part, family, said) == ("text_encoder", "sd", "CLIPTextModelWithProjection"):
            raise ModelUnavailable(f"{name} has a {part} of the kind {said[:60]}, which is not supported yet.")


def noise(config: Mapping[str, Any], name: str) -> None:
    """Raises ModelUnavailable for a scheduler whose way from noise to picture is another one than ours."""
    kind = str(config.get("_class_name", "DDIMScheduler"))
    flow = config.get("use_flow_sigmas") or config.get("prediction_type") == "flow_prediction"
    if kind not in SCHEDULERS or flow or config.get("timestep_type") == "continuous":
        said = kind if kind not in SCHEDULERS or not flow else f"{kind} (flow matching)"
        raise ModelUnavailable(f"{name} has a scheduler of the kind {said[:60]}, which is not supported yet.")
    if (predicts := config.get("prediction_type", "epsilon")) not in PREDICTIONS:
        raise ModelUnavailable(f"{name} predicts {str(predicts)[:60]}; this kind of model is not supported yet.")
    steps, betas = config.get("num_train_timesteps", 1000), config.get("trained_betas", [0.1])
    known = config.get("beta_schedule", "linear") in _CURVES and all(
        _number(config.get(key, 0.01)) for key in ("beta_start", "beta_end")
    )
    whole = isinstance(betas, list) and 0 < len(betas) <= _MOST_TIMESTEPS and all(map(_number, betas))
    if not (known and whole and isinstance(steps, int) and 0 < steps <= _MOST_TIMESTEPS):
        raise ModelUnavailable(f"{name} is damaged: its scheduler's settings are not what they should be.")


def widths(unet: Mapping[str, Any], encoders: list[Mapping[str, Any]], family: str, name: str) -> None:
    """Raises ModelUnavailable where the denoiser wants more than texts, or texts of another width."""
    more = unet.get("class_embed_type") or unet.get("num_class_embeds")
    if unet.get("addition_embed_type") not in _ADDED[family] or more or _projected(unet) not in (None, "text_proj"):
        raise ModelUnavailable(f"{name} has a denoiser that wants more than a prompt; it is not supported yet.")
    width = unet.get("encoder_hid_dim") or unet.get("cross_attention_dim", 1280)
    given = sum(int(one.get("hidden_size", 512)) for one in encoders)
    fits = not isinstance(width, int) or width == given
    if family == "sdxl":
        sizes = 6 * unet.get("addition_time_embed_dim", 256)
        pooled = int(encoders[-1].get("projection_dim", 512))
        fits = fits and unet.get("projection_class_embeddings_input_dim", sizes + pooled) == sizes + pooled
    if not fits:
        raise ModelUnavailable(f"{name} is damaged: its denoiser and its text encoders do not fit each other.")


def _projected(unet: Mapping[str, Any]) -> str | None:
    """What it does with texts before it attends to them."""
    return unet.get("encoder_hid_dim_type", "text_proj" if unet.get("encoder_hid_dim") else None)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e6
