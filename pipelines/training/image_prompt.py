"""Image prompts: the denoiser also follows a picture, by IP-Adapter (Ye et al. 2023) on Sprite CLIP's vectors.

Only the adapter learns: a projection of the picture's vector to four more tokens, and keys and values for them in every
cross-attention. Its file has IP-Adapter's own names (`image_proj.*`, `ip_adapter.<n>.to_k_ip.weight`), so diffusers'
`load_ip_adapter` opens it.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPModel, CLIPTextModel, CLIPTokenizer

from . import denoiser
from .captioner import to_pixels
from .optimizer import Muon, split
from .run import Run, part

TOKENS = 4
FILE = "image-prompt.safetensors"
# Shares of examples that lose their text, their picture, or both: so that either alone is enough, and guidance works.
NO_TEXT, NO_PICTURE, NEITHER = 0.4, 0.1, 0.05
BATCH = 48


def fresh(unet: UNet2DConditionModel, vector: int, seed: int = 1) -> dict[str, dict[str, Tensor]]:
    """A new adapter's weights in IP-Adapter's layout; keys and values begin as the text's own (as the paper does)."""
    draw = torch.Generator().manual_seed(seed)
    wide = unet.config.cross_attention_dim
    project = {
        "proj.weight": torch.randn(TOKENS * wide, vector, generator=draw) * vector**-0.5,
        "proj.bias": torch.zeros(TOKENS * wide),
        "norm.weight": torch.ones(wide),
        "norm.bias": torch.zeros(wide),
    }
    modules, attention = dict(unet.named_modules()), {}
    for number, name in enumerate(cross_attentions(unet)):
        for key in ("k", "v"):
            weight = getattr(modules[name], f"to_{key}").weight
            attention[f"{2 * number + 1}.to_{key}_ip.weight"] = weight.detach().clone().contiguous()
    return {"image_proj": project, "ip_adapter": attention}


def cross_attentions(unet: UNet2DConditionModel) -> list[str]:
    """Names of the attentions to the text, in the order in which diffusers numbers an adapter's parts (1, 3, 5…)."""
    names = [name.removesuffix(".processor") for name in unet.attn_processors]
    return [name for name in names if name.endswith("attn2")]


class Adapter(nn.Module):
    """What learns: the projection and the processors of an adapter that `unet` has taken on; the rest is locked."""

    def __init__(self, unet: UNet2DConditionModel, weights: dict[str, dict[str, Tensor]]):
        super().__init__()
        unet.requires_grad_(False)
        unet._load_ip_adapter_weights([weights], low_cpu_mem_usage=False)
        self.projection = unet.encoder_hid_proj.image_projection_layers[0]
        self.processors = nn.ModuleList(unet.attn_processors[f"{name}.processor"] for name in cross_attentions(unet))
        self.requires_grad_(True)

    def tensors(self, weights: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """The adapter, or its averaged `weights`, float16, in IP-Adapter's names."""
        found = {}
        for name, value in (weights or self.state_dict()).items():
            kind, rest = name.split(".", 1)
            if kind == "projection":
                new = "image_proj." + rest.replace("image_embeds", "proj")
            else:
                number, matrix = rest.split(".")[:2]
                new = f"ip_adapter.{2 * int(number) + 1}.{matrix}.weight"
            found[new] = value.detach().half().contiguous()
        return found


def open_weights(path: Path) -> dict[str, dict[str, Tensor]]:
    """A stored adapter as diffusers takes it: the two parts apart, float32."""
    found: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for name, value in load_file(path).items():
        kind, rest = name.split(".", 1)
        found[kind][rest] = value.float()
    return found


def save(path: Path, adapter: Adapter, weights: dict[str, Tensor] | None = None) -> None:
    """Write the adapter's file."""
    save_file(adapter.tensors(weights), path, metadata={"format": "pt"})


def export(folder: Path, unet: UNet2DConditionModel, vector: int, path: Path) -> None:
    """Write the averaged adapter of a run's checkpoint in `folder`; `unet` is only asked for its parts."""
    bare = type(unet).from_config(unet.config)
    save(path, Adapter(bare, fresh(bare, vector)), part(load_file(folder / "state.safetensors"), "average."))


@torch.inference_mode()
def embed(clip: CLIPModel, small: np.ndarray, batch: int = 128) -> Tensor:
    """Unit vectors float16 (N, D) of pictures uint8 (N, 64, 64, 3)."""
    found = []
    for begin in range(0, len(small), batch):
        with torch.autocast("cpu", torch.bfloat16):
            pooled = clip.vision_model(pixel_values=to_pixels(small[begin : begin + batch])).pooler_output
            found.append(F.normalize(clip.visual_projection(pooled).float(), dim=-1).half())
    return torch.cat(found)


class Examples(denoiser.Examples):
    """The denoiser's examples with their pictures' vectors."""

    def __init__(
        self, folder: Path, tokens: CLIPTokenizer, look: Callable[[np.ndarray], Tensor],
        sets: dict[str, float] = denoiser.SETS,
    ):  # fmt: skip
        super().__init__(folder, tokens, sets)
        self.vectors = torch.cat([look(np.load(folder / name / "small.npy", mmap_mode="r")) for name in sets])

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, ...]:
        """Latents (size, 16, 8, 8), token ids (size, 32), timesteps (size,), picture vectors (size, 1, D).

        A picture without a vector has noughts, as diffusers gives where guidance asks for none.
        """
        rows = torch.from_numpy(np.searchsorted(self.share, draw.random(size)))
        ids = self.english[rows, torch.from_numpy(draw.integers(0, self.english.shape[1], size))].long()
        chance = torch.from_numpy(draw.random(size))[:, None]
        ids = torch.where(chance < NO_TEXT, self.nothing.long(), ids)
        blind = (chance < NEITHER) | (chance > 1 - NO_PICTURE)
        vectors = torch.where(blind, torch.zeros(()), self.vectors[rows].float())
        return self.latents[rows].float(), ids, torch.from_numpy(denoiser.draw_times(draw, size)), vectors[:, None]


def image_prompt_loss(unet: UNet2DConditionModel, text: CLIPTextModel) -> Callable:
    """The denoiser's velocity loss, the picture's vector given along."""
    angle = torch.from_numpy(denoiser.angles()).float()

    def loss(batch: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, int]:
        latents, ids, times, vectors = batch
        alpha, sigma = (f(angle[times])[:, None, None, None] for f in (torch.cos, torch.sin))
        noise = torch.randn(latents.shape, generator=generator)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                states = text(input_ids=ids).last_hidden_state
            shown = unet(
                alpha * latents + sigma * noise, times, states,
                added_cond_kwargs={"image_embeds": [vectors]}, return_dict=False,
            )[0]  # fmt: skip
        return (shown.float() - (alpha * noise - sigma * latents)).square().mean(), len(latents)

    return loss


def train(
    folder: Path, clip: CLIPModel, text: CLIPTextModel, tokens: CLIPTokenizer, unet: UNet2DConditionModel,
    minutes: float,
) -> Run:  # fmt: skip
    """One cycle of `minutes`; `unet`, text tower and vision tower are locked."""
    examples = Examples(folder, tokens, partial(embed, clip))
    unet.set_attn_processor(denoiser.AttnProcessor())
    adapter = Adapter(unet, fresh(unet, examples.vectors.shape[1]))
    loss = image_prompt_loss(unet.train(), text.eval().requires_grad_(False))
    run = Run(folder / "image-prompt", adapter, Muon(split(adapter, muon=5e-4, adam=5e-4)), decay=0.996)
    run.resume()
    run.train(lambda draw: examples.batch(draw, BATCH), loss, run.cycle(minutes))
    return run
