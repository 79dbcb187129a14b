"""Scenes as numbers: what a device draws from them is what PIL draws, and packed they are what they were."""

import numpy as np
import pytest
import torch

from pipelines.training.corpus import scenes
from pipelines.training.data import pack, plans
from pipelines.training.data.sprite_bank import SpriteBank
from pipelines.training.models.image.draft_denoiser import Drafts, Hands

CPU, STYLE = torch.device("cpu"), {"3d": 1.0}


@pytest.fixture
def drafts(corpus, tokens, stored) -> Drafts:
    large = torch.from_numpy(corpus.sprites).permute(0, 3, 1, 2)
    bank = SpriteBank(large, large[..., ::2, ::2].contiguous(), torch.ones(4))
    return Drafts.of(bank, Hands.of(corpus, corpus.sprites, CPU), stored, tokens, CPU)


def planned(corpus, number: int) -> scenes.Scene:
    composers = plans.Composer(corpus, STYLE), plans.Portraits(corpus, STYLE)
    return plans.example(composers, number, 31)[0]


def test_a_device_draws_what_pil_draws(corpus, drafts):
    for number in range(12):
        scene = planned(corpus, number)
        picture, draft = drafts.drawn(torch.tensor([number]), 256, plans.MOST, torch.Generator().manual_seed(1))
        drawn = (picture[0].permute(1, 2, 0).numpy() + 1) * 127.5
        # Edges are smoothed in two ways, hues have 256 steps for PIL, and pink is lighter there.
        bar = 12 if any(p.colour == "pink" for p in scene.placed) else 3
        assert np.abs(drawn - scenes.render(scene, corpus)).mean() < bar, (number, scene)
        assert 0 < (picture - draft).abs().mean() < 0.5


def test_captions_are_of_the_same_scene(corpus, stored, tokens):
    for number in range(40):
        scene = planned(corpus, number)
        assert [p.thing for p in scene.placed] == [t for t in stored["things"][number] if t >= 0]
        text = tokens.decode(stored["chinese"][number].astype(int), skip_special_tokens=True).replace(" ", "")
        assert corpus.things[scene.placed[0].thing].zh in text


def test_a_batch_has_singles_and_scenes_and_says_nothing_at_times(drafts):
    pictures, beside, ids = drafts.batch(20, torch.Generator().manual_seed(3))
    assert pictures.shape == beside.shape == (20, 3, 256, 256)
    assert ids.shape == (20, 32)
    empty = drafts.prompt(torch.zeros(400, dtype=torch.long), torch.Generator().manual_seed(1))
    assert 0.04 < (empty == drafts.nothing).all(1).float().mean() < 0.2
    again = drafts.batch(20, torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip((pictures, beside, ids), again, strict=True))


def test_the_draft_is_by_any_hand_that_training_knows():
    hands = Hands(torch.tensor([[4, -1, 7], [-1, 2, -1]]), torch.zeros(8))
    found = hands.any_of(torch.tensor([[0, 1, -1]] * 60), torch.Generator().manual_seed(1))
    assert set(found[:, 0].tolist()) == {4, 7}
    assert set(found[:, 1].tolist()) == {2}
    assert set(found[:, 2].tolist()) == {-1}
    count = hands.any_of(torch.tensor([[0, 0, 0]] * 60), torch.Generator().manual_seed(1))
    assert (count == count[:, :1]).all()


def test_packed_and_unpacked_it_is_the_same_corpus(tmp_path, cache, corpus, stored):
    file = pack.write(cache, tmp_path / "corpus.zip", processes=1)
    folder = pack.unpack(file, tmp_path / "there", processes=1)
    again = np.load(folder / "corpus" / "sprites.npy")
    assert np.abs(again.astype(int) - corpus.sprites).mean() < 3
    assert (again[..., :3] <= again[..., 3:]).all()  # premultiplied
    assert (folder / "corpus" / "things.json").read_text() == (cache / "corpus" / "things.json").read_text()
    unpacked = np.load(folder / plans.FILE)
    assert all(np.array_equal(unpacked[k], v, equal_nan=v.dtype.kind == "f") for k, v in stored.items())


def test_a_pack_too_large_to_carry_is_refused(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(pack, "LARGEST", 1000)
    with pytest.raises(ValueError, match="allowed are"):
        pack.write(cache, tmp_path / "corpus.zip", processes=1)
