"""Decoding in blocks gives transformers' own tokens, alone and in any company."""

from __future__ import annotations

import pytest
import torch

FAMILIES = ("blip", "git", "vit_gpt2", "florence", "smolvlm", "idefics3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl")
SOME = ("blip", "git", "vit_gpt2", "florence", "smolvlm", "qwen2_5_vl")


def theirs(pipeline, state, tokens, **how):
    """The new tokens that `generate` gives, up to and without the first end."""
    family = pipeline._family
    written = family.beams(family.joined([state.inputs]), num_beams=1, max_new_tokens=tokens, **how)[0]
    start = family.start(family.joined([state.inputs]))[0].tolist()
    if written[: len(start)] == start:
        written = written[len(start) :]
    for i, token in enumerate(written):
        if token in family.ends:
            return written[:i]
    return written


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_tokens_are_those_of_generate(opened, ask, run, family):
    pipeline = opened(family)
    lengths = set()
    for number in range(5):
        (state,) = run(pipeline, ask(number))
        assert state.written[0] == theirs(pipeline, state, 40)
        lengths.add(tuple(state.written[0]))
    assert len(lengths) > 1, "the captions must depend on the pictures for this to mean anything"


@pytest.mark.parametrize("family", SOME)
def test_a_job_gets_in_company_what_it_gets_alone(opened, ask, run, family):
    pipeline = opened(family)
    mix = [ask(0), ask(1, candidates=3), ask(2, candidates=2, temperature=1.3, max_tokens=20), ask(3, max_tokens=5),
           ask(4, candidates=4, seed=9, max_tokens=33)]  # fmt: skip
    together = [state.written for state in run(pipeline, *mix)]
    alone = [run(pipeline, request)[0].written for request in mix]
    assert together == alone
    assert [len(written) for written in together] == [1, 3, 2, 1, 4]


def test_a_job_may_join_others_at_any_block(opened, ask, uploads):
    """Those that began earlier are at another depth: they have another key, and nobody waits for them."""
    pipeline = opened("blip")
    first, second = (pipeline.prepare(ask(n, candidates=3, temperature=1.5), uploads) for n in (0, 1))
    pipeline.step([first])
    assert pipeline.batch_key(first) != pipeline.batch_key(second)
    while second.steps_left:
        pipeline.step([second])
    assert first.produced == 16
    while first.steps_left:
        pipeline.step([first])
    again = pipeline.prepare(ask(0, candidates=3, temperature=1.5), uploads)
    while again.steps_left:
        pipeline.step([again])
    assert again.written == first.written


def test_rows_that_have_ended_leave(opened, ask, uploads):
    pipeline = opened("blip")
    state = pipeline.prepare(ask(0, candidates=8, temperature=2.0), uploads)
    rows = [state.rows]
    while state.live:
        pipeline.step([state])
        rows.append(len(state.live))
    assert rows == sorted(rows, reverse=True)
    assert state.kept is None
    assert state.ids is None


def test_the_same_seed_gives_the_same_and_another_one_something_else(opened, ask, run):
    pipeline = opened("git")
    first, again, other = run(pipeline, *(ask(0, candidates=3, temperature=1.5, seed=s) for s in (1, 1, 2)))
    assert first.written == again.written != other.written


def test_the_first_candidate_is_the_greedy_one(opened, ask, run):
    pipeline = opened("blip")
    greedy, several = run(pipeline, ask(2), ask(2, candidates=4))
    assert several.written[0] == greedy.written[0]
    assert len({tuple(tokens) for tokens in several.written}) > 1


@pytest.mark.parametrize("family", SOME)
def test_beams_are_those_of_generate(opened, ask, run, family):
    pipeline = opened(family)
    one, two = run(pipeline, ask(0, beams=3, candidates=2, max_tokens=12), ask(1, beams=3, candidates=2, max_tokens=12))
    inputs = pipeline._family.joined([one.inputs])
    how = {"num_beams": 3, "num_return_sequences": 2, "max_new_tokens": 12}
    assert one.written == pipeline._family.beams(inputs, **how)
    assert len(two.written) == 2


def test_forbidden_words_are_not_written(opened, ask, run):
    pipeline = opened("blip")
    (free,) = run(pipeline, ask(0))
    text = pipeline._family.text(free.written[0])
    word = next(word for word in text.split() if word.isalpha())
    (state,) = run(pipeline, ask(0, forbidden=f"{word}, zebra"))
    assert word not in pipeline._family.text(state.written[0]).split()
    assert state.written[0] == theirs(pipeline, state, 40, bad_words_ids=state.bad)


def test_broken_scores_fail_that_job_alone(opened, ask, uploads):
    pipeline = opened("blip")
    good, bad = (pipeline.prepare(ask(n), uploads) for n in (0, 1))
    bad.inputs["pixel_values"] = torch.full_like(bad.inputs["pixel_values"], torch.nan)
    pipeline.step([good, bad])
    assert good.error is None
    assert bad.error.code == "not_finite"
