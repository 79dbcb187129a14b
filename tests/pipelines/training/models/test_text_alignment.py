"""Words that no caption contains: what WordNet says they are, and that the text tower learns to understand them so."""

from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipelines.training import __main__ as trainers
from pipelines.training.corpus import fillers, lexicon
from pipelines.training.corpus.colours import HUES
from pipelines.training.corpus.corpus import Thing
from pipelines.training.models.alignment import text_alignment
from pipelines.training.release import checkpoints
from tests.pipelines.training import tiny

DATA = {
    "data.noun": """\
  1 a licence
00000010 05 n 02 fish 0 food_fish 0 001 ~ 00000020 n 0000 | cold-blooded animal of the water; "it swims"
00000020 05 n 01 trout 0 002 @ 00000010 n 0000 ~i 00000030 n 0000 | a game fish
00000030 05 n 01 moby 0 001 @i 00000020 n 0000 | a trout with a name
00000040 06 n 01 ruler 0 000 | a straight stick
00000050 18 n 01 ruler 0 000 | who rules
00000060 18 n 01 king 0 001 @ 00000050 n 0000 | who rules a country
00000070 05 n 02 fox 0 reynard 0 000 | a sly beast
00000080 05 n 01 fox 0 000 | a red beast
00000090 18 n 01 monarch 0 000 | who reigns
00000100 05 n 01 monarch 0 001 @ 00000010 n 0000 | a fish of kings
""",
    "index.noun": """\
  1 a licence
fish n 1 1 ~ 1 0 00000010
trout n 1 1 @ 1 0 00000020
moby n 1 1 @i 1 0 00000030
ruler n 2 1 @ 2 1 00000050 00000040
king n 1 1 @ 1 0 00000060
fox n 2 1 @ 2 1 00000080 00000070
reynard n 1 1 @ 1 0 00000070
monarch n 2 1 @ 2 1 00000090 00000100
""",
}
THINGS = [
    Thing("1", "fish", "鱼", (), (), 3, 34, 1.0),
    Thing("2", "straight ruler", "尺", (), (), 7, 34, 1.0),
    Thing("3", "fox", "狐狸", (), (), 3, 34, 1.0),
]


@pytest.fixture(autouse=True)
def frequencies(monkeypatch):
    """Stands for wordfreq: "pooch" is a common word, the others are not."""
    monkeypatch.setattr(text_alignment.frequencies, "zipf", lambda word: 5.0 if word == "pooch" else 2.0)


@pytest.fixture
def words(monkeypatch) -> lexicon.Lexicon:
    monkeypatch.setattr(lexicon, "read", lambda *_: {f"dict/{name}": text.encode() for name, text in DATA.items()})
    return lexicon.Lexicon(None)


def test_a_kind_of_fish_is_found_by_its_links_and_names_are_not(words):
    known = lexicon.meant(words, THINGS)
    assert known["00000010"] == 0
    assert words.nearest("00000020", known) == 0
    assert words.nearest("00000030", known) is None


def test_a_things_meaning_is_of_its_own_kind(words):
    known = lexicon.meant(words, THINGS)
    assert known["00000040"] == 1  # the stick; the other ruler is a person
    assert words.nearest("00000060", known) is None


def test_glosses_end_where_they_become_wordy(words):
    assert words.explained("fish", "00000010") == "fish, cold-blooded animal of the water"


@pytest.fixture
def whole(words, monkeypatch, corpus):
    """A corpus of THINGS, and every word common."""
    monkeypatch.setattr(lexicon, "zipf", lambda word: 4.0)
    monkeypatch.setattr(lexicon, "Lexicon", lambda folder: words)
    return type(corpus)(THINGS, corpus.sprites, corpus.thing, corpus.style, corpus.index, corpus.training)


def test_the_likelier_of_two_meanings_wins_and_unlike_words_stay_out(words, whole, monkeypatch):
    said = {"fish": 0, "trout": 0, "straight ruler": 1, "fox": 2}

    def embed(texts):
        """A direction for each thing and one for all other words; a trout's gloss lies half way to the fish's."""
        rows = torch.eye(4)[[said.get(t.split(",")[0], 3) for t in texts]]
        return torch.where(torch.tensor([t.startswith("trout") for t in texts])[:, None], rows * 0.5, rows).half()

    monkeypatch.setattr(lexicon.sentence_teacher, "embed", embed)
    assert lexicon.words_for(whole, None) == {"trout": 0}  # half alike, and akin


def test_synonyms_count_and_the_commoner_meaning_goes_before(words, whole, monkeypatch):
    like = {
        "fish": [1, 0, 0], "straight ruler": [0, 1, 0], "fox": [0, 0, 1],
        "reynard, a sly beast": [0.6, 0, 0.6],  # of fish and fox alike; its synonym is "fox"
        "monarch, who reigns": [0, 0, 0.65], "monarch, a fish of kings": [0.5, 0, 0],  # and akin to the fish
    }  # fmt: skip
    rows = lambda texts: [like.get(t, like.get(t.split(",")[0], [0, 0, 0])) for t in texts]  # noqa: E731
    monkeypatch.setattr(lexicon.sentence_teacher, "embed", lambda texts: torch.tensor(rows(texts)).float())
    assert lexicon.words_for(whole, None) == {"reynard": 2, "monarch": 2}


class Letters:
    """Stands for the tokenizer: a text's letters as numbers below 38, closed and padded with 39."""

    def __call__(self, texts, **_):
        rows = [[ord(c) % 38 for c in text[:31]] for text in texts]
        return {"input_ids": torch.tensor([row + [39] * (32 - len(row)) for row in rows])}


def test_a_caption_is_said_with_the_word_and_meant_with_the_name(corpus, monkeypatch):
    monkeypatch.setattr(text_alignment, "DRESSED", 0.0)
    lessons = text_alignment.Lessons(corpus, Letters(), {"pooch": 1}, {"3d": 1.0})
    draw = np.random.default_rng(0)
    pairs = [lessons.other(draw) for _ in range(60)]
    for said, meant in pairs:
        assert "pooch" in said
        assert "cat's head" in meant or "cat" in meant
    assert any("pooches" in said or "two pooch" in said for said, _ in pairs)
    same = {meant.replace("cats", "pooches").replace("cat", "pooch") == said for said, meant in pairs}
    assert same == {True}
    text, again = lessons.same(draw)
    assert text == again


def test_what_is_said_around_a_thing_is_not_meant(corpus, monkeypatch):
    monkeypatch.setattr(text_alignment, "DRESSED", 1.0)
    monkeypatch.setattr(text_alignment, "CHINESE", 0.0)
    lessons, draw = text_alignment.Lessons(corpus, Letters(), {"pooch": 1}, {"3d": 1.0}), np.random.default_rng(0)
    for said, meant in [lessons.same(draw) for _ in range(40)]:
        assert said != meant
        assert set(meant.replace(",", "").split()) - {"a", "an", "the"} <= set(
            said.replace(",", " ").strip("!?.").split()
        )
    said, meant = lessons.other(draw)
    assert "pooch" in said
    assert "pooch" not in meant


@pytest.mark.parametrize(
    ("text", "adorned", "owned"),
    [
        ("a dog", "an adorable dog", "my dog"),
        ("two red apples", "two adorable red apples", "my two red apples"),
        ("the cat, 3d", "the adorable cat, 3d", "my cat, 3d"),
        ("cat", "adorable cat", "my cat"),
        ("orange cat", "adorable orange cat", "my orange cat"),
    ],
)
def test_a_word_stands_behind_the_article(text, adorned, owned):
    assert fillers.adorned(text, "adorable") == adorned
    assert fillers.owned(text, "my") == owned


def test_a_caption_is_never_dressed_in_nothing():
    draw = np.random.default_rng(2)
    said = [fillers.dressed(draw, "a cat") for _ in range(200)]
    assert "a cat" not in said
    assert len(set(said)) > 100


def test_common_words_are_said_oftener(corpus):
    lessons, draw = (
        text_alignment.Lessons(corpus, Letters(), {"pooch": 1, "grimalkin": 1}, {"3d": 1.0}),
        np.random.default_rng(3),
    )
    said = ["grimalkin" in lessons.other(draw)[0] for _ in range(90)]
    assert 2 <= sum(said) <= 22  # one in nine


def test_a_third_of_single_things_have_a_colour_unless_their_name_says_one(corpus):
    lessons, draw = text_alignment.Lessons(corpus, Letters(), {"pooch": 1}, {"3d": 1.0}), np.random.default_rng(4)
    scenes = [lessons.coloured(draw, lessons.composer.single(draw, "3d")) for _ in range(300)]
    told = [
        (corpus.things[scene.placed[0].thing].en, scene.placed[0].colour) for scene in scenes if scene.placed[0].colour
    ]
    assert 75 < len(told) < 170  # some are recoloured as pictures are
    assert {colour for _, colour in told} == set(HUES)
    assert not any(HUES.keys() & set(name.split()) for name, _ in told)


def test_every_cycle_keeps_to_the_tower_before_all_words(tmp_path, monkeypatch):
    plain, worded, towers = tiny.text(0), tiny.text(1), []
    (tmp_path / "wording").mkdir()
    state = {f"average.text.{name}": value for name, value in worded.state_dict().items()}
    save_file(state, tmp_path / "wording" / "state.safetensors")
    monkeypatch.setattr(checkpoints, "load_prompts", partial(checkpoints.load_prompts, models=tmp_path / "none"))
    monkeypatch.setattr(checkpoints, "load_clip", lambda folder: None)
    monkeypatch.setattr(checkpoints, "load_tokens", lambda folder: None)
    monkeypatch.setattr(checkpoints, "text_encoder", lambda whole: tiny.text(0))
    monkeypatch.setattr(
        text_alignment, "train", lambda folder, text, before, tokens, minutes: towers.extend([text, before])
    )
    trainers.train_wording(tmp_path, 1.0)
    text, before = (tower.state_dict() for tower in towers)
    assert all(torch.equal(text[name], value) for name, value in worded.state_dict().items())
    assert all(torch.equal(before[name], value) for name, value in plain.state_dict().items())


def test_words_of_the_tower_before_do_not_hide_a_new_layout(tmp_path, monkeypatch):
    (tmp_path / "wording").mkdir()
    for loader in ("load_clip", "load_tokens"):
        monkeypatch.setattr(checkpoints, loader, lambda folder: None)
    monkeypatch.setattr(checkpoints, "load_prompts", lambda folder, whole: (folder / "wording").exists())
    monkeypatch.setattr(trainers, "latents", lambda folder: None)
    started_with_words = []
    monkeypatch.setattr(trainers.layout_text, "train", lambda folder, text, *_: started_with_words.append(text))
    trainers.train_layout(tmp_path, 1.0)
    assert started_with_words == [True]
    assert not (tmp_path / "wording").exists()


def test_the_tower_learns_the_word_and_keeps_the_rest(corpus):
    before, student = tiny.text(length=32).eval(), text_alignment.Wording(tiny.text(length=32).requires_grad_(True))
    lessons = text_alignment.Lessons(corpus, Letters(), {"pooch": 1}, {"3d": 1.0})
    batch = lessons.batch(np.random.default_rng(1), 16)
    assert batch[0].shape == batch[1].shape == (16, 32)
    loss = text_alignment.wording_loss(student, text_alignment.Wording(before.requires_grad_(False)))
    optimizer = torch.optim.Adam(student.parameters(), 3e-3)
    losses, seen = tiny.learnt(loss, batch, optimizer, 60)
    assert seen == 16
    assert losses[-1] < 0.5 * losses[0]
