"""Tiny random voices in the real classes of transformers and the folder layout that they save."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BarkConfig,
    BarkModel,
    EncodecConfig,
    PocketTTSAudioTokenizerConfig,
    PocketTTSAudioTokenizerModel,
    PocketTTSConfig,
    PocketTTSForConditionalGeneration,
    PreTrainedTokenizerFast,
    SpeechT5Config,
    SpeechT5ForTextToSpeech,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
    VitsConfig,
    VitsModel,
)
from transformers.models.bark.generation_configuration_bark import BarkGenerationConfig

LETTERS = "abcdefghijklmnopqrstuvwxyz .,!?'"


def vits(path: Path, speakers: int = 1) -> Path:
    """VITS with one speaker, or several."""
    torch.manual_seed(1)
    size = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 16,
            "flow_size": 16, "spectrogram_bins": 9, "upsample_initial_channel": 16, "upsample_rates": [8, 8],
            "upsample_kernel_sizes": [16, 16], "resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1]],
            "prior_encoder_num_flows": 2, "prior_encoder_num_wavenet_layers": 1, "wavenet_dilation_rate": 1,
            "posterior_encoder_num_wavenet_layers": 1, "duration_predictor_num_flows": 2,
            "duration_predictor_filter_channels": 16, "depth_separable_num_layers": 1}  # fmt: skip
    many = {"num_speakers": speakers, "speaker_embedding_size": 8} if speakers > 1 else {}
    VitsModel(VitsConfig(**size, **many)).save_pretrained(path)
    words = {letter: i for i, letter in enumerate(["<pad>", *LETTERS, "<unk>"])}
    (path / "vocab.json").write_text(json.dumps(words))
    settings = {"tokenizer_class": "VitsTokenizer", "phonemize": False, "is_uroman": False, "language": "eng"}
    (path / "tokenizer_config.json").write_text(json.dumps(settings))
    return path


def speecht5(path: Path) -> Path:
    """SpeechT5 with its vocoder in a sub-folder and two voices, one a .npy and one a .safetensors file."""
    import sentencepiece
    from safetensors.numpy import save_file

    torch.manual_seed(2)
    size = {"hidden_size": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16,
            "encoder_attention_heads": 2, "decoder_attention_heads": 2, "vocab_size": 81, "num_mel_bins": 8,
            "speaker_embedding_dim": 12, "speech_decoder_prenet_units": 16, "speech_decoder_postnet_units": 16,
            "speech_decoder_postnet_layers": 2, "max_length": 40}  # fmt: skip
    model = SpeechT5ForTextToSpeech(SpeechT5Config(**size))
    model.speech_decoder_postnet.prob_out.bias.data.fill_(-50.0)  # never says that it has finished
    model.save_pretrained(path)
    vocoder = SpeechT5HifiGanConfig(model_in_dim=8, upsample_initial_channel=8, upsample_rates=[8, 8],
                                    upsample_kernel_sizes=[16, 16], resblock_kernel_sizes=[3],
                                    resblock_dilation_sizes=[[1]])  # fmt: skip
    hifigan = SpeechT5HifiGan(vocoder)
    hifigan.conv_post.weight.data.mul_(1e4)  # to be heard
    hifigan.save_pretrained(path / "vocoder")
    with (path / "spm_char.model").open("wb") as file:
        lines = iter([LETTERS, LETTERS.upper(), "the quick brown fox jumps over the lazy dog", "0123456789"])
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=lines, model_writer=file, model_type="char",
                                                 vocab_size=60, hard_vocab_limit=False, bos_id=0, pad_id=1, eos_id=2,
                                                 unk_id=3, minloglevel=2)  # fmt: skip
    (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "SpeechT5Tokenizer"}))
    draws = np.random.default_rng(0)
    (path / "voices").mkdir()
    np.save(path / "voices" / "anna.npy", draws.standard_normal(12, np.float32))
    save_file({"x": draws.standard_normal(12, np.float32)}, path / "voices" / "bert.safetensors")
    return path


def bark(path: Path) -> Path:
    """Bark with one voice of its own; it speaks for a quarter of a second."""
    torch.manual_seed(3)
    small = {"block_size": 1024, "num_layers": 1, "num_heads": 2, "hidden_size": 8, "bias": False}
    fine = small | {"input_vocab_size": 1056, "output_vocab_size": 1056}
    codec = EncodecConfig(hidden_size=8, num_filters=2, upsampling_ratios=[8, 5, 8], codebook_dim=8, num_lstm_layers=1,
                          target_bandwidths=[6.0])  # fmt: skip
    model = BarkModel(BarkConfig(
        semantic_config=small | {"input_vocab_size": 129600, "output_vocab_size": 10048},
        coarse_acoustics_config=small | {"input_vocab_size": 12096, "output_vocab_size": 12096},
        fine_acoustics_config=fine, codec_config=codec.to_dict(),
    ))  # fmt: skip
    model.save_pretrained(path)
    told = BarkGenerationConfig(semantic_config={"max_new_tokens": 12, "eos_token_id": 10_000}).to_dict()
    (path / "generation_config.json").write_text(json.dumps(told, default=str))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *("##" + letter for letter in LETTERS)]
    (path / "vocab.txt").write_text("\n".join(words))
    (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    draws, prompts = np.random.default_rng(0), {}
    (path / "speaker_embeddings").mkdir()
    for part, shape in (("semantic_prompt", (20,)), ("coarse_prompt", (2, 30)), ("fine_prompt", (8, 30))):
        np.save(path / "speaker_embeddings" / f"en_1_{part}.npy", draws.integers(0, 1000, shape))
        prompts[part] = f"speaker_embeddings/en_1_{part}.npy"
    told = {"repo_or_path": "somewhere/else", "en_1": prompts, "bad": dict.fromkeys(prompts, "../../secret.npy")}
    (path / "speaker_embeddings_path.json").write_text(json.dumps(told))
    return path


TEMPLATE = """{%- for message in messages -%}{%- for part in message['content'] -%}
{%- if part['type'] == 'audio' -%}<bos_voice><voice>{%- else -%}{{ part['text'] }}{%- endif -%}
{%- endfor -%}{%- endfor -%}<bos_audio>"""


def pocket(path: Path) -> Path:
    """Pocket TTS with its codec in a sub-folder and one stored voice."""
    from safetensors.numpy import save_file

    torch.manual_seed(4)
    special = {"audio_prompt_token": "<voice>", "audio_latent_token": "<latent>",
               "audio_prompt_bos_token": "<bos_voice>", "audio_bos_token": "<bos_audio>"}  # fmt: skip
    words = {word: i for i, word in enumerate(["<pad>", "<unk>", *LETTERS, *special.values()])}
    ids = {f"{name}_id": words[token] for name, token in special.items()}
    head = {"hidden_size": 8, "num_hidden_layers": 1, "latent_dim": 4, "condition_dim": 16,
            "frequency_embedding_size": 8}  # fmt: skip
    config = PocketTTSConfig(flow_head_config=head, vocab_size=len(words), hidden_size=16, num_hidden_layers=1,
                             num_attention_heads=2, intermediate_size=16, latent_dim=4, pad_token_id=0,
                             **ids)  # fmt: skip
    model = PocketTTSForConditionalGeneration(config)
    model.generation_config.update(do_sample=True, temperature=0.7, num_flow_steps=1, eos_threshold=1e9)
    model.save_pretrained(path)
    codec = PocketTTSAudioTokenizerConfig(hidden_size=16, num_filters=2, upsampling_ratios=[4, 4], upsample_groups=16,
                                          num_hidden_layers=1, intermediate_size=16, num_attention_heads=2,
                                          num_key_value_heads=2, latent_stride=4, latent_dim=4)  # fmt: skip
    PocketTTSAudioTokenizerModel(codec).save_pretrained(path / "audio_tokenizer")
    frame = {"frame_size": 64, "pad_to_multiple_of": 64, "sampling_rate": 24000}
    (path / "processor_config.json").write_text(json.dumps({"feature_extractor": frame, "frames_after_eos": 1}))
    (path / "chat_template.jinja").write_text(TEMPLATE)
    model = Tokenizer(models.WordLevel(words, "<unk>"))
    model.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=model, pad_token="<pad>", unk_token="<unk>", padding_side="left",
                            extra_special_tokens=special).save_pretrained(path)  # fmt: skip
    (path / "voices").mkdir()
    save_file({"v": np.random.default_rng(0).standard_normal((6, 4), np.float32)}, path / "voices" / "alba.safetensors")
    return path
