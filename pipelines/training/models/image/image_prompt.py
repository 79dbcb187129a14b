"""Image prompts: the denoiser also follows a picture, by IP-Adapter Plus (Ye et al. 2023) on Sprite CLIP's patches.

Only the adapter learns: a resampler of the picture's 64 patches to sixteen more tokens, and keys and values for them in
every cross-attention. The denoiser knows sixteen tokens already that say what lies where, the last ones of its text
(`layout`): so the resampler first learns to say of a picture what the text tower says of its caption, and what the
latents are beside; that needs no denoiser and takes minutes. Then adapter and locked denoiser learn together.

Its file has IP-Adapter's own names (`image_proj.*`, `ip_adapter.<n>.to_k_ip.weight`), so diffusers' `load_ip_adapter`
opens it.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.embeddings import IPAdapterPlusImageProjection
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPModel, CLIPTextModel, CLIPTokenizer

from pipelines.training.loop import Run, learnt_since, part
from pipelines.training.models.alignment import layout_text
from pipelines.training.models.captioner import to_pixels
from pipelines.training.models.image import denoiser
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

TOKENS, HIDDEN, HEADS = layout_text.CELLS, 192, 2
FILE = "image-prompt.safetensors"
TOWERS = ("vision", "layout")
# Shares of examples that lose their text, their picture, or both: so that either alone is enough, and guidance works.
NO_TEXT, NO_PICTURE, NEITHER = 0.4, 0.1, 0.05
BATCH = 48
# The names of diffusers' resampler, and IP-Adapter's own for the same.
OWN_NAMES = (
    (r"\.ln([01])\.", lambda m: f".0.norm{int(m[1]) + 1}."), (r"\.attn\.to_out\.0\.", ".0.to_out."),
    (r"\.attn\.", ".0."), (r"\.ff\.0\.", ".1.0."), (r"\.ff\.1\.net\.0\.proj\.", ".1.1."),
    (r"\.ff\.1\.net\.2\.", ".1.3."),
)  # fmt: skip


def resampler(patch: int, wide: int, seed: int = 1) -> IPAdapterPlusImageProjection:
    """Patches (B, P, patch) to tokens (B, 16, wide); four blocks, as diffusers knows no other number."""
    torch.manual_seed(seed)
    return IPAdapterPlusImageProjection(patch, wide, HIDDEN, heads=HEADS, num_queries=TOKENS)


def own_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The resampler's weights in IP-Adapter's names, keys and values in one matrix."""
    found = {}
    for name, value in weights.items():
        for pattern, new in OWN_NAMES:
            name = re.sub(pattern, new, name)
        found[name] = value
    for name in [n for n in found if n.endswith("to_k.weight")]:
        both = [found.pop(name.replace("to_k", f"to_{which}")) for which in "kv"]
        found[name.replace("to_k", "to_kv")] = torch.cat(both)
    return found


def fresh(unet: UNet2DConditionModel, projection: IPAdapterPlusImageProjection) -> dict[str, dict[str, Tensor]]:
    """A new adapter's weights in IP-Adapter's layout; keys and values begin as the text's own (as the paper does)."""
    modules, attention = dict(unet.named_modules()), {}
    for number, name in enumerate(cross_attentions(unet)):
        for key in ("k", "v"):
            weight = getattr(modules[name], f"to_{key}").weight
            attention[f"{2 * number + 1}.to_{key}_ip.weight"] = weight.detach().clone().contiguous()
    return {"image_proj": own_names(projection.state_dict()), "ip_adapter": attention}


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
        weights = weights or self.state_dict()
        found = {f"image_proj.{k}": v for k, v in own_names(part(weights, "projection.")).items()}
        for name, value in part(weights, "processors.").items():
            number, matrix = name.split(".")[:2]
            found[f"ip_adapter.{2 * int(number) + 1}.{matrix}.weight"] = value
        return {name: value.detach().half().contiguous() for name, value in found.items()}


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


def export(folder: Path, unet: UNet2DConditionModel, patch: int, path: Path) -> None:
    """Write the averaged adapter of a run's checkpoint in `folder`; `unet` is only asked for its parts."""
    bare = type(unet).from_config(unet.config)
    adapter = Adapter(bare, fresh(bare, resampler(patch, unet.config.cross_attention_dim)))
    save(path, adapter, part(load_file(folder / "state.safetensors"), "average."))


@torch.inference_mode()
def look(clip: CLIPModel, small: np.ndarray, batch: int = 128) -> Tensor:
    """Patches float16 (N, 65, D), after the last layer but one, of pictures uint8 (N, 64, 64, 3)."""
    found = []
    for begin in range(0, len(small), batch):
        with autocast():
            out = clip.vision_model(pixel_values=to_pixels(small[begin : begin + batch]), output_hidden_states=True)
        found.append(out.hidden_states[-2].half())
    return torch.cat(found)


class Examples(denoiser.Examples):
    """The denoiser's examples with their pictures' patches. `see` gives those of pictures uint8 (N, 64, 64, 3)."""

    def __init__(
        self, folder: Path, tokens: CLIPTokenizer, see: Callable[[np.ndarray], Tensor],
        sets: dict[str, float] = denoiser.SETS,
    ):  # fmt: skip
        super().__init__(folder, tokens, sets)
        self.patches = torch.cat([see(np.load(folder / name / "small.npy", mmap_mode="r")) for name in sets])
        # What stands for no picture where guidance asks for none, as diffusers has it: pixels of nought, mid grey.
        self.blank = see(np.full((1, 64, 64, 3), 127.5, np.float32)).float()

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, ...]:
        """Latents (size, 16, 8, 8), token ids (size, 32), timesteps (size,), patches (size, 1, P, D)."""
        rows, ids = self.known(draw, size)
        chance = torch.from_numpy(draw.random(size))[:, None]
        ids = torch.where(chance < NO_TEXT, self.nothing.long(), ids)
        blind = (chance < NEITHER) | (chance > 1 - NO_PICTURE)
        patches = torch.where(blind[:, None], self.blank, self.patches[rows].float())
        return self.latents[rows].float(), ids, torch.from_numpy(denoiser.draw_times(draw, size)), patches[:, None]

    def captioned(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Latents, token ids and patches (size, P, D), nothing left out."""
        rows, ids = self.known(draw, size)
        return self.latents[rows].float(), ids, self.patches[rows].float()


class Acquaintance(nn.Module):
    """A resampler with a linear head to latents, which is dropped after training."""

    def __init__(self, projection: IPAdapterPlusImageProjection, head: nn.Linear):
        super().__init__()
        self.projection, self.head = projection, head


def acquaintance_loss(model: Acquaintance, text: CLIPTextModel) -> Callable:
    """How far the tokens are from what the text tower says of the caption, and what they tell from the latents."""

    def loss(batch: tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        latents, ids, patches = batch
        with autocast():
            with torch.no_grad():
                said = text(input_ids=ids).last_hidden_state[:, -TOKENS:].float()
            seen = model.projection(patches)
            shown = layout_text.on_grid(model.head(seen), latents.shape[1])
        return (seen.float() - said).square().mean() + (shown.float() - latents).square().mean(), len(latents)

    return loss


def acquaint(folder: Path, examples: Examples, text: CLIPTextModel, minutes: float) -> IPAdapterPlusImageProjection:
    """One cycle of `minutes` without the denoiser; again when a tower that it goes between has learnt since."""
    wide = text.config.hidden_size
    model = Acquaintance(
        resampler(examples.blank.shape[-1], wide), nn.Linear(wide, examples.latents[0].numel() // TOKENS)
    )
    run = Run(folder / "acquaintance", model, Muon(split(model, muon=1e-3, adam=1e-3)), decay=0.995)
    strange = learnt_since(folder, run.folder.name, TOWERS)
    if not run.resume() or strange or run.seconds < 60 * run.minutes:
        loss = acquaintance_loss(model, text)
        run.train(lambda draw: examples.captioned(draw, 2 * BATCH), loss, run.cycle(minutes))
    model.load_state_dict(run.average)
    return model.projection


def train(
    folder: Path, clip: CLIPModel, text: CLIPTextModel, tokens: CLIPTokenizer, unet: UNet2DConditionModel,
    minutes: float, known: dict[str, dict[str, Tensor]] | None = None,
) -> Run:  # fmt: skip
    """Two fifths of `minutes` without, the rest with the denoiser; it, text tower and vision tower are locked.

    known: an adapter of this denoiser, whose attention is where this one begins.
    """
    examples = Examples(folder, tokens, partial(look, clip))
    text.eval().requires_grad_(False)
    strange = learnt_since(folder, "image-prompt", TOWERS)
    projection = acquaint(folder, examples, text, 0.4 * minutes)
    unet.set_attn_processor(denoiser.AttnProcessor())
    weights = fresh(unet, projection)
    adapter = Adapter(unet, weights | {"ip_adapter": known["ip_adapter"]} if known else weights)
    loss = denoiser.velocity_loss(unet.train(), text)
    run = Run(folder / "image-prompt", adapter, Muon(split(adapter, muon=3e-4, adam=5e-4)), decay=0.996)
    run.resume()
    budget = run.cycle(0.6 * minutes)
    if strange:
        adapter.projection.load_state_dict(projection.state_dict())
        run.settle()
    run.train(lambda draw: examples.batch(draw, BATCH), loss, budget)
    return run
