"""A job's prompt out of its parts: texts, pictures, a blend, and the gate between texts and pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pipelines.colours import rgb
from pipelines.image.interpolation import slerp
from pipelines.image.model.ip_attention import Shown, View
from pipelines.image.prompt.conditioning import NOTHING, Conditioning, PromptReader, Text, between, fainter
from pipelines.image.prompt.ip_adapter import Adapter
from pipelines.image.prompt.prompts import composed
from pipelines.pictures import given, open_upload
from pipelines.prompt_dialects import plain
from pipelines.requests import ImageRequest, Part, Role

AS_A_WHOLE = "This model has no map of style and content: the picture that says how counts as a whole."
NO_LAYOUT = "This model has no map of layout: only the start picture says where."
UNHEARD = "Pictures that say what not to show need guidance (a scale of more than 1)."


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """All that a job is conditioned on. heard: texts and pictures in full. empty: the empty prompt."""

    heard: Conditioning
    empty: Text | None

    def at(self, gate: float) -> Conditioning:
        """0 hears the texts alone, 1 the pictures alone, 0.5 both in full. Without pictures there is nothing to weigh.

        The texts at min(1, 2 (1 − gate)) of their way from the empty prompt, the pictures' scales times min(1, 2 gate).
        """
        if self.empty is None or gate == 0.5:
            return self.heard
        texts, pictures = min(1.0, 2 * (1 - gate)), min(1.0, 2 * gate)
        return replace(
            self.heard,
            positive=fainter(self.heard.positive, self.empty, texts),
            shown=tuple(view.fainter(pictures) for view in self.heard.shown),
            unshown=tuple(view.fainter(pictures) for view in self.heard.unshown),
        )


def texts(
    reader: PromptReader, request: ImageRequest, guided: bool, notes: list[str]
) -> tuple[Text, Text | None, Text]:
    """Positive, negative (None without guidance) and empty prompt, all of one length.

    What other programs' prompts ask for and we cannot do is not read as words: it is in `notes`.
    """

    def ours(text: str) -> str:
        found, remarks = plain(text)
        notes.extend(remark for remark in remarks if remark not in notes)
        return found

    said = [(ours(part.text), part.weight) for part in request.parts if part.role != Role.NOT]
    unsaid = [(ours(part.text), part.weight) for part in request.parts if part.role == Role.NOT]
    prompt, blend = composed(ours(request.prompt), said), request.blend
    negative = composed(ours(request.negative_prompt), unsaid) if guided else None
    end = composed(ours(blend.prompt), said) if blend and blend.prompt.strip() else prompt
    positive, against, (empty, other) = reader.read(prompt, negative, notes, NOTHING, end)
    return (between(positive, other, blend.at) if blend else positive), against, empty


def pictures(
    adapter: Adapter, request: ImageRequest, files: Mapping[str, bytes], guided: bool, notes: list[str]
) -> tuple[Shown, Shown]:
    """What the rows with the prompt see, and those with the negative prompt. Raises InvalidRequest, BadUpload."""
    kinds: dict[str, list[tuple[Tensor, float]]] = {}
    for part in request.shown_parts:
        kind = _kind(adapter, part, notes)
        if kind and part.weight:
            kinds.setdefault(kind, []).append((_tokens(adapter, request, part, files), part.weight))
    unwanted = kinds.pop(Role.NOT, [])
    if unwanted and not guided:
        notes.append(UNHEARD)
    nothing = [(adapter.tokens(adapter.nothing()), 1.0)]
    if unwanted and not kinds:
        kinds[Role.WHAT] = nothing
    shown = tuple(_view(adapter, kind, seen, kinds) for kind, seen in kinds.items())
    return shown, tuple(_against(view, unwanted or nothing) for view in shown)


def _kind(adapter: Adapter, part: Part, notes: list[str]) -> str | None:
    """Which attention it belongs to; None: to none."""
    if part.role == Role.HOW and not adapter.style:
        _note(notes, AS_A_WHOLE)
        return Role.WHAT
    if part.role == Role.WHERE and not adapter.layout:
        _note(notes, NO_LAYOUT)
        return None
    return part.role


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


def _tokens(adapter: Adapter, request: ImageRequest, part: Part, files: Mapping[str, bytes]) -> Tensor:
    def look(sha: str, field: str) -> Tensor:
        return adapter.look(sha, rgb(open_upload(given(files, sha, field), "picture part"), []))

    seen, blend = look(part.picture or "", "parts"), request.blend
    if blend and blend.picture and part is request.blended_part:
        seen = slerp(seen, look(blend.picture, "blend.picture"), blend.at)
    return adapter.tokens(seen)


def _view(adapter: Adapter, kind: str, seen: list[tuple[Tensor, float]], kinds: Mapping) -> View:
    """Where another picture says how, what a picture of the content says of style is not heard."""
    named: dict[str, frozenset[str]] = {Role.HOW: adapter.style, Role.WHERE: adapter.layout}
    blocks = named.get(kind)
    if kind == Role.WHAT and Role.HOW in kinds:
        blocks = adapter.names - adapter.style
    tokens, logs, scale = _joined(seen)
    return View(kind, tokens, scale, logs, blocks)


def _against(view: View, seen: list[tuple[Tensor, float]]) -> View:
    tokens, logs, scale = _joined(seen)
    return View(view.kind, tokens, view.scale * scale, logs, view.blocks)


def _joined(seen: list[tuple[Tensor, float]]) -> tuple[Tensor, Tensor | None, float]:
    """Tokens one after another; what is added to their logits, where weights differ; the largest weight."""
    most = max(weight for _, weight in seen)
    tokens = torch.cat([each for each, _ in seen])
    if all(weight == most for _, weight in seen):
        return tokens, None, most
    logs = torch.cat([each.new_full((len(each),), math.log(weight / most)) for each, weight in seen])
    return tokens, logs, most
