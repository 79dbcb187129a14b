"""The last step: every candidate is checked against its picture, for all jobs at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from pipelines.caption.checking import wording
from pipelines.caption.checking.recognition import INSTEAD, Recognised, made_up, recognised
from pipelines.caption.state import CaptionState
from pipelines.errors import ModelUnavailable, TooLarge, UnknownModel
from pipelines.requests import CaptionRequest

if TYPE_CHECKING:
    from pipelines.alignment.model import Alignment, Supported
    from pipelines.alignment.pipeline import AlignmentPipeline
    from pipelines.caption.models.base import Family

_NAMED = "The first caption is not what {} wrote: it names what the alignment model recognises."


def check(family: Family, states: Sequence[CaptionState], align: Callable[[], AlignmentPipeline]) -> None:
    """Gives every state its candidates and the picture's vector. Without an alignment: unscored.

    The best comes first; but where things lie apart, what names them all, as a name of one of them scores higher, and
    else what says the name that is recognised.
    """
    captions = [_captions(family, state) for state in states]
    try:
        judge = align()
        alignment, seen = judge.alignment, judge.alignment.embed_images([state.picture for state in states])
    except (ModelUnavailable, UnknownModel, TooLarge) as error:
        for state, texts in zip(states, captions, strict=True):
            state.notes.append(f"Not checked against the picture: {error}")
            state.checked = [_unscored(*_final(family, state, text, Recognised())) for text in texts]
        return
    found = recognised(family, states, alignment, seen)
    written, results = [], []
    for state, texts, known in zip(states, captions, found, strict=True):
        written.append([_final(family, state, text, known) for text in texts])
        named = [_final(family, state, name, known) for name in (known.several, *known.names) if name]
        results.append(_distinct([*written[-1], *named]))
    _score(states, results, alignment, seen, [known.parts for known in found])
    for i, (state, known) in enumerate(zip(states, found, strict=True)):
        state.checked = _best(
            state, _final(family, state, known.several, known)[1] if known.several else "", known.names
        )
        state.judge, state.vector = judge.entry.id, seen[i].astype(np.float16).tobytes()
        if made_up(family, state.request):
            state.notes.append(INSTEAD[state.request.style].format(family.entry.name))
        elif state.checked and state.checked[0]["text"] not in [whole for _, whole, _ in written[i]]:
            state.notes.append(_NAMED.format(family.entry.name))


def _best(state: CaptionState, first: str, names: Sequence[str]) -> list[dict]:
    """As many as were asked for: `first`, where it is one of them, then those that say the likeliest of the names, then
    by score. A caption that is longer than a name may score higher for what is beside the thing."""
    name = wording.bare(names[0]) if names else ""

    def rank(one: dict) -> tuple[bool, bool, float]:
        return one["text"] == first, wording.says(one["text"], name), one["score"] or 0.0

    return sorted(state.checked or [], key=rank, reverse=True)[: state.request.candidates]


def _captions(family: Family, state: CaptionState) -> list[str]:
    """What was written, each wording once, and never nothing."""
    texts = (family.text(tokens) for tokens in state.written)
    return list(dict.fromkeys(text for text in texts if text)) or [""]


def _final(family: Family, state: CaptionState, text: str, known: Recognised) -> tuple[str, str, int]:
    """The inner text that is checked, the whole one, and where the inner one begins in it."""
    request = state.request
    if made_up(family, request):
        text = wording.made(text, request.style, known.labels, known.medium)
    elif not request.question.strip():
        text = wording.tidy(text, request.style)
    inner = wording.scrubbed(text, request.forbidden)
    whole, begin = wording.framed(inner, request)
    return inner, whole, begin


def _distinct(dressed: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    return list({whole: (inner, whole, begin) for inner, whole, begin in dressed}.values())


def _unscored(inner: str, whole: str, begin: int) -> dict:
    return {"text": whole, "score": None, "cosine": None, "phrases": []}


def _score(
    states: Sequence[CaptionState],
    results: list,
    alignment: Alignment,
    seen: np.ndarray,
    parts: Sequence[Sequence[np.ndarray]],
) -> None:
    checked = [[_unscored(*one) for one in dressed] for dressed in results]
    lines = [(i, n, *results[i][n]) for i, state in enumerate(states) if _is_scored(state.request)
             for n in range(len(results[i])) if results[i][n][0].strip()]  # fmt: skip
    if lines:
        owners, texts = seen[[line[0] for line in lines]], [line[2] for line in lines]
        read = alignment.embed_texts(texts)
        scores, cosines = alignment.scores(owners, read), (owners * read).sum(-1)
        agreements = _supported(alignment, owners, texts, [parts[line[0]] for line in lines])
        for (i, n, _, whole, begin), score, cosine, phrases in zip(lines, scores, cosines, agreements, strict=True):
            shown = [_shifted(phrase, begin) for phrase in phrases if begin + phrase.span[1] <= len(whole)]
            checked[i][n] |= {"score": round(float(score), 4), "cosine": round(float(cosine), 4), "phrases": shown}
    for state, candidates in zip(states, checked, strict=True):
        state.checked = candidates


def _supported(
    alignment: Alignment, owners: np.ndarray, texts: Sequence[str], parts: Sequence[Sequence[np.ndarray]]
) -> list[list[Supported]]:
    """Each text's phrases as the whole picture supports them or, where that is more, one of the things in it."""
    looks = [(n, vector) for n, some in enumerate(parts) for vector in (owners[n], *some)]
    every = alignment.agreements(np.stack([vector for _, vector in looks]), [texts[n] for n, _ in looks])
    found: list[list[Supported]] = [[] for _ in texts]
    for (n, _), phrases in zip(looks, every, strict=True):
        pairs = zip(found[n] or phrases, phrases, strict=True)
        found[n] = [max(pair, key=lambda phrase: phrase.score) for pair in pairs]
    return found


def _is_scored(request: CaptionRequest) -> bool:
    """An answer ("two") says nothing of the picture by itself."""
    return request.verify and not request.question.strip()


def _shifted(phrase: Supported, begin: int) -> dict:
    fields = asdict(phrase)
    return fields | {"span": [begin + place for place in phrase.span]}
