"""SigLIP's own tokenizer is SentencePiece, which does not tell where its tokens lie in the text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from pipelines.alignment.opening import open_alignment
from pipelines.catalog import folders
from tests.pipelines.alignment import tiny
from tests.pipelines.alignment.conftest import OPTIONS
from tests.support.rounding import assert_same_forward

spm = pytest.importorskip("sentencepiece")


def test_long_texts_are_split_between_words(tmp_path: Path):
    from transformers import SiglipTokenizer

    text = tmp_path / "text.txt"
    text.write_text("a red cat sits on a sofa\ntwo dogs and a green bird\n" * 40)
    spm.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(tmp_path / "spiece"), vocab_size=40, hard_vocab_limit=False,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>", minloglevel=2)  # fmt: skip
    folder = tiny.siglip(tmp_path / "siglip")
    for file in folder.glob("*token*"):
        file.unlink()
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "model_input_names": ["input_ids"]}
    words = SiglipTokenizer(str(tmp_path / "spiece.model"), model_max_length=tiny.WINDOW, **names)
    words.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)

    pipeline = open_alignment(folders.read("siglip", folder, "folder"), OPTIONS, lambda told, part: None)
    towers = pipeline.alignment.towers
    assert not towers._tokenizer.is_fast
    long = towers.ids("a red cat sits on a sofa two dogs and a green bird")
    assert len(long) > 1
    assert all(len(part) <= tiny.WINDOW for part in long)
    own = words("a red cat", padding="max_length", max_length=tiny.WINDOW, return_tensors="pt")["input_ids"]
    expected = towers.model.get_text_features(input_ids=own).pooler_output[0].numpy()
    found = pipeline.alignment.embed_texts(["a red cat"])[0]
    assert_same_forward(found, expected / np.linalg.norm(expected))
