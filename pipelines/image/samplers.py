"""Sampler names -> noise schedulers of diffusers, a fresh one for every job, built from the model's own settings.

"DPM++ SDE" is the second-order single-step SDE solver of DPM-Solver++ (Lu et al. 2022), as in k-diffusion's
`sample_dpmpp_sde`. Here `steps` counts model calls (k-diffusion makes two a step), and its noise comes from the
job's own CPU generator instead of a Brownian tree, so that a job gives the same picture alone and in any batch.

Flow-matching models (SD3, Flux, Z-Image…) would add their rows to `_CLASSES` and their family to `folders.FAMILIES`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from importlib import import_module
from typing import Any

import torch

from pipelines.requests import Sampler

_PLAIN = {"use_karras_sigmas": False, "use_exponential_sigmas": False, "use_beta_sigmas": False}
_DPM = {"solver_order": 2, "thresholding": False, "final_sigmas_type": "zero", "lower_order_final": True,
        "variance_type": None}  # fmt: skip
_2M = _PLAIN | _DPM | {"algorithm_type": "dpmsolver++"}
# Latents have no bounds: clipping them (the default of DDIM, made for pixels) would ruin the picture.
_UNCLIPPED = {"clip_sample": False, "thresholding": False}
_CLASSES: dict[Sampler, tuple[str, str, dict]] = {
    Sampler.EULER: ("euler_discrete", "EulerDiscreteScheduler", _PLAIN),
    Sampler.EULER_A: ("euler_ancestral_discrete", "EulerAncestralDiscreteScheduler", {}),
    Sampler.DPMPP_2M: ("dpmsolver_multistep", "DPMSolverMultistepScheduler", _2M),
    Sampler.DPMPP_2M_KARRAS: (
        "dpmsolver_multistep",
        "DPMSolverMultistepScheduler",
        _2M | {"use_karras_sigmas": True},
    ),
    Sampler.DPMPP_SDE: (
        "dpmsolver_singlestep",
        "DPMSolverSinglestepScheduler",
        _PLAIN | _DPM | {"algorithm_type": "sde-dpmsolver++"},
    ),
    Sampler.UNIPC: ("unipc_multistep", "UniPCMultistepScheduler", _PLAIN | {"thresholding": False}),
    Sampler.DDIM: ("ddim", "DDIMScheduler", _UNCLIPPED),
    Sampler.LCM: ("lcm", "LCMScheduler", _UNCLIPPED),
    Sampler.HEUN: ("heun_discrete", "HeunDiscreteScheduler", _PLAIN | {"clip_sample": False}),
}


class Samplers:
    """Schedulers of diffusers with the model's betas and prediction type (`config`) and each sampler's flags.

    A job's own is a copy of one that is never used: reading the config of a scheduler takes ten times as long.
    """

    def __init__(self, config: Mapping[str, Any]):
        self._config = config
        self._unused: dict[Sampler, Any] = {}

    def fresh(self, sampler: Sampler) -> Any:
        """A scheduler for one job."""
        if sampler not in self._unused:
            module, name, flags = _CLASSES[sampler]
            kind = getattr(import_module(f"diffusers.schedulers.scheduling_{module}"), name)
            self._unused[sampler] = kind.from_config({**self._config, **flags})
        return deepcopy(self._unused[sampler])


def own_config(config: Mapping[str, Any], *, sdxl: bool) -> dict[str, Any]:
    """The model's scheduler settings with every default of its own class filled in, as its pipeline would see them.

    The Stable Diffusion 1/2 pipelines of diffusers set `steps_offset` to 1; pictures would differ without it.
    """
    import diffusers

    kind = getattr(diffusers, config.get("_class_name", "DDIMScheduler"))
    try:
        full = dict(kind.from_config(dict(config)).config)
    except ImportError:  # it needs scipy or torchsde, and nobody samples with it: the numbers are enough
        full = dict(config)
    if not sdxl and "steps_offset" in full:
        full["steps_offset"] = 1
    return full


def schedule(sampler: Any, steps: int, strength: float | None) -> torch.Tensor:
    """Sets the timesteps (on the CPU, 1-D) and gives those to walk; `strength` cuts the first ones off (img2img).

    The arithmetic of `get_timesteps` in diffusers' StableDiffusionImg2ImgPipeline. For second-order samplers every
    model call has its own timestep, so there are more of them than `steps`.
    """
    sampler.set_timesteps(steps, device="cpu")
    first = 0 if strength is None else max(steps - min(int(steps * strength), steps), 0)
    sampler.set_begin_index(first * sampler.order) if hasattr(sampler, "set_begin_index") else None
    return sampler.timesteps[first * sampler.order :]


def options(sampler: Any, generator: torch.Generator) -> dict[str, Any]:
    """The keywords that this sampler's `step` takes: its job's own generator where it draws noise."""
    known = _parameters(type(sampler).step)
    return {key: value for key, value in {"generator": generator, "eta": 0.0}.items() if key in known}


@cache
def _parameters(call: Callable) -> frozenset[str]:
    return frozenset(inspect.signature(call).parameters)


def clean(sampler: Any, sample: torch.Tensor, output: torch.Tensor, timestep: float) -> torch.Tensor:
    """The model's present guess of the finished latents (x₀).

    sample: the model's input at `timestep`, that is √ᾱ·x₀ + √(1−ᾱ)·ε for every sampler once `scale_model_input` has
    been applied. Formulas: ε Ho et al. 2020 eq. 15; v Salimans & Ho 2022 appendix D.
    """
    alpha, sigma = _levels(sampler.alphas_cumprod, timestep)
    kind = sampler.config.prediction_type
    if kind == "sample":
        return output
    if kind == "v_prediction":
        return alpha * sample - sigma * output
    return (sample - sigma * output) / max(alpha, 1e-4)


def _levels(cumprod: torch.Tensor, timestep: float) -> tuple[float, float]:
    low = min(int(timestep), len(cumprod) - 1)
    high = min(low + 1, len(cumprod) - 1)
    signal = float(torch.lerp(cumprod[low], cumprod[high], timestep - low))
    return signal**0.5, (1 - signal) ** 0.5


class Undo:
    """Puts samplers and generators back to where they were: a step that runs out of memory must have moved nobody."""

    def __init__(self, sampler: Any, generator: torch.Generator):
        self.sampler, self.generator, self.noise = sampler, generator, generator.get_state()
        self.saved = {key: list(v) if isinstance(v, list) else v for key, v in vars(sampler).items()}

    def __call__(self) -> None:
        vars(self.sampler).clear()
        vars(self.sampler).update(self.saved)
        self.generator.set_state(self.noise)
