"""What other programs than AUTOMATIC1111's write into pictures: as JSON, each with names of its own.

Each reader gives the fields of a request of ours, as found, or None for what another program wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.requests import Sampler

Fields = dict[str, Any]
# k-diffusion's names of samplers, as ComfyUI, SwarmUI and Fooocus write them; InvokeAI and NovelAI nearly so.
SAMPLERS = {
    "euler": Sampler.EULER, "euler_ancestral": Sampler.EULER_A, "euler_a": Sampler.EULER_A,
    "dpmpp_2m": Sampler.DPMPP_2M,
    "dpmpp_2m_k": Sampler.DPMPP_2M_KARRAS, "dpmpp_sde": Sampler.DPMPP_SDE, "unipc": Sampler.UNIPC,
    "uni_pc": Sampler.UNIPC, "ddim": Sampler.DDIM, "lcm": Sampler.LCM, "heun": Sampler.HEUN,
}  # fmt: skip
_MOST_NODES = 5000
_DEEPEST = 12  # links that are followed from a sampler to its prompt


def read(texts: Mapping[str, str]) -> tuple[str, Fields] | None:
    """Who wrote it, and what could be read of it. None: nobody that we know."""
    for program, key, reader in _PROGRAMS:
        if (found := _object(texts.get(key, ""))) is not None:
            fields = reader(found, texts)
            if fields is not None:
                return program, {name: value for name, value in fields.items() if value not in (None, "")}
    return None


def sampler(name: object, schedule: object = "") -> str | None:
    """Our name for one of theirs; theirs where we have none."""
    if not isinstance(name, str):
        return None
    known = SAMPLERS.get(name.removeprefix("k_").removesuffix("_gpu"))
    if known == Sampler.DPMPP_2M and schedule == "karras":
        return Sampler.DPMPP_2M_KARRAS
    return known or name


def _object(text: str) -> dict | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _swarm(said: dict, _: Mapping) -> Fields | None:
    told = said.get("sui_image_params")
    if not isinstance(told, dict):
        return None
    names = {"prompt": "prompt", "negative_prompt": "negativeprompt", "seed": "seed", "steps": "steps",
             "guidance_scale": "cfgscale", "width": "width", "height": "height", "model": "model"}  # fmt: skip
    return _named(told, names) | {"sampler": sampler(told.get("sampler"), told.get("scheduler"))}


def _fooocus(said: dict, texts: Mapping) -> Fields | None:
    if "fooocus" not in str(said.get("version", "")).lower() and texts.get("fooocus_scheme") != "fooocus":
        return None
    names = {"prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed", "steps": "steps",
             "guidance_scale": "guidance_scale", "model": "base_model"}  # fmt: skip
    size = re.fullmatch(r"\((\d{1,5}), ?(\d{1,5})\)", str(said.get("resolution", "")))
    fields = _named(said, names) | {"sampler": sampler(said.get("sampler"), said.get("scheduler"))}
    return fields | ({"width": int(size[1]), "height": int(size[2])} if size else {})


def _invoke(said: dict, _: Mapping) -> Fields:
    names = {"prompt": "positive_prompt", "negative_prompt": "negative_prompt", "seed": "seed", "steps": "steps",
             "guidance_scale": "cfg_scale", "width": "width", "height": "height"}  # fmt: skip
    model = said.get("model")
    name = (model.get("name") or model.get("model_name")) if isinstance(model, dict) else model
    return _named(said, names) | {"model": name, "sampler": sampler(said.get("scheduler"))}


def _novel(said: dict, texts: Mapping) -> Fields | None:
    if "NovelAI" not in texts.get("Software", "") + texts.get("Source", ""):
        return None
    names = {"prompt": "prompt", "negative_prompt": "uc", "seed": "seed", "steps": "steps",
             "guidance_scale": "scale", "width": "width", "height": "height"}  # fmt: skip
    fields = _named(said, names) | {"sampler": sampler(said.get("sampler"), said.get("noise_schedule"))}
    return {"prompt": texts.get("Description", "")} | fields


def _comfy(graph: dict, _: Mapping) -> Fields | None:
    """Of the first sampler in the graph: its settings, and what its links lead to, where that is plain."""
    if len(graph) > _MOST_NODES or not any("class_type" in node for node in graph.values() if isinstance(node, dict)):
        return None
    first = next((node for node in graph.values() if str(_kind(node)).startswith("KSampler") and _inputs(node)), None)
    if first is None:
        return {}
    told = _inputs(first)
    names = {"steps": "steps", "guidance_scale": "cfg", "seed": "seed" if "seed" in told else "noise_seed"}
    fields = _named(told, names) | {"sampler": sampler(told.get("sampler_name"), told.get("scheduler"))}
    size = _inputs(_found(graph, told.get("latent_image"), "width"))
    model = _inputs(_found(graph, told.get("model"), "ckpt_name")).get("ckpt_name")
    fields |= _named(size, {"width": "width", "height": "height"}) | {"model": model}
    for ours, theirs in (("prompt", "positive"), ("negative_prompt", "negative")):
        text = _inputs(_found(graph, told.get(theirs), "text")).get("text")
        fields[ours] = text if isinstance(text, str) else None
    return fields


def _found(graph: dict, link: object, wanted: str) -> object:
    """The nearest node upstream that has such an input; None where the way forks or ends."""
    for _ in range(_DEEPEST):
        node = graph.get(str(link[0])) if isinstance(link, list) and link else None
        told = _inputs(node)
        if wanted in told:
            return node
        links = [value for value in told.values() if isinstance(value, list)]
        link = told.get("conditioning") or told.get("model") or (links[0] if len(links) == 1 else None)
    return None


def _kind(node: object) -> object:
    return node.get("class_type") if isinstance(node, dict) else None


def _inputs(node: object) -> dict:
    told = node.get("inputs") if isinstance(node, dict) else None
    return told if isinstance(told, dict) else {}


def _named(said: Mapping, names: Mapping[str, str]) -> Fields:
    """Text and numbers under our names; numbers that came as text are numbers, links of a graph are nothing."""
    return {
        ours: _plain(said[theirs]) for ours, theirs in names.items() if isinstance(said.get(theirs), str | int | float)
    }


def _plain(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,12}", value) else value


_PROGRAMS: tuple[tuple[str, str, Callable[[dict, Mapping], Fields | None]], ...] = (
    ("swarmui", "parameters", _swarm),
    ("fooocus", "parameters", _fooocus),
    ("invokeai", "invokeai_metadata", _invoke),
    ("novelai", "Comment", _novel),
    ("comfyui", "prompt", _comfy),
)
