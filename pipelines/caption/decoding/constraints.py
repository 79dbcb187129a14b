"""What a model may not write: the rules of its own generation config, and the words that a person forbids."""

from __future__ import annotations

import re
from typing import Any

from transformers import (
    ForcedBOSTokenLogitsProcessor,
    LogitsProcessorList,
    MinLengthLogitsProcessor,
    NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
)


def words(forbidden: str) -> list[str]:
    """The words between the commas."""
    return [word for word in (part.strip() for part in re.split(r"[,，、;\n]", forbidden)) if word]


def token_ids(tokenizer: Any, forbidden: str) -> list[list[int]]:
    """Every way of writing the words that the tokenizer knows: at a text's begin and inside it, small and capital."""
    found: dict[tuple[int, ...], None] = {}
    for word in words(forbidden):
        for form in dict.fromkeys((word, word.lower(), word.capitalize(), word.upper())):
            for written in (form, f" {form}"):
                found[tuple(tokenizer(written, add_special_tokens=False)["input_ids"])] = None
    return [list(ids) for ids in found if ids]


def processors(generation: Any, ends: list[int], begin: int, bad: list[list[int]]) -> LogitsProcessorList:
    """The library's own processors for a generation config, in its order. begin: tokens before the first new one."""
    found = LogitsProcessorList()
    if (generation.repetition_penalty or 1.0) != 1.0:
        found.append(RepetitionPenaltyLogitsProcessor(generation.repetition_penalty))
    if generation.no_repeat_ngram_size:
        found.append(NoRepeatNGramLogitsProcessor(generation.no_repeat_ngram_size))
    if bad:
        found.append(NoBadWordsLogitsProcessor(bad, ends))
    if generation.min_length and generation.min_length > begin:
        found.append(MinLengthLogitsProcessor(generation.min_length, ends))
    if generation.forced_bos_token_id is not None:
        found.append(ForcedBOSTokenLogitsProcessor(generation.forced_bos_token_id))
    if generation.suppress_tokens:
        found.append(SuppressTokensLogitsProcessor(generation.suppress_tokens))
    if generation.begin_suppress_tokens:
        found.append(SuppressTokensAtBeginLogitsProcessor(generation.begin_suppress_tokens, begin))
    return found
